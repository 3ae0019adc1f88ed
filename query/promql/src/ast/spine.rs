//! Going down the left sides of operators without a call for each.

use std::fmt;
use std::mem;

use super::{Binary, Expr, NumberLiteral};
use crate::span::Span;

impl Binary {
    /// The operators from this one down its left side, and what stands before the last of them.
    pub fn spine(&self) -> (Vec<&Binary>, &Expr) {
        let mut operators = vec![self];
        let mut expr = &*self.lhs;
        while let Expr::Binary(binary) = expr {
            operators.push(binary);
            expr = &binary.lhs;
        }
        (operators, expr)
    }

    /// Whether two are the same but for what stands before them.
    fn is_same_right_of(&self, other: &Self) -> bool {
        self.op == other.op
            && self.returns_bool == other.returns_bool
            && self.matching == other.matching
            && self.value_type == other.value_type
            && self.op_span == other.op_span
            && self.span == other.span
            && self.rhs == other.rhs
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let mut next = mem::replace(&mut *self.lhs, nothing());
        while let Expr::Binary(binary) = &mut next {
            // Assigning drops the operator, which is without a left side by then.
            let lhs = mem::replace(&mut *binary.lhs, nothing());
            next = lhs;
        }
    }
}

fn nothing() -> Expr {
    Expr::Number(NumberLiteral { value: 0.0, is_duration: false, span: Span::default() })
}

impl Clone for Binary {
    fn clone(&self) -> Self {
        let (operators, first) = self.spine();
        let mut lhs = first.clone();
        for operator in operators[1..].iter().rev() {
            lhs = Expr::Binary(operator.with_lhs(lhs));
        }
        self.with_lhs(lhs)
    }
}

impl Binary {
    fn with_lhs(&self, lhs: Expr) -> Self {
        Binary {
            op: self.op,
            lhs: Box::new(lhs),
            rhs: self.rhs.clone(),
            returns_bool: self.returns_bool,
            matching: self.matching.clone(),
            value_type: self.value_type,
            op_span: self.op_span,
            span: self.span,
        }
    }
}

impl PartialEq for Binary {
    fn eq(&self, other: &Self) -> bool {
        let ((ours, our_first), (theirs, their_first)) = (self.spine(), other.spine());
        ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|(ours, theirs)| ours.is_same_right_of(theirs))
            && our_first == their_first
    }
}

/// As text: a tree that is deep on the left would need a call for each of its levels otherwise.
impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, span) = (self.kind(), self.span());
        write!(f, "{kind}({self} at {}..{})", span.start, span.end)
    }
}

impl Expr {
    fn kind(&self) -> &'static str {
        match self {
            Expr::Number(_) => "Number",
            Expr::String(_) => "String",
            Expr::Vector(_) => "Vector",
            Expr::Matrix(_) => "Matrix",
            Expr::Subquery(_) => "Subquery",
            Expr::Call(_) => "Call",
            Expr::Aggregate(_) => "Aggregate",
            Expr::Binary(_) => "Binary",
            Expr::Unary(_) => "Unary",
            Expr::Paren(_) => "Paren",
        }
    }
}

#[cfg(test)]
mod tests;
