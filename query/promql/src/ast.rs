//! What an expression says, as a tree. Every node knows where in the text it stands.

mod binary;
mod duration;
mod matcher;
mod selector;
mod spine;
mod walk;

pub use binary::{Binary, BinaryOp, Cardinality, Fill, Matching};
pub use duration::{DurationError, DurationExpr, DurationNode, DurationOp};
pub use matcher::{MatchOp, Matcher};
pub use model::labels::NAME_LABEL;
pub use selector::{At, Extension, MatrixSelector, Subquery, VectorSelector};
pub use walk::Selectors;

use crate::signature::Signature;
use crate::span::Span;

/// The type of what an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number.
    Scalar,
    /// For each series a sample.
    Vector,
    /// For each series the samples of a range of time.
    Matrix,
    /// A text.
    String,
}

impl ValueType {
    /// The word that Prometheus has for it in the trees and answers of its API.
    pub fn as_str(self) -> &'static str {
        match self {
            ValueType::Scalar => "scalar",
            ValueType::Vector => "vector",
            ValueType::Matrix => "matrix",
            ValueType::String => "string",
        }
    }

    /// The words that its documentation and its errors have for it.
    pub fn documented(self) -> &'static str {
        match self {
            ValueType::Scalar => "scalar",
            ValueType::Vector => "instant vector",
            ValueType::Matrix => "range vector",
            ValueType::String => "string",
        }
    }
}

/// An expression.
#[derive(Clone, PartialEq)]
pub enum Expr {
    /// `1.5`, `0x1f`, `Inf`, `5m`
    Number(NumberLiteral),
    /// `"text"`
    String(StringLiteral),
    /// `up{job="node"} offset 5m`
    Vector(VectorSelector),
    /// `up[5m]`
    Matrix(MatrixSelector),
    /// `rate(up[5m])[1h:1m]`
    Subquery(Subquery),
    /// `rate(up[5m])`
    Call(Call),
    /// `sum by (job) (up)`
    Aggregate(Aggregate),
    /// `a / on (job) b`
    Binary(Binary),
    /// `-a`
    Unary(Unary),
    /// `(a)`
    Paren(Paren),
}

impl Expr {
    /// Where it stands in the text.
    pub fn span(&self) -> Span {
        match self {
            Expr::Number(e) => e.span,
            Expr::String(e) => e.span,
            Expr::Vector(e) => e.span,
            Expr::Matrix(e) => e.span,
            Expr::Subquery(e) => e.span,
            Expr::Call(e) => e.span,
            Expr::Aggregate(e) => e.span,
            Expr::Binary(e) => e.span,
            Expr::Unary(e) => e.span,
            Expr::Paren(e) => e.span,
        }
    }

    /// The type of what it gives.
    pub fn value_type(&self) -> ValueType {
        let mut expr = self;
        loop {
            expr = match expr {
                Expr::Number(_) => return ValueType::Scalar,
                Expr::String(_) => return ValueType::String,
                Expr::Vector(_) | Expr::Aggregate(_) => return ValueType::Vector,
                Expr::Matrix(_) | Expr::Subquery(_) => return ValueType::Matrix,
                Expr::Call(e) => return e.function.result,
                Expr::Binary(e) => return e.value_type,
                Expr::Unary(e) => &e.expr,
                Expr::Paren(e) => &e.expr,
            }
        }
    }

    /// The expression without the parentheses around it.
    pub fn unwrapped(&self) -> &Expr {
        let mut expr = self;
        while let Expr::Paren(paren) = expr {
            expr = &paren.expr;
        }
        expr
    }
}

/// A number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberLiteral {
    /// The number; of a duration its seconds.
    pub value: f64,
    /// Whether it is written as a duration, like `5m30s`.
    pub is_duration: bool,
    /// Where it stands; a sign before it is part of it.
    pub span: Span,
}

/// A text in quotes.
#[derive(Debug, Clone, PartialEq)]
pub struct StringLiteral {
    /// What is between the quotes, escapes resolved.
    pub value: String,
    /// Where it stands, with its quotes.
    pub span: Span,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which function.
    pub function: &'static Signature,
    /// Its arguments: as many as it takes, and of its types.
    pub args: Vec<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// An aggregation of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// How it aggregates.
    pub op: AggregateOp,
    /// What is aggregated.
    pub expr: Box<Expr>,
    /// The first argument of those that take two: a string for `count_values`, a scalar for the others.
    pub param: Option<Box<Expr>>,
    /// Which series go together.
    pub grouping: Grouping,
    /// Where it stands.
    pub span: Span,
}

/// Which series an aggregation puts together. `by ()` and no clause at all are the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    /// Whether the labels are those that do not count (`without`), not those that do (`by`).
    pub is_without: bool,
    /// The labels, as often and in the order as written.
    pub labels: Vec<String>,
}

/// How series are aggregated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the operator of its name")]
pub enum AggregateOp {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    CountValues,
    Quantile,
    Limitk,
    LimitRatio,
}

impl AggregateOp {
    /// All of them.
    pub const ALL: [AggregateOp; 14] = [
        AggregateOp::Sum,
        AggregateOp::Avg,
        AggregateOp::Count,
        AggregateOp::Min,
        AggregateOp::Max,
        AggregateOp::Group,
        AggregateOp::Stddev,
        AggregateOp::Stdvar,
        AggregateOp::Topk,
        AggregateOp::Bottomk,
        AggregateOp::CountValues,
        AggregateOp::Quantile,
        AggregateOp::Limitk,
        AggregateOp::LimitRatio,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            AggregateOp::Sum => "sum",
            AggregateOp::Avg => "avg",
            AggregateOp::Count => "count",
            AggregateOp::Min => "min",
            AggregateOp::Max => "max",
            AggregateOp::Group => "group",
            AggregateOp::Stddev => "stddev",
            AggregateOp::Stdvar => "stdvar",
            AggregateOp::Topk => "topk",
            AggregateOp::Bottomk => "bottomk",
            AggregateOp::CountValues => "count_values",
            AggregateOp::Quantile => "quantile",
            AggregateOp::Limitk => "limitk",
            AggregateOp::LimitRatio => "limit_ratio",
        }
    }

    /// The type of the argument it takes before the vector, if it takes one.
    pub fn param_type(self) -> Option<ValueType> {
        match self {
            AggregateOp::Topk
            | AggregateOp::Bottomk
            | AggregateOp::Quantile
            | AggregateOp::Limitk
            | AggregateOp::LimitRatio => Some(ValueType::Scalar),
            AggregateOp::CountValues => Some(ValueType::String),
            _ => None,
        }
    }
}

/// A sign before an expression. Before a number it is part of the number instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    /// Whether the sign is a minus.
    pub is_negative: bool,
    /// What it stands before.
    pub expr: Box<Expr>,
    /// Where it stands, the expression included.
    pub span: Span,
}

/// Parentheses around an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Paren {
    /// What is in them.
    pub expr: Box<Expr>,
    /// Where they stand.
    pub span: Span,
}
