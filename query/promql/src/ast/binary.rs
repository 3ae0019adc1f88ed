//! Operators between two expressions, and which series of one side meet which of the other.

use super::{Expr, ValueType};
use crate::span::Span;

/// An operator between two expressions.
///
/// A text may hold a hundred thousand of them, each the left side of the next. So whatever goes through a tree goes down
/// the left side in a loop ([`Binary::spine`]), never by calling itself: comparing, cloning and dropping do.
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// What stands before it.
    pub lhs: Box<Expr>,
    /// What stands behind it.
    pub rhs: Box<Expr>,
    /// Whether a comparison gives 0 or 1 instead of filtering.
    pub returns_bool: bool,
    /// Which series meet, if both sides are vectors; none otherwise.
    pub matching: Option<Matching>,
    /// A scalar if both sides are, otherwise a vector.
    pub(crate) value_type: ValueType,
    /// Where the operator stands.
    pub op_span: Span,
    /// Where it stands, from the beginning of the left side to the end of the right one.
    pub span: Span,
}

/// Which series of two vectors meet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matching {
    /// How many of each side may meet.
    pub cardinality: Cardinality,
    /// Whether the labels are those that have to be equal (`on`), not those that do not count (`ignoring`).
    pub is_on: bool,
    /// The labels of `on` or `ignoring`.
    pub labels: Vec<String>,
    /// The labels of `group_left` or `group_right`, which the result takes from the side of one.
    pub include: Vec<String>,
    /// The values of series that are missing on a side.
    pub fill: Fill,
}

/// How many series of each side may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cardinality {
    /// One of each.
    #[default]
    OneToOne,
    /// `group_left`: many of the left side, one of the right.
    ManyToOne,
    /// `group_right`: one of the left side, many of the right.
    OneToMany,
    /// As the set operators `and`, `or` and `unless` have it.
    ManyToMany,
}

impl Cardinality {
    /// The words of Prometheus.
    pub fn as_str(self) -> &'static str {
        match self {
            Cardinality::OneToOne => "one-to-one",
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToMany => "one-to-many",
            Cardinality::ManyToMany => "many-to-many",
        }
    }
}

/// The values that stand for series that are missing on a side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fill {
    /// For those that the left side lacks.
    pub left: Option<f64>,
    /// For those that the right side lacks.
    pub right: Option<f64>,
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the operator of its name")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `</`: what of a histogram is below.
    TrimUpper,
    /// `>/`: what of a histogram is above.
    TrimLower,
    And,
    Or,
    Unless,
}

impl BinaryOp {
    /// All of them.
    pub const ALL: [BinaryOp; 18] = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Mod,
        BinaryOp::Pow,
        BinaryOp::Atan2,
        BinaryOp::Equal,
        BinaryOp::NotEqual,
        BinaryOp::Less,
        BinaryOp::LessOrEqual,
        BinaryOp::Greater,
        BinaryOp::GreaterOrEqual,
        BinaryOp::TrimUpper,
        BinaryOp::TrimLower,
        BinaryOp::And,
        BinaryOp::Or,
        BinaryOp::Unless,
    ];

    /// The operator of a text.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    /// The operator as written.
    pub fn as_str(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "%",
            BinaryOp::Pow => "^",
            BinaryOp::Atan2 => "atan2",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::TrimUpper => "</",
            BinaryOp::TrimLower => ">/",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
            BinaryOp::Unless => "unless",
        }
    }

    /// Whether it compares.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessOrEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterOrEqual
        )
    }

    /// Whether it is one of sets of series.
    pub fn is_set(self) -> bool {
        matches!(self, BinaryOp::And | BinaryOp::Or | BinaryOp::Unless)
    }

    /// How tight it binds; the tightest is the greatest.
    pub fn precedence(self) -> u8 {
        match self {
            BinaryOp::Or => 1,
            BinaryOp::And | BinaryOp::Unless => 2,
            BinaryOp::Add | BinaryOp::Sub => 4,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod | BinaryOp::Atan2 => 5,
            BinaryOp::Pow => 6,
            _ => 3,
        }
    }

    /// Whether `a op b op c` is `a op (b op c)`.
    pub(crate) fn is_right_associative(self) -> bool {
        self == BinaryOp::Pow
    }
}

impl Matching {
    /// Whether anything stands for missing series.
    pub(crate) fn has_fill(&self) -> bool {
        self.fill.left.is_some() || self.fill.right.is_some()
    }
}

impl Binary {
    /// An operator between two expressions, which tell its type and its place.
    pub fn new(
        (op, op_span): (BinaryOp, Span),
        lhs: impl Into<Box<Expr>>,
        rhs: impl Into<Box<Expr>>,
        returns_bool: bool,
        matching: Option<Matching>,
    ) -> Self {
        let (lhs, rhs) = (lhs.into(), rhs.into());
        let is_scalar = [&lhs, &rhs].into_iter().all(|side| side.value_type() == ValueType::Scalar);
        let value_type = if is_scalar { ValueType::Scalar } else { ValueType::Vector };
        let span = lhs.span().to(rhs.span());
        Binary { op, lhs, rhs, returns_bool, matching, value_type, op_span, span }
    }
}
