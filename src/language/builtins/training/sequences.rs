//! Sequences that follow from others, token by token.

use super::rows::array;
use super::*;

/// The tokens of every row.
fn sequences_of(d: &Dataset, reads: &Reads, at: Span) -> Result<Vec<Vec<u32>>> {
    if let (Some(own), [field]) = (&reads.arrays, reads.columns.as_slice()) {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        let stack = arrays_of(c, own, &reads.sizes, at)?;
        let row = |r: usize| stack.row(r).map(|x| token(x, &field.name, at)).collect();
        return (0..stack.len()).map(row).collect();
    }
    let read = array(d, reads, at)?;
    let length: usize = read.sizes().iter().product();
    let tokens: Vec<u32> = read.numbers().map(|x| x as u32).collect();
    Ok(tokens.chunks(length.max(1)).map(<[u32]>::to_vec).collect())
}

/// The tokens that follow `first`, up to `last`, for each row.
pub(super) fn generate(context: &mut Context, args: &Args) -> Result<Value> {
    let m = model_of(args)?;
    let d = args.dataset("data")?;
    let at = args.span_of("data");
    let Some(source) = m.reads.get(1).filter(|r| r.tokens) else {
        let message = "expected a model whose second input is tokens, found another";
        return Err(fault_hint(
            6006,
            args.span_of("model"),
            message,
            "train(encoder_decoder(vocabulary: 20), d, second: [s0, s1])",
        ));
    };
    let sources = sequences_of(&d, source, at)?;
    let vocabulary = m.trained.model.output.features();
    let token = |name: &str| -> Result<u32> {
        let n = args.integer(name)?;
        u32::try_from(n).ok().filter(|n| (*n as usize) < vocabulary).ok_or_else(|| {
            let last = vocabulary.saturating_sub(1);
            let message = format!("expected a token from 0 to {last} for `{name}`, found {n}");
            fault_hint(6006, args.span_of(name), message, format!("{name}: {last}"))
        })
    };
    let temperature = args.real("temperature")?;
    let choice = match count(args, "top")? {
        _ if !(temperature >= 0.0 && temperature.is_finite()) => {
            let message = format!("expected a temperature of at least 0, found {temperature}");
            return Err(fault_hint(6006, args.span_of("temperature"), message, "temperature: 0.7"));
        }
        Some(0) => {
            let message = "expected at least 1 for `top`, found 0, which leaves no token to choose from";
            return Err(fault_hint(6006, args.span_of("top"), message, "top: 5"));
        }
        _ if temperature == 0.0 => Choice::Likeliest,
        top => Choice::Random { temperature, top: top.map(|n| n as usize) },
    };
    let (first, last, seed) = (token("first")?, token("last")?, seed(context, args)?);
    let found =
        use_of::in_pool(context.threads, || sequences(&m.trained.model, &sources, first, last, choice, seed));
    let row = |tokens: Vec<u32>| Value::list(tokens.into_iter().map(|t| Value::int(i64::from(t))).collect());
    Ok(Value::list(found.map_err(|e| lift(&e, at))?.into_iter().map(row).collect()))
}
