//! An expression with what is known of its answer, so that what is built of it is well-typed and seldom empty.

use std::collections::BTreeSet;

use super::numbers::Numbers;

/// Names of labels.
pub(super) type Names = BTreeSet<&'static str>;

/// An expression that gives an instant vector.
#[derive(Debug, Clone)]
pub(super) struct Vector {
    pub(super) text: String,
    pub(super) form: Form,
    /// The labels that its series have.
    pub(super) labels: Names,
    /// Those of them that tell its series apart.
    pub(super) key: Names,
    pub(super) numbers: Numbers,
    pub(super) name: Name,
    /// No two series have the same value at a time.
    pub(super) is_distinct: bool,
}

/// What becomes of the name of a metric. Series that differ in it alone are one series or two, by the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// Its series have it.
    Kept,
    /// Taken away by 2.42, and by 3.x at the end.
    Hidden,
    /// There is none.
    Gone,
}

/// What an expression is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A selector, which `offset` and `@` may follow.
    Selector,
    /// A call, or something in parentheses.
    Closed,
    /// An operator with its operands, which stands in parentheses inside of others.
    Open,
}

impl Vector {
    /// The same series with other numbers, by an expression that is closed in itself.
    pub(super) fn mapped(&self, text: String, numbers: Numbers) -> Self {
        let name = if self.name == Name::Gone { Name::Gone } else { Name::Hidden };
        Vector { text, form: Form::Closed, numbers, name, is_distinct: false, ..self.clone() }
    }

    /// Its text as an operand.
    pub(super) fn operand(&self) -> String {
        if self.form == Form::Open { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// An expression that gives a scalar.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) numbers: Numbers,
}

/// A list as it is written.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> String {
    names.into_iter().copied().collect::<Vec<_>>().join(", ")
}
