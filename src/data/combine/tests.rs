//! Laws of joins and concatenation.

use super::*;
use crate::data::testing::{cases, catalogue};
use proptest::prelude::*;

fn table(key: &str, keys: &[i64], value: &str) -> Dataset {
    let places = (0..keys.len() as i64).collect();
    let columns = vec![
        Column::new(key, None, Values::Integer(keys.to_vec())),
        Column::new(value, None, Values::Integer(places)),
    ];
    Dataset::new("test", columns).unwrap()
}

fn integers(d: &Dataset, name: &str) -> Vec<Option<i64>> {
    let c = d.column(name).unwrap();
    let Values::Integer(v) = &c.values else { panic!("{:?}", c.values) };
    (0..c.len()).map(|i| (!c.is_missing(i)).then(|| v[i])).collect()
}

#[test]
fn columns_are_renamed_and_left_out() {
    let d = table("k", &[1, 2], "x");
    assert_eq!(d.rename(&[("x", "y")]).unwrap().names().collect::<Vec<_>>(), ["k", "y"]);
    assert_eq!(d.rename(&[("x", "k"), ("k", "x")]).unwrap().names().collect::<Vec<_>>(), ["x", "k"]);
    assert!(matches!(d.rename(&[("x", "k")]), Err(DataError::DuplicateHeader { .. })));
    assert!(matches!(d.rename(&[("z", "k")]), Err(DataError::UnknownColumn { .. })));
    assert_eq!(d.without(&["k"]).unwrap().names().collect::<Vec<_>>(), ["x"]);
    assert!(d.without(&["z"]).is_err());
}

#[test]
fn units_convert_and_errors_come_along() {
    let units = catalogue();
    let column = |unit: &str, v: f64| {
        let mut c = Column::floats("v", Some(units.parse(unit).unwrap()), vec![v]);
        c.errors = Some(vec![v / 10.0]);
        Dataset::new("test", vec![c]).unwrap()
    };
    let all = Dataset::concat(&[&column("km/s", 1.0), &column("m/s", 500.0)]).unwrap();
    let v = all.column("v").unwrap();
    assert_eq!((v.floats_in_unit(), v.errors.clone().unwrap()), (vec![1.0, 0.5], vec![0.1, 0.05]));
    assert!(matches!(
        Dataset::concat(&[&column("km/s", 1.0), &column("m", 1.0)]),
        Err(DataError::UnlikeValues { .. })
    ));
    let mut bare = column("km/s", 1.0).column("v").unwrap().as_ref().clone();
    bare.errors = None;
    let bare = Dataset::new("test", vec![bare]).unwrap();
    assert!(matches!(
        Dataset::concat(&[&column("km/s", 1.0), &bare]),
        Err(DataError::UnlikeColumns { place: 2, .. })
    ));
    let t = Column::floats("v", Some(units.parse("degC").unwrap()), vec![20.0]);
    let k = t.in_unit(Some(&units.parse("K").unwrap())).unwrap();
    assert_eq!(k.floats_in_unit(), [293.15]);
}

#[test]
fn names_of_both_are_told_apart_and_missing_keys_meet_nothing() {
    let mut a = table("k", &[1, 2], "x");
    let b = table("k", &[2, 1, 1], "x");
    let joined = a.join(&b, &["k"], Join::Inner).unwrap();
    assert_eq!(joined.names().collect::<Vec<_>>(), ["k", "x", "x_right"]);
    assert_eq!(integers(&joined, "x_right"), [Some(1), Some(2), Some(0)]);
    let mut k = (**a.column("k").unwrap()).clone();
    k.missing = Some(vec![true, false]);
    a = a.with_column(k).unwrap();
    assert_eq!(a.join(&b, &["k"], Join::Inner).unwrap().rows(), 1);
    let outer = a.join(&b, &["k"], Join::Outer).unwrap();
    assert_eq!(integers(&outer, "k"), [None, Some(2), Some(1), Some(1)]);
    assert!(a.join(&b, &["z"], Join::Inner).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn joins_agree_with_the_nested_loop(
        a in prop::collection::vec(0i64..5, 0..12), b in prop::collection::vec(0i64..5, 0..12)
    ) {
        let (left, right) = (table("k", &a, "x"), table("k", &b, "y"));
        let joined = |how| {
            let d = left.join(&right, &["k"], how).unwrap();
            let (k, x, y) = (integers(&d, "k"), integers(&d, "x"), integers(&d, "y"));
            k.into_iter().zip(x.into_iter().zip(y)).map(|(k, (x, y))| (k.unwrap(), x, y)).collect::<Vec<_>>()
        };
        let mut inner = Vec::new();
        let mut outer = Vec::new();
        for (i, k) in a.iter().enumerate() {
            let partners: Vec<usize> = (0..b.len()).filter(|j| b[*j] == *k).collect();
            for j in &partners {
                inner.push((*k, Some(i as i64), Some(*j as i64)));
                outer.push((*k, Some(i as i64), Some(*j as i64)));
            }
            if partners.is_empty() {
                outer.push((*k, Some(i as i64), None));
            }
        }
        prop_assert_eq!(joined(Join::Inner), inner);
        prop_assert_eq!(joined(Join::Left), outer.clone());
        for (j, k) in b.iter().enumerate() {
            if !a.contains(k) {
                outer.push((*k, None, Some(j as i64)));
            }
        }
        prop_assert_eq!(joined(Join::Outer), outer);
    }

    #[test]
    fn groups_put_together_again_are_a_permutation(keys in prop::collection::vec(0i64..4, 1..20)) {
        let d = table("k", &keys, "x");
        let parts: Vec<Dataset> = d.groups(&["k"]).unwrap().rows.iter().map(|g| d.take(g).unwrap()).collect();
        let whole = Dataset::concat(&parts.iter().collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(whole.sort(&["x"], false).unwrap(), d);
    }
}
