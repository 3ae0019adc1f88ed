//! Which elements of two vectors meet in a binary operator.
//!
//! Labels are matched once, for all steps; whether there is one match and no more is a question of each step, for an
//! element may have gone where its successor has come. So a [`Plan`] knows all pairs that can be, and [`Join`] finds those of
//! a step, or the error that Prometheus would give there. Where labels alone rule errors out ([`Plan::pairs_of_rows`]) rows
//! can be combined whole.

mod join;
mod set;

use std::collections::HashMap;

use model::labels::NAME_LABEL;

pub use join::{Join, Outcome, Pair, Side};
pub use set::{Group, SetOperator, groups};

use crate::ast;
use crate::labels::Labels;

/// How many elements of each side may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One of each.
    OneToOne,
    /// Many of the left side: `group_left`.
    ManyToOne,
    /// Many of the right side: `group_right`.
    OneToMany,
}

/// What makes elements meet, and what comes of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// Whether `labels` are those that must agree (`on`), or those that need not (`ignoring`).
    pub is_on: bool,
    /// The labels of `on` or `ignoring`.
    pub labels: Vec<String>,
    /// How many may meet.
    pub cardinality: Cardinality,
    /// The labels that `group_left` or `group_right` takes from the side of one.
    pub include: Vec<String>,
    /// What `fill_left` says: it stands for a missing element of the left side, or of the right one with `group_right`, for
    /// there Prometheus fills the sides the other way round.
    pub fill_left: Option<f64>,
    /// What `fill_right` says, which stands for a missing element of the other side.
    pub fill_right: Option<f64>,
    /// Whether the result is another metric than the elements are: after arithmetic, and after `bool` where the engine drops
    /// names at once.
    pub drops_metric: bool,
}

/// What the modifiers of an operator say. The name of the metric stays: whether it goes is a matter of the operator.
impl From<&ast::Matching> for Matching {
    fn from(written: &ast::Matching) -> Self {
        let cardinality = match written.cardinality {
            ast::Cardinality::ManyToOne => Cardinality::ManyToOne,
            ast::Cardinality::OneToMany => Cardinality::OneToMany,
            ast::Cardinality::OneToOne | ast::Cardinality::ManyToMany => Cardinality::OneToOne,
        };
        Matching {
            is_on: written.is_on,
            labels: written.labels.clone(),
            cardinality,
            include: written.include.clone(),
            fill_left: written.fill.left,
            fill_right: written.fill.right,
            drops_metric: false,
        }
    }
}

impl Matching {
    /// Operators without any modifier.
    pub fn one_to_one(drops_metric: bool) -> Self {
        Matching {
            is_on: false,
            labels: Vec::new(),
            cardinality: Cardinality::OneToOne,
            include: Vec::new(),
            fill_left: None,
            fill_right: None,
            drops_metric,
        }
    }

    /// The labels by which an element meets others.
    pub fn signature(&self, labels: &Labels) -> Labels {
        signature(labels, self.is_on, &self.labels)
    }

    /// The labels of the result of an element of the side of many and one of the side of one.
    fn result(&self, many: &Labels, one: &Labels) -> Labels {
        let mut labels = many.clone();
        if self.drops_metric {
            labels.remove_metric();
        }
        if self.cardinality == Cardinality::OneToOne {
            if self.is_on { labels.keep(&self.labels) } else { labels.remove(&self.labels) }
        }
        for name in &self.include {
            labels.set(name, one.get(name));
        }
        labels
    }
}

/// The labels by which an element meets others: some, or all but some and the metric name.
fn signature(labels: &Labels, is_on: bool, names: &[String]) -> Labels {
    let mut labels = labels.clone();
    if is_on {
        labels.keep(names);
    } else {
        labels.remove(names);
        labels.remove(&[NAME_LABEL]);
    }
    labels
}

/// All that can meet of two lists of elements. Elements and results are numbers of their lists.
#[derive(Debug, Clone)]
pub struct Plan {
    matching: Matching,
    /// For each element of the side of many, and of one, which group it belongs to.
    many: Vec<u32>,
    one: Vec<u32>,
    /// The labels of each element of the side of one, which errors show.
    one_labels: Vec<Labels>,
    /// The signature of each group.
    signatures: Vec<Labels>,
    /// The elements of the side of one of each group, and the place there of each element.
    ones: Vec<Vec<u32>>,
    places: Vec<u32>,
    /// Which result each pair has: by the element of many and the place of the one in its group, the missing one last.
    results: Vec<Vec<u32>>,
    /// Which result each element of the side of one has without one of many.
    alone: Vec<u32>,
    labels: Vec<Labels>,
}

impl Plan {
    /// Matches the labels of two lists.
    pub fn new(matching: Matching, left: &[Labels], right: &[Labels]) -> Self {
        let (many, one) = if matching.cardinality == Cardinality::OneToMany { (right, left) } else { (left, right) };
        let mut group_of = HashMap::new();
        let mut group = |labels: &Labels| {
            let next = group_of.len() as u32;
            *group_of.entry(matching.signature(labels)).or_insert(next)
        };
        let (many_groups, one_groups): (Vec<_>, Vec<_>) =
            (many.iter().map(&mut group).collect(), one.iter().map(&mut group).collect());
        let mut signatures = vec![Labels::default(); group_of.len()];
        group_of.into_iter().for_each(|(signature, group)| signatures[group as usize] = signature);
        let mut ones = vec![Vec::new(); signatures.len()];
        let mut places = Vec::with_capacity(one.len());
        for (at, group) in one_groups.iter().enumerate() {
            places.push(ones[*group as usize].len() as u32);
            ones[*group as usize].push(at as u32);
        }

        let mut results = Results::default();
        let pair_results = many.iter().zip(&many_groups).map(|(labels, group)| {
            let group = *group as usize;
            let mut of_pairs: Vec<_> =
                ones[group].iter().map(|at| results.number(matching.result(labels, &one[*at as usize]))).collect();
            if matching.fill_right.is_some() {
                of_pairs.push(results.number(matching.result(labels, &signatures[group])));
            }
            of_pairs
        });
        let pair_results = pair_results.collect();
        let mut alone = Vec::new();
        if matching.fill_left.is_some() {
            let result = |(labels, group): (&Labels, &u32)| matching.result(&signatures[*group as usize], labels);
            alone = one.iter().zip(&one_groups).map(|pair| results.number(result(pair))).collect();
        }
        Plan {
            matching,
            many: many_groups,
            one: one_groups,
            one_labels: one.to_vec(),
            signatures,
            ones,
            places,
            results: pair_results,
            alone,
            labels: results.labels,
        }
    }

    /// The labels of the results. Two pairs with equal labels have the same result.
    pub fn results(&self) -> &[Labels] {
        &self.labels
    }

    /// All pairs, if each may be combined over all its steps at once: nothing is filled in, no two elements that could be
    /// there together match the same one, and no two pairs have the same result.
    pub fn pairs_of_rows(&self) -> Option<Vec<Pair>> {
        let pairs: usize = self.results.iter().map(Vec::len).sum();
        let is_filled = self.matching.fill_left.is_some() || self.matching.fill_right.is_some();
        if is_filled || pairs != self.labels.len() || self.ones.iter().any(|ones| ones.len() > 1) {
            return None;
        }
        let is_one_to_one = self.matching.cardinality == Cardinality::OneToOne;
        let mut is_taken = vec![false; self.signatures.len()];
        let mut found = Vec::with_capacity(pairs);
        for (many, results) in self.results.iter().enumerate() {
            let Some(result) = results.first() else { continue };
            let group = self.many[many] as usize;
            if is_one_to_one && std::mem::replace(&mut is_taken[group], true) {
                return None;
            }
            found.push(self.pair(Some(many), self.ones[group].first().map(|one| *one as usize), *result));
        }
        Some(found)
    }

    /// A pair; a side that is missing is filled in.
    fn pair(&self, many: Option<usize>, one: Option<usize>, result: u32) -> Pair {
        let side = |element: Option<usize>, fill: Option<f64>| match element {
            Some(element) => Side::Element(element),
            None => Side::Filled(fill.unwrap_or(f64::NAN)),
        };
        let (many, one) = (side(many, self.matching.fill_left), side(one, self.matching.fill_right));
        let (left, right) = if self.matching.cardinality == Cardinality::OneToMany { (one, many) } else { (many, one) };
        Pair { left, right, result: result as usize }
    }
}

/// The labels of results, each once.
#[derive(Debug, Default)]
struct Results {
    labels: Vec<Labels>,
    numbers: HashMap<Labels, u32>,
}

impl Results {
    fn number(&mut self, labels: Labels) -> u32 {
        let next = self.labels.len() as u32;
        let number = *self.numbers.entry(labels.clone()).or_insert(next);
        if number == next {
            self.labels.push(labels);
        }
        number
    }
}

#[cfg(test)]
mod tests;
