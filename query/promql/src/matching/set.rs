//! The operators on sets of elements: `and`, `or`, `unless`.

use std::collections::HashMap;

use super::signature;
use crate::ast::BinaryOp;
use crate::labels::Labels;
use crate::presence::Presence;

/// An operator that takes elements as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// The left elements that match a right one.
    And,
    /// All left elements, and the right ones that match none of them.
    Or,
    /// The left elements that match no right one.
    Unless,
}

/// The elements of both sides that match each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Those of the left side.
    pub left: Vec<usize>,
    /// Those of the right side.
    pub right: Vec<usize>,
}

/// Groups the elements of both sides by the labels of `on` or without those of `ignoring`.
pub fn groups(is_on: bool, names: &[String], left: &[Labels], right: &[Labels]) -> Vec<Group> {
    let mut group_of = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let sides = left.iter().map(|labels| (labels, true)).chain(right.iter().map(|labels| (labels, false)));
    for (at, (labels, is_left)) in sides.enumerate() {
        let number = *group_of.entry(signature(labels, is_on, names)).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Group::default());
        }
        if is_left { groups[number].left.push(at) } else { groups[number].right.push(at - left.len()) }
    }
    groups
}

impl SetOperator {
    /// The operator of an expression, if it is one of these.
    pub fn of(op: BinaryOp) -> Option<Self> {
        match op {
            BinaryOp::And => Some(SetOperator::And),
            BinaryOp::Or => Some(SetOperator::Or),
            BinaryOp::Unless => Some(SetOperator::Unless),
            _ => None,
        }
    }

    /// Leaves of the steps of all elements of a group those that the operator takes; both slices are of one group.
    pub fn apply(self, steps: usize, left: &mut [Presence], right: &mut [Presence]) {
        let union = |side: &[Presence]| {
            let mut union = Presence::none(steps);
            side.iter().for_each(|present| union.union_with(present));
            union
        };
        match self {
            SetOperator::And => {
                let there = union(right);
                left.iter_mut().for_each(|present| present.intersect_with(&there));
            }
            SetOperator::Unless => {
                let there = union(right);
                left.iter_mut().for_each(|present| present.subtract(&there));
            }
            SetOperator::Or => {
                let there = union(left);
                right.iter_mut().for_each(|present| present.subtract(&there));
                return;
            }
        }
        right.iter_mut().for_each(|present| *present = Presence::none(steps));
    }
}
