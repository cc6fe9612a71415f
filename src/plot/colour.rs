//! Colours. Curves take the eight of Okabe & Ito (2008, "Color Universal Design"), which stay apart for colour-blind
//! eyes. Values take a map of ours, tabulated at 33 points at equal distances in Oklab (Ottosson 2020) and
//! interpolated between: `dusk` from dark violet through blue and green to yellow, lightness rising throughout;
//! `poles` from blue through near white to red, for values about 0.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// A map from 0..1 to colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Map {
    /// `dusk`, for values from low to high.
    #[default]
    Sequential,
    /// `poles`, for values about a middle.
    Diverging,
    /// From black to white.
    Grey,
}

/// Colours of curves, in order.
pub const CURVES: [Rgb; 8] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
    [60, 60, 60],
    [150, 100, 30],
];

/// The colour of a cell without a value.
pub const NONE: Rgb = [224, 224, 224];

const DUSK: [u32; 33] = [
    0x20003d, 0x25014a, 0x290258, 0x2b0666, 0x2b1073, 0x291c7e, 0x252787, 0x1e328f, 0x133d93, 0x064893,
    0x015290, 0x025b8e, 0x04648e, 0x076e8f, 0x097791, 0x0b8092, 0x0d8994, 0x0e9395, 0x0f9c95, 0x0fa593,
    0x0fae90, 0x17b68b, 0x2bbe84, 0x46c57c, 0x61ca76, 0x7ad070, 0x90d56b, 0xa5da67, 0xb9df65, 0xcce363,
    0xdee864, 0xf0ed68, 0xfff471,
];

const POLES: [u32; 33] = [
    0x0053a5, 0x005cb5, 0x1e67ba, 0x3171bf, 0x417cc4, 0x5186c9, 0x6090cd, 0x6f9ad2, 0x7da4d6, 0x8caeda,
    0x9bb8df, 0xaac2e3, 0xb8cce6, 0xc7d7ea, 0xd6e1ee, 0xe6ebf2, 0xf5f5f5, 0xf1e8e6, 0xeedbd7, 0xe9cec9,
    0xe5c1ba, 0xe0b4ac, 0xdca79e, 0xd79a90, 0xd18e82, 0xcc8174, 0xc67467, 0xc06759, 0xba594b, 0xb34b3d,
    0xac3d2f, 0xa52d20, 0x9e170c,
];

impl Map {
    /// The colour at a place, cut to 0..1; of NaN the colour of nothing.
    pub fn at(self, place: f64) -> Rgb {
        if place.is_nan() {
            return NONE;
        }
        let place = place.clamp(0.0, 1.0);
        let table = match self {
            Map::Sequential => &DUSK,
            Map::Diverging => &POLES,
            Map::Grey => {
                let g = (place * 255.0).round() as u8;
                return [g, g, g];
            }
        };
        let at = place * 32.0;
        let k = (at as usize).min(31);
        let part = at - k as f64;
        let byte = |word: u32, shift: u32| f64::from(word >> shift & 0xff);
        [16, 8, 0].map(|s| (byte(table[k], s) * (1.0 - part) + byte(table[k + 1], s) * part).round() as u8)
    }
}

/// The nearest of the 256 colours of a terminal: the 6x6x6 cube or the ramp of greys.
pub fn terminal(colour: Rgb) -> u8 {
    let level = |c: u8| match c {
        0..48 => 0u8,
        48..115 => 1,
        _ => (c - 35) / 40,
    };
    let value = |l: u8| if l == 0 { 0i32 } else { i32::from(l) * 40 + 55 };
    let distance =
        |to: [i32; 3]| -> i32 { colour.iter().zip(to).map(|(a, b)| (i32::from(*a) - b).pow(2)).sum() };
    let [r, g, b] = colour.map(level);
    let cube = distance([r, g, b].map(value));
    let mean = colour.iter().map(|c| i32::from(*c)).sum::<i32>() / 3;
    let grey = ((mean - 3) / 10).clamp(0, 23);
    if distance([8 + 10 * grey; 3]) < cube { 232 + grey as u8 } else { 16 + 36 * r + 6 * g + b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oklab([r, g, b]: Rgb) -> [f64; 3] {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let (r, g, b) = (linear(r), linear(g), linear(b));
        let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
        let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
        let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
        [
            0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
        ]
    }

    #[test]
    fn equal_steps_look_equal_and_lightness_rises() {
        for map in [Map::Sequential, Map::Diverging] {
            let colours: Vec<[f64; 3]> = (0..=32).map(|k| oklab(map.at(f64::from(k) / 32.0))).collect();
            let steps: Vec<f64> = colours
                .windows(2)
                .map(|w| w[0].iter().zip(&w[1]).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt())
                .collect();
            let mean = steps.iter().sum::<f64>() / steps.len() as f64;
            assert!(steps.iter().all(|s| (s / mean - 1.0).abs() < 0.3), "{map:?} {steps:?}");
            if map == Map::Sequential {
                assert!(colours.windows(2).all(|w| w[1][0] > w[0][0]));
            }
        }
    }

    #[test]
    fn colours_of_the_terminal_are_near() {
        assert_eq!(terminal([0, 0, 0]), 16);
        assert_eq!(terminal([255, 255, 255]), 231);
        assert_eq!(terminal([255, 0, 0]), 196);
        assert!((232..=255).contains(&terminal([100, 100, 100])));
    }
}
