//! Going through a tree.

use super::{Expr, VectorSelector};

impl Expr {
    /// The expressions right below this one, in the order as written. The selector in a range is none of its own.
    ///
    /// The left side of an operator may be the root of very many levels: go down there in a loop ([`super::Binary::spine`]).
    pub fn children(&self) -> impl Iterator<Item = &Expr> {
        let (first, second, others): (Option<&Expr>, Option<&Expr>, &[Expr]) = match self {
            Expr::Number(_) | Expr::String(_) | Expr::Vector(_) | Expr::Matrix(_) => (None, None, &[]),
            Expr::Subquery(e) => (Some(&e.expr), None, &[]),
            Expr::Call(e) => (None, None, &e.args),
            Expr::Aggregate(e) => (e.param.as_deref(), Some(&e.expr), &[]),
            Expr::Binary(e) => (Some(&e.lhs), Some(&e.rhs), &[]),
            Expr::Unary(e) => (Some(&e.expr), None, &[]),
            Expr::Paren(e) => (Some(&e.expr), None, &[]),
        };
        first.into_iter().chain(second).chain(others)
    }

    /// All selectors of the expression in the order as written, those in ranges too.
    pub fn selectors(&self) -> Selectors<'_> {
        Selectors { todo: vec![self] }
    }

    /// How many levels it has. Whoever goes down by calling himself asks first whether they are too many.
    pub fn depth(&self) -> usize {
        let (mut todo, mut depth) = (vec![(self, 1)], 0);
        while let Some((expr, level)) = todo.pop() {
            depth = depth.max(level);
            todo.extend(expr.children().map(|child| (child, level + 1)));
        }
        depth
    }
}

/// The selectors of an expression.
#[derive(Debug)]
pub struct Selectors<'a> {
    /// What has not been looked at, the next one last.
    todo: Vec<&'a Expr>,
}

impl<'a> Iterator for Selectors<'a> {
    type Item = &'a VectorSelector;

    fn next(&mut self) -> Option<&'a VectorSelector> {
        while let Some(expr) = self.todo.pop() {
            match expr {
                Expr::Vector(selector) => return Some(selector),
                Expr::Matrix(matrix) => return Some(&matrix.selector),
                _ => {
                    let begin = self.todo.len();
                    self.todo.extend(expr.children());
                    self.todo[begin..].reverse();
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
