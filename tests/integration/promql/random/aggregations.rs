//! Aggregations.

use super::generator::Generator;
use super::numbers::Numbers;
use super::vector::{Form, Name, Names, Vector, list};

/// How groups are made: the clause, the labels of the groups and those that tell them apart.
struct Grouping {
    clause: String,
    labels: Names,
    key: Names,
}

impl Generator<'_> {
    /// An aggregation of what it can be said of exactly.
    pub(super) fn aggregation(&mut self, depth: usize) -> Vector {
        let of = self.vector(depth);
        if of.is_distinct && self.choices.rarely(2) {
            return self.selection(&of);
        }
        let numbers = of.numbers;
        let mut allowed =
            vec![("max", numbers), ("min", numbers), ("count", Numbers::whole(6)), ("group", Numbers::whole(1))];
        if numbers.can_be_summed() {
            allowed.extend([("sum", numbers.summed()); 3]);
        }
        if numbers.can_be_weighed() {
            allowed.extend([("avg", Numbers::close()), ("quantile", Numbers::close())]);
        }
        if numbers.can_deviate() {
            allowed.extend([("stddev", Numbers::close()), ("stdvar", Numbers::close())]);
        }
        if numbers.are_countable() {
            allowed.push(("count_values", Numbers::whole(6)));
        }
        let (operator, numbers) = self.choices.one(&allowed);
        let Grouping { clause, mut labels, mut key } = self.grouping(&of);
        let parameter = match operator {
            "quantile" => format!("{}, ", self.choices.one(&["0.5", "0.9", "0", "1", "0.25"])),
            "count_values" => {
                labels.insert("value");
                key.insert("value");
                "\"value\", ".to_owned()
            }
            _ => String::new(),
        };
        let text = match self.choices.rarely(4) {
            true => format!("{operator} ({parameter}{}) {clause}", of.text),
            false => format!("{operator} {clause} ({parameter}{})", of.text),
        };
        Vector { text, form: Form::Closed, labels, key, numbers, name: Name::Gone, is_distinct: false }
    }

    /// The greatest or the least of series of which no two are equal.
    fn selection(&mut self, of: &Vector) -> Vector {
        let operator = self.choices.one(&["topk", "bottomk"]);
        let Grouping { clause, .. } = self.grouping(of);
        let text = format!("{operator} {clause} ({}, {})", self.choices.one(&["1", "3", "100"]), of.text);
        Vector { form: Form::Closed, text, ..of.clone() }
    }

    fn grouping(&mut self, of: &Vector) -> Grouping {
        let all: Vec<&'static str> = of.labels.iter().copied().collect();
        let chosen: Names = self.choices.some(&all).into_iter().collect();
        let both = |labels: &Names| labels.intersection(&chosen).copied().collect();
        match self.choices.below(3) {
            0 if chosen.is_empty() => Grouping { clause: String::new(), labels: Names::new(), key: Names::new() },
            0 | 1 => {
                Grouping { clause: format!("by ({})", list(&chosen)), labels: both(&of.labels), key: both(&of.labels) }
            }
            _ => Grouping {
                clause: format!("without ({})", list(&chosen)),
                labels: of.labels.difference(&chosen).copied().collect(),
                key: of.key.difference(&chosen).copied().collect(),
            },
        }
    }

    /// The series of a vector, fewer of them: told apart by no more than these labels.
    pub(super) fn narrowed(&mut self, of: &Vector, key: &Names) -> Vector {
        let text = format!("{} by ({}) ({})", self.choices.one(&["max", "min"]), list(key), of.text);
        Vector { labels: key.clone(), key: key.clone(), ..of.mapped(text, of.numbers) }
    }
}
