//! The layout of `format_query`: what is longer than a line is split, its parts on lines of their own, indented.

use std::fmt::{self, Write};

use super::{AggregateHead, INFINITY, Operator, SubqueryTail, is_infinity_to_a_power, sign};
use crate::ast::{Binary, Expr};

/// The bytes above which an expression is split.
const MAX_LINE_BYTES: usize = 100;
/// The levels below which nothing is split any more. Each level indents all that is in it, so that a long row of
/// operators would become a text of its length squared.
const MAX_LEVELS: usize = 200;
const INDENT: &str = "  ";

impl Expr {
    /// The expression laid out over as many lines as it takes, as Prometheus' `format_query` does.
    pub fn pretty(&self) -> String {
        let mut text = String::new();
        // A String takes all that is written.
        let _ = write_pretty(&mut text, self, 0);
        text
    }
}

fn write_pretty(out: &mut String, expr: &Expr, level: usize) -> fmt::Result {
    if let Expr::Unary(unary) = expr {
        indent(out, level);
        out.push_str(sign(unary.is_negative));
        let mut operand = String::new();
        write_pretty(&mut operand, &unary.expr, level)?;
        out.push_str(operand.trim());
        return Ok(());
    }
    if let Expr::Subquery(subquery) = expr {
        // Without an indent where it is not split: so has it Prometheus.
        if level >= MAX_LEVELS || !is_long(expr) {
            return write!(out, "{expr}");
        }
        write_pretty(out, &subquery.expr, level)?;
        return write!(out, "{}", SubqueryTail(subquery));
    }
    if level >= MAX_LEVELS || !is_long(expr) {
        indent(out, level);
        return write!(out, "{expr}");
    }
    match expr {
        Expr::Binary(binary) => write_binary(out, binary, level),
        Expr::Paren(paren) => write_enclosed(out, "", [&*paren.expr], level),
        Expr::Call(call) => write_enclosed(out, call.function.name, &call.args, level),
        Expr::Aggregate(aggregate) => {
            let parts = aggregate.param.iter().chain([&aggregate.expr]).map(|part| &**part);
            write_enclosed(out, &AggregateHead(aggregate).to_string(), parts, level)
        }
        _ => {
            indent(out, level);
            write!(out, "{expr}")
        }
    }
}

fn indent(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n(INDENT, level));
}

fn write_binary(out: &mut String, binary: &Binary, level: usize) -> fmt::Result {
    if is_infinity_to_a_power(binary) {
        indent(out, level + 1);
        out.push_str(INFINITY);
    } else {
        write_pretty(out, &binary.lhs, level + 1)?;
    }
    out.push('\n');
    indent(out, level);
    writeln!(out, "{}", Operator(binary))?;
    write_pretty(out, &binary.rhs, level + 1)
}

/// Parts in parentheses, each on its line.
fn write_enclosed<'a>(
    out: &mut String,
    head: &str,
    parts: impl IntoIterator<Item = &'a Expr>,
    level: usize,
) -> fmt::Result {
    indent(out, level);
    out.push_str(head);
    out.push('(');
    for (index, part) in parts.into_iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        write_pretty(out, part, level + 1)?;
    }
    out.push('\n');
    indent(out, level);
    out.push(')');
    Ok(())
}

/// Whether an expression takes more than a line.
fn is_long(expr: &Expr) -> bool {
    let mut line = Line { left: MAX_LINE_BYTES };
    let mut expr = expr;
    // A long row of operators is measured from its end, and no further than a line.
    while let Expr::Binary(binary) = expr {
        if write!(line, " {} {}", Operator(binary), binary.rhs).is_err() {
            return true;
        }
        expr = &binary.lhs;
    }
    write!(line, "{expr}").is_err()
}

/// Takes as many bytes as fit into a line, and refuses more.
struct Line {
    left: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}
