//! Every bad file gets its code and place; good ones read back as they were written.

use super::*;
use crate::data::testing::catalogue;
use crate::data::{csv_text, write_csv};

fn read(text: &str) -> Result<Dataset, DataError> {
    read_csv_text("f.csv", text, &catalogue(), &ReadOptions::default())
}

#[test]
fn units_labels_errors_and_decimals_are_kept() {
    let data = read(
        "\u{FEFF}name,v [km/s],± v,λ [nm],n\r\nA,170.50,10,656.4614,3\r\n\r\n\"B,b\",290,15,486.2721,4\r\n",
    )
    .unwrap();
    assert_eq!(data.names().collect::<Vec<_>>(), ["name", "v", "lambda", "n"]);
    let v = data.column("v").unwrap();
    assert_eq!((v.decimals, v.errors.as_deref()), (Some(2), Some(&[10.0, 15.0][..])));
    assert_eq!(v.si_values(), [170_500.0, 290_000.0]);
    assert_eq!(v.si_errors().unwrap(), [10_000.0, 15_000.0]);
    assert_eq!(data.column("lambda").unwrap().resolution(), Some(1e-4));
    assert_eq!(data.column("n").unwrap().values, Values::Integer(vec![3, 4]));
    assert_eq!(data.column("name").unwrap().role, Role::Label);
    let again = read(&csv_text(&data).unwrap()).unwrap();
    assert_eq!(again, data);
}

#[test]
fn offsets_convert_on_use() {
    let data = read("T [degC],± T [K]\n20,0.5\n-273.15,1\n").unwrap();
    let t = data.column("T").unwrap();
    assert_eq!(t.si_values(), [293.15, 0.0]);
    assert_eq!(t.si_errors().unwrap(), [0.5, 1.0]);
}

#[test]
fn every_fault_has_its_code_and_place() {
    let rows: [(&str, u16, &str); 22] = [
        ("", 3005, "f.csv"),
        ("x,y\n", 3009, "f.csv"),
        ("x,\n1,2\n", 3006, "column 2"),
        ("x,x\n1,2\n", 3007, "`x`"),
        ("x,± x,± x\n1,2,3\n", 3007, "`± x`"),
        ("1,2\n2,4\n", 3008, "1,2"),
        ("1,\u{FEFF}2\n,a\n", 3008, "1,"),
        ("x,y\n1,2\n2,4,5\n", 3010, "row 1"),
        ("x,y\n1,2\n2\n", 3010, "line 3"),
        ("x [m],y [s]\n1,2\n2,\n", 3011, "row 1, column `y`"),
        ("x,y\n1,2\n2,NA\n", 3011, "row 1, column `y`"),
        ("x [m],y [s]\n1,2\n2,four\n3,6\n", 3012, "`four`"),
        ("x,y\n1,2\n2,\"1,5\"\n3,6\n", 3012, "`1,5`"),
        ("x [m]\nfour\n", 3012, "row 0"),
        ("x,y\n1,2\n2,nan\n", 3013, "`nan`"),
        ("x,y\n1,2\n2,-inf\n", 3013, "`-inf`"),
        ("x,y\n1,2\n2,1e999\n", 3013, "`1e999`"),
        ("x [m],y [zorkmid]\n1,2\n", 3014, "`y`"),
        ("x [m,y\n1,2\n", 3014, "`x`"),
        ("x;y\n1;2\n", 3015, "semicolons"),
        ("x,y,± z\n1,2,0.1\n", 3016, "`± z`"),
        ("x,± x\n1,-2\n", 3017, "-2"),
    ];
    for (text, code, words) in rows {
        let fault = read(text).unwrap_err();
        assert_eq!(fault.code(), Code(code), "{text:?}: {fault}");
        assert!(fault.to_string().contains(words), "{text:?}: {fault}");
        assert!(fault.hint().is_some() || code == 3014, "{text:?}");
    }
    let hint = |text: &str| read(text).unwrap_err().hint().unwrap();
    assert_eq!(hint("x,y\n1,2\n2,\"1,5\"\n3,6\n"), "write decimals with a point: 1.5");
    assert_eq!(hint("x;y\n1;2\n"), "tr ';' ',' < 'f.csv' > commas.csv");
    assert_eq!(hint("x,y,± z\n1,2,0.1\n"), "add the column z");
    assert!(read("± v [km/s]\n1\n").is_err());
    assert!(read("v [km/s],± v [m]\n1,1\n").is_err());
}

#[test]
fn long_cells_are_cut_in_messages() {
    let texts = ["é", "\u{FFFD}", "`", "a,", "1,", "-", " k", "x y"].map(|t| t.repeat(2000));
    let mut met = std::collections::BTreeSet::new();
    for t in &texts {
        let tables = [
            format!("\"{t}]\"\n1\n"),
            format!("\"x [{t}\"\n1\n"),
            format!("\"x [{t}]\"\n1\n"),
            format!("\"x [m{t}]\"\n1\n"),
            format!("\"{t} [zorkmid]\"\n1\n"),
            format!("\"[{t}]\"\n1\n"),
            format!("\"± [{t}\"\n1\n"),
            format!("\"x{t}\",\"x{t}\"\n1,2\n"),
            format!("x,\"± x{t}\"\n1,2\n"),
            format!("\"x{t}\",\"± x{t}y\"\n1,2\n"),
            format!("1,{}\n1,2\n", "0".repeat(t.len())),
            format!("x [m]\n\"{t}a\"\n"),
            format!("x [m]\n\"1 {t}a\"\n1\n"),
            format!("x\n1\n2\n\"1,{}\"\n", "5".repeat(t.len())),
            format!("x\n1\n{}e999\n", "9".repeat(t.len())),
            format!("\"x{t}\"\n1\nnan\n"),
            format!("\"x{t}\",y\n,1\n1,2\n"),
            format!("\"x{t}\",\"± x{t}\"\n1,-1\n"),
            format!("\"x{t} [m]\",\"± x{t} [s]\"\n1,1\n"),
        ];
        for table in &tables {
            // Some of the texts make a good table of one form or another.
            let Err(fault) = read(table) else { continue };
            let (message, hint) = (fault.to_string(), fault.hint().unwrap_or_default());
            let characters = message.chars().count() + hint.chars().count();
            assert!(characters < 900, "{characters} of {table:.60}: {message:.300}");
            met.insert(fault.code().0);
        }
    }
    let cut = read(&format!("x\n1\n2\n{}\n", "é".repeat(81))).unwrap_err().to_string();
    assert!(cut.ends_with(&format!("found `{}…`", "é".repeat(79))), "{cut}");
    assert_eq!(Vec::from_iter(met), [3006, 3007, 3008, 3011, 3012, 3013, 3014, 3016, 3017]);
}

/// Letters whose normal form is no name, such as a blank and a mark, too.
#[test]
fn a_name_read_again_is_the_same() {
    let units = catalogue();
    for c in ('\0'..=char::MAX).filter(|c| !c.is_ascii() && syntax::is_name(&format!("a{c}"))) {
        for cell in [format!("{c}"), format!("{c}2"), format!("a{c}"), format!("{c}λ")] {
            let name = header("f.csv", 1, &cell, &units).unwrap().name;
            let again = header("f.csv", 1, &name, &units).unwrap().name;
            assert_eq!(name, again, "{cell:?}");
        }
    }
    let data = read("1,\u{FE7E}2\n0,t\n").unwrap();
    assert_eq!(data.names().collect::<Vec<_>>(), ["1", "\u{652}2"]);
    assert_eq!(read(&csv_text(&data).unwrap()).unwrap(), data);
}

#[test]
fn incomplete_rows_are_dropped_or_kept() {
    let text = "x,y,name\n1,2,a\n2,,b\n,6,\n4,8,d\n";
    let with = |missing| read_csv_text("f.csv", text, &catalogue(), &ReadOptions::missing(missing)).unwrap();
    let dropped = with(Missing::Drop);
    assert_eq!((dropped.rows(), dropped.notes.len()), (2, 1));
    assert!(dropped.column("y").unwrap().missing.is_none());
    let kept = with(Missing::Keep);
    assert_eq!(kept.rows(), 4);
    assert!(kept.column("y").unwrap().si_values()[1].is_nan());
    assert_eq!(kept.complete_rows(&["x", "y"]), [0, 3]);
    assert_eq!(csv_text(&kept).unwrap(), text);
}

#[test]
fn equal_columns_are_noted() {
    let data = read("a,b,y\n1,1,2\n2,2,5\n").unwrap();
    assert_eq!(data.notes.len(), 1);
    assert_eq!(data.notes[0].code, Code(3020));
    assert_eq!(data.notes[0].hint.as_deref(), Some("select(d, a, y)"));
}

#[test]
fn files_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let units = catalogue();
    let at = |name: &str| folder.path().join(name);
    let read = |name: &str| read_csv(&at(name), &units, &ReadOptions::default()).unwrap_err();
    std::fs::write(at("planets.csv"), "x\n1\n").unwrap();
    let fault = read("planet.csv");
    assert_eq!(fault.code(), Code(3001));
    assert!(fault.hint().unwrap().ends_with("planets.csv\")"), "{:?}", fault.hint());
    assert!(read("planets").hint().unwrap().ends_with("planets.csv\")"));
    assert_eq!(read("").code(), Code(3002));
    std::fs::write(at("picture.csv"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
    assert_eq!(read("picture.csv").code(), Code(3004));
    std::fs::write(at("latin.csv"), b"T [\xB0C]\n1\n").unwrap();
    let fault = read("latin.csv");
    assert!(fault.to_string().contains("0xB0 in line 1") && fault.hint().unwrap().starts_with("iconv"));
    let header = read_names(&at("planets.csv"), &units, &ReadOptions::default()).unwrap();
    assert_eq!(&*header[0].0, "x");
}

#[test]
fn floats_survive_the_file() {
    let values = vec![0.1, 1e300, -2.5e-310, 3.0, f64::MAX, 1.0 / 3.0];
    let unit = catalogue().parse("kg*m^2/s^2").unwrap();
    let data = Dataset::new("test", vec![Column::floats("E", Some(unit), values)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    write_csv(&data, &path).unwrap();
    let again = read_csv(&path, &catalogue(), &ReadOptions::default()).unwrap();
    assert_eq!(again.columns()[0].values, data.columns()[0].values);
    assert_eq!(again.columns()[0].unit, data.columns()[0].unit);
}
