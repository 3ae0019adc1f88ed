//! Binary operators.

use super::generator::Generator;
use super::numbers::{Numbers, Precision};
use super::vector::{Form, Name, Names, Scalar, Vector, list};

const COMPARISONS: [&str; 6] = [">", "<", "!=", ">=", "<=", "=="];
const ARITHMETIC: [&str; 6] = ["*", "+", "-", "/", "%", "^"];
/// Some of which lie among the values of each metric.
const CONSTANTS: [&str; 8] = ["1", "0", "3", "20", "0.5", "22.25", "1300000", "1700000"];

impl Generator<'_> {
    /// A vector and a scalar.
    pub(super) fn with_scalar(&mut self, depth: usize) -> Vector {
        let vector = self.vector(depth);
        if self.choices.rarely(3) {
            return self.compared(&vector);
        }
        let scalar = self.scalar(depth);
        let is_left = self.choices.rarely(3);
        let (left, right) = if is_left { (scalar.numbers, vector.numbers) } else { (vector.numbers, scalar.numbers) };
        let (operator, numbers) = self.arithmetic(left, right);
        let text = match is_left {
            true => format!("{} {operator} {}", scalar.text, vector.operand()),
            false => format!("{} {operator} {}", vector.operand(), scalar.text),
        };
        Vector { form: Form::Open, ..vector.mapped(text, numbers) }
    }

    /// A vector compared with a constant, which says something only where both have the same bits, or zero between them.
    fn compared(&mut self, vector: &Vector) -> Vector {
        let constant = match vector.numbers {
            numbers if numbers.are_identical() => self.choices.one(&CONSTANTS),
            numbers if numbers.is_positive => "0",
            _ => return vector.clone(),
        };
        let operator = self.choices.one(&COMPARISONS);
        if self.choices.rarely(3) {
            let text = format!("{} {operator} bool {constant}", vector.operand());
            return Vector { form: Form::Open, ..vector.mapped(text, Numbers::whole(1)) };
        }
        let text = match self.choices.rarely(4) {
            true => format!("{constant} {operator} {}", vector.operand()),
            false => format!("{} {operator} {constant}", vector.operand()),
        };
        Vector { form: Form::Open, text, ..vector.clone() }
    }

    /// Which operator goes between such numbers, and what comes of it.
    fn arithmetic(&mut self, left: Numbers, right: Numbers) -> (&'static str, Numbers) {
        let mut allowed = vec![("*", left.times(right)), ("/", left.over(right))];
        for operator in ["+", "-"] {
            if left.can_be_added(right, operator) {
                allowed.extend([(operator, left.plus(right, operator)); 2]);
            }
        }
        if left.are_identical() && right.are_identical() {
            allowed.push(("%", Numbers { precision: Precision::Same, ..left }.unbounded()));
        }
        if left.is_positive && right.are_exact(5) {
            allowed.push(("^", Numbers::close().unbounded()));
        }
        self.choices.one(&allowed)
    }

    /// Two vectors whose series are matched.
    pub(super) fn matched(&mut self, depth: usize) -> Vector {
        let (mut left, mut right) = (self.vector(depth), self.vector(depth));
        if self.choices.rarely(24) {
            return self.mismatched(&left, &right);
        }
        let shared: Names = left.key.intersection(&right.key).copied().collect();
        // One side has to be told apart by what both have.
        if left.key != shared && right.key != shared {
            right = self.narrowed(&right, &shared);
        } else if left.key != shared && self.choices.rarely(2) {
            left = self.narrowed(&left, &shared);
        }
        let clause = self.matching(&left, &right, &shared);
        let (cardinality, many) = match (left.key == shared, right.key == shared) {
            (true, true) => ("", None),
            (false, _) => ("group_left", Some(&left)),
            (true, false) => ("group_right", Some(&right)),
        };
        let mut labels = many.map_or_else(|| shared.clone(), |many| many.labels.clone());
        let mut included = String::new();
        if many.is_some() {
            let one = if cardinality == "group_left" { &right } else { &left };
            let more: Vec<&'static str> = one.labels.difference(&labels).copied().collect();
            let more = self.choices.some(&more);
            included = format!(" {cardinality} ({})", list(&more));
            labels.extend(more);
        }
        let key = many.map_or(shared, |many| many.key.clone());
        let (operator, bool, numbers) = self.between(left.numbers, right.numbers, many.is_none());
        let text = format!("{} {operator}{bool} {clause}{included} {}", left.operand(), right.operand());
        let is_filter = bool.is_empty() && COMPARISONS.contains(&operator);
        let of = many.unwrap_or(&left);
        let name = match of.name {
            _ if many.is_none() && clause.starts_with("on") => Name::Gone,
            name if name == Name::Gone || is_filter => name,
            _ => Name::Hidden,
        };
        Vector { text, form: Form::Open, labels, key, numbers, name, is_distinct: false }
    }

    /// An operator between two vectors: the numbers of a comparison that selects are those of its left side.
    fn between(&mut self, left: Numbers, right: Numbers, is_one_to_one: bool) -> (&'static str, &'static str, Numbers) {
        let are_identical = left.are_identical() && right.are_identical();
        match self.choices.below(3) {
            2 if are_identical && self.choices.rarely(2) => {
                (self.choices.one(&COMPARISONS), " bool", Numbers::whole(1))
            }
            // Which sides a comparison of many with one keeps the value of is left to the text cases.
            2 if are_identical && is_one_to_one => (self.choices.one(&COMPARISONS), "", left),
            _ => {
                let (operator, numbers) = self.arithmetic(left, right);
                (operator, "", numbers)
            }
        }
    }

    /// `on` the labels that are matched, or `ignoring` all others.
    fn matching(&mut self, left: &Vector, right: &Vector, shared: &Names) -> String {
        if self.choices.below(3) < 2 {
            return format!("on ({})", list(shared));
        }
        let all: Names = left.labels.union(&right.labels).copied().collect();
        format!("ignoring ({})", list(&all.difference(shared).copied().collect::<Names>()))
    }

    /// Two vectors as they come: mostly nothing, or an error, in both alike.
    fn mismatched(&mut self, left: &Vector, right: &Vector) -> Vector {
        let operator = self.choices.one(&ARITHMETIC);
        let clause = self.choices.one(&["", "on (cluster)", "ignoring (instance)", "on () group_left ()"]);
        let text = format!("{} {operator} {clause} {}", left.operand(), right.operand());
        let numbers = Numbers::close().unbounded();
        Vector { text, form: Form::Open, numbers, is_distinct: false, ..left.clone() }
    }

    /// One of the operators of sets.
    pub(super) fn set(&mut self, depth: usize) -> Vector {
        let (left, right) = (self.vector(depth), self.vector(depth));
        let operators = if left.name == right.name { &["and", "or", "unless"][..] } else { &["and", "unless"] };
        let operator = self.choices.one(operators);
        let shared: Vec<&'static str> = left.labels.intersection(&right.labels).copied().collect();
        let chosen = self.choices.some(&shared);
        let clause = match self.choices.below(4) {
            0 | 1 => format!("on ({})", list(&chosen)),
            2 => format!("ignoring ({})", list(&chosen)),
            _ => String::new(),
        };
        let text = format!("{} {operator} {clause} {}", left.operand(), right.operand());
        if operator != "or" {
            return Vector { text, form: Form::Open, ..left };
        }
        Vector {
            text,
            form: Form::Open,
            labels: left.labels.union(&right.labels).copied().collect(),
            key: left.labels.union(&right.labels).copied().collect(),
            numbers: left.numbers.or(right.numbers),
            name: left.name,
            is_distinct: false,
        }
    }

    /// A scalar: mostly a number.
    pub(super) fn scalar(&mut self, depth: usize) -> Scalar {
        let constant = |text: &str| Scalar {
            text: text.to_owned(),
            numbers: Numbers {
                precision: Precision::Exact { whole: 21, fraction: 2 },
                is_positive: true,
                is_finite: true,
            },
        };
        match self.choices.below(8) {
            0..=3 => Scalar { text: self.choices.one(&["2", "1", "3", "10"]).to_owned(), numbers: Numbers::whole(4) },
            4 => constant(self.choices.one(&CONSTANTS)),
            5 => Scalar { text: "time()".to_owned(), numbers: Numbers::whole(31) },
            6 if depth > 0 => {
                let vector = self.vector(depth - 1);
                let one = self.narrowed(&vector, &Names::new());
                Scalar { text: format!("scalar({})", one.text), numbers: one.numbers.unbounded() }
            }
            _ => Scalar { text: "(1 + 2 * 3 ^ 2)".to_owned(), numbers: Numbers::whole(5) },
        }
    }
}
