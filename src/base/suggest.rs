//! "Did you mean": the names nearest to a misspelt one.

/// The best candidate within reach of `name`, if any: Damerau-Levenshtein distance at most one for
/// names up to three letters, at most a third of the length else; letter case counts half.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|c| *c != name)
        .filter_map(|c| {
            let exact = strsim::damerau_levenshtein(name, c);
            let folded = strsim::damerau_levenshtein(&lower, &c.to_lowercase());
            let distance = (exact * 2).min(folded * 2 + 1);
            (folded <= limit && !(name.chars().count() == 1 && folded > 0)).then_some((distance, c))
        })
        .min_by_key(|(distance, c)| (*distance, c.len(), *c))
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found() {
        assert_eq!(nearest("simplfy", ["sin", "simplify", "sample"]), Some("simplify"));
        assert_eq!(nearest("Km", ["km", "m"]), Some("km"));
        assert_eq!(nearest("zebra", ["sin", "cos"]), None);
    }
}
