//! `phys fmt`: statements in the standard layout, with every comment and at most one empty line between them.

use super::layout::{Column, Op};
use super::parse::Parsed;
use super::print::Printer;
use super::token::Raw;
use super::tree::*;
use crate::base::Source;

/// The text in the standard layout. It parses to the same tree and formats to itself; of a source with errors it is the
/// text as it was.
pub fn format(source: &Source, parsed: &Parsed) -> String {
    if parsed.has_errors() {
        return source.text.to_string();
    }
    let mut printer = Printer::new(&parsed.tree, Some(source));
    printer.statements(&parsed.tree.statements, source.text.len() as u32, None);
    printer.finish()
}

impl Printer<'_> {
    /// Statements and comments up to a place, each on its own line; in a body, `opened` is the place of its brace, and
    /// the first statement stands behind a line end too.
    fn statements(&mut self, statements: &[Statement], to: u32, opened: Option<u32>) {
        let mut end = opened;
        let mut complete = false;
        for statement in statements {
            self.flush(statement.span.start, end);
            self.blank_before(statement.span.start);
            if opened.is_some() || !self.ops.is_empty() {
                self.ops.push(Op::Hard);
            }
            self.statement(statement, complete);
            if statement.quiet {
                self.text(";");
            }
            complete = !statement.quiet
                && !matches!(statement.kind, StatementKind::For { .. } | StatementKind::If { .. });
            end = Some(if statement.quiet { self.quiet_end(statement.span.end) } else { statement.span.end });
        }
        self.flush(to, end);
    }

    /// A statement; `below` a complete line it must not begin with a sign or a brace.
    fn statement(&mut self, statement: &Statement, below: bool) {
        match &statement.kind {
            StatementKind::Bind { names, value, wheres } => {
                self.idents(names);
                self.assign_stop(names.last().map_or(0, |n| n.span.end));
                self.text(" = ");
                self.any(*value);
                self.wheres(wheres, *value);
            }
            StatementKind::Define { name, params, result, body, wheres } => {
                self.ident(name);
                let close = self.params(params, name.span.end);
                if let Some(result) = result {
                    self.text(" -> ");
                    self.ty(result);
                }
                self.assign_stop(close);
                self.text(" = ");
                self.any(*body);
                self.wheres(wheres, *body);
            }
            StatementKind::Var { names, unit, assumptions, domain } => {
                self.text("var ");
                self.idents(names);
                if let Some(unit) = unit {
                    self.text(" ");
                    self.stop(Column::Unit, unit.span.start);
                    self.unit(unit);
                }
                for assumption in assumptions {
                    self.text(match assumption.kind {
                        AssumptionKind::Real => " real".to_owned(),
                        AssumptionKind::Complex => " complex".to_owned(),
                        AssumptionKind::Integer => " integer".to_owned(),
                        AssumptionKind::Sign(op) => format!(" {} 0", op.sign()),
                    });
                }
                let before = assumptions
                    .last()
                    .map(|a| a.span.end)
                    .or(unit.as_ref().map(|u| u.span.end))
                    .or(names.last().map(|n| n.span.end));
                self.domain(*domain, before.unwrap_or(0));
            }
            StatementKind::Param { name, unit, start, domain } => {
                self.text("param ");
                self.ident(name);
                if let Some(unit) = unit {
                    self.text(" ");
                    self.stop(Column::Unit, unit.span.start);
                    self.unit(unit);
                }
                self.assign_stop(unit.as_ref().map_or(name.span.end, |u| u.span.end));
                self.text(" = ");
                self.below_comparison(*start);
                if let Some(domain) = domain {
                    self.text(" in ");
                    self.any(*domain);
                }
            }
            StatementKind::Const { name, value } => {
                self.text("const ");
                self.ident(name);
                self.assign_stop(name.span.end);
                self.text(" = ");
                self.any(*value);
            }
            StatementKind::Unit { names, value } => {
                self.text("unit ");
                self.idents(names);
                if let Some(value) = value {
                    self.assign_stop(names.last().map_or(0, |n| n.span.end));
                    self.text(" = ");
                    self.any(*value);
                }
            }
            StatementKind::Check { value, wheres } => {
                self.text("check ");
                self.any(*value);
                self.wheres(wheres, *value);
            }
            StatementKind::For { clause, body } => {
                self.text("for ");
                self.idents(&clause.names);
                self.text(" in ");
                self.head(clause.source);
                let place = self.bracket(self.end_of(clause.source), Raw::LBrace);
                self.body(body, place);
            }
            StatementKind::If { branches, otherwise } => {
                let mut end = 0;
                for (i, (condition, body)) in branches.iter().enumerate() {
                    self.text(if i == 0 { "if " } else { " else if " });
                    self.head(*condition);
                    let place = self.bracket(self.end_of(*condition), Raw::LBrace);
                    self.body(body, place);
                    end = place.1;
                }
                if let Some(body) = otherwise {
                    self.text(" else");
                    let place = self.bracket(end, Raw::LBrace);
                    self.body(body, place);
                }
            }
            StatementKind::Rule { from, to, condition } => {
                self.text("rule ");
                self.any(*from);
                self.text(" => ");
                self.any(*to);
                if let Some(condition) = condition {
                    self.text(" when ");
                    self.any(*condition);
                }
            }
            StatementKind::Extern { name, params, result } => {
                self.text("extern ");
                self.ident(name);
                self.params(params, name.span.end);
                self.text(" -> ");
                self.ty(result);
            }
            StatementKind::Use { module, alias, names } => {
                self.text("use ");
                match module {
                    UsePath::Module(path) => {
                        for (i, part) in path.iter().enumerate() {
                            if i > 0 {
                                self.text(".");
                            }
                            self.ident(part);
                        }
                    }
                    UsePath::File(path, span) => match self.slice(*span) {
                        Some(text) => self.text(text),
                        None => self.text(format!("{path:?}")),
                    },
                }
                if let Some(alias) = alias {
                    self.text(" as ");
                    self.ident(alias);
                }
                if let Some(names) = names {
                    self.text(": ");
                    self.idents(names);
                }
            }
            StatementKind::Expr { value, wheres } => {
                self.statement_expr(*value, below);
                self.wheres(wheres, *value);
            }
            StatementKind::Error => {}
        }
    }

    fn assign_stop(&mut self, before: u32) {
        if let Some(at) = self.token(before, Raw::Assign).map(|t| t.start) {
            self.stop(Column::Assign, at);
        }
    }

    fn domain(&mut self, domain: Option<ExprId>, before: u32) {
        if let Some(domain) = domain {
            self.text(" ");
            if let Some(at) = self.token(before, Raw::In).map(|t| t.start) {
                self.stop(Column::Domain, at);
            }
            self.text("in ");
            self.any(domain);
        }
    }

    /// Parameters in brackets; gives the place behind them in the source.
    fn params(&mut self, params: &[Param], from: u32) -> u32 {
        let place = self.bracket(from, Raw::LParen);
        let starts: Vec<u32> = params.iter().map(|p| p.name.span.start).collect();
        self.items("(", ")", place, &starts, Some(Op::Line(" ")), |p, i| {
            let param = &params[i];
            p.ident(&param.name);
            if let Some(ty) = &param.ty {
                p.text(": ");
                p.ty(ty);
            }
            if param.variadic {
                p.text("...");
            }
            if let Some(default) = param.default {
                p.text(" = ");
                p.any(default);
            }
        });
        place.1
    }

    fn wheres(&mut self, wheres: &[WhereItem], from: ExprId) {
        let Some(first) = wheres.first() else { return };
        let from = self.end_of(from);
        // A line end before `where` in the source is kept.
        let last = wheres.last().map_or(0, |w| w.name.span.start);
        let force = self.begins_line_before(first.name.span.start) || self.has_comments(from, last);
        self.ops.extend([Op::Open(force), Op::Indent]);
        self.flush(first.name.span.start, None);
        self.ops.push(Op::Line(" "));
        self.text("where ");
        self.ops.push(Op::Indent);
        for (i, item) in wheres.iter().enumerate() {
            if i > 0 {
                self.text(",");
                self.flush(item.name.span.start, None);
                self.ops.push(Op::Line(" "));
            }
            self.ident(&item.name);
            if let Some(params) = &item.params {
                self.params(params, item.name.span.end);
            }
            self.text(" = ");
            self.any(item.value);
        }
        self.ops.extend([Op::Dedent, Op::Dedent, Op::Close]);
    }

    /// A body in braces: one line if it was one and holds one statement or statements with `;` between, else a
    /// line for each statement.
    fn body(&mut self, body: &[Statement], (from, to): (u32, u32)) {
        if body.is_empty() && !self.has_comments(from, to) {
            self.text(" { }");
            return;
        }
        if !self.breaks(from, to) {
            self.text(" {");
            self.ops.extend([Op::Open(false), Op::Indent]);
            for (i, statement) in body.iter().enumerate() {
                self.ops.push(Op::Line(" "));
                self.statement(statement, false);
                if statement.quiet || i + 1 < body.len() {
                    self.text(";");
                }
            }
            self.ops.extend([Op::Dedent, Op::Line(" "), Op::Close]);
            self.text("}");
            return;
        }
        self.text(" {");
        self.ops.push(Op::Indent);
        self.statements(body, to, Some(from));
        self.ops.extend([Op::Dedent, Op::Hard]);
        self.text("}");
    }
}

#[cfg(test)]
mod tests;
