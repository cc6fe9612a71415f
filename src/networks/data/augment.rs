//! Augmentation: changes drawn anew for each row and epoch that leave the answer as it is, one row of [`AUGMENTS`] each.

use std::fmt;

use rand_chacha::rand_core::Rng as _;
use rand_distr::{Distribution, StandardNormal};

use crate::base::random::Rng;
use crate::base::suggest;
use crate::networks::error::NetworkError;
use crate::networks::settings::{Range, Setting, Settings};
use crate::networks::shape::Shape;

/// A row of the table of augmentations.
pub struct AugmentKind {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub docs: &'static str,
    /// What it is set by.
    pub settings: &'static [Setting],
    /// What rows it takes.
    rows: Rows,
    apply: fn(&Settings, &mut [f64], &[usize], &mut Rng),
}

impl fmt::Debug for AugmentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    Any,
    Image,
    Square,
}

/// A whole number below `n`, by the high half of a product (its bias is below n / 2^64).
pub(super) fn below(rng: &mut Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The row with pixel (i, j) of each channel taken from `from(i, j)`; 0 where that is nothing.
fn resample(row: &mut [f64], sizes: &[usize], from: impl Fn(usize, usize) -> Option<(usize, usize)>) {
    let (h, w) = (sizes[1], sizes[2]);
    let old = row.to_vec();
    for (c, channel) in row.chunks_mut(h * w).enumerate() {
        for (k, x) in channel.iter_mut().enumerate() {
            *x = from(k / w, k % w).map_or(0.0, |(i, j)| old[c * h * w + i * w + j]);
        }
    }
}

fn shift(s: &Settings, row: &mut [f64], sizes: &[usize], rng: &mut Rng) {
    let (h, w) = (sizes[1], sizes[2]);
    let most = s.count("most");
    // Each offset of -most ... most is as likely.
    let (down, right) = (below(rng, 2 * most + 1), below(rng, 2 * most + 1));
    let wrap = s.is("wrap");
    let place = |i: usize, off: usize, n: usize| {
        let i = (i + most) as i64 - off as i64;
        let n = n as i64;
        if wrap { Some(i.rem_euclid(n) as usize) } else { (0..n).contains(&i).then_some(i as usize) }
    };
    resample(row, sizes, |i, j| Some((place(i, down, h)?, place(j, right, w)?)));
}

fn quarter_turns(_: &Settings, row: &mut [f64], sizes: &[usize], rng: &mut Rng) {
    let n = sizes[1];
    for _ in 0..below(rng, 4) {
        resample(row, sizes, |i, j| Some((j, n - 1 - i)));
    }
}

/// Every augmentation.
pub const AUGMENTS: &[AugmentKind] = &[
    AugmentKind {
        name: "flip_horizontal",
        docs: "left and right changed, for half of the rows",
        settings: &[],
        rows: Rows::Image,
        apply: |_, row, sizes, rng| {
            if below(rng, 2) == 1 {
                resample(row, sizes, |i, j| Some((i, sizes[2] - 1 - j)));
            }
        },
    },
    AugmentKind {
        name: "flip_vertical",
        docs: "top and bottom changed, for half of the rows",
        settings: &[],
        rows: Rows::Image,
        apply: |_, row, sizes, rng| {
            if below(rng, 2) == 1 {
                resample(row, sizes, |i, j| Some((sizes[1] - 1 - i, j)));
            }
        },
    },
    AugmentKind {
        name: "quarter_turns",
        docs: "turned by 0, 90, 180 or 270 degrees",
        settings: &[],
        rows: Rows::Square,
        apply: quarter_turns,
    },
    AugmentKind {
        name: "shift_pixels",
        docs: "moved along both axes by up to `most` pixels; 0 comes in, or what went out",
        settings: &[
            Setting { name: "most", default: 2.0, range: Range::Count, docs: "pixels" },
            Setting {
                name: "wrap",
                default: 0.0,
                range: Range::Flag,
                docs: "whether what goes out comes in",
            },
        ],
        rows: Rows::Image,
        apply: shift,
    },
    AugmentKind {
        name: "pixel_noise",
        docs: "a normal error of standard deviation `sigma` added to every number",
        settings: &[Setting { name: "sigma", default: 0.01, range: Range::NotNegative, docs: "its size" }],
        rows: Rows::Any,
        apply: |s, row, _, rng| {
            let sigma = s.get("sigma");
            row.iter_mut().for_each(|x| {
                let z: f64 = StandardNormal.sample(rng);
                *x += sigma * z;
            });
        },
    },
];

/// An augmentation with its settings.
#[derive(Clone, Debug)]
pub struct Augment {
    kind: &'static AugmentKind,
    settings: Settings,
}

impl PartialEq for Augment {
    fn eq(&self, other: &Augment) -> bool {
        self.kind.name == other.kind.name && self.settings == other.settings
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.name, self.settings)
    }
}

impl Augment {
    /// The augmentation of a name: `Augment::new("shift_pixels", &[("most", 3.0)])`.
    ///
    /// # Errors
    /// No such augmentation, no such setting, or a value out of its range.
    pub fn new(name: &str, given: &[(&str, f64)]) -> Result<Augment, NetworkError> {
        let names = || AUGMENTS.iter().map(|k| k.name);
        let Some(kind) = AUGMENTS.iter().find(|k| k.name == name) else {
            return Err(NetworkError::UnknownName {
                what: "an augmentation",
                name: name.into(),
                names: names().collect::<Vec<_>>().join(", "),
                nearest: suggest::nearest(name, names()).map(str::to_string),
            });
        };
        Ok(Augment { kind, settings: Settings::new(name, kind.settings, given)? })
    }

    /// Whether rows of these sizes can be changed so.
    pub(super) fn check(&self, shape: &Shape) -> Result<(), NetworkError> {
        let sizes = shape.sizes();
        let image = sizes.len() == 3 && shape.varies().is_none();
        let (fits, expected) = match self.kind.rows {
            Rows::Any => (true, ""),
            Rows::Image => (image, "inputs of shape [channels, height, width]"),
            Rows::Square => (image && sizes[1] == sizes[2], "square inputs of shape [channels, side, side]"),
        };
        if fits {
            return Ok(());
        }
        let found = shape.to_string();
        Err(NetworkError::Refused { method: self.kind.name.into(), expected, found, hint: "augment: noise" })
    }

    /// Whether it moves the pixels of an image, so that an image that belongs to it moves along.
    pub(super) fn moves(&self) -> bool {
        self.kind.rows != Rows::Any
    }

    /// Whether a target image of these sizes can move along with an image.
    pub(super) fn check_target(&self, image: &[usize], target: [usize; 3]) -> Result<(), NetworkError> {
        if !self.moves() || image.get(1..) == Some(&target[1..]) {
            return Ok(());
        }
        let expected = "a target with the height and the width of the images";
        let found = format!("{target:?} beside {image:?}");
        Err(NetworkError::Refused { method: self.kind.name.into(), expected, found, hint: "augment: noise" })
    }

    /// Changes a row.
    pub fn apply(&self, row: &mut [f64], sizes: &[usize], rng: &mut Rng) {
        (self.kind.apply)(&self.settings, row, sizes, rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Streams;
    use crate::networks::lengths::Varies;

    /// All different results of an augmentation of a row.
    fn results(name: &str, given: &[(&str, f64)], row: &[f64], sizes: &[usize]) -> Vec<Vec<f64>> {
        let augment = Augment::new(name, given).unwrap();
        augment.check(&Shape::new(sizes)).unwrap();
        let mut seen: Vec<Vec<f64>> = Vec::new();
        for k in 0..400 {
            let mut row = row.to_vec();
            augment.apply(&mut row, sizes, &mut Streams::new(1).block("augment", k));
            if !seen.contains(&row) {
                seen.push(row);
            }
        }
        seen.sort_by(|a, b| a.partial_cmp(b).unwrap());
        seen
    }

    #[test]
    fn images_are_moved_as_said() {
        let square = [1.0, 2.0, 3.0, 4.0];
        let turned =
            vec![vec![1., 2., 3., 4.], vec![2., 4., 1., 3.], vec![3., 1., 4., 2.], vec![4., 3., 2., 1.]];
        assert_eq!(results("quarter_turns", &[], &square, &[1, 2, 2]), turned);
        assert_eq!(
            results("flip_horizontal", &[], &square, &[1, 2, 2]),
            [[1., 2., 3., 4.], [2., 1., 4., 3.]]
        );
        assert_eq!(results("flip_vertical", &[], &square, &[1, 2, 2]), [[1., 2., 3., 4.], [3., 4., 1., 2.]]);
        // Channels move together.
        let two = results("flip_horizontal", &[], &[1., 2., 5., 6.], &[2, 1, 2]);
        assert_eq!(two, [[1., 2., 5., 6.], [2., 1., 6., 5.]]);
        let row = [1.0, 2.0, 3.0];
        let moved = results("shift_pixels", &[("most", 1.0)], &row, &[1, 1, 3]);
        assert_eq!(moved, [[0., 0., 0.], [0., 1., 2.], [1., 2., 3.], [2., 3., 0.]]);
        let wrapped = results("shift_pixels", &[("most", 1.0), ("wrap", 1.0)], &row, &[1, 1, 3]);
        assert_eq!(wrapped, [[1., 2., 3.], [2., 3., 1.], [3., 1., 2.]]);
        let e = Augment::new("quarter_turns", &[]).unwrap().check(&Shape::new(&[1, 2, 3])).unwrap_err();
        assert_eq!(
            e.to_string(),
            "quarter_turns: expected square inputs of shape [channels, side, side], found [1, 2, 3]"
        );
    }

    #[test]
    fn rows_of_different_lengths_are_no_images() {
        let varying = Shape::new(&[3, 2, 2]).varying(Some(Varies::with(0)));
        let e = Augment::new("flip_vertical", &[]).unwrap().check(&varying).unwrap_err();
        assert!(e.to_string().ends_with("[channels, height, width], found [..3, 2, 2]"), "{e}");
        Augment::new("pixel_noise", &[]).unwrap().check(&varying).unwrap();
    }

    #[test]
    fn noise_has_its_size() {
        let mut row = vec![1.0; 20_000];
        let augment = Augment::new("pixel_noise", &[("sigma", 0.5)]).unwrap();
        augment.apply(&mut row, &[20_000], &mut Streams::new(2).stream("pixel_noise"));
        let mean = row.iter().sum::<f64>() / 2e4;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
        assert!((mean - 1.0).abs() < 0.02 && (variance - 0.25).abs() < 0.01);
    }
}
