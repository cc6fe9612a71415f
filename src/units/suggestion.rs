//! "Did you mean" for units: habits that are not the SI's, then letter case, then spelling.

use super::catalogue::Catalogue;
use crate::base::suggest;

/// What people write, and what the catalogue calls it.
const HABITS: &[(&str, &str)] = &[
    ("sec", "s"),
    ("secs", "s"),
    ("hr", "h"),
    ("hrs", "h"),
    ("mins", "min"),
    ("kph", "km/h"),
    ("kmh", "km/h"),
    ("kmph", "km/h"),
    ("mps", "m/s"),
    ("cc", "cm^3"),
    ("ccm", "cm^3"),
    ("sqm", "m^2"),
    ("Celsius", "degC"),
    ("celsius", "degC"),
    ("centigrade", "degC"),
    ("Fahrenheit", "degF"),
    ("fahrenheit", "degF"),
    ("ev", "eV"),
    ("EV", "eV"),
    ("ohms", "ohm"),
    ("annum", "yr"),
    ("a", "yr"),
    ("years", "yr"),
    ("feet", "ft"),
    ("inches", "inch"),
    ("au", "AU"),
    ("parsecs", "pc"),
    ("Msun", "M_sun"),
    ("Msol", "M_sun"),
    ("solMass", "M_sun"),
    ("Mearth", "M_earth"),
    ("Rsun", "R_sun"),
    ("Lsun", "L_sun"),
    ("dimensionless", "1"),
    ("none", "1"),
];

/// What `name` was probably meant to be.
pub(super) fn nearest(name: &str, catalogue: &Catalogue) -> Option<String> {
    if let Some((_, meant)) = HABITS.iter().find(|(habit, _)| *habit == name) {
        return Some((*meant).to_string());
    }
    let spellings: Vec<String> = catalogue.spellings().collect();
    let lower = name.to_lowercase();
    // Of several spellings that differ in case only, the one with most letters right.
    let agreeing = |s: &str| s.chars().zip(name.chars()).filter(|(a, b)| a == b).count();
    let recased = spellings.iter().filter(|s| s.to_lowercase() == lower);
    if let Some(best) = recased.max_by_key(|s| (agreeing(s), std::cmp::Reverse(s.as_str()))) {
        return Some(best.clone());
    }
    // A plural is the singular.
    if let Some(singular) = lower.strip_suffix('s').filter(|s| s.len() > 2)
        && let Some(best) = spellings.iter().find(|s| s.to_lowercase() == singular)
    {
        return Some(best.clone());
    }
    // A name of one or two letters is near to everything, one of three to some name with a prefix.
    let letters = name.chars().count();
    let plain: Vec<_> = catalogue.names().flat_map(|n| n.names).collect();
    let near_plain = || suggest::nearest(name, plain.iter().map(|s| &**s));
    let near_prefixed = || suggest::nearest(name, spellings.iter().map(String::as_str));
    let plain = if letters > 2 { near_plain() } else { None };
    plain.or_else(|| if letters > 3 { near_prefixed() } else { None }).map(str::to_string)
}
