//! Expressions from drawn numbers.

use super::choices::Choices;
use super::numbers::{Numbers, Precision};
use super::vector::{Form, Name, Names, Vector};

/// Subqueries of an expression at most: each computes what is in it once for each of its steps.
const SUBQUERIES: usize = 2;

/// Makes an expression.
#[derive(Debug)]
pub(super) struct Generator<'a> {
    pub(super) choices: Choices<'a>,
    /// A time that all series have samples at, in seconds.
    pub(super) middle: i64,
    /// How many subqueries there are so far.
    pub(super) subqueries: usize,
}

impl<'a> Generator<'a> {
    /// The expression that these numbers lead to.
    pub(super) fn expression(numbers: &'a [u16], middle: i64) -> String {
        let mut generator = Generator { choices: Choices::new(numbers), middle, subqueries: 0 };
        let depth = 1 + generator.choices.below(4);
        generator.vector(depth).text
    }

    /// A vector of at most so many levels above its selectors.
    pub(super) fn vector(&mut self, depth: usize) -> Vector {
        let Some(below) = depth.checked_sub(1) else { return self.leaf() };
        match self.choices.below(24) {
            0 | 1 => self.leaf(),
            2..=6 => self.aggregation(below),
            7..=9 => self.function(below),
            10..=12 => self.with_scalar(below),
            13..=16 => self.matched(below),
            17 | 18 => self.set(below),
            19 => self.histogram_quantile(),
            20 => self.lone(below),
            _ if self.subqueries < SUBQUERIES => self.of_subquery(below),
            _ => self.leaf(),
        }
    }

    fn leaf(&mut self) -> Vector {
        match self.choices.below(3) {
            0 => self.selector(),
            1 | 2 => self.of_range(),
            _ => self.selector(),
        }
    }

    /// What has a single series, or tells of times and of what is not there.
    fn lone(&mut self, depth: usize) -> Vector {
        let one = |text: String, numbers| Vector {
            text,
            form: Form::Closed,
            labels: Names::new(),
            key: Names::new(),
            numbers,
            name: Name::Gone,
            is_distinct: true,
        };
        match self.choices.below(6) {
            0 => {
                let scalar = self.scalar(depth);
                one(format!("vector({})", scalar.text), scalar.numbers)
            }
            1 => {
                let of = self.bare_selector();
                let numbers = Numbers { precision: Precision::Same, is_positive: true, is_finite: true };
                of.mapped(format!("timestamp({})", of.text), numbers)
            }
            2 => one(
                self.choices.one(&["hour()", "minute()", "day_of_month()", "year()"]).to_owned(),
                Numbers::whole(11),
            ),
            3 => one("absent(nothing)".to_owned(), Numbers::whole(1)),
            4 => {
                let of = self.vector(depth);
                one(format!("absent({} > 1e300)", of.operand()), Numbers::whole(1))
            }
            _ => one(r#"absent_over_time(churn{kind="ended"}[5m])"#.to_owned(), Numbers::whole(1)),
        }
    }
}
