//! Expressions as JSON: the tree that Prometheus' `parse_query` answers with.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use crate::ast::{
    Aggregate, At, Binary, Call, DurationExpr, DurationNode, Expr, Matcher, Matching, MatrixSelector, Subquery,
    VectorSelector,
};
use crate::number::plain_text;
use crate::print::sign;

impl Expr {
    /// The tree as Prometheus' `parse_query` shows it, a JSON object.
    ///
    /// A text and no value of `serde_json`, for that would be as deep as the tree and go down in it by calls. What is
    /// filled in for missing series may be infinite or no number: Prometheus fails there, here it is a string.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        // A String takes all that is written.
        let _ = write_expr(&mut out, self);
        out
    }
}

fn write_expr(out: &mut String, expr: &Expr) -> fmt::Result {
    match expr {
        Expr::Number(e) => {
            write!(out, "{}", json!({"type": "numberLiteral", "val": plain_text(e.value)}))
        }
        Expr::String(e) => write!(out, "{}", json!({"type": "stringLiteral", "val": e.value})),
        Expr::Vector(e) => write!(out, "{}", vector(e)),
        Expr::Matrix(e) => write!(out, "{}", matrix(e)),
        Expr::Subquery(e) => write_subquery(out, e),
        Expr::Call(e) => write_call(out, e),
        Expr::Aggregate(e) => write_aggregate(out, e),
        Expr::Binary(e) => write_binary(out, e),
        Expr::Unary(e) => {
            out.push_str("{\"expr\":");
            write_expr(out, &e.expr)?;
            write!(out, ",\"op\":\"{}\",\"type\":\"unaryExpr\"}}", sign(e.is_negative))
        }
        Expr::Paren(e) => {
            out.push_str("{\"expr\":");
            write_expr(out, &e.expr)?;
            out.write_str(",\"type\":\"parenExpr\"}")
        }
    }
}

fn write_aggregate(out: &mut String, aggregate: &Aggregate) -> fmt::Result {
    let Aggregate { op, expr, param, grouping, .. } = aggregate;
    out.push_str("{\"expr\":");
    write_expr(out, expr)?;
    write!(out, ",\"grouping\":{},\"op\":\"{}\",\"param\":", json!(grouping.labels), op.as_str())?;
    match param {
        Some(param) => write_expr(out, param)?,
        None => out.push_str("null"),
    }
    write!(out, ",\"type\":\"aggregation\",\"without\":{}}}", grouping.is_without)
}

fn write_call(out: &mut String, call: &Call) -> fmt::Result {
    out.push_str("{\"args\":[");
    for (index, arg) in call.args.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        write_expr(out, arg)?;
    }
    let function = call.function;
    let types: Vec<&str> = function.args.iter().map(|arg| arg.as_str()).collect();
    let function = json!({
        "name": function.name,
        "argTypes": types,
        "variadic": function.variadic,
        "returnType": function.result.as_str(),
    });
    write!(out, "],\"func\":{function},\"type\":\"call\"}}")
}

fn write_binary(out: &mut String, binary: &Binary) -> fmt::Result {
    let (operators, first) = binary.spine();
    for binary in &operators {
        write!(out, "{{\"bool\":{},\"lhs\":", binary.returns_bool)?;
    }
    write_expr(out, first)?;
    for binary in operators.iter().rev() {
        let matching = binary.matching.as_ref().map_or(Value::Null, matching);
        write!(out, ",\"matching\":{matching},\"op\":\"{}\",\"rhs\":", binary.op.as_str())?;
        write_expr(out, &binary.rhs)?;
        out.push_str(",\"type\":\"binaryExpr\"}");
    }
    Ok(())
}

fn matching(matching: &Matching) -> Value {
    let fill = |value: Option<f64>| match value {
        Some(value) if value.is_finite() => json!(value),
        Some(value) => json!(plain_text(value)),
        None => Value::Null,
    };
    json!({
        "card": matching.cardinality.as_str(),
        "fillValues": {"lhs": fill(matching.fill.left), "rhs": fill(matching.fill.right)},
        "include": matching.include,
        "labels": matching.labels,
        "on": matching.is_on,
    })
}

fn write_subquery(out: &mut String, subquery: &Subquery) -> fmt::Result {
    let Subquery { expr, range, step, at, offset, .. } = subquery;
    out.push_str("{\"expr\":");
    write_expr(out, expr)?;
    let (timestamp, start_or_end) = at_modifier(*at);
    let (range_ms, range) = duration(Some(range));
    let (offset_ms, offset) = duration(offset.as_ref());
    let (step_ms, step) = duration(step.as_ref());
    write!(
        out,
        ",\"offset\":{offset_ms},\"offsetExpr\":{offset},\"range\":{range_ms},\"rangeExpr\":{range},\
         \"startOrEnd\":{start_or_end},\"step\":{step_ms},\"stepExpr\":{step},\"timestamp\":{timestamp},\
         \"type\":\"subquery\"}}"
    )
}

fn vector(selector: &VectorSelector) -> Value {
    use crate::ast::Extension::{Anchored, Smoothed};

    let (timestamp, start_or_end) = at_modifier(selector.at);
    let (offset_ms, offset) = duration(selector.offset.as_ref());
    json!({
        "anchored": selector.extension == Some(Anchored),
        "matchers": selector.matchers.iter().map(matcher).collect::<Vec<_>>(),
        "name": selector.name.as_deref().unwrap_or_default(),
        "offset": offset_ms,
        "offsetExpr": offset,
        "smoothed": selector.extension == Some(Smoothed),
        "startOrEnd": start_or_end,
        "timestamp": timestamp,
        "type": "vectorSelector",
    })
}

fn matrix(matrix: &MatrixSelector) -> Value {
    let mut value = vector(&matrix.selector);
    let (range_ms, range) = duration(Some(&matrix.range));
    value["type"] = json!("matrixSelector");
    value["range"] = json!(range_ms);
    value["rangeExpr"] = range;
    value
}

fn matcher(matcher: &Matcher) -> Value {
    json!({"name": matcher.label, "type": matcher.op.as_str(), "value": matcher.value})
}

/// A time as number, and otherwise as word.
fn at_modifier(at: Option<At>) -> (Value, Value) {
    match at {
        None => (Value::Null, Value::Null),
        Some(At::Time(time_ms)) => (json!(time_ms), Value::Null),
        Some(At::Start) => (Value::Null, json!("start")),
        Some(At::End) => (Value::Null, json!("end")),
    }
}

/// The milliseconds of a literal, and anything else as tree.
fn duration(duration: Option<&DurationExpr>) -> (i64, Value) {
    let Some(duration) = duration else { return (0, Value::Null) };
    match (duration.literal(), duration.resolve(0, 0)) {
        (Some(_), Ok(ms)) => (ms, Value::Null),
        _ => (0, duration_tree(duration)),
    }
}

fn duration_tree(duration: &DurationExpr) -> Value {
    let node = |op: &str, lhs: Value, rhs: Value| json!({"type": "durationExpr", "op": op, "lhs": lhs, "rhs": rhs, "wrapped": duration.is_wrapped});
    match &duration.node {
        DurationNode::Literal { seconds, is_duration } => {
            let literal = json!({"type": "numberLiteral", "val": plain_text(*seconds), "duration": is_duration});
            // There are no parentheses around a literal but of a plus before it.
            if duration.is_wrapped { node("+", Value::Null, literal) } else { literal }
        }
        DurationNode::Step => node("step", Value::Null, Value::Null),
        DurationNode::Range => node("range", Value::Null, Value::Null),
        // To Prometheus a plus before parentheses is none.
        DurationNode::Sign { is_negative: false, operand } if operand.is_wrapped => duration_tree(operand),
        DurationNode::Sign { is_negative, operand } => node(sign(*is_negative), Value::Null, duration_tree(operand)),
        DurationNode::Binary { op, lhs, rhs } => node(op.as_str(), duration_tree(lhs), duration_tree(rhs)),
    }
}

#[cfg(test)]
mod tests;
