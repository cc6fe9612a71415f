//! What a drawn figure consists of: shapes in units of the SVG, y downwards, already cut to their panels.

use super::colour::Rgb;

/// A point.
pub type Point = (f64, f64);

/// Where a text stands about its point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// How a line is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Pen {
    /// Its colour.
    pub colour: Rgb,
    /// Its width.
    pub width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub dash: Vec<f64>,
}

impl Pen {
    /// A solid line.
    pub fn solid(colour: Rgb, width: f64) -> Pen {
        Pen { colour, width, dash: Vec::new() }
    }
}

/// A shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Lines through points.
    Lines {
        /// One list a line.
        parts: Vec<Vec<Point>>,
        /// How they are drawn.
        pen: Pen,
    },
    /// Filled polygons.
    Area {
        /// Their corners.
        parts: Vec<Vec<Point>>,
        /// Their colour.
        ink: Rgb,
        /// 1 hides what is below.
        alpha: f64,
    },
    /// A filled circle.
    Disc {
        /// Its centre.
        at: Point,
        /// Its radius.
        radius: f64,
        /// Its colour.
        ink: Rgb,
    },
    /// A text on one line.
    Text {
        /// Where its baseline begins, ends or has its middle.
        at: Point,
        /// The size of an em.
        size: f64,
        /// What of it is there.
        anchor: Anchor,
        /// Whether it runs upwards.
        upwards: bool,
        /// Its colour.
        ink: Rgb,
        /// The characters.
        text: String,
    },
    /// A grid of coloured cells.
    Cells {
        /// Its upper left corner.
        at: Point,
        /// Width and height.
        size: Point,
        /// Cells in a row.
        columns: usize,
        /// Colours, the upper row first.
        pixels: Vec<Rgb>,
    },
}

/// A drawn figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// What it is of, for readers that cannot see it.
    pub title: String,
    /// The shapes, the lowest first.
    pub shapes: Vec<Shape>,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Left end.
    pub left: f64,
    /// Upper end.
    pub top: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Frame {
    /// The right end.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The lower end.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Whether a point lies in it, give or take `slack`.
    pub fn holds(&self, (x, y): Point, slack: f64) -> bool {
        x >= self.left - slack
            && x <= self.right() + slack
            && y >= self.top - slack
            && y <= self.bottom() + slack
    }

    /// The part of a segment that lies in it (Liang & Barsky, ACM TOG 3, 1984).
    pub fn cut(&self, a: Point, b: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave) = (0.0f64, 1.0f64);
        let sides = [
            (-dx, a.0 - self.left),
            (dx, self.right() - a.0),
            (-dy, a.1 - self.top),
            (dy, self.bottom() - a.1),
        ];
        for (p, q) in sides {
            if p.is_nan() || q.is_nan() || p == 0.0 && q < 0.0 {
                return None;
            }
            if p < 0.0 {
                enter = enter.max(q / p);
            } else if p > 0.0 {
                leave = leave.min(q / p);
            }
        }
        // An end that lies inside stays as it is, to the bit.
        let at = |t: f64| match t {
            0.0 => a,
            1.0 => b,
            _ => (a.0 + t * dx, a.1 + t * dy),
        };
        (enter <= leave).then(|| (at(enter), at(leave)))
    }

    /// The parts of a line that lie in it; points that are NaN break the line.
    pub fn cut_line(&self, points: &[Point]) -> Vec<Vec<Point>> {
        let mut parts: Vec<Vec<Point>> = Vec::new();
        let mut open: Vec<Point> = Vec::new();
        for pair in points.windows(2) {
            let Some((a, b)) = self.cut(pair[0], pair[1]) else {
                if open.len() > 1 {
                    parts.push(std::mem::take(&mut open));
                }
                open.clear();
                continue;
            };
            if open.last() != Some(&a) {
                if open.len() > 1 {
                    parts.push(std::mem::take(&mut open));
                }
                open = vec![a];
            }
            if a != b {
                open.push(b);
            }
            if b != pair[1] && open.len() > 1 {
                parts.push(std::mem::take(&mut open));
            }
        }
        if open.len() > 1 {
            parts.push(open);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(
            std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
        ))]

        #[test]
        fn what_is_cut_lies_inside_and_what_lies_inside_stays(
            points in proptest::collection::vec((-20.0..30.0f64, -20.0..30.0f64), 2..20),
        ) {
            let frame = Frame { left: 0.0, top: 0.0, width: 10.0, height: 8.0 };
            let parts = frame.cut_line(&points);
            for p in parts.iter().flatten() {
                prop_assert!(frame.holds(*p, 1e-9));
            }
            for pair in points.windows(2) {
                if frame.holds(pair[0], 0.0) && frame.holds(pair[1], 0.0) {
                    prop_assert!(parts.iter().any(|p| p.windows(2).any(|w| w == pair)));
                }
            }
        }
    }
}
