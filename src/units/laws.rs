//! Laws of the whole layer, tried on every unit of the standard library.

use super::{Catalogue, Dimension, Scale, Unit, UnitError};
use crate::base::{Fault, Number};
use proptest::prelude::*;
use std::collections::HashMap;

const FILES: [(&str, &str); 2] = [
    ("units/si.phys", include_str!("../../stdlib/units/si.phys")),
    ("units/other.phys", include_str!("../../stdlib/units/other.phys")),
];

fn catalogue() -> Catalogue {
    Catalogue::load(&FILES).expect("the standard units load")
}

fn unit(text: &str) -> Unit {
    catalogue().parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// As many cases as the environment asks for.
pub(super) fn cases() -> ProptestConfig {
    let cases = std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn every_definition_can_be_read_and_has_a_source_with_its_year() {
    let catalogue = catalogue();
    catalogue.verify().unwrap();
    assert!(catalogue.names().count() > 110);
    for name in catalogue.names() {
        let year =
            name.doc.split(|c: char| !c.is_ascii_digit()).any(|n| n.len() == 4 && n.as_bytes()[0] != b'0');
        assert!(year, "{:?} names no year: {}", name.names, name.doc);
        assert!(!name.doc.contains('\n'), "{:?}: a remark was not understood: {}", name.names, name.doc);
    }
}

#[test]
fn the_cut_sees_what_the_parser_sees() {
    for (file, text) in FILES {
        let parsed = crate::syntax::parse(&crate::base::Source::new(0, file, text));
        assert_eq!(parsed.diagnostics, [], "{file}");
        let tree = parsed.tree;
        let cuts = super::library::cut(file, text).unwrap();
        assert_eq!(tree.statements.len(), cuts.len(), "{file}");
        for (statement, cut) in tree.statements.iter().zip(&cuts) {
            let crate::syntax::tree::StatementKind::Unit { names, value } = &statement.kind else {
                panic!("{file}: not a unit statement");
            };
            assert_eq!(names.iter().map(|n| n.name.clone()).collect::<Vec<_>>(), cut.names);
            assert_eq!(value.is_some(), cut.defined);
            let notes = super::library::Notes::read(statement.doc.as_deref().unwrap_or(""));
            assert_eq!(notes.as_ref(), Ok(&cut.notes));
        }
    }
}

#[test]
fn the_constants_parse_and_their_units_are_known() {
    use crate::syntax::tree::{ExprKind, StatementKind};
    let text = include_str!("../../stdlib/physics/constants.phys");
    let parsed = crate::syntax::parse(&crate::base::Source::new(0, "physics/constants.phys", text));
    assert_eq!(parsed.diagnostics, []);
    for statement in &parsed.tree.statements {
        assert!(matches!(statement.kind, StatementKind::Const { .. }));
        let doc = statement.doc.as_deref().unwrap_or("");
        assert!(doc.contains("exact") || doc.contains("measured"), "{doc}");
        assert!(["2019", "2022", "1901", "1954"].iter().any(|year| doc.contains(year)), "{doc}");
    }
    let catalogue = catalogue();
    for node in &parsed.tree.exprs {
        if let ExprKind::WithUnit(_, unit) = &node.kind {
            catalogue.resolve(unit).unwrap();
        }
    }
}

#[test]
fn every_spelling_with_its_prefix_has_one_meaning() {
    let catalogue = catalogue();
    let mut seen = HashMap::new();
    for spelling in catalogue.spellings() {
        *seen.entry(spelling).or_insert(0) += 1;
    }
    // The kilogram is a base unit and a thousand grams, by either road the same.
    let mut twice: Vec<_> = seen.iter().filter(|(_, n)| **n > 1).map(|(s, _)| s.as_str()).collect();
    twice.sort_unstable();
    assert_eq!(twice, ["kg", "kilogram", "kilogramme"]);
    for spelling in seen.keys() {
        let unit = catalogue.parse(spelling).unwrap_or_else(|e| panic!("{spelling}: {e}"));
        assert_eq!(&unit.to_string(), spelling);
    }
}

#[test]
fn dimensions_are_those_of_the_standard() {
    let table = [
        ("N", "kg*m/s^2"),
        ("Pa", "kg/(m*s^2)"),
        ("V", "kg*m^2/(s^3*A)"),
        ("Ω", "kg*m^2/(s^3*A^2)"),
        ("F", "A^2*s^4/(kg*m^2)"),
        ("S", "A^2*s^3/(kg*m^2)"),
        ("Wb", "kg*m^2/(s^2*A)"),
        ("T", "kg/(s^2*A)"),
        ("H", "kg*m^2/(s^2*A^2)"),
        ("lx", "cd/m^2"),
        ("Gy", "m^2/s^2"),
        ("kat", "mol/s"),
        ("rad", "1"),
        ("eV", "kg*m^2/s^2"),
        ("barn", "m^2"),
        ("M_sun", "kg"),
        ("L_sun", "kg*m^2/s^3"),
        ("Jy", "kg/s^2"),
        ("psi", "kg/(m*s^2)"),
        ("Oe", "A/m"),
        ("D", "A*s*m"),
        ("degF", "K"),
        ("dB", "1"),
    ];
    for (name, dimension) in table {
        let expected = if name == "D" { "m*A*s" } else { dimension };
        assert_eq!(unit(name).dimension().to_string(), expected, "{name}");
    }
}

#[test]
fn si_units_are_coherent_and_shown_by_their_name() {
    for name in
        ["N", "J", "W", "Pa", "C", "V", "Ω", "F", "T", "Wb", "H", "m", "kg", "s", "A", "K", "mol", "cd"]
    {
        assert!(unit(name).is_coherent(), "{name}");
        assert_eq!(Unit::coherent(unit(name).dimension()), unit(name));
    }
    for name in ["Hz", "Bq", "Gy", "Sv", "kat", "lm", "lx", "rad", "sr"] {
        assert!(unit(name).is_coherent());
        assert_ne!(Unit::coherent(unit(name).dimension()), unit(name));
    }
}

#[test]
fn known_conversions_are_exact() {
    let table: [(&str, &str, i64, i64, i32); 24] = [
        ("km/h", "m/s", 5, 18, 0),
        ("mile", "ft", 5280, 1, 0),
        ("nmi", "m", 1852, 1, 0),
        ("furlong", "yd", 220, 1, 0),
        ("acre", "yd^2", 4840, 1, 0),
        ("gallon", "L", 3_785_411_784, 1_000_000_000, 0),
        ("L", "cm^3", 1000, 1, 0),
        ("kWh", "MJ", 18, 5, 0),
        ("atm", "Torr", 760, 1, 0),
        ("bar", "hPa", 1000, 1, 0),
        ("deg", "rad", 1, 180, 1),
        ("turn", "deg", 360, 1, 0),
        ("turn", "arcsec", 1_296_000, 1, 0),
        ("arcsec", "mas", 1000, 1, 0),
        ("pc", "AU", 648_000, 1, -1),
        ("yr", "day", 1461, 4, 0),
        ("lb", "oz", 16, 1, 0),
        ("%", "ppm", 10_000, 1, 0),
        ("barn", "fm^2", 100, 1, 0),
        ("G", "T", 1, 10_000, 0),
        ("byte", "bit", 8, 1, 0),
        ("Kibyte", "byte", 1024, 1, 0),
        ("Eh", "Ry", 2, 1, 0),
        ("rpm", "rad/min", 2, 1, 1),
    ];
    for (from, to, num, den, pi) in table {
        let scale = unit(from).convert_scale(&unit(to)).unwrap();
        assert_eq!(scale.exact(), &Number::ratio(num, den).unwrap(), "{from} -> {to}");
        assert_eq!((scale.pi_power(), scale.float()), (pi, None), "{from} -> {to}");
    }
    assert_eq!(unit("km/h").convert(36.0, &unit("m/s")), Ok(10.0));
    assert_eq!(unit("eV").to_si(1.0), 1.602176634e-19);
    assert_eq!(unit("ly").scale().exact(), &Number::int(299_792_458 * 31_557_600));
}

#[test]
fn measured_units_carry_their_uncertainty_and_cancel() {
    let (value, sigma) = unit("Da").scale().float().unwrap();
    assert_eq!(value, 1.66053906892e-27);
    assert!((sigma / (0.52 / 1_660_539_068.92) - 1.0).abs() < 1e-12);
    assert_eq!(
        unit("MDa").convert_scale(&unit("u")).unwrap(),
        Scale::from_number(Number::int(1_000_000)).unwrap()
    );
    // The ratio of two masses is that of their GM, known far better than G.
    assert_eq!(unit("M_sun").convert_scale(&unit("M_earth")).unwrap().float(), None);
    let (sun, sigma) = unit("M_sun").scale().float().unwrap();
    assert!((sun / 1.988410e30 - 1.0).abs() < 1e-6 && (sigma - 2.2474e-5).abs() < 1e-9);
}

#[test]
fn offsets_and_logarithms() {
    let (celsius, fahrenheit, kelvin) = (unit("degC"), unit("degF"), unit("K"));
    assert_eq!(celsius.convert(20.0, &kelvin), Ok(293.15));
    assert_eq!(celsius.convert(100.0, &fahrenheit).map(|t| (t * 1e9).round() / 1e9), Ok(212.0));
    assert_eq!(fahrenheit.convert(-40.0, &celsius).map(|t| (t * 1e9).round() / 1e9), Ok(-40.0));
    assert!(celsius.is_affine() && !celsius.is_logarithmic() && !celsius.is_coherent());
    assert_eq!(unit("dB").to_si(30.0), 1000.0);
    assert_eq!(unit("dB").from_si(1000.0), 30.0);
    assert!(unit("dB").is_logarithmic());
    assert!(matches!(celsius.convert_scale(&kelvin), Err(UnitError::NoFactor { .. })));
    assert!(celsius.convert_scale(&celsius).unwrap().is_one());
    for text in ["degC*m", "m*degC", "J/degC", "degC^2", "1/degC", "dB/m", "degC*degC"] {
        assert!(matches!(catalogue().parse(text), Err(UnitError::StandsAlone { .. })), "{text}");
    }
    assert_eq!(unit("degC^1"), celsius);
    assert_eq!(unit("1*degC"), celsius);
}

#[test]
fn what_is_written_is_what_is_shown() {
    for text in [
        "km/h",
        "m/s^2",
        "kg*m^2/s^2",
        "1/s",
        "m^(1/2)",
        "1",
        "C^2/(N*m^2)",
        "1/(m*s)",
        "1/m^(3/2)",
        "%",
        "kW*h",
        "Å",
        "Ω",
        "°C",
        "in",
        "μs",
        "us",
        "m^3/(kg*s^2)",
    ] {
        assert_eq!(unit(text).to_string(), text);
    }
    assert_eq!(unit("m/s*kg").to_string(), "m*kg/s");
    assert_eq!(unit("m*s*m/s").to_string(), "m^2");
    assert!(unit("m/m").is_one());
    assert_eq!(unit("µm"), unit("μm"));
    assert_eq!(unit("kg*m²·s⁻²").latex(), "\\mathrm{kg\\,m^{2}\\,s^{-2}}");
    assert_eq!(unit("um").latex(), "\\mathrm{\\mu m}");
    assert_eq!(unit("kΩ").latex(), "\\mathrm{k\\Omega}");
    assert_eq!(unit("M_sun").latex(), "\\mathrm{M_{\\odot}}");
    assert_eq!(unit("light_year").latex(), "\\mathrm{light\\_year}");
    assert_eq!(Unit::one().latex(), "");
}

#[test]
fn misspelt_units_are_answered() {
    let table = [
        ("Km", "did you mean [km]?"),
        ("Kg", "did you mean [kg]?"),
        ("sec", "did you mean [s]?"),
        ("hr", "did you mean [h]?"),
        ("meters", "did you mean [meter]?"),
        ("kilometres", "did you mean [kilometre]?"),
        ("ev", "did you mean [eV]?"),
        ("GeV2", "did you mean [GeV]?"),
        ("newtn", "did you mean [newton]?"),
        ("Msun", "did you mean [M_sun]?"),
        ("hz", "did you mean [Hz]?"),
        ("kmin", "write [min]"),
        ("kmetre", "write [kilometre]"),
        ("kilom", "write [kilometre]"),
        ("nly", "write [ly]"),
    ];
    for (text, hint) in table {
        let error = catalogue().parse(text).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some(hint), "{text}: {error}");
    }
    let error = catalogue().parse("zzz").unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.hint()),
        ("expected a unit, found the unknown name `zzz`", None)
    );
}

#[test]
fn units_of_the_user_live_in_their_clone() {
    let library = catalogue();
    let mut mine = library.clone();
    let smoot = Scale::from_number(Number::ratio(17018, 10000).unwrap()).unwrap();
    let unit =
        mine.define_as(&["smoot"], Some("Harvard Bridge, 1958."), smoot.clone(), Dimension::LENGTH).unwrap();
    assert_eq!(mine.parse("smoot/s").unwrap().to_string(), "smoot/s");
    assert_eq!(unit.scale(), &smoot);
    assert!(!library.contains("smoot") && mine.contains("smoot"));
    // Again, and with another size: the user's own.
    mine.define_as(&["smoot"], None, Scale::ONE, Dimension::LENGTH).unwrap();
    assert!(mine.parse("smoot").unwrap().is_coherent());
    assert_eq!(mine.names().filter(|n| n.by_user).count(), 1);
    // The library's names stay: by themselves and with a prefix.
    for (name, meaning) in [("m", "the metre"), ("km", "the kilometre"), ("mile", "the mile")] {
        let error = mine.define_as(&[name], None, smoot.clone(), Dimension::LENGTH).unwrap_err();
        assert_eq!(error, UnitError::NameTaken { name: name.into(), meaning: meaning.into() });
    }
    let furlong = library.parse("furlong").unwrap();
    assert!(mine.define_as(&["furlong"], None, furlong.scale().clone(), Dimension::LENGTH).is_ok());
}

#[test]
fn statements_define_units_exactly_or_say_why_not() {
    let define = |text: &str| {
        let parsed = crate::syntax::parse(&crate::base::Source::new(0, "test", text));
        assert_eq!(parsed.diagnostics, [], "{text}");
        let tree = parsed.tree;
        let crate::syntax::tree::StatementKind::Unit { names, value } = &tree.statements[0].kind else {
            panic!("not a unit statement");
        };
        let mut catalogue = catalogue();
        let result = catalogue.define(&tree, names, *value, tree.statements[0].doc.as_deref());
        result.map_err(|(error, _)| error.to_string())
    };
    let exact = |text: &str| define(text).unwrap().scale().exact().clone();
    assert_eq!(exact("unit chain = 22 [yard]"), Number::ratio(201_168, 10_000).unwrap());
    assert_eq!(exact("unit q = 2^3*(1/4 + 0.5) [m]"), Number::int(6));
    assert_eq!(define("unit q = 2 [m] / 4 [s]").unwrap().dimension(), unit("m/s").dimension());
    assert_eq!(define("unit circle = 2*pi [rad]").unwrap().scale().pi_power(), 1);
    let measured = define("unit q = 2.0 ± 0.1 [m]").unwrap();
    assert_eq!(measured.scale().float(), Some((2.0, 0.05)));
    let bad = [
        ("unit q = 2*x [m]", "found the symbol `x`"),
        ("unit q = -2 [m]", "expected a positive value"),
        ("unit q = 0 [m]", "expected a positive value"),
        ("unit q = 1 [degC]", "alone in its brackets"),
        ("unit q = 1 [foo]", "unknown name `foo`"),
        ("unit q", "found none"),
        ("unit km = 1 [m]", "kilometre"),
        ("unit q = sin(1) [m]", "another expression"),
        ("unit q = 2^0.5 [m]", "an integer power"),
    ];
    for (text, part) in bad {
        let error = define(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn broken_libraries_are_refused_with_their_place() {
    let load = |text: &str| Catalogue::load(&[("x.phys", text)]).map(drop).map_err(|d| d.message);
    assert_eq!(
        load("unit a = 1 [m]\nx = 2"),
        Err("expected a `unit` statement, found `x = 2` in x.phys line 2".into())
    );
    assert_eq!(
        load("unit metre, m\nunit mile, m = 2 [m]"),
        Err("expected a new unit, found `m` again in x.phys".into())
    );
    assert!(load("## prefixes: many\nunit metre, m").is_err());
    // No definition can need itself or what comes later.
    let circle = Catalogue::load(&[("x.phys", "unit a = 1 [b]\nunit b = 1 [a]")]).unwrap();
    assert!(matches!(circle.verify(), Err(UnitError::Unknown { .. })));
}

#[test]
fn powers_out_of_range_are_faults() {
    assert!(matches!(catalogue().parse("(m^900)^2"), Err(UnitError::PowerOverflow { .. })));
    assert!(matches!(catalogue().parse("m^600*m^600"), Err(UnitError::PowerOverflow { .. })));
    // Sizes beyond floats do not panic.
    assert!(unit("km^900").scale().to_f64().is_infinite());
}

/// Products of up to four spellings with small powers.
fn any_unit() -> impl Strategy<Value = Unit> {
    let catalogue = catalogue();
    let alone = |u: &Unit| u.is_affine() || u.is_logarithmic();
    let units: Vec<Unit> =
        catalogue.spellings().filter_map(|s| catalogue.parse(&s).ok()).filter(|u| !alone(u)).collect();
    let factor = (proptest::sample::select(units), -4i64..=4, 1i64..=3);
    proptest::collection::vec(factor, 0..4).prop_map(|factors| {
        factors.into_iter().fold(Unit::one(), |unit, (base, num, den)| {
            unit.mul(&base.pow(&Number::ratio(num, den).unwrap()).unwrap()).unwrap()
        })
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_is_printed_reads_back(u in any_unit()) {
        prop_assert_eq!(catalogue().parse(&u.to_string()).unwrap(), u);
    }

    #[test]
    fn products_and_powers_agree(a in any_unit(), b in any_unit(), n in -3i64..=3) {
        let ab = a.mul(&b).unwrap();
        prop_assert!(ab.is_equivalent(&b.mul(&a).unwrap()) || ab.scale().float().is_some());
        prop_assert_eq!(ab.dimension(), a.dimension().mul(b.dimension()).unwrap());
        prop_assert!(ab.div(&b).unwrap().dimension() == a.dimension());
        prop_assert!(a.div(&a).unwrap().is_one());
        let n = Number::int(n);
        prop_assert_eq!(ab.pow(&n).unwrap().dimension(), a.dimension().pow(&n).unwrap().mul(b.dimension().pow(&n).unwrap()).unwrap());
        prop_assert_eq!(a == b, a.stable_hash() == b.stable_hash());
        // Far beyond any physics, parts of a scale leave the range in which floats are precise.
        let tame = |u: &Unit| {
            let (exact, rest) = (u.scale().exact().to_f64(), u.scale().float().map_or(1.0, |(value, _)| value));
            [exact, rest, exact * rest].iter().all(|part| (1e-250..1e250).contains(part))
        };
        let (x, y) = (ab.scale().to_f64(), a.scale().to_f64() * b.scale().to_f64());
        prop_assert!(![&a, &b, &ab].into_iter().all(tame) || (x / y - 1.0).abs() < 1e-12);
    }

    #[test]
    fn there_and_back_is_nowhere(a in any_unit(), value in -1e6f64..1e6) {
        let to = Unit::coherent(a.dimension());
        prop_assert!(to.is_coherent());
        let there = a.convert_scale(&to).unwrap();
        let back = to.convert_scale(&a).unwrap();
        prop_assert!(there.exact().checked_div(&back.exact().recip().unwrap()).unwrap().is_one());
        prop_assert_eq!(there.pi_power(), -back.pi_power());
        let result = to.convert(a.convert(value, &to).unwrap(), &a).unwrap();
        prop_assert!(!there.to_f64().is_normal() || !back.to_f64().is_normal() || (result - value).abs() <= 1e-12 * value.abs());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-zμΩ%°²⁻()*/^1-9 .+-]{0,24}|\\PC{0,16}") {
        if let Ok(unit) = catalogue().parse(&text) {
            prop_assert_eq!(catalogue().parse(&unit.to_string()).unwrap(), unit);
        }
    }
}
