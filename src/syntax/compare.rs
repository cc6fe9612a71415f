//! Equality of trees without their places: what the formatter must keep.

use super::tree::*;

/// Whether two trees say the same: all but spans and comments.
pub fn same_tree(a: &Tree, b: &Tree) -> bool {
    Pair { a, b }.statements(&a.statements, &b.statements)
}

struct Pair<'t> {
    a: &'t Tree,
    b: &'t Tree,
}

fn all<T>(a: &[T], b: &[T], mut same: impl FnMut(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y))
}

fn option<T>(a: &Option<T>, b: &Option<T>, same: impl FnOnce(&T, &T) -> bool) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(x), Some(y)) => same(x, y),
        _ => false,
    }
}

fn ident(a: &Ident, b: &Ident) -> bool {
    a.name == b.name
}

fn unit(a: &UnitExpr, b: &UnitExpr) -> bool {
    all(&a.factors, &b.factors, |x, y| x.symbol == y.symbol && x.power == y.power)
}

fn ty(a: &TypeExpr, b: &TypeExpr) -> bool {
    match (a, b) {
        (TypeExpr::Named(x), TypeExpr::Named(y)) => ident(x, y),
        (TypeExpr::Quantity(x), TypeExpr::Quantity(y)) => unit(x, y),
        (TypeExpr::List(x), TypeExpr::List(y)) | (TypeExpr::Optional(x), TypeExpr::Optional(y)) => ty(x, y),
        (TypeExpr::Record(x), TypeExpr::Record(y)) => all(x, y, |x, y| ident(&x.0, &y.0) && ty(&x.1, &y.1)),
        (TypeExpr::OneOf(x), TypeExpr::OneOf(y)) => all(x, y, ident),
        _ => false,
    }
}

impl Pair<'_> {
    fn statements(&self, a: &[Statement], b: &[Statement]) -> bool {
        all(a, b, |x, y| x.doc == y.doc && x.quiet == y.quiet && self.kind(&x.kind, &y.kind))
    }

    fn kind(&self, a: &StatementKind, b: &StatementKind) -> bool {
        use StatementKind::*;
        match (a, b) {
            (Bind { names, value, wheres }, Bind { names: n, value: v, wheres: w }) => {
                all(names, n, ident) && self.expr(*value, *v) && self.wheres(wheres, w)
            }
            (
                Define { name, params, result, body, wheres },
                Define { name: n, params: p, result: r, body: v, wheres: w },
            ) => {
                ident(name, n)
                    && self.params(params, p)
                    && option(result, r, ty)
                    && self.expr(*body, *v)
                    && self.wheres(wheres, w)
            }
            (
                Var { names, unit: u, assumptions, domain },
                Var { names: n, unit: v, assumptions: s, domain: d },
            ) => {
                all(names, n, ident)
                    && option(u, v, unit)
                    && all(assumptions, s, |x, y| x.kind == y.kind)
                    && self.maybe(domain, d)
            }
            (Param { name, unit: u, start, domain }, Param { name: n, unit: v, start: s, domain: d }) => {
                ident(name, n) && option(u, v, unit) && self.expr(*start, *s) && self.maybe(domain, d)
            }
            (Const { name, value }, Const { name: n, value: v }) => ident(name, n) && self.expr(*value, *v),
            (Unit { names, value }, Unit { names: n, value: v }) => {
                all(names, n, ident) && self.maybe(value, v)
            }
            (Check { value, wheres }, Check { value: v, wheres: w })
            | (Expr { value, wheres }, Expr { value: v, wheres: w }) => {
                self.expr(*value, *v) && self.wheres(wheres, w)
            }
            (For { clause, body }, For { clause: c, body: b }) => {
                self.clause(clause, c) && self.statements(body, b)
            }
            (If { branches, otherwise }, If { branches: b, otherwise: o }) => {
                all(branches, b, |x, y| self.expr(x.0, y.0) && self.statements(&x.1, &y.1))
                    && option(otherwise, o, |x, y| self.statements(x, y))
            }
            (Rule { from, to, condition }, Rule { from: f, to: t, condition: c }) => {
                self.expr(*from, *f) && self.expr(*to, *t) && self.maybe(condition, c)
            }
            (Extern { name, params, result }, Extern { name: n, params: p, result: r }) => {
                ident(name, n) && self.params(params, p) && ty(result, r)
            }
            (Use { module, alias, names }, Use { module: m, alias: a, names: n }) => {
                let path = match (module, m) {
                    (UsePath::Module(x), UsePath::Module(y)) => all(x, y, ident),
                    (UsePath::File(x, _), UsePath::File(y, _)) => x == y,
                    _ => false,
                };
                path && option(alias, a, ident) && option(names, n, |x, y| all(x, y, ident))
            }
            (Error, Error) => true,
            _ => false,
        }
    }

    fn wheres(&self, a: &[WhereItem], b: &[WhereItem]) -> bool {
        all(a, b, |x, y| {
            ident(&x.name, &y.name)
                && option(&x.params, &y.params, |x, y| self.params(x, y))
                && self.expr(x.value, y.value)
        })
    }

    fn params(&self, a: &[Param], b: &[Param]) -> bool {
        all(a, b, |x, y| {
            ident(&x.name, &y.name)
                && option(&x.ty, &y.ty, ty)
                && x.variadic == y.variadic
                && self.maybe(&x.default, &y.default)
        })
    }

    fn clause(&self, a: &ForClause, b: &ForClause) -> bool {
        all(&a.names, &b.names, ident) && self.expr(a.source, b.source)
    }

    fn args(&self, a: &[Arg], b: &[Arg]) -> bool {
        all(a, b, |x, y| option(&x.name, &y.name, ident) && self.expr(x.value, y.value))
    }

    fn maybe(&self, a: &Option<ExprId>, b: &Option<ExprId>) -> bool {
        option(a, b, |x, y| self.expr(*x, *y))
    }

    fn list(&self, a: &[ExprId], b: &[ExprId]) -> bool {
        all(a, b, |x, y| self.expr(*x, *y))
    }

    fn expr(&self, a: ExprId, b: ExprId) -> bool {
        use ExprKind::*;
        match (self.a.expr(a), self.b.expr(b)) {
            (Integer(x), Integer(y)) => x == y,
            (Float(x), Float(y)) => x.to_bits() == y.to_bits(),
            (Name(x), Name(y)) => x == y,
            (Bool(x), Bool(y)) => x == y,
            (Operator(x), Operator(y)) => x == y,
            (Str { parts, raw }, Str { parts: p, raw: r }) => {
                raw == r
                    && all(parts, p, |x, y| match (x, y) {
                        (StrPart::Text(x), StrPart::Text(y)) => x == y,
                        (
                            StrPart::Interpolation { expr, digits },
                            StrPart::Interpolation { expr: e, digits: d },
                        ) => digits == d && self.expr(*expr, *e),
                        _ => false,
                    })
            }
            (Neg(x), Neg(y)) | (Pos(x), Pos(y)) | (Root(x), Root(y)) | (Not(x), Not(y)) => self.expr(*x, *y),
            (Sum(x), Sum(y)) => all(x, y, |x, y| x.0 == y.0 && self.expr(x.1, y.1)),
            (Product(x), Product(y)) => all(x, y, |x, y| x.0 == y.0 && self.expr(x.1, y.1)),
            (Juxtaposed(x, u), Juxtaposed(y, v))
            | (Power(x, u), Power(y, v))
            | (Range(x, u), Range(y, v))
            | (PlusMinus(x, u), PlusMinus(y, v))
            | (Index(x, u), Index(y, v))
            | (Pipe(x, u), Pipe(y, v)) => self.expr(*x, *y) && self.expr(*u, *v),
            (Compare(x, u), Compare(y, v)) => {
                self.expr(*x, *y) && all(u, v, |x, y| x.0 == y.0 && self.expr(x.1, y.1))
            }
            (And(x), And(y)) | (Or(x), Or(y)) | (List(x), List(y)) => self.list(x, y),
            (WithUnit(x, u), WithUnit(y, v)) | (Convert(x, u), Convert(y, v)) => {
                self.expr(*x, *y) && unit(u, v)
            }
            (If { condition, then, otherwise }, If { condition: c, then: t, otherwise: o }) => {
                self.expr(*condition, *c) && self.expr(*then, *t) && self.expr(*otherwise, *o)
            }
            (Call { callee, args, block }, Call { callee: c, args: a, block: b }) => {
                self.expr(*callee, *c) && self.args(args, a) && block == b
            }
            (Member(x, n), Member(y, m)) => ident(n, m) && self.expr(*x, *y),
            (
                Comprehension { body, clauses, condition },
                Comprehension { body: b, clauses: c, condition: d },
            ) => {
                self.expr(*body, *b) && all(clauses, c, |x, y| self.clause(x, y)) && self.maybe(condition, d)
            }
            (Record(x), Record(y)) => self.args(x, y),
            (Error, Error) => true,
            _ => false,
        }
    }
}
