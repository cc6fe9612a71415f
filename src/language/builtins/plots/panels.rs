//! Layers and panels: curves through the tape, points with their errors, datasets in groups, fronts.

use super::*;

/// A curve on its axes; what of it has no value is told.
pub(super) fn curve_layer(
    context: &Context,
    curve: &Curve,
    variable: &Variable,
    x: &Growing,
    y: &mut Growing,
    style: &str,
    at: Span,
) -> Result<Layer> {
    let own = curve.dimension(&[variable], at)?;
    let unit = y.take(&curve.name, curve.unit_of(own), own, at)?;
    let tape = curve.tape(&[&variable.symbol], at)?;
    let x_unit = x.unit();
    let mut scratch = Scratch::default();
    let mut out = vec![Vec::new()];
    let mut evaluate = |xs: &[f64]| -> Vec<f64> {
        let si: Vec<f64> = xs.iter().map(|v| x_unit.to_si(*v)).collect();
        tape.eval_with(&[&si], &mut out, &mut scratch);
        // An expression without the variable gives one value.
        let mut ys: Vec<f64> = out[0].iter().map(|v| unit.from_si(*v)).collect();
        if ys.len() == 1 {
            ys.resize(xs.len(), ys[0]);
        }
        ys
    };
    if let Some(values) = &variable.values {
        let xs: Vec<f64> = values.iter().map(|v| x_unit.from_si(*v)).collect();
        let points = xs.iter().copied().zip(evaluate(&xs)).collect();
        let line = matches!(style, "line" | "both");
        let series = Series { points, line, markers: style != "line", ..Series::default() };
        return Ok(Layer::new(curve.name.clone(), Mark::Series(series)));
    }
    let (low, high) = (x_unit.from_si(variable.low), x_unit.from_si(variable.high));
    if x.axis.log && low <= 0.0 {
        let fault = PlotError::Option {
            option: "log",
            expected: format!("a range of `{}` above 0 on the logarithmic x axis", variable.symbol),
            found: format!("{}..{}", print::float(low, &context.style), print::float(high, &context.style)),
            hint: "plot(F, x in 0.1..10, log: x)",
        };
        return Err(lift(&fault, at));
    }
    let axis = Projection { low, high, log: x.axis.log };
    let found = plot::curve(&mut evaluate, &axis, y.axis.log);
    if found.undefined == found.asked {
        let fault = PlotError::Undefined {
            expr: shown(context, &curve.expr),
            range: format!(
                "{} in {}..{}",
                variable.symbol,
                print::float(low, &context.style),
                print::float(high, &context.style)
            ),
        };
        return Err(lift(&fault, at));
    }
    if found.undefined > 0 {
        let words = format!(
            "`{}` has no real value at {} of {} points: the curve has a gap there",
            shown(context, &curve.expr),
            found.undefined,
            found.asked
        );
        notice(context, at, words);
    }
    let series = Series {
        points: found.points,
        line: style != "points",
        markers: matches!(style, "points" | "both"),
        focus: found.focus,
        sampled: true,
        ..Series::default()
    };
    Ok(Layer::new(curve.name.clone(), Mark::Series(series)))
}

/// Points near each other in order are a line, scattered ones are not.
pub(super) fn is_path(points: &[(f64, f64)]) -> bool {
    if points.len() < 30 {
        return false;
    }
    let size = |f: fn(&(f64, f64)) -> f64| {
        let all = points.iter().map(f).filter(|v| v.is_finite());
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if high > low { high - low } else { 1.0 }
    };
    let (w, h) = (size(|p| p.0), size(|p| p.1));
    let steps = points.windows(2).map(|p| (p[1].0 - p[0].0).abs() / w + (p[1].1 - p[0].1).abs() / h);
    let steps: Vec<f64> = steps.filter(|s| s.is_finite()).collect();
    steps.iter().sum::<f64>() / (steps.len().max(1) as f64) < 0.15
}

pub(super) fn points_layer(
    x: &Numbers,
    y: &Numbers,
    units: (&Unit, &Unit),
    style: &str,
    at: Span,
) -> Result<Layer> {
    if x.values.len() != y.values.len() {
        let fault = PlotError::Lengths {
            x: x.values.len(),
            x_name: if x.name.is_empty() { "x".into() } else { x.name.clone() },
            y: y.values.len(),
            y_name: if y.name.is_empty() { "y".into() } else { y.name.clone() },
        };
        return Err(lift(&fault, at));
    }
    let points: Vec<(f64, f64)> = x.in_unit(units.0).into_iter().zip(y.in_unit(units.1)).collect();
    let (x_errors, y_errors) = (x.errors_in_unit(units.0), y.errors_in_unit(units.1));
    let (line, markers) = match style {
        "line" => (true, false),
        "points" => (false, true),
        "both" => (true, true),
        _ => {
            let path = x_errors.is_none() && y_errors.is_none() && is_path(&points);
            (path, !path)
        }
    };
    let series = Series { points, x_errors, y_errors, line, markers, ..Series::default() };
    Ok(Layer::new(y.name.clone(), Mark::Series(series)))
}

/// The panel of everything that shares one pair of axes.
pub(super) fn panel(
    context: &mut Context,
    args: &Args,
    parts: &Parts,
    data: &[Numbers],
    base: Option<&Panel>,
) -> Result<Panel> {
    let at = args.span_of("items");
    let log = args.word("log")?;
    let style = args.word("style")?;
    let (x_range, y_range) = (range_option(args, "x")?, range_option(args, "y")?);
    let mut x = Growing::new("x", log.contains('x'));
    let mut y = Growing::new("y", log.contains('y'));
    prepare(&mut x, unit_option(context, args, "x_unit")?, &x_range, "x", args.span_of("x"))?;
    prepare(&mut y, unit_option(context, args, "y_unit")?, &y_range, "y", args.span_of("y"))?;
    let mut layers = Vec::new();
    if let Some((first, rest)) = data.split_first() {
        let index;
        let (abscissa, ordinates) = if rest.is_empty() {
            let values = (0..first.values.len()).map(|k| k as f64).collect();
            index = Numbers {
                name: "index".into(),
                values,
                errors: None,
                unit: None,
                dimension: Dimension::NONE,
                raw: None,
            };
            (&index, std::slice::from_ref(first))
        } else {
            (first, rest)
        };
        let x_unit = x.take(&abscissa.name, abscissa.unit.clone(), abscissa.dimension, at)?;
        x.axis.name = abscissa.name.clone();
        x.axis.whole = rest.is_empty();
        for own in ordinates {
            let y_unit = y.take(&own.name, own.unit.clone(), own.dimension, at)?;
            layers.push(points_layer(abscissa, own, (&x_unit, &y_unit), &style, at)?);
        }
    }
    if !parts.curves.is_empty() {
        match parts.over(context, &x_range, base, at)? {
            Some(variable) => {
                x.take(variable.symbol.name(), variable.unit.clone(), variable.dimension, at)?;
                if x.axis.name.is_empty() {
                    x.axis.name = typeset::name(variable.symbol.name());
                }
                for curve in &parts.curves {
                    context.poll(at)?;
                    layers.push(curve_layer(context, curve, &variable, &x, &mut y, &style, at)?);
                }
            }
            None if !layers.is_empty() || base.is_some() => {
                // Numbers are lines across the data.
                let ends = match base {
                    Some(base) => base.x_projection().ends(),
                    None => Panel { x: x.axis.clone(), layers: layers.clone(), ..Panel::default() }
                        .x_projection()
                        .ends(),
                };
                if let Some(base) = base {
                    x.axis.unit = base.x.unit.clone();
                }
                for curve in &parts.curves {
                    let own = curve.dimension(&[], at)?;
                    let unit = y.take(&curve.name, curve.unit_of(own), own, at)?;
                    let value = curve.expr.evaluate(&|_| None).map_or(f64::NAN, |v| unit.from_si(v));
                    let points = vec![(ends.0, value), (ends.1, value)];
                    let series = Series { points, line: true, dashed: true, ..Series::default() };
                    layers.push(Layer::new(curve.name.clone(), Mark::Series(series)));
                }
            }
            None => {
                // Numbers alone are points.
                let values: Vec<Value> = parts.curves.iter().map(|c| Value::Expr(c.expr.clone())).collect();
                let all = of_list(context, &values, String::new(), "y", at)?;
                let unit = y.take("y", all.unit.clone(), all.dimension, at)?;
                let points = all.in_unit(&unit).into_iter().enumerate().map(|(k, v)| (k as f64, v)).collect();
                let y_errors = all.errors_in_unit(&unit);
                x.axis.name = "index".into();
                x.axis.whole = true;
                let series = Series { points, y_errors, markers: true, ..Series::default() };
                layers.push(Layer::new("", Mark::Series(series)));
            }
        }
    }
    set_range(&mut x, &x_range);
    set_range(&mut y, &y_range);
    if let Some(first) = layers.first()
        // A curve over one column of data explains what the column shows.
        && (data.len() == 2 || layers.iter().all(|l| l.name == first.name))
    {
        y.axis.name = first.name.clone();
    }
    Ok(Panel { x: x.axis, y: y.axis, layers, ..Panel::default() })
}

/// The columns that a dataset draws: groups of x first, then y of one dimension each.
pub(super) fn groups(set: &Dataset, at: Span) -> Result<Vec<Vec<Numbers>>> {
    let numeric: Vec<&Arc<Column>> =
        set.columns().iter().filter(|c| c.is_numeric() && c.role != Role::Error).collect();
    if set.rows() == 0 || numeric.is_empty() {
        let found =
            if set.rows() == 0 { "a dataset without rows" } else { "a dataset without columns of numbers" };
        return Err(lift(&PlotError::Nothing { found: found.into() }, at));
    }
    if let Some(target) = numeric.iter().find(|c| c.role == Role::Target) {
        let target = of_column(target, at)?;
        let features: Vec<&&Arc<Column>> = numeric.iter().filter(|c| c.role != Role::Target).collect();
        if features.is_empty() {
            return Ok(vec![vec![target]]);
        }
        return features.into_iter().map(|c| Ok(vec![of_column(c, at)?, target.clone()])).collect();
    }
    let first = of_column(numeric[0], at)?;
    if numeric.len() == 1 {
        return Ok(vec![vec![first]]);
    }
    let mut groups: Vec<Vec<Numbers>> = Vec::new();
    for column in &numeric[1..] {
        let own = of_column(column, at)?;
        match groups.iter_mut().find(|g| g[1].dimension == own.dimension) {
            Some(group) => group.push(own),
            None => groups.push(vec![first.clone(), own]),
        }
    }
    Ok(groups)
}

/// The front of a search.
pub(in crate::language::builtins) fn front_panel(f: &FrontValue, at: Span) -> Result<Panel> {
    let candidates = f.found.front.candidates();
    if candidates.is_empty() {
        return Err(lift(&PlotError::Nothing { found: "a front without laws".into() }, at));
    }
    let mut points: Vec<(f64, f64)> = candidates.iter().map(|c| (c.size as f64, c.loss)).collect();
    let largest = points.iter().map(|p| p.1).fold(0.0, f64::max);
    // A loss of zero has no place on a logarithmic axis: it stands below all that rounding can tell.
    let least = if largest > 0.0 { largest * 1e-32 } else { 1e-32 };
    points.iter_mut().for_each(|p| p.1 = p.1.max(least));
    let chosen = f.chosen_index();
    let style = Style { digits: Some(4), ..Style::default() };
    let name = match f.chosen() {
        Some(best) => {
            let law = typeset::expression(&render::expr(&best.expr, &style));
            let law = if law.chars().count() > 60 { "the chosen law".into() } else { law };
            format!("{} = {law}", typeset::name(&f.target))
        }
        None => "laws".into(),
    };
    Ok(Panel {
        x: Axis { whole: true, ..Axis::new("size", None) },
        y: Axis { log: true, ..Axis::new("loss", None) },
        title: name,
        layers: vec![Layer::new("loss", Mark::Front(Front { points, chosen }))],
        ..Panel::default()
    })
}
