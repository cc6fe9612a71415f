//! Figures over a plane: heat maps, contours, images, flows.

use super::*;

/// A variable of a plane: `x in 0..1`, or a symbol with a domain.
pub(super) fn plane_variable(context: &Context, args: &Args, name: &str) -> Result<Variable> {
    let at = args.span_of(name);
    let value = args.value(name)?;
    if let Some(v) = condition(value, at)? {
        let own = context.declarations.get(&v.symbol).and_then(|d| d.unit.clone());
        let dimension = own.as_ref().map_or(v.dimension, Unit::dimension);
        return Ok(Variable { unit: v.unit.clone().or(own), dimension, ..v });
    }
    let Some(symbol) = value.as_expr().and_then(|e| e.as_symbol().cloned()) else {
        return Err(fault_hint(
            6006,
            at,
            format!("`{name}` expects a variable or its range, found a {}", value.kind_name()),
            format!("{name} in 0..10"),
        ));
    };
    match declared(&symbol, &context.declarations).filter(|v| v.low < v.high) {
        Some(v) => Ok(v),
        None => Err(lift(&PlotError::NoRange { symbol: symbol.to_string() }, at)),
    }
}

/// An expression over a plane.
pub(super) fn plane_curve(
    context: &Context,
    args: &Args,
    name: &str,
    x: &Variable,
    y: &Variable,
) -> Result<Curve> {
    let at = args.span_of(name);
    let value = args.value(name)?;
    let e = op::settle(&op::expr_of(value, at)?);
    let name = bound(context, value).map(|n| typeset::name(&n));
    let name = name.unwrap_or_else(|| typeset::expression(&shown(context, &e)));
    let (declarations, unit) = match value.plain() {
        Value::Law(law) => (law.declarations.or(&context.declarations), law.unit.clone()),
        _ => (context.declarations.clone(), e.split_unit().1),
    };
    let curve = Curve { expr: e, declarations, unit, name };
    let free = curve.free();
    let open: Vec<String> =
        free.iter().filter(|s| **s != x.symbol && **s != y.symbol).map(|s| s.to_string()).collect();
    if !open.is_empty() {
        let symbols = free.iter().map(|s| s.to_string()).collect();
        return Err(lift(&PlotError::Unbound { expr: shown(context, &curve.expr), symbols, open }, at));
    }
    Ok(curve)
}

pub(super) fn axis_of(v: &Variable) -> (Axis, Unit, (f64, f64)) {
    let unit = v.unit.clone().unwrap_or(Unit::coherent(v.dimension));
    let axis = Axis::new(typeset::name(v.symbol.name()), Some(unit.clone()));
    let ends = (unit.from_si(v.low), unit.from_si(v.high));
    (axis, unit, ends)
}

/// Values of a curve at the points of a plane, row by row from below, in the unit.
pub(super) fn plane_values(
    curve: &Curve,
    x: (&Variable, &[f64]),
    y: (&Variable, &[f64]),
    unit: &Unit,
    at: Span,
) -> Result<Vec<f64>> {
    let tape = curve.tape(&[&x.0.symbol, &y.0.symbol], at)?;
    let mut scratch = Scratch::default();
    let mut out = vec![Vec::new()];
    let mut values = Vec::with_capacity(x.1.len() * y.1.len());
    for row in y.1 {
        tape.eval_with(&[x.1, &[*row]], &mut out, &mut scratch);
        let constant = out[0].len() == 1;
        values.extend((0..x.1.len()).map(|k| unit.from_si(out[0][if constant { 0 } else { k }])));
    }
    Ok(values)
}

pub(super) fn map_option(args: &Args) -> Result<Map> {
    Ok(match &*args.word("colours")? {
        "diverging" => Map::Diverging,
        "grey" => Map::Grey,
        _ => Map::Sequential,
    })
}

/// The number of points along an axis.
pub(super) fn points_option(args: &Args) -> Result<usize> {
    let n = args.integer("points")?;
    if !(2..=2000).contains(&n) {
        let fault = PlotError::Option {
            option: "points",
            expected: "2 to 2000".into(),
            found: n.to_string(),
            hint: "points: 200",
        };
        return Err(lift(&fault, args.span_of("points")));
    }
    Ok(n as usize)
}

/// `n` values between two ends in SI, at the middles of cells or with both ends.
pub(super) fn spaced(low: f64, high: f64, n: usize, middles: bool) -> Vec<f64> {
    let shift = if middles { 0.5 } else { 0.0 };
    let parts = if middles { n as f64 } else { (n - 1) as f64 };
    (0..n).map(|k| low + (high - low) * (k as f64 + shift) / parts).collect()
}

pub(super) fn values_axis(args: &Args, curve: &Curve, own: Dimension) -> Result<(Axis, Unit)> {
    let mut axis =
        Growing::new("colour", args.signature.param("scale").is_some() && &*args.word("scale")? == "log");
    let range = if args.signature.param("values").is_some() { range_option(args, "values")? } else { None };
    prepare(&mut axis, None, &range, "values", args.span_of("values"))?;
    let unit = axis.take(&curve.name, curve.unit_of(own), own, args.span_of("value"))?;
    set_range(&mut axis, &range);
    axis.axis.name = curve.name.clone();
    Ok((axis.axis, unit))
}

pub(super) fn heatmap(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("value");
    if matches!(args.value("value")?.plain(), Value::List(_)) {
        return Err(lift(&PlotError::Kind { found: "list: a matrix is drawn by image(m)".into() }, at));
    }
    let (x, y) = (plane_variable(context, args, "x")?, plane_variable(context, args, "y")?);
    let curve = plane_curve(context, args, "value", &x, &y)?;
    let own = curve.dimension(&[&x, &y], at)?;
    let (value, unit) = values_axis(args, &curve, own)?;
    let n = points_option(args)?;
    let (x_axis, _, x_ends) = axis_of(&x);
    let (y_axis, _, y_ends) = axis_of(&y);
    let rows = (n * 3).div_ceil(4).max(2);
    let (xs, ys) = (spaced(x.low, x.high, n, true), spaced(y.low, y.high, rows, true));
    context.poll(at)?;
    let values = plane_values(&curve, (&x, &xs), (&y, &ys), &unit, at)?;
    let image = Image { x: x_ends, y: y_ends, columns: n, values };
    let mut panel = Panel {
        x: x_axis,
        y: y_axis,
        value,
        map: map_option(args)?,
        layers: vec![Layer::new(curve.name.clone(), Mark::Image(image))],
        ..Panel::default()
    };
    let count = args.integer("contours")?;
    if count > 0
        && let Some(axis) = panel.value_projection()
    {
        let levels = plot::levels(&axis, count.min(100) as usize);
        let lines = contour_lines(&curve, &x, &y, &unit, &levels, n, at)?;
        panel.layers.push(Layer::new("", Mark::Contours(lines)));
    }
    finish(context, args, plane_title(Figure::new(panel)))
}

/// A long expression stands above its figure, not beside its bar of colours.
pub(super) fn plane_title(mut figure: Figure) -> Figure {
    for panel in &mut figure.panels {
        if panel.value.name.chars().count() > 20 {
            figure.title = std::mem::take(&mut panel.value.name);
        }
    }
    figure
}

pub(super) fn contour_lines(
    curve: &Curve,
    x: &Variable,
    y: &Variable,
    unit: &Unit,
    levels: &[f64],
    n: usize,
    at: Span,
) -> Result<Contours> {
    let (xs, ys) = (spaced(x.low, x.high, n, false), spaced(y.low, y.high, n, false));
    let values = plane_values(curve, (x, &xs), (y, &ys), unit, at)?;
    let ((_, x_unit, _), (_, y_unit, _)) = (axis_of(x), axis_of(y));
    let xs: Vec<f64> = xs.iter().map(|v| x_unit.from_si(*v)).collect();
    let ys: Vec<f64> = ys.iter().map(|v| y_unit.from_si(*v)).collect();
    Ok(Contours { levels: levels.iter().map(|l| (*l, plot::contour(&xs, &ys, &values, *l))).collect() })
}

pub(super) fn contour(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("value");
    let (x, y) = (plane_variable(context, args, "x")?, plane_variable(context, args, "y")?);
    let curve = plane_curve(context, args, "value", &x, &y)?;
    let own = curve.dimension(&[&x, &y], at)?;
    let (value, unit) = values_axis(args, &curve, own)?;
    let n = points_option(args)?;
    let (xs, ys) = (spaced(x.low, x.high, n, false), spaced(y.low, y.high, n, false));
    let values = plane_values(&curve, (&x, &xs), (&y, &ys), &unit, at)?;
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.abs() < 1e300).collect();
    if finite.is_empty() {
        return Err(lift(&PlotError::NoFinite { name: curve.name.clone(), count: values.len() }, at));
    }
    let levels = match (args.value("levels")?, args.span_of("levels")) {
        (v, place) if op::as_list(v).is_some() => {
            numbers(context, v, "y", place)?.map(|n| n.in_unit(&unit)).unwrap_or_default()
        }
        (v, place) => match v.as_expr().and_then(|e| e.as_i64()) {
            Some(count) if (1..=200).contains(&count) => {
                let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
                let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                plot::levels(&Projection { low, high, log: false }, count as usize)
            }
            _ => {
                let fault = PlotError::Option {
                    option: "levels",
                    expected: "1 to 200 levels, or a list of values".into(),
                    found: render::line(v, &context.style),
                    hint: "levels: [0.1, 0.2, 0.5]",
                };
                return Err(lift(&fault, place));
            }
        },
    };
    let lines = contour_lines(&curve, &x, &y, &unit, &levels, n, at)?;
    if lines.levels.iter().all(|(_, l)| l.is_empty()) {
        let found = format!("a value that crosses no level of `{}`", shown(context, &curve.expr));
        return Err(lift(&PlotError::Nothing { found }, at));
    }
    let ((x_axis, _, x_ends), (y_axis, _, y_ends)) = (axis_of(&x), axis_of(&y));
    let panel = Panel {
        x: Axis { range: Some(x_ends), ..x_axis },
        y: Axis { range: Some(y_ends), ..y_axis },
        value,
        map: map_option(args)?,
        layers: vec![Layer::new("", Mark::Contours(lines))],
        ..Panel::default()
    };
    finish(context, args, plane_title(Figure::new(panel)))
}

pub(super) fn image(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("matrix");
    let value = args.value("matrix")?;
    let rows = op::as_list(value).unwrap_or_default();
    if rows.is_empty() {
        let found = if matches!(value.plain(), Value::List(_)) {
            "an empty list".into()
        } else {
            format!("a {}", value.kind_name())
        };
        return Err(lift(&PlotError::Nothing { found }, at));
    }
    if !is_matrix(&rows) {
        let words = "`matrix` expects rows of one length, found rows of several";
        return Err(fault_hint(6006, at, words, "image([[0, 1], [2, 3]])"));
    }
    let lists: Vec<Arc<Vec<Value>>> = rows.iter().filter_map(op::as_list).collect();
    let columns = lists[0].len();
    let cells: Vec<Value> = lists.iter().flat_map(|r| r.iter().cloned()).collect();
    let name = bound(context, value).map(|n| typeset::name(&n)).unwrap_or_default();
    let found = of_list(context, &cells, name, "colour", at)?;
    let mut axis = Growing::new("colour", &*args.word("scale")? == "log");
    let range = range_option(args, "values")?;
    prepare(&mut axis, None, &range, "values", args.span_of("values"))?;
    let unit = axis.take(&found.name, found.unit.clone(), found.dimension, at)?;
    set_range(&mut axis, &range);
    axis.axis.name = found.name.clone();
    let (w, h) = (columns as f64, rows.len() as f64);
    let image = Image { x: (-0.5, w - 0.5), y: (-0.5, h - 0.5), columns, values: found.in_unit(&unit) };
    let panel = Panel {
        x: Axis { whole: true, ..Axis::new("column", None) },
        // The first row is the upper one.
        y: Axis { range: Some((h - 0.5, -0.5)), whole: true, ..Axis::new("row", None) },
        value: axis.axis,
        map: map_option(args)?,
        layers: vec![Layer::new(found.name, Mark::Image(image))],
        square: (0.25..=4.0).contains(&(w / h)),
        ..Panel::default()
    };
    finish(context, args, Figure::new(panel))
}

pub(super) fn phase_portrait(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span;
    let (x, y) = (plane_variable(context, args, "x")?, plane_variable(context, args, "y")?);
    let u = plane_curve(context, args, "u", &x, &y)?;
    let v = plane_curve(context, args, "v", &x, &y)?;
    // Both are rates: their units differ as those of the variables do.
    let (du, dv) = (u.dimension(&[&x, &y], at)?, v.dimension(&[&x, &y], at)?);
    if let (Some(a), Some(b)) = (du.div(x.dimension), dv.div(y.dimension))
        && a != b
        && u.expr.is_symbolic()
        && v.expr.is_symbolic()
    {
        return Err(fault(
            6021,
            at,
            format!(
                "expected rates of one kind, found `u` in [{}] of `{}` and `v` in [{}] of `{}`",
                Unit::coherent(du),
                x.symbol,
                Unit::coherent(dv),
                y.symbol
            ),
        ));
    }
    let density = args.integer("density")?;
    if !(4..=80).contains(&density) {
        let fault = PlotError::Option {
            option: "density",
            expected: "4 to 80".into(),
            found: density.to_string(),
            hint: "density: 22",
        };
        return Err(lift(&fault, args.span_of("density")));
    }
    let inputs = [&x.symbol, &y.symbol];
    let both = [u.tape(&inputs, args.span_of("u"))?, v.tape(&inputs, args.span_of("v"))?];
    let state = std::cell::RefCell::new((Scratch::default(), Vec::new()));
    let (w, h) = (x.high - x.low, y.high - y.low);
    let flow = |s: f64, t: f64| -> (f64, f64) {
        let point = [x.low + s * w, y.low + t * h];
        let mut state = state.borrow_mut();
        let (scratch, out) = &mut *state;
        both[0].eval_point_with(&point, scratch, out);
        let a = out.first().copied().unwrap_or(f64::NAN);
        both[1].eval_point_with(&point, scratch, out);
        (a / w, out.first().copied().unwrap_or(f64::NAN) / h)
    };
    let ((x_axis, x_unit, x_ends), (y_axis, y_unit, y_ends)) = (axis_of(&x), axis_of(&y));
    let lines = plot::streams(&flow, density as usize)
        .into_iter()
        .map(|line| {
            line.into_iter()
                .map(|(s, t)| (x_unit.from_si(x.low + s * w), y_unit.from_si(y.low + t * h)))
                .collect()
        })
        .collect::<Vec<Vec<(f64, f64)>>>();
    if lines.is_empty() {
        let found = "a flow that is zero or has no value everywhere".to_string();
        return Err(lift(&PlotError::Nothing { found }, at));
    }
    let mut layers = vec![Layer::new("", Mark::Streams(Streams { lines }))];
    if args.boolean("nullclines")? {
        for (curve, variable) in [(&u, &x), (&v, &y)] {
            let found = contour_lines(curve, &x, &y, &Unit::one(), &[0.0], 161, at)?;
            let points: Vec<(f64, f64)> = found.levels.into_iter().flat_map(|(_, l)| l).collect();
            if !points.is_empty() {
                let name = format!("{}′ = 0", typeset::name(variable.symbol.name()));
                let series = Series { points, line: true, sampled: true, ..Series::default() };
                layers.push(Layer::new(name, Mark::Series(series)));
            }
        }
    }
    let panel = Panel {
        x: Axis { range: Some(x_ends), ..x_axis },
        y: Axis { range: Some(y_ends), ..y_axis },
        layers,
        ..Panel::default()
    };
    finish(context, args, Figure::new(panel))
}
