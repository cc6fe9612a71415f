//! Axes: an axis takes the unit of what is drawn on it first; ranges and units that options give.

use super::*;

/// An axis that takes the unit of what comes first.
pub(super) struct Growing {
    pub(super) which: &'static str,
    pub(super) axis: Axis,
    /// What set the unit.
    pub(super) first: Option<String>,
    pub(super) dimension: Dimension,
}

impl Growing {
    pub(super) fn new(which: &'static str, log: bool) -> Growing {
        Growing { which, axis: Axis { log, ..Axis::default() }, first: None, dimension: Dimension::NONE }
    }

    /// The unit that values of this dimension are drawn in.
    pub(super) fn take(&mut self, name: &str, unit: Option<Unit>, own: Dimension, at: Span) -> Result<Unit> {
        match &self.first {
            None => {
                self.first = Some(name.to_string());
                self.dimension = own;
                self.axis.unit =
                    unit.or_else(|| (!own.is_none()).then(|| Unit::coherent(own))).filter(|u| !u.is_one());
            }
            Some(first) if self.dimension != own => {
                let fault = PlotError::Units {
                    axis: self.which,
                    first: first.clone(),
                    expected: Box::new(self.axis.unit.clone().unwrap_or(Unit::one())),
                    second: name.to_string(),
                    found: Box::new(unit.unwrap_or(Unit::coherent(own))),
                };
                return Err(lift(&fault, at));
            }
            _ => {}
        }
        Ok(self.unit())
    }

    pub(super) fn unit(&self) -> Unit {
        self.axis.unit.clone().unwrap_or(Unit::one())
    }
}

/// A unit option: its text, read.
pub(super) fn unit_option(context: &Context, args: &Args, name: &str) -> Result<Option<Unit>> {
    if !args.is_given(name) {
        return Ok(None);
    }
    let text = args.word(name)?;
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    context.catalogue.parse(text).map(Some).map_err(|e| lift(&e, args.span_of(name)))
}

/// The ends of a range in SI, and its unit.
pub(super) struct Ends {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) unit: Option<Unit>,
    pub(super) dimension: Dimension,
}

pub(super) fn ends(low: &Expr, high: &Expr, option: &'static str, at: Span) -> Result<Ends> {
    let value = |e: &Expr| op::settle(e).evaluate(&|_| None);
    let own = |e: &Expr| dimension::of(e, &Declarations::new()).map_err(|m| op::unit_fault(&m, at));
    let wrong = |found: String| {
        let expected = "a range of finite numbers, the lower end first".to_string();
        Err(lift(&PlotError::Option { option, expected, found, hint: "0..10" }, at))
    };
    let (Some(a), Some(b)) = (value(low), value(high)) else { return wrong(format!("{low}..{high}")) };
    if !(a.is_finite() && b.is_finite() && a < b && b - a < 1e300) {
        return wrong(format!("{low}..{high}"));
    }
    let unit = high.split_unit().1.or_else(|| low.split_unit().1);
    let dimension = own(high)?.or(own(low)?).unwrap_or(Dimension::NONE);
    Ok(Ends { low: a, high: b, unit, dimension })
}

pub(super) fn range_option(args: &Args, name: &'static str) -> Result<Option<Ends>> {
    match args.get(name).map(Value::plain) {
        Some(Value::Range(low, high)) => ends(low, high, name, args.span_of(name)).map(Some),
        _ => Ok(None),
    }
}

/// Sets unit and range of an axis from the options, before anything is drawn on it.
pub(super) fn prepare(
    axis: &mut Growing,
    unit: Option<Unit>,
    range: &Option<Ends>,
    option: &str,
    at: Span,
) -> Result<()> {
    if let Some(unit) = unit {
        axis.take(&format!("{option}_unit"), Some(unit.clone()), unit.dimension(), at)?;
    }
    if let Some(ends) = range
        && !ends.dimension.is_none()
    {
        axis.take(option, ends.unit.clone(), ends.dimension, at)?;
    }
    Ok(())
}

/// The range of an axis in its unit: plain numbers are in it already.
pub(super) fn set_range(axis: &mut Growing, range: &Option<Ends>) {
    let unit = axis.unit();
    axis.axis.range = range.as_ref().map(|r| match r.dimension.is_none() && r.unit.is_none() {
        true => (r.low, r.high),
        false => (unit.from_si(r.low), unit.from_si(r.high)),
    });
}
