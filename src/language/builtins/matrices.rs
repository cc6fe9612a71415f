//! Vectors and matrices of any expressions. Determinant and inverse by fraction-free elimination (Bareiss,
//! Math. Comp. 22, 565 (1968)); divisions are exact in the field of rational functions and cancelled there.

use super::Body;
use super::lists::rows;
use crate::algebra::rational;
use crate::expression::Expr;
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault};
use crate::language::operations as op;
use crate::language::value::Value;

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("transpose", transpose),
    ("det", det),
    ("inverse", inverse),
    ("trace", trace),
    ("identity", identity),
    ("dot", dot),
    ("cross", cross),
    ("norm", norm),
];

fn transpose(_: &mut Context, args: &Args) -> Result<Value> {
    let a = rows(args, "a")?;
    Ok(Value::list((0..a[0].len()).map(|k| Value::list(a.iter().map(|r| r[k].clone()).collect())).collect()))
}

fn square(args: &Args) -> Result<Vec<Vec<Expr>>> {
    let a = rows(args, "a")?;
    if a.len() != a[0].len() {
        return Err(fault(
            6014,
            args.span_of("a"),
            format!("expected a square matrix, found {}x{}", a.len(), a[0].len()),
        ));
    }
    a.iter()
        .map(|r| r.iter().map(|v| Ok(op::settle(&op::expr_of(v, args.span_of("a"))?))).collect())
        .collect()
}

/// The quotient, with common factors cancelled where the algebra sees them.
fn quotient(a: &Expr, b: &Expr) -> Expr {
    let q = a / b;
    match rational::cancel(&q) {
        Some((e, _)) => e,
        None => q,
    }
}

fn multiply_out(e: Expr) -> Expr {
    crate::algebra::expand(&e)
}

fn determinant(context: &Context, mut a: Vec<Vec<Expr>>, args: &Args) -> Result<Expr> {
    let n = a.len();
    let mut sign = 1;
    let mut previous = Expr::one();
    for k in 0..n.saturating_sub(1) {
        context.poll(args.span)?;
        if a[k][k].is_zero() {
            match (k + 1..n).find(|&r| !a[r][k].is_zero()) {
                Some(r) => {
                    a.swap(k, r);
                    sign = -sign;
                }
                None => return Ok(Expr::zero()),
            }
        }
        for i in k + 1..n {
            for j in k + 1..n {
                let cross = multiply_out(&(&a[i][j] * &a[k][k]) - &(&a[i][k] * &a[k][j]));
                a[i][j] = if previous.is_one() { cross } else { quotient(&cross, &previous) };
            }
        }
        previous = a[k][k].clone();
    }
    let last = a[n - 1][n - 1].clone();
    Ok(if sign < 0 { last.negate() } else { last })
}

fn det(context: &mut Context, args: &Args) -> Result<Value> {
    let a = square(args)?;
    let d = determinant(context, a, args)?;
    context.checked(d, args.span)
}

fn inverse(context: &mut Context, args: &Args) -> Result<Value> {
    let a = square(args)?;
    let n = a.len();
    let d = determinant(context, a.clone(), args)?;
    if d.is_zero() {
        return Err(fault(6012, args.span_of("a"), "expected an invertible matrix, found determinant 0"));
    }
    let minor = |row: usize, column: usize| -> Vec<Vec<Expr>> {
        (0..n)
            .filter(|&i| i != row)
            .map(|i| (0..n).filter(|&j| j != column).map(|j| a[i][j].clone()).collect())
            .collect()
    };
    let mut result = Vec::with_capacity(n);
    for i in 0..n {
        let mut cells = Vec::with_capacity(n);
        for j in 0..n {
            // The adjugate is transposed.
            let m = if n == 1 { Expr::one() } else { determinant(context, minor(j, i), args)? };
            let m = if (i + j) % 2 == 1 { m.negate() } else { m };
            cells.push(Value::Expr(quotient(&m, &d)));
        }
        result.push(Value::list(cells));
    }
    Ok(Value::list(result))
}

fn trace(context: &mut Context, args: &Args) -> Result<Value> {
    let a = square(args)?;
    let terms: Vec<Expr> = (0..a.len()).map(|k| a[k][k].clone()).collect();
    context.checked(Expr::sum(terms), args.span)
}

fn identity(_: &mut Context, args: &Args) -> Result<Value> {
    let n = args.integer("n")?;
    if !(1..=1000).contains(&n) {
        return Err(fault(6006, args.span_of("n"), format!("expected 1 to 1000 rows, found {n}")));
    }
    Ok(Value::list(
        (0..n).map(|i| Value::list((0..n).map(|j| Value::int((i == j) as i64)).collect())).collect(),
    ))
}

fn dot(context: &mut Context, args: &Args) -> Result<Value> {
    op::dot(context, args.value("a")?, args.value("b")?, args.span)
}

fn cross(context: &mut Context, args: &Args) -> Result<Value> {
    op::cross(context, args.value("a")?, args.value("b")?, args.span)
}

fn norm(context: &mut Context, args: &Args) -> Result<Value> {
    let items = args.list("a")?;
    let squares: Result<Vec<Expr>> =
        items.iter().map(|v| Ok(op::settle(&op::expr_of(v, args.span)?).powi(2))).collect();
    context.checked(Expr::sum(squares?).sqrt(), args.span)
}
