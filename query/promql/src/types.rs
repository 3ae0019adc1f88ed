//! Whether the parts of an expression fit together.
//!
//! Each part is checked before what it is in, and the first mistake is told, in the order and the words of Prometheus.

use std::collections::HashSet;

use crate::ast::{Aggregate, Binary, Call, Cardinality, Expr, Matching, NAME_LABEL, ValueType, VectorSelector};
use crate::error::ParseError;
use crate::quote::Quoted;

/// Checks all types of an expression.
///
/// # Errors
/// The first that does not fit.
pub(crate) fn check(expr: &Expr) -> Result<(), ParseError> {
    match expr {
        Expr::Number(_) | Expr::String(_) => Ok(()),
        Expr::Vector(e) => check_selector(e, false),
        Expr::Matrix(e) => check_selector(&e.selector, false),
        Expr::Paren(e) => check(&e.expr),
        Expr::Subquery(e) => {
            check(&e.expr)?;
            match e.expr.value_type() {
                ValueType::Vector => Ok(()),
                other => {
                    error(expr, format!("subquery is only allowed on instant vector, got {} instead", other.as_str()))
                }
            }
        }
        Expr::Unary(e) => {
            check(&e.expr)?;
            match e.expr.value_type() {
                ValueType::Scalar | ValueType::Vector => Ok(()),
                other => error(
                    expr,
                    format!(
                        "unary expression only allowed on expressions of type scalar or instant vector, got {}",
                        Quoted(other.documented())
                    ),
                ),
            }
        }
        Expr::Call(e) => check_call(e),
        Expr::Aggregate(e) => check_aggregate(e),
        Expr::Binary(e) => {
            let (operators, first) = e.spine();
            check(first)?;
            operators.iter().rev().try_for_each(|binary| {
                check(&binary.rhs)?;
                check_operator(binary)
            })
        }
    }
}

fn error<T>(expr: &Expr, message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::new(expr.span(), message))
}

/// What is said of matching is kept between vectors, and otherwise as long as it is a mistake there.
pub(crate) fn matching_between(lhs: &Expr, rhs: &Expr, matching: Matching) -> Option<Matching> {
    let are_vectors = [lhs, rhs].iter().all(|side| side.value_type() == ValueType::Vector);
    Some(matching).filter(|matching| are_vectors || !matching.labels.is_empty() || matching.has_fill())
}

fn check_selector(selector: &VectorSelector, may_be_empty: bool) -> Result<(), ParseError> {
    let error = |message| Err(ParseError::new(selector.span, message));
    if let Some(name) = &selector.name {
        let written = &selector.matchers[..selector.matchers.len().saturating_sub(1)];
        return match written.iter().find(|matcher| matcher.label == NAME_LABEL) {
            Some(other) => {
                error(format!("metric name must not be set twice: {} or {}", Quoted(name), Quoted(&other.value)))
            }
            None => Ok(()),
        };
    }
    if !may_be_empty && selector.matchers.iter().all(|matcher| matcher.matches_empty()) {
        return error("vector selector must contain at least one non-empty matcher".to_owned());
    }
    Ok(())
}

fn check_call(call: &Call) -> Result<(), ParseError> {
    let (function, given) = (call.function, call.args.len());
    let (name, least) = (Quoted(function.name), function.least());
    let wrong = match function.most() {
        Some(most) if most == least && given != least => Some(format!("expected {least}")),
        _ if given < least => Some(format!("expected at least {least}")),
        Some(most) if given > most => Some(format!("expected at most {most}")),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(ParseError::new(call.span, format!("{wrong} argument(s) in call to {name}, got {given}")));
    }
    let is_info = function.name == "info";
    if let (true, Some(labels)) = (is_info, call.args.get(1)) {
        check_labels_of_info(call, labels)?;
    }
    for (index, arg) in call.args.iter().enumerate() {
        match arg {
            Expr::Vector(selector) if is_info && index == 1 => check_selector(selector, true)?,
            _ => check(arg)?,
        }
        let (wanted, found) = (function.arg(index), arg.value_type());
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            return error(
                arg,
                format!("expected type {} in call to function {name}, got {}", wanted.documented(), found.documented()),
            );
        }
    }
    Ok(())
}

/// The second argument of `info` is a selector of labels alone, and may select nothing.
fn check_labels_of_info(call: &Call, labels: &Expr) -> Result<(), ParseError> {
    let found = labels.value_type();
    if found != ValueType::Vector {
        let message = format!("expected type instant vector in call to function \"info\", got {}", found.documented());
        return Err(ParseError::new(call.span, message));
    }
    match labels {
        Expr::Vector(selector) if selector.name.is_none() => Ok(()),
        Expr::Vector(_) => error(labels, "expected label selectors only, got vector selector instead"),
        _ => error(labels, "expected label selectors only"),
    }
}

fn check_aggregate(aggregate: &Aggregate) -> Result<(), ParseError> {
    expect_type(&aggregate.expr, ValueType::Vector, "aggregation expression")?;
    match (&aggregate.param, aggregate.op.param_type()) {
        (Some(param), Some(wanted)) => expect_type(param, wanted, "aggregation parameter"),
        _ => Ok(()),
    }
}

fn expect_type(expr: &Expr, wanted: ValueType, place: &str) -> Result<(), ParseError> {
    check(expr)?;
    let found = expr.value_type();
    if found != wanted {
        let (wanted, found) = (wanted.documented(), found.documented());
        return error(expr, format!("expected type {wanted} in {place}, got {found}"));
    }
    Ok(())
}

/// Checks an operator whose sides have been checked.
fn check_operator(binary: &Binary) -> Result<(), ParseError> {
    let Binary { op, lhs, rhs, .. } = binary;
    let of_operator = |message: String| Err(ParseError::new(binary.op_span, message));
    let of_whole = |message: String| Err(ParseError::new(binary.span, message));
    if binary.returns_bool && !op.is_comparison() {
        return of_operator("bool modifier can only be used on comparison operators".to_owned());
    }
    if op.is_comparison() && !binary.returns_bool && binary.value_type == ValueType::Scalar {
        return of_operator("comparisons between scalars must use BOOL modifier".to_owned());
    }
    if let Some(label) = binary.matching.as_ref().and_then(label_in_both_clauses) {
        return of_operator(format!("label {} must not occur in ON and GROUP clause at once", Quoted(label)));
    }
    for side in [lhs, rhs] {
        if !matches!(side.value_type(), ValueType::Scalar | ValueType::Vector) {
            return error(side, "binary expression must contain only scalar and instant vector types");
        }
    }
    let are_vectors = [lhs, rhs].iter().all(|side| side.value_type() == ValueType::Vector);
    if let Some(matching) = &binary.matching {
        let is_grouped = matches!(matching.cardinality, Cardinality::ManyToOne | Cardinality::OneToMany);
        if !are_vectors && !matching.labels.is_empty() {
            return of_whole("vector matching only allowed between instant vectors".to_owned());
        }
        if !are_vectors && matching.has_fill() {
            return of_whole("filling in missing series only allowed between instant vectors".to_owned());
        }
        if op.is_set() && is_grouped {
            return of_whole(format!("no grouping allowed for {} operation", Quoted(op.as_str())));
        }
        if op.is_set() && matching.has_fill() {
            return of_whole("filling in missing series not allowed for set operators".to_owned());
        }
    }
    if op.is_set() && !are_vectors {
        return of_whole(format!("set operator {} not allowed in binary scalar expression", Quoted(op.as_str())));
    }
    Ok(())
}

fn label_in_both_clauses(matching: &Matching) -> Option<&str> {
    if !matching.is_on || matching.include.is_empty() {
        return None;
    }
    let include: HashSet<&str> = matching.include.iter().map(String::as_str).collect();
    matching.labels.iter().map(String::as_str).find(|label| include.contains(label))
}
