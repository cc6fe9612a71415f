//! Laws of the back ends.

use super::colour::Map;
use super::*;
use crate::base::{Canvas, Drawing};

fn series(name: &str, f: impl Fn(f64) -> f64) -> Layer {
    let points = (0..=200).map(|k| f64::from(k) / 20.0).map(|x| (x, f(x))).collect();
    Layer::new(name, Mark::Series(Series { points, line: true, ..Series::default() }))
}

fn all_kinds() -> Figure {
    let x = || Axis::new("t", None);
    let mut curves =
        Panel { x: x(), y: Axis::new("θ", None), title: "a < b & c".into(), ..Panel::default() };
    curves.layers = vec![series("sin(t)", f64::sin), series("cos(t)", f64::cos)];
    let points = (1..30).map(|k| (f64::from(k), f64::from(k * k))).collect::<Vec<_>>();
    let errors = Some(points.iter().map(|p| 0.3 * p.1).collect());
    let mut data = Panel { x: Axis { log: true, ..x() }, y: Axis { log: true, ..x() }, ..Panel::default() };
    let measured = Series { points, y_errors: errors, markers: true, ..Series::default() };
    data.layers = vec![Layer::new("data", Mark::Series(measured))];
    let values: Vec<f64> = (0..20 * 30).map(|k| f64::from(k % 30) * f64::from(k / 30)).collect();
    let image = Image { x: (0.0, 3.0), y: (0.0, 2.0), columns: 30, values };
    let mut picture = Panel { x: x(), y: x(), value: Axis::new("z", None), ..Panel::default() };
    picture.layers = vec![Layer::new("z", Mark::Image(image))];
    let mut bars = Panel { x: x(), y: x(), ..Panel::default() };
    let heights = vec![1.0, 4.0, 2.0];
    bars.layers = vec![Layer::new("n", Mark::Bars(Bars { edges: vec![0.0, 1.0, 2.0, 3.0], heights }))];
    let lines = streams(&|x, y| (0.5 - y, x - 0.5), 8);
    let mut flow = Panel { x: x(), y: x(), ..Panel::default() };
    flow.layers = vec![Layer::new("", Mark::Streams(Streams { lines }))];
    let mut front = Panel { x: x(), y: Axis { log: true, ..x() }, ..Panel::default() };
    let points = vec![(1.0, 1.0), (3.0, 0.1), (7.0, 1e-6)];
    front.layers = vec![Layer::new("laws", Mark::Front(Front { points, chosen: Some(1) }))];
    let panels = [curves, data, picture, bars, flow, front].into_iter().map(Figure::new).collect();
    let mut figure = grid(panels, 2).unwrap();
    figure.title = "All kinds".into();
    figure.settle().unwrap();
    figure
}

#[test]
fn the_svg_is_well_formed_and_needs_nothing_else() {
    let svg = all_kinds().svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    let ids: Vec<&str> = root.descendants().filter_map(|n| n.attribute("id")).collect();
    for node in root.descendants() {
        if let Some(target) = node.attribute("href") {
            let known = target.strip_prefix('#').is_some_and(|id| ids.contains(&id));
            assert!(known || target.starts_with("data:image/png;base64,"), "{target}");
        }
        assert!(node.tag_name().name() != "text", "text is drawn as outlines");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn the_png_has_the_size_it_says_and_the_same_bytes_on_any_thread() {
    let figure = all_kinds();
    let here = figure.png(1.5);
    let pixels = tiny_skia::Pixmap::decode_png(&here).unwrap();
    let side = |v: f64| (v * 1.5).round() as u32;
    assert_eq!((pixels.width(), pixels.height()), (side(figure.width), side(figure.height)));
    let others: Vec<Vec<u8>> = std::thread::scope(|s| {
        let work: Vec<_> = (0..2).map(|_| s.spawn(|| figure.png(1.5))).collect();
        work.into_iter().map(|w| w.join().unwrap()).collect()
    });
    assert!(others.iter().all(|o| *o == here));
    assert_eq!(figure.svg(), figure.clone().svg());
}

#[test]
fn the_terminal_keeps_to_its_width_and_to_its_characters() {
    let figure = all_kinds();
    for width in [1, 10, 20, 33, 40, 80, 132, 300] {
        for (colour, unicode) in [(false, false), (false, true), (true, true)] {
            let canvas = Canvas { width, height: 24, colour, unicode };
            let text = figure.terminal(&canvas);
            // One column holds no more than the axes, which have no colour.
            assert_eq!(text.contains('\x1b'), colour && width > 1, "{width}");
            assert!(unicode || text.is_ascii(), "{text}");
            for line in text.lines() {
                let mut plain = String::new();
                let mut escape = false;
                for c in line.chars() {
                    match c {
                        '\x1b' => escape = true,
                        'm' if escape => escape = false,
                        c if !escape => plain.push(c),
                        _ => {}
                    }
                }
                assert!(unicode_width::UnicodeWidthStr::width(plain.as_str()) <= width, "{width}: {plain}");
            }
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let panel = |layers| Panel { layers, ..Panel::default() };
    let points = |points: Vec<(f64, f64)>| {
        vec![Layer::new("y", Mark::Series(Series { points, markers: true, ..Series::default() }))]
    };
    assert!(matches!(panel(Vec::new()).settle(), Err(PlotError::Nothing { .. })));
    let bad = vec![(1.0, f64::NAN), (2.0, f64::INFINITY)];
    assert!(matches!(panel(points(bad)).settle(), Err(PlotError::NoFinite { count: 2, .. })));
    let mut some = panel(points(vec![(1.0, 2.0), (2.0, f64::NAN)]));
    assert_eq!(some.settle().unwrap(), ["1 value among 2 of `y` is left out: not finite"]);
    let mut log = panel(points(vec![(1.0, -2.0), (2.0, 0.0)]));
    log.y.log = true;
    assert!(matches!(log.settle(), Err(PlotError::NotPositive { axis: "y", count: 2 })));
}

#[test]
fn one_point_a_constant_and_huge_values_have_room() {
    for points in [
        vec![(3.0, 5.0)],
        vec![(0.0, 0.0)],
        vec![(0.0, 2.0), (1.0, 2.0)],
        vec![(-9e299, -9e299), (9e299, 9e299)],
    ] {
        let mark =
            Mark::Series(Series { points: points.clone(), markers: true, line: true, ..Series::default() });
        let mut panel = Panel { layers: vec![Layer::new("y", mark)], ..Panel::default() };
        panel.settle().unwrap();
        let x = panel.x_projection();
        let y = panel.y_projection(&x);
        for (px, py) in points {
            assert!((0.0..=1.0).contains(&x.place(px)) && (0.0..=1.0).contains(&y.place(py)));
        }
        let figure = Figure::new(panel);
        assert!(!figure.svg().contains("NaN") && !figure.png(0.5).is_empty());
        assert!(!figure.terminal(&Canvas::default()).is_empty());
    }
}

#[test]
fn many_points_are_thinned_without_losing_their_ends() {
    let n = 400_000;
    let points =
        (0..n).map(|k| (f64::from(k), if k == 123_456 { 5.0 } else { (f64::from(k) * 0.7).sin() })).collect();
    let mark = Mark::Series(Series { points, line: true, ..Series::default() });
    let figure = Figure::new(Panel { layers: vec![Layer::new("y", mark)], ..Panel::default() });
    let svg = figure.svg();
    assert!(svg.len() < 200_000, "{}", svg.len());
}

#[test]
fn figures_lie_over_each_other_in_one_unit() {
    let a = Figure::new(Panel {
        y: Axis::new("x", None),
        layers: vec![series("x", f64::sin)],
        ..Panel::default()
    });
    let both = overlay(vec![a.clone(), a.clone()]).unwrap();
    assert_eq!(both.panels[0].layers.len(), 2);
    assert!(overlay(vec![grid(vec![a.clone(), a.clone()], 2).unwrap(), a]).is_err());
    assert!(overlay(Vec::new()).is_err() && grid(Vec::new(), 2).is_err());
}

#[test]
fn diverging_colours_have_zero_in_the_middle() {
    let image = Image { x: (0.0, 1.0), y: (0.0, 1.0), columns: 2, values: vec![-1.0, 0.0, 2.0, 3.0] };
    let mut panel =
        Panel { map: Map::Diverging, layers: vec![Layer::new("z", Mark::Image(image))], ..Panel::default() };
    panel.settle().unwrap();
    assert_eq!(panel.value_projection().unwrap().place(0.0), 0.5);
}
