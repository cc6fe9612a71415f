//! Orders, parts and faults of rows in memory.

use super::*;
use crate::base::Fault;

fn order(size: usize) -> Order {
    Order { size: Some(size), streams: Streams::new(5), dtype: DType::F64 }
}

fn ten() -> Arrays {
    let x = Array::new("x", &[2], Values::F64((0..20).map(f64::from).collect()));
    let y = Array::new("y", &[], Values::Index((0..10).map(|k| k % 2).collect()));
    Arrays::new(vec![x], Some(y)).unwrap()
}

#[test]
fn an_epoch_is_every_row_once_in_an_order_of_its_own() {
    let data = ten();
    let epoch = |e: u64| -> Vec<usize> {
        (0..data.batches(Some(4)))
            .flat_map(|index| data.rows_of(Place { epoch: e, index }, &order(4)))
            .collect()
    };
    assert_eq!(data.batches(Some(4)), 3);
    let (first, second) = (epoch(0), epoch(1));
    assert_ne!(first, second);
    assert_eq!(first, epoch(0));
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    // Inputs and target stay together.
    let batch = data.batch(Place { epoch: 3, index: 1 }, &order(4)).unwrap();
    let rows = data.rows_of(Place { epoch: 3, index: 1 }, &order(4));
    let x = batch.inputs[0].to_vec2::<f64>().unwrap();
    let y = batch.target.unwrap().to_vec1::<u32>().unwrap();
    for ((x, y), r) in x.iter().zip(&y).zip(&rows) {
        assert_eq!((x[0] as usize, *y as usize), (2 * r, r % 2));
    }
    // A batch of all rows keeps their order.
    assert_eq!(data.rows_of(Place { epoch: 7, index: 0 }, &order(10)), (0..10).collect::<Vec<_>>());
    assert!(data.fixed(Some(10)) && data.fixed(None) && !data.fixed(Some(9)));
}

#[test]
fn a_split_keeps_the_share_of_each_class() {
    let (rest, held) = ten().split(0.4, Streams::new(1)).unwrap();
    assert_eq!((rest.len(), held.len()), (6, 4));
    assert_eq!((rest.balanced(2), held.balanced(2)), (vec![1.0, 1.0], vec![1.0, 1.0]));
    assert!(held.rows.iter().all(|r| !rest.rows.contains(r)));
    let (again, _) = ten().split(0.4, Streams::new(1)).unwrap();
    assert_eq!(again.rows, rest.rows);
    let e = ten().split(0.01, Streams::new(1)).unwrap_err();
    assert_eq!(
        e.to_string(),
        "expected a share that leaves rows on both sides for `validation`, found 0.01 of 10 rows"
    );
}

#[test]
fn bad_data_is_named() {
    let x = |n: usize| Array::new("x", &[2], Values::F64(vec![1.0; 2 * n]));
    let e = Arrays::new(vec![x(3)], Some(Array::new("y", &[], Values::F64(vec![0.0; 2])))).unwrap_err();
    assert_eq!(e.to_string(), "expected 3 rows in `y` as in `x`, found 2");
    assert_eq!(e.code().to_string(), "P4245");
    let e = Arrays::new(vec![x(0)], None).unwrap_err();
    assert_eq!(e.to_string(), "expected at least one row, found none in `x`");
    let bad = Array::of_columns("inputs", &[("mass", &[1.0, 2.0]), ("radius", &[3.0, f64::NAN])]);
    let e = Arrays::new(vec![bad], None).unwrap().check().unwrap_err();
    assert_eq!(e.to_string(), "expected finite numbers in `inputs`, found NaN in row 1, column radius");
    let e = ten().check_classes(3, "training").unwrap_err();
    assert_eq!(e.to_string(), "expected rows of every class in the training data, found none of class 2");
    let named = ten().with_classes(vec!["star".into(), "galaxy".into(), "quasar".into()]);
    let e = named.check_classes(3, "training").unwrap_err();
    assert_eq!(e.to_string(), "expected rows of every class in the training data, found none of `quasar`");
    assert!(named.check_classes(3, "validation").is_ok());
    let e = ten().check_classes(1, "training").unwrap_err();
    assert_eq!(e.to_string(), "expected classes from 0 to 0, found 1 in row 1 of `y`");
    assert_eq!(e.hint().as_deref(), Some("dense(2)"));
    let e = ten().with_weights(vec![1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]).unwrap_err();
    assert_eq!(e.to_string(), "expected finite numbers >= 0, not all 0 for `weights`, found -1 in row 1");
}

#[test]
fn augmentation_depends_on_epoch_and_row_only() {
    let data = ten().with_augments(vec![Augment::new("pixel_noise", &[("sigma", 1.0)]).unwrap()]).unwrap();
    let row_one = |size: usize, epoch: u64| -> Vec<f64> {
        let places = (0..data.batches(Some(size))).map(|index| Place { epoch, index });
        let at = |p: Place| {
            let i = data.rows_of(p, &order(size)).iter().position(|r| *r == 1)?;
            Some(data.batch(p, &order(size)).unwrap().inputs[0].to_vec2::<f64>().unwrap().swap_remove(i))
        };
        places.filter_map(at).next().unwrap()
    };
    assert_eq!(row_one(3, 0), row_one(5, 0));
    assert_ne!(row_one(3, 0), row_one(3, 1));
    assert_ne!(row_one(3, 0), vec![0.0, 1.0]);
    let plain = data.plain(0, &order(3)).unwrap().inputs[0].to_vec2::<f64>().unwrap();
    assert_eq!(plain[0], [0.0, 1.0]);
}

/// What moves an image moves the map of its pixels and the image that belongs to it, and noise stays with the input.
#[test]
fn a_target_moves_along_with_its_image() {
    let pixels: Vec<f64> = (0..4 * 9).map(f64::from).collect();
    let input = || Array::new("image", &[1, 3, 3], Values::F64(pixels.clone()));
    let moves = ["quarter_turns", "flip_horizontal", "pixel_noise", "flip_vertical", "shift_pixels"];
    let augments = || -> Vec<Augment> {
        let given: &[(&str, f64)] = &[];
        moves
            .iter()
            .map(|n| Augment::new(n, if *n == "pixel_noise" { &[("sigma", 0.1)] } else { given }).unwrap())
            .collect()
    };
    let classes = Array::new("mask", &[3, 3], Values::Index(pixels.iter().map(|x| *x as u32).collect()));
    let image = Array::new("out", &[1, 3, 3], Values::F64(pixels.clone()));
    for target in [classes, image] {
        let data = Arrays::new(vec![input()], Some(target)).unwrap().with_augments(augments()).unwrap();
        let mut moved = false;
        for epoch in 0..8 {
            let batch = data.batch(Place { epoch, index: 0 }, &order(4)).unwrap();
            let flat = |t: &candle_core::Tensor| {
                let all = t.flatten_all().unwrap().to_dtype(candle_core::DType::F64).unwrap();
                all.to_vec1::<f64>().unwrap()
            };
            let (x, y) = (flat(&batch.inputs[0]), flat(batch.target.as_ref().unwrap()));
            moved |= y != pixels;
            for (a, b) in x.iter().zip(&y) {
                // What comes in at an edge is 0.
                assert!((a - b).abs() < 0.6 && (a != b || *b == 0.0), "{x:?} {y:?}");
            }
        }
        assert!(moved);
    }
    let other = Array::new("mask", &[2, 2], Values::F64(pixels[..16].to_vec()));
    let e = Arrays::new(vec![input()], Some(other)).unwrap().with_augments(augments()).unwrap_err();
    assert!(e.to_string().contains("height and the width"), "{e}");
}
