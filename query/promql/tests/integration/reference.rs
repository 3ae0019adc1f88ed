//! A second opinion: `promql-parser` reads what it can of the accepted expressions as the same trees.
//!
//! It knows neither durations that are calculated nor `anchored`, `smoothed` and the functions that came last.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use promql::ast::{At, DurationExpr, Expr, Grouping, Matcher, Matching, VectorSelector};
use promql_parser::label;
use promql_parser::parser as other;

/// What the two read differently, and why that is right.
const DIFFERENT: [&str; 1] = [
    // There are no series to match between scalars.
    "5 + on() 6",
];

#[test]
fn trees_are_those_of_another_parser() {
    let mut compared = 0;
    for (text, _) in crate::cases::cases(include_str!("../accepted.txt")) {
        let Ok(theirs) = other::parse(&text) else { continue };
        if DIFFERENT.contains(&text.as_str()) {
            continue;
        }
        let ours = promql::parse(&text).unwrap();
        assert_eq!(form(&ours), other_form(&theirs), "{text}");
        compared += 1;
    }
    assert!(compared > 290, "{compared} are too few");
}

/// A tree as text that both can be brought to: each part in brackets, behind its kind.
fn form(expr: &Expr) -> String {
    match expr {
        Expr::Number(e) => format!("{:?}", e.value),
        Expr::String(e) => format!("{:?}", e.value),
        Expr::Vector(e) => selector(e),
        Expr::Matrix(e) => format!("<range {} {}>", selector(&e.selector), milliseconds(&e.range)),
        Expr::Subquery(e) => {
            let step = e.step.as_ref().map(milliseconds);
            format!("<subquery {} {} {step:?} {}>", form(&e.expr), milliseconds(&e.range), modifiers(e.at, &e.offset))
        }
        Expr::Call(e) => {
            format!("<call {} {}>", e.function.name, e.args.iter().map(form).collect::<Vec<_>>().join(" "))
        }
        Expr::Aggregate(e) => {
            let Grouping { is_without, labels } = &e.grouping;
            let param = e.param.as_ref().map(|param| form(param));
            format!("<{} {is_without} {labels:?} {param:?} {}>", e.op.as_str(), form(&e.expr))
        }
        Expr::Binary(e) => {
            let matching = e.matching.as_ref().map(matching);
            let matching = matching.unwrap_or_else(|| matching_form("one-to-one", false, &[], &[], (None, None)));
            format!("<{} {} {matching} {} {}>", e.op.as_str(), e.returns_bool, form(&e.lhs), form(&e.rhs))
        }
        Expr::Unary(e) if e.is_negative => format!("<minus {}>", form(&e.expr)),
        Expr::Unary(e) => form(&e.expr),
        Expr::Paren(e) => format!("<paren {}>", form(&e.expr)),
    }
}

fn milliseconds(duration: &DurationExpr) -> i64 {
    duration.resolve(0, 0).unwrap()
}

fn modifiers(at: Option<At>, offset: &Option<DurationExpr>) -> String {
    let at = match at {
        None => String::new(),
        Some(At::Time(ms)) => ms.to_string(),
        Some(At::Start) => "start".to_owned(),
        Some(At::End) => "end".to_owned(),
    };
    format!("@{at} {}", offset.as_ref().map_or(0, milliseconds))
}

fn selector(selector: &VectorSelector) -> String {
    let matchers =
        selector.matchers.iter().map(|Matcher { label, op, value, .. }| (label.as_str(), op.as_str(), value));
    // The other parser keeps the name apart.
    let matchers = matchers.filter(|(label, ..)| selector.name.is_none() || *label != promql::ast::NAME_LABEL);
    selector_form(selector.name.as_deref(), matchers, &modifiers(selector.at, &selector.offset))
}

fn selector_form<'a>(
    name: Option<&str>,
    matchers: impl Iterator<Item = (&'a str, &'a str, &'a String)>,
    modifiers: &str,
) -> String {
    let mut form = format!("<series {}", name.unwrap_or_default());
    matchers.for_each(|matcher| write!(form, " {matcher:?}").unwrap());
    format!("{form} {modifiers}>")
}

fn matching(matching: &Matching) -> String {
    let fill = (matching.fill.left, matching.fill.right);
    matching_form(matching.cardinality.as_str(), matching.is_on, &matching.labels, &matching.include, fill)
}

fn matching_form(
    cardinality: &str,
    is_on: bool,
    labels: &[String],
    include: &[String],
    fill: (Option<f64>, Option<f64>),
) -> String {
    format!("<{cardinality} {is_on} {labels:?} {include:?} {fill:?}>")
}

fn other_form(expr: &other::Expr) -> String {
    match expr {
        other::Expr::NumberLiteral(e) => format!("{:?}", e.val),
        other::Expr::StringLiteral(e) => format!("{:?}", e.val),
        other::Expr::VectorSelector(e) => other_selector(e),
        other::Expr::MatrixSelector(e) => format!("<range {} {}>", other_selector(&e.vs), e.range.as_millis()),
        other::Expr::Subquery(e) => {
            let step = e.step.map(|step| step.as_millis());
            let modifiers = other_modifiers(&e.at, &e.offset);
            format!("<subquery {} {} {step:?} {modifiers}>", other_form(&e.expr), e.range.as_millis())
        }
        other::Expr::Call(e) => {
            let args: Vec<String> = e.args.args.iter().map(|arg| other_form(arg)).collect();
            format!("<call {} {}>", e.func.name, args.join(" "))
        }
        other::Expr::Aggregate(e) => {
            let (is_without, labels) = match &e.modifier {
                None => (false, Vec::new()),
                Some(other::LabelModifier::Include(labels)) => (false, labels.labels.clone()),
                Some(other::LabelModifier::Exclude(labels)) => (true, labels.labels.clone()),
            };
            let param = e.param.as_ref().map(|param| other_form(param));
            format!("<{} {is_without} {labels:?} {param:?} {}>", e.op, other_form(&e.expr))
        }
        other::Expr::Binary(e) => other_binary(e),
        other::Expr::Unary(e) => format!("<minus {}>", other_form(&e.expr)),
        other::Expr::Paren(e) => format!("<paren {}>", other_form(&e.expr)),
        other::Expr::Extension(e) => panic!("{e:?}"),
    }
}

fn other_modifiers(at: &Option<other::AtModifier>, offset: &Option<other::Offset>) -> String {
    let at = match at {
        None => String::new(),
        Some(other::AtModifier::At(time)) => match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => after.as_millis().to_string(),
            Err(before) => format!("-{}", before.duration().as_millis()),
        },
        Some(other::AtModifier::Start) => "start".to_owned(),
        Some(other::AtModifier::End) => "end".to_owned(),
    };
    let ms = |duration: &Duration| duration.as_millis() as i64;
    let offset = match offset {
        None => 0,
        Some(other::Offset::Pos(duration)) => ms(duration),
        Some(other::Offset::Neg(duration)) => -ms(duration),
    };
    format!("@{at} {offset}")
}

fn other_selector(selector: &other::VectorSelector) -> String {
    let matchers = selector.matchers.matchers.iter().map(|matcher| {
        let op = match matcher.op {
            label::MatchOp::Equal => "=",
            label::MatchOp::NotEqual => "!=",
            label::MatchOp::Re(_) => "=~",
            label::MatchOp::NotRe(_) => "!~",
        };
        (matcher.name.as_str(), op, &matcher.value)
    });
    selector_form(selector.name.as_deref(), matchers, &other_modifiers(&selector.at, &selector.offset))
}

fn other_binary(binary: &other::BinaryExpr) -> String {
    let (lhs, rhs) = (other_form(&binary.lhs), other_form(&binary.rhs));
    let Some(modifier) = &binary.modifier else {
        let matching = matching_form("one-to-one", false, &[], &[], (None, None));
        return format!("<{} false {matching} {lhs} {rhs}>", binary.op);
    };
    let (cardinality, include) = match &modifier.card {
        other::VectorMatchCardinality::OneToOne => ("one-to-one", Vec::new()),
        other::VectorMatchCardinality::ManyToOne(labels) => ("many-to-one", labels.labels.clone()),
        other::VectorMatchCardinality::OneToMany(labels) => ("one-to-many", labels.labels.clone()),
        other::VectorMatchCardinality::ManyToMany => ("many-to-many", Vec::new()),
    };
    let (is_on, labels) = match &modifier.matching {
        None => (false, Vec::new()),
        Some(other::LabelModifier::Include(labels)) => (true, labels.labels.clone()),
        Some(other::LabelModifier::Exclude(labels)) => (false, labels.labels.clone()),
    };
    let fill = (modifier.fill_values.lhs, modifier.fill_values.rhs);
    let matching = matching_form(cardinality, is_on, &labels, &include, fill);
    format!("<{} {} {matching} {lhs} {rhs}>", binary.op, modifier.return_bool)
}
