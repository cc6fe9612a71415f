//! The layers of a network with their shapes, weights and costs, as a table.

use super::*;
use crate::language::value::Answer;

/// Rows of the table that are shown.
const SHOWN: usize = 100;

/// `summary(network, input: [...])`, or that of a trained one.
pub(super) fn summarise(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("network");
    let value = args.value("network")?;
    let rows = match value.plain() {
        Value::Model(m) => m.trained.model.summary(),
        _ => {
            let network = networks::network(context, value, at)?;
            let mut shapes = Vec::new();
            let inputs = args.list("input")?;
            if inputs.is_empty() {
                let message = "expected the sizes of an input, found none";
                return Err(fault_hint(6006, args.span, message, "summary(net, input: [3, 32, 32])"));
            }
            let nested = inputs.iter().all(|v| matches!(v.plain(), Value::List(_)));
            let lists: Vec<Value> = if nested { inputs.to_vec() } else { vec![Value::List(inputs)] };
            for list in lists {
                let items = crate::language::operations::as_list(&list).unwrap_or_default();
                let whole = |e: &Expr| e.as_i64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
                // A first size within a range varies.
                let varies = matches!(items.first().map(Value::plain), Some(Value::Range(..)));
                let size = |(k, v): (usize, &Value)| {
                    let n = match v.plain() {
                        Value::Range(low, high) if k == 0 => whole(low).and(whole(high)),
                        _ => v.as_expr().as_ref().and_then(whole),
                    };
                    n.ok_or_else(|| args.wrong("input", "sizes", v))
                };
                let sizes: Vec<usize> = items.iter().enumerate().map(size).collect::<Result<_>>()?;
                shapes.push(Shape::new(&sizes).varying(varies.then(|| Varies::with(shapes.len()))));
            }
            summary(&network, &shapes).map_err(|e| lift(&e, at))?
        }
    };
    let labels = |f: &dyn Fn(&crate::networks::SummaryRow) -> String| {
        Values::Label(rows.iter().map(|r| Arc::from(f(r).as_str())).collect())
    };
    let columns = vec![
        Column::new("layer", None, labels(&|r| format!("{}{}", "  ".repeat(r.depth), r.layer))),
        Column::new("output", None, labels(&|r| r.output.to_string())),
        Column::new("parameters", None, Values::Integer(rows.iter().map(|r| r.parameters as i64).collect())),
        Column::new(
            "multiply_adds",
            None,
            Values::Integer(rows.iter().map(|r| r.multiply_adds as i64).collect()),
        ),
    ];
    let table = Dataset::new("summary", columns).map_err(|e| lift(&e, at))?;
    // It is there to be read: shown as a table, and a dataset for what is computed with it.
    let shown = Some(table.preview(SHOWN));
    let value = Value::Dataset(Arc::new(table));
    Ok(Value::Answer(Arc::new(Answer { value, conditions: Vec::new(), remark: None, shown, stopped: None })))
}
