//! Functions of ranges: of selectors, and of subqueries.

use super::generator::Generator;
use super::numbers::{Numbers, Precision};
use super::vector::{Name, Vector};

const RANGES: [&str; 4] = ["5m", "2m", "17m", "1h"];
/// Half a second longer than so many steps: whether a window that begins at a step has it is what 3.x has changed.
const SUBQUERIES: [&str; 5] = ["10m500ms:1m", "20m500ms:30s", "10m500ms:", "1h500ms:5m", "3m500ms:15s"];
/// Quantiles that no bucket ends at exactly, whatever the last bits of its count.
const QUANTILES: [&str; 5] = ["0.5", "0.9", "0.99", "0.1", "0.333"];

impl Generator<'_> {
    /// A function of a range of a selector.
    pub(super) fn of_range(&mut self) -> Vector {
        if self.choices.below(2) == 0 {
            let counters = self.counters();
            return self.of_counters(counters, None);
        }
        let of = self.bare_selector();
        let range = format!("{}[{}]{}", of.text, self.choices.one(&RANGES), self.modifiers());
        self.over_time(&of, &range, true)
    }

    /// A function of a subquery.
    pub(super) fn of_subquery(&mut self, depth: usize) -> Vector {
        // Each multiplies what is computed.
        self.subqueries += 1;
        let range = self.choices.one(&SUBQUERIES);
        if self.choices.rarely(4) {
            let counters = self.counters();
            return self.of_counters(counters, Some(range));
        }
        let of = self.vector(depth);
        // Of what is at a fixed time, a subquery at the start of the query, itself inside another, has nothing in Prometheus, 2.42
        // and 3.14 alike; a second earlier it has.
        let modifiers = if of.text.contains('@') { String::new() } else { self.modifiers() };
        let range = format!("{}[{range}]{modifiers}", of.operand());
        self.over_time(&of, &range, false)
    }

    /// How fast counters grow. They are counted from far above zero: how far a rate is carried on towards it has changed.
    fn of_counters(&mut self, counters: Vector, subquery: Option<&str>) -> Vector {
        let range = subquery.unwrap_or_else(|| self.choices.one(&RANGES));
        let function = self.choices.one(&["rate", "increase", "irate"]);
        let text = format!("{function}({}[{range}]{})", counters.text, self.modifiers());
        counters.mapped(text, Numbers::close())
    }

    fn over_time(&mut self, of: &Vector, range: &str, is_of_samples: bool) -> Vector {
        let numbers = of.numbers;
        let mut allowed = vec![
            ("max_over_time", numbers),
            ("min_over_time", numbers),
            ("last_over_time", numbers),
            ("count_over_time", Numbers::whole(8)),
            ("present_over_time", Numbers::whole(1)),
        ];
        if numbers.can_be_summed() {
            allowed.push(("sum_over_time", numbers.summed()));
        }
        if numbers.can_be_weighed() {
            allowed.extend([("avg_over_time", Numbers::close()), ("quantile_over_time", Numbers::close())]);
        }
        if numbers.can_deviate() {
            allowed.extend([("stddev_over_time", Numbers::close()), ("stdvar_over_time", Numbers::close())]);
        }
        if numbers.are_identical() {
            allowed.extend([("changes", Numbers::whole(8)), ("resets", Numbers::whole(8))]);
        }
        if matches!(numbers.precision, Precision::Exact { .. }) && numbers.is_finite {
            allowed.extend([("delta", Numbers::close().signed()), ("idelta", numbers.plus(numbers, "-"))]);
        }
        if is_of_samples {
            allowed.push(("deriv", Numbers::close().signed()));
            // 2.42 loses the samples of a window that stands still, one with each step.
            if !range.contains('@') {
                allowed.push(("predict_linear", Numbers::close().signed()));
            }
        }
        let (function, numbers) = self.choices.one(&allowed);
        let text = match function {
            "quantile_over_time" => format!("{function}({}, {range})", self.choices.one(&QUANTILES)),
            "predict_linear" => format!("{function}({range}, {})", self.choices.one(&["60", "3600", "-600"])),
            _ => format!("{function}({range})"),
        };
        let mapped = of.mapped(text, numbers);
        if function == "last_over_time" { Vector { name: of.name, ..mapped } } else { mapped }
    }

    /// Quantiles of histograms, each of buckets that are added up or not.
    pub(super) fn histogram_quantile(&mut self) -> Vector {
        let buckets = self.buckets();
        let rates = match self.choices.below(4) {
            3 => buckets,
            _ => self.of_counters(buckets, None),
        };
        let grouping = self.choices.some(&["cluster", "instance"]);
        let (inner, key, name) = match self.choices.below(3) {
            2 => (rates.text.clone(), vec!["cluster", "instance"], Name::Hidden),
            _ => (
                format!(
                    "sum by (le{}) ({})",
                    grouping.iter().map(|name| format!(", {name}")).collect::<String>(),
                    rates.text
                ),
                grouping,
                Name::Gone,
            ),
        };
        let labels = rates.labels.iter().copied().filter(|name| key.contains(name)).collect();
        let text = format!("histogram_quantile({}, {inner})", self.choices.one(&QUANTILES));
        // The job is there only where nothing was added up, and tells nothing apart.
        Vector { labels, key: key.into_iter().collect(), name, ..rates.mapped(text, Numbers::close()) }
    }
}
