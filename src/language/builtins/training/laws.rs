//! Laws in a network and the columns they are fed with: their inputs are bound by name where the columns have these names,
//! and what is declared of units is compared with the units of the columns.

use super::task::distinct;
use super::*;
use crate::language::dimension;
use crate::language::operations::unit_fault;
use crate::networks::layer::formula::Signature;
use crate::units::Catalogue;

/// The laws that read the first input of a network as it comes.
fn reading(layer: &Layer) -> Vec<Signature> {
    match (layer.kind().name, layer.inner()) {
        ("chain", inner) => inner.first().map(reading).unwrap_or_default(),
        ("conditioned", inner) => inner.get(1).map(reading).unwrap_or_default(),
        ("parallel" | "residual" | "skip", inner) => inner.iter().flat_map(reading).collect(),
        _ => Signature::of(layer).into_iter().collect(),
    }
}

/// The laws whose value the network gives, alone or as a part of a sum.
fn giving(layer: &Layer) -> Vec<Signature> {
    match (layer.kind().name, layer.inner()) {
        ("chain", [only]) => giving(only),
        ("parallel", inner) if *layer.setting("merge") == Setting::from("add") => {
            inner.iter().flat_map(giving).collect()
        }
        _ => Signature::of(layer).into_iter().collect(),
    }
}

/// The columns of the first input in the order in which the laws name them, where all of their names are columns; else as
/// they are.
pub(super) fn bound(
    network: &Layer,
    d: &Dataset,
    names: Vec<Arc<str>>,
    args: &Args,
) -> Result<Vec<Arc<str>>> {
    let is_column = |n: &str| d.columns().iter().any(|c| &*c.name == n && c.is_numeric());
    let laws: Vec<Signature> = reading(network).into_iter().filter(|l| l.names().all(is_column)).collect();
    let Some(first) = laws.first() else { return Ok(names) };
    let own: Vec<Arc<str>> = first.names().map(Arc::from).collect();
    let names = if args.is_given("inputs") {
        names
    } else {
        let rest: Vec<Arc<str>> = names.into_iter().filter(|n| !own.contains(n)).collect();
        own.into_iter().chain(rest).collect()
    };
    for law in &laws {
        let own: Vec<&str> = law.names().collect();
        if own.len() == names.len() && own.iter().zip(&names).any(|(a, b)| **a != **b) {
            let message = format!(
                "expected the columns that the law reads, in its order, {}; found {}",
                own.join(", "),
                names.join(", ")
            );
            let at = args.span_of(if args.is_given("inputs") { "inputs" } else { "network" });
            return Err(fault_hint(6006, at, message, format!("inputs: [{}]", own.join(", "))));
        }
    }
    Ok(names)
}

/// Refuses laws that are fed with other units than they are declared for, or that have another unit than the target.
pub(super) fn check_units(
    network: &Layer,
    reads: &[Reads],
    gives: &Gives,
    loss: &Loss,
    catalogue: &Catalogue,
    args: &Args,
) -> Result<()> {
    let at = args.span_of("network");
    let known = |unit: &Option<String>| match unit.as_deref()? {
        "1" => Some(Unit::one()),
        unit => catalogue.parse(unit).ok(),
    };
    if let Some(first) = reads.first().filter(|r| r.arrays.is_none()) {
        for law in reading(network) {
            for ((name, unit), field) in law.inputs.iter().zip(&first.columns) {
                let Some(unit) = known(unit).filter(|u| u.dimension() != field.dimension()) else { continue };
                let message = format!(
                    "expected a column in [{unit}] for `{name}` of the law, found `{}` {}",
                    field.name,
                    field.in_unit()
                );
                return Err(fault_hint(6021, at, message, field.declared(name)));
            }
        }
    }
    let Gives::Columns(fields) = gives else { return Ok(()) };
    let [field] = fields.as_slice() else { return Ok(()) };
    if Link::of(loss, 0, 1) != Link::Same {
        return Ok(());
    }
    for law in giving(network) {
        let Some(unit) = known(&law.gives).filter(|u| u.dimension() != field.dimension()) else { continue };
        let message =
            format!("expected a law for `{}` {}, found one in [{unit}]", field.name, field.in_unit());
        let missing = field.dimension().div(unit.dimension()).map(Unit::coherent);
        let hint = missing.map_or_else(String::new, |u| format!("param k [{u}] = 1, and k times the law"));
        return Err(fault_hint(6021, at, message, hint));
    }
    Ok(())
}

/// A constant that a `param` of a law became.
pub(super) struct Constant {
    /// The name of the param.
    pub name: String,
    /// Its unit, where it is known, in words.
    pub unit: Option<String>,
    /// The variable that holds its number.
    pub variable: String,
    /// Its place in it.
    pub place: usize,
}

/// The constants that `param`s of the laws in a network became; of one name the first.
pub(super) fn constants(network: &Layer) -> Vec<Constant> {
    fn visit(layer: &Layer, prefix: &str, found: &mut Vec<Constant>) {
        let below =
            |name: &str| if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        let own = Signature::of(layer).unwrap_or_default().constants;
        for (place, (name, unit)) in own.into_iter().enumerate() {
            if !name.is_empty() && !found.iter().any(|c| c.name == name) {
                found.push(Constant { name, unit, variable: below("constants"), place });
            }
        }
        for (k, inner) in layer.inner().iter().enumerate() {
            visit(inner, &below(&k.to_string()), found);
        }
    }
    let mut found = Vec::new();
    visit(network, "", &mut found);
    found
}

/// A law as a layer: its inputs by name, in the order of the columns; all else that is no number are constants to train.
pub(super) fn formula(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("law");
    let law = match args.value("law")?.plain() {
        Value::Front(f) => match f.chosen() {
            Some(c) => c.expr.clone(),
            None => return Err(fault_hint(6006, at, "expected a law, found an empty front", "found[0]")),
        },
        Value::Fit(f) => f.law(),
        other => crate::language::operations::expr_of(other, at)?,
    };
    let law = match law.kind() {
        Kind::Relation(Relation::Eq, _, right) => right.clone(),
        _ => law,
    };
    let inputs = distinct(words(args, "inputs")?.unwrap_or_default(), "inputs", args)?;
    let mut places: Vec<(Symbol, Expr)> = Vec::new();
    for (k, name) in inputs.iter().enumerate() {
        places.push((Symbol::new(name), Expr::symbol(layer::formula::input(k))));
    }
    let unit_of = |name: &str| {
        let declared = context.declarations.get(&Symbol::new(name))?;
        declared.unit.as_ref().map(Unit::to_string)
    };
    let own = dimension::of(&law, &context.declarations).map_err(|m| unit_fault(&m, at))?;
    let mut signature = Signature {
        inputs: inputs.iter().map(|name| (name.to_string(), unit_of(name))).collect(),
        constants: Vec::new(),
        gives: own.map(|d| Unit::coherent(d).to_string()),
    };
    let mut starts: Vec<f64> = Vec::new();
    for symbol in law.symbols().into_iter().filter(|s| !inputs.iter().any(|n| **n == *s.name())) {
        let Some(start) = context.declarations.get(&symbol).and_then(|d| d.start) else {
            let message = format!("expected an input or a `param` with a first value, found `{symbol}`");
            return Err(fault_hint(6006, at, message, format!("param {symbol} = 1")));
        };
        signature.constants.push((symbol.to_string(), unit_of(symbol.name())));
        places.push((symbol, Expr::symbol(layer::formula::constant(starts.len()))));
        starts.push(start);
    }
    // Fitted constants are trained further; numbers with a unit are numbers in SI.
    let law = law.substitute(&places).transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => {
            starts.push(u.value());
            signature.constants.push(Default::default());
            Expr::symbol(layer::formula::constant(starts.len() - 1))
        }
        Kind::Unit(u) => Expr::float(u.scale().to_f64()),
        _ => e,
    });
    let mut options = vec![("law", Setting::Text(render::expr(&law, &Style::exact())))];
    if !starts.is_empty() {
        options.push(("constants", Setting::List(starts)));
    }
    options.extend(signature.settings());
    let made = Layer::new("formula", &options, Vec::new()).map_err(|e| lift(&e, at))?;
    Ok(Value::Network(Arc::new(made)))
}
