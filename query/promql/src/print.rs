//! Expressions as text: on one line, and laid out as Prometheus' `format_query` does.
//!
//! Both are read back as the same tree, which what Prometheus prints is not always: it leaves out parentheses behind
//! `offset` without which what follows would be of the duration, a millisecond of `1s1ms`, and what
//! of a range is less than a millisecond. Matchers are sorted, durations shortened, names of functions and operators as
//! they are in the documentation; parentheses are only those that were written, which the tree has as nodes.

mod pretty;

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::ast::{
    Aggregate, At, Binary, BinaryOp, Call, DurationExpr, DurationNode, Expr, Extension, Matcher, MatrixSelector,
    NumberLiteral, Subquery, VectorSelector,
};
use crate::number::{plain_text, short_text};
use crate::quote::{LabelName, Quoted};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Number(e) => e.fmt(f),
            Expr::String(e) => Quoted(&e.value).fmt(f),
            Expr::Vector(e) => e.fmt(f),
            Expr::Matrix(e) => e.fmt(f),
            Expr::Subquery(e) => write!(f, "{}{}", e.expr, SubqueryTail(e)),
            Expr::Call(e) => e.fmt(f),
            Expr::Aggregate(e) => e.fmt(f),
            Expr::Binary(e) => e.fmt(f),
            Expr::Unary(e) => write!(f, "{}{}", sign(e.is_negative), e.expr),
            Expr::Paren(e) => write!(f, "({})", e.expr),
        }
    }
}

pub(crate) fn sign(is_negative: bool) -> &'static str {
    if is_negative { "-" } else { "+" }
}

impl Display for NumberLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_number(f, self.value, self.is_duration)
    }
}

fn write_number(f: &mut Formatter<'_>, value: f64, is_duration: bool) -> fmt::Result {
    if is_duration { Seconds(value).fmt(f) } else { f.write_str(&plain_text(value)) }
}

/// Seconds as a duration like `1h30m`, and as a number where they are no whole milliseconds.
struct Seconds(f64);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let milliseconds = (self.0 * 1000.0).round();
        if milliseconds / 1000.0 != self.0 {
            return f.write_str(&plain_text(self.0));
        }
        if milliseconds < 0.0 {
            f.write_str("-")?;
        }
        f.write_str(&model::duration::format(Duration::from_millis(milliseconds.abs() as u64)))
    }
}

impl Display for VectorSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let others = format!("{}{}", AtModifier(self.at), ExtensionModifier(self.extension));
        write!(f, "{}{}", Series(self), Modifiers { others, offset: self.offset.as_ref() })
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let VectorSelector { at, offset, extension, .. } = &self.selector;
        let others = format!("{}{}", ExtensionModifier(*extension), AtModifier(*at));
        write!(f, "{}[{}]{}", Series(&self.selector), self.range, Modifiers { others, offset: offset.as_ref() })
    }
}

/// A selector without its modifiers.
struct Series<'a>(&'a VectorSelector);

impl Display for Series<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let VectorSelector { name, matchers, .. } = self.0;
        f.write_str(name.as_deref().unwrap_or_default())?;
        // The condition that stands for the name before the braces is the last.
        let written = &matchers[..matchers.len() - usize::from(name.is_some() && !matchers.is_empty())];
        let mut written: Vec<String> = written.iter().map(Matcher::to_string).collect();
        if written.is_empty() && name.is_some() {
            return Ok(());
        }
        written.sort_unstable();
        write!(f, "{{{}}}", written.join(","))
    }
}

impl Display for Matcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", LabelName(&self.label), self.op.as_str(), Quoted(&self.value))
    }
}

struct AtModifier(Option<At>);

impl Display for AtModifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(At::Time(time_ms)) => write!(f, " @ {:.3}", time_ms as f64 / 1000.0),
            Some(At::Start) => f.write_str(" @ start()"),
            Some(At::End) => f.write_str(" @ end()"),
        }
    }
}

struct ExtensionModifier(Option<Extension>);

impl Display for ExtensionModifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(extension) => write!(f, " {}", extension.as_str()),
        }
    }
}

/// All modifiers, the offset last. One that the parser reads on behind goes before the others, which end it: otherwise an
/// operator behind the selector would be one of the duration.
struct Modifiers<'a> {
    others: String,
    offset: Option<&'a DurationExpr>,
}

impl Display for Modifiers<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let others = &self.others;
        match self.offset {
            None => f.write_str(others),
            Some(offset) if begins_open(offset) => write!(f, " offset {offset}{others}"),
            Some(offset) if is_single(offset) => write!(f, "{others} offset {offset}"),
            Some(offset) => write!(f, " offset ({offset}){others}"),
        }
    }
}

/// Whether a duration behind `offset` ends by itself, whatever follows.
fn is_single(offset: &DurationExpr) -> bool {
    match &offset.node {
        DurationNode::Literal { .. } | DurationNode::Step | DurationNode::Range => true,
        _ if offset.is_wrapped => true,
        DurationNode::Sign { operand, .. } => {
            operand.is_wrapped || (is_single(operand) && !matches!(operand.node, DurationNode::Sign { .. }))
        }
        DurationNode::Binary { op, .. } => op.is_function(),
    }
}

/// Whether a duration begins such that the parser reads on behind it: with a parenthesis or with two signs.
fn begins_open(offset: &DurationExpr) -> bool {
    match &offset.node {
        _ if offset.is_wrapped => true,
        DurationNode::Sign { is_negative: true, operand } => {
            !operand.is_wrapped && matches!(operand.node, DurationNode::Sign { is_negative: true, .. })
        }
        DurationNode::Binary { op, lhs, .. } => !op.is_function() && begins_open(lhs),
        _ => false,
    }
}

/// A literal is written as a duration where it stands alone, and as it was written within a calculation.
impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.literal() {
            Some(seconds) => Seconds(seconds).fmt(f),
            None => self.write_calculation(f),
        }
    }
}

impl DurationExpr {
    fn write_calculation(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_wrapped {
            f.write_str("(")?;
        }
        match &self.node {
            DurationNode::Literal { seconds, is_duration } => write_number(f, *seconds, *is_duration)?,
            DurationNode::Step => f.write_str("step()")?,
            DurationNode::Range => f.write_str("range()")?,
            DurationNode::Sign { is_negative, operand } => {
                // A plus tells only that nothing behind the parentheses is of the duration.
                match is_negative {
                    true => f.write_str("-")?,
                    false if operand.is_wrapped => f.write_str("+")?,
                    false => {}
                }
                operand.write_calculation(f)?;
            }
            DurationNode::Binary { op, lhs, rhs } if op.is_function() => {
                write!(f, "{}(", op.as_str())?;
                lhs.write_calculation(f)?;
                f.write_str(", ")?;
                rhs.write_calculation(f)?;
                f.write_str(")")?;
            }
            DurationNode::Binary { op, lhs, rhs } => {
                lhs.write_calculation(f)?;
                write!(f, " {} ", op.as_str())?;
                rhs.write_calculation(f)?;
            }
        }
        if self.is_wrapped { f.write_str(")") } else { Ok(()) }
    }
}

/// The brackets of a subquery and its modifiers.
struct SubqueryTail<'a>(&'a Subquery);

impl Display for SubqueryTail<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Subquery { range, step, at, offset, .. } = self.0;
        write!(f, "[{range}:")?;
        if let Some(step) = step {
            step.fmt(f)?;
        }
        let others = AtModifier(*at).to_string();
        write!(f, "]{}", Modifiers { others, offset: offset.as_ref() })
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name)?;
        for (index, arg) in self.args.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{arg}")?;
        }
        f.write_str(")")
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", AggregateHead(self))?;
        if let Some(param) = &self.param {
            write!(f, "{param}, ")?;
        }
        write!(f, "{})", self.expr)
    }
}

/// An aggregation up to its parentheses.
struct AggregateHead<'a>(&'a Aggregate);

impl Display for AggregateHead<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Aggregate { op, grouping, .. } = self.0;
        f.write_str(op.as_str())?;
        if grouping.is_without {
            return write!(f, " without ({}) ", LabelNames(&grouping.labels));
        }
        if grouping.labels.is_empty() {
            return Ok(());
        }
        write!(f, " by ({}) ", LabelNames(&grouping.labels))
    }
}

struct LabelNames<'a>(&'a [String]);

impl Display for LabelNames<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", LabelName(name))?;
        }
        Ok(())
    }
}

impl Display for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (operators, first) = self.spine();
        match operators.last() {
            Some(last) if is_infinity_to_a_power(last) => f.write_str(INFINITY)?,
            _ => first.fmt(f)?,
        }
        operators.iter().rev().try_for_each(|binary| write!(f, " {} {}", Operator(binary), binary.rhs))
    }
}

/// Infinity without a sign, which elsewhere it has.
const INFINITY: &str = "Inf";

/// Whether the left side is infinity and would be read with its sign before the whole power.
fn is_infinity_to_a_power(binary: &Binary) -> bool {
    binary.op == BinaryOp::Pow && matches!(&*binary.lhs, Expr::Number(number) if number.value == f64::INFINITY)
}

/// The operator of an expression with all its modifiers.
struct Operator<'a>(&'a Binary);

impl Display for Operator<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use crate::ast::Cardinality::{ManyToOne, OneToMany};

        f.write_str(self.0.op.as_str())?;
        if self.0.returns_bool {
            f.write_str(" bool")?;
        }
        let Some(matching) = &self.0.matching else { return Ok(()) };
        let group = match matching.cardinality {
            ManyToOne => Some("group_left"),
            OneToMany => Some("group_right"),
            _ => None,
        };
        if matching.is_on || !matching.labels.is_empty() || group.is_some() {
            let word = if matching.is_on { "on" } else { "ignoring" };
            write!(f, " {word} ({})", LabelNames(&matching.labels))?;
        }
        if let Some(group) = group {
            write!(f, " {group} ({})", LabelNames(&matching.include))?;
        }
        match (matching.fill.left, matching.fill.right) {
            (Some(left), Some(right)) if left == right => write!(f, " fill ({})", short_text(left)),
            (left, right) => {
                for (word, value) in [("fill_left", left), ("fill_right", right)] {
                    if let Some(value) = value {
                        write!(f, " {word} ({})", short_text(value))?;
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
