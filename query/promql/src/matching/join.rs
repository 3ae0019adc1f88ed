//! The pairs of one step.

use model::Error;

use super::{Cardinality, Plan};

/// One of the two that meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Side {
    /// An element, by its number in the list.
    Element(usize),
    /// The number that stands for a missing one.
    Filled(f64),
}

/// Two elements that meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The left one.
    pub left: Side,
    /// The right one.
    pub right: Side,
    /// The labels of what comes of them: a number of [`Plan::results`].
    pub result: usize,
}

/// What came of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A value.
    Kept,
    /// A value that a comparison did not keep.
    Filtered,
    /// Nothing: the operator does not know such values together.
    Incompatible,
}

#[derive(Debug, Clone, Copy, Default)]
struct Given {
    step: u32,
    group: u32,
    is_kept: bool,
}

/// Finds the pairs of one step after the other. Keeps its memory in between.
#[derive(Debug)]
pub struct Join<'a> {
    plan: &'a Plan,
    step: u32,
    /// Of each group the place of the one that is there, with the step that this was said at.
    one_there: Vec<(u32, u32)>,
    /// The step at which each group had its last pair.
    paired: Vec<u32>,
    /// Where each result was there last.
    given: Vec<Given>,
}

impl<'a> Join<'a> {
    /// At no step yet.
    pub fn new(plan: &'a Plan) -> Self {
        let groups = plan.signatures.len();
        Join {
            plan,
            step: 0,
            one_there: vec![(0, 0); groups],
            paired: vec![0; groups],
            given: vec![Given::default(); plan.labels.len()],
        }
    }

    /// Calls `combine` for each pair of a step, in the order in which Prometheus combines them.
    ///
    /// # Errors
    /// `Invalid`, in the words of Prometheus, where more elements match than may.
    pub fn step(
        &mut self,
        has_left: impl Fn(usize) -> bool,
        has_right: impl Fn(usize) -> bool,
        mut combine: impl FnMut(Pair) -> Outcome,
    ) -> Result<(), Error> {
        let plan = self.plan;
        let (fill_many, fill_one) = (plan.matching.fill_left, plan.matching.fill_right);
        let is_swapped = plan.matching.cardinality == Cardinality::OneToMany;
        let has_many = |at| if is_swapped { has_right(at) } else { has_left(at) };
        let has_one = |at| if is_swapped { has_left(at) } else { has_right(at) };
        let is_filled = fill_many.is_some() || fill_one.is_some();
        let are_both_there = || (0..plan.many.len()).any(has_many) && (0..plan.one.len()).any(has_one);
        if !is_filled && !are_both_there() {
            return Ok(());
        }
        self.step += 1;
        self.find_ones(has_one)?;
        for many in (0..plan.many.len()).filter(|at| has_many(*at)) {
            let group = plan.many[many];
            let ones = &plan.ones[group as usize];
            let (said_at, place) = self.one_there[group as usize];
            let (one, place) = match said_at == self.step {
                true => (Some(ones[place as usize] as usize), place as usize),
                false if fill_one.is_some() => (None, ones.len()),
                false => continue,
            };
            let pair = plan.pair(Some(many), one, plan.results[many][place]);
            self.check(group, pair.result, combine(pair))?;
        }
        if fill_many.is_some() {
            for one in (0..plan.one.len()).filter(|at| has_one(*at)) {
                let group = plan.one[one];
                if self.paired[group as usize] == self.step {
                    continue;
                }
                let pair = plan.pair(None, Some(one), plan.alone[one]);
                self.check(group, pair.result, combine(pair))?;
            }
        }
        Ok(())
    }

    /// Finds the element of the side of one of each group.
    fn find_ones(&mut self, has_one: impl Fn(usize) -> bool) -> Result<(), Error> {
        let plan = self.plan;
        for one in (0..plan.one.len()).filter(|at| has_one(*at)) {
            let group = plan.one[one] as usize;
            let (said_at, place) = self.one_there[group];
            if said_at == self.step {
                return Err(self.duplicate(group, plan.ones[group][place as usize] as usize, one));
            }
            self.one_there[group] = (self.step, plan.places[one]);
        }
        Ok(())
    }

    fn duplicate(&self, group: usize, first: usize, second: usize) -> Error {
        let plan = self.plan;
        let side = if plan.matching.cardinality == Cardinality::OneToMany { "left" } else { "right" };
        let mut series = [first, second].map(|at| plan.one_labels[at].to_string());
        series.sort();
        Error::invalid(format!(
            "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];\
             many-to-many matching not allowed: matching labels must be unique on one side",
            plan.signatures[group], series[0], series[1]
        ))
    }

    /// Refuses what was combined already.
    fn check(&mut self, group: u32, result: usize, outcome: Outcome) -> Result<(), Error> {
        if outcome == Outcome::Incompatible {
            return Ok(());
        }
        let was_paired = std::mem::replace(&mut self.paired[group as usize], self.step) == self.step;
        if was_paired && self.plan.matching.cardinality == Cardinality::OneToOne {
            return Err(Error::invalid(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
            ));
        }
        let given = Given { step: self.step, group, is_kept: outcome == Outcome::Kept };
        let before = std::mem::replace(&mut self.given[result], given);
        if before.step != self.step {
            return Ok(());
        }
        if before.group == group {
            return Err(Error::invalid("multiple matches for labels: grouping labels must ensure unique matches"));
        }
        if before.is_kept && given.is_kept {
            return Err(Error::invalid("vector cannot contain metrics with the same labelset"));
        }
        self.given[result].is_kept |= before.is_kept;
        Ok(())
    }
}
