//! Functions of instant vectors.

use super::generator::Generator;
use super::numbers::{Numbers, Precision};
use super::vector::{Form, Names, Vector};

/// Labels that are taken apart, each with expressions for its values.
const PARTS: [(&str, [&str; 2]); 4] = [
    ("instance", ["(.*):.*", "([ab]):(.*)"]),
    ("cluster", ["(...).*", "ber(lin)"]),
    ("code", ["(.)..", "5(.*)"]),
    ("kind", ["(.*)", "h(o)les"]),
];

impl Generator<'_> {
    /// A function of a vector, whatever its numbers allow.
    pub(super) fn function(&mut self, depth: usize) -> Vector {
        let of = self.vector(depth);
        match self.choices.below(6) {
            0..=2 => self.of_each(&of),
            3 => self.clamped(&of),
            4 => self.relabeled(&of),
            _ => {
                let text = format!("{}({})", self.choices.one(&["sort", "sort_desc"]), of.text);
                Vector { name: of.name, is_distinct: of.is_distinct, ..of.mapped(text, of.numbers) }
            }
        }
    }

    fn of_each(&mut self, of: &Vector) -> Vector {
        let numbers = of.numbers;
        let positive = Numbers { is_positive: numbers.is_finite, ..numbers };
        let close = numbers.rounded();
        let mut allowed = vec![("abs(", positive), ("deg(", close), ("rad(", close), ("-", numbers.signed())];
        if numbers.are_identical() {
            let whole = match numbers.precision {
                Precision::Exact { whole, .. } => Numbers { precision: Numbers::whole(whole + 1).precision, ..numbers },
                _ => numbers,
            };
            let sign = Numbers { precision: Numbers::whole(1).precision, ..numbers };
            allowed.extend([("ceil(", whole), ("floor(", whole), ("round(", whole), ("sgn(", sign)]);
            let logarithm = Numbers::close().unbounded();
            allowed.extend([("ln(", logarithm), ("log2(", logarithm), ("log10(", logarithm)]);
        }
        if numbers.is_positive {
            allowed.push((
                "sqrt(",
                if numbers.are_identical() { Numbers { precision: Precision::Same, ..numbers } } else { numbers },
            ));
        }
        if numbers.are_exact(22) && numbers.is_finite {
            let turned = Numbers::close().signed();
            allowed.extend(["sin(", "cos(", "tan(", "atan(", "tanh(", "asinh("].map(|name| (name, turned)));
            let times = ["minute(", "hour(", "day_of_week(", "day_of_month(", "days_in_month(", "month(", "year("];
            allowed.extend(times.map(|name| (name, Numbers::whole(11))));
        }
        if numbers.are_exact(17) {
            allowed
                .extend(["exp(", "sinh(", "cosh(", "acos(", "acosh("].map(|name| (name, Numbers::close().unbounded())));
        }
        match self.choices.one(&allowed) {
            ("-", numbers) => Vector { form: Form::Open, ..of.mapped(format!("-{}", of.operand()), numbers) },
            ("round(", _) if self.choices.rarely(2) => {
                let text = format!("round({}, {})", of.text, self.choices.one(&["5", "0.1", "100"]));
                of.mapped(text, Numbers { precision: Precision::Same, ..numbers })
            }
            (function, numbers) => of.mapped(format!("{function}{})", of.text), numbers),
        }
    }

    fn clamped(&mut self, of: &Vector) -> Vector {
        let bounds =
            Numbers { precision: Precision::Exact { whole: 21, fraction: 1 }, is_positive: true, is_finite: true };
        let numbers = of.numbers.or(bounds);
        let text = match self.choices.below(3) {
            0 => format!("clamp_min({}, {})", of.text, self.choices.one(&["0", "21.5", "1300000"])),
            1 => format!("clamp_max({}, {})", of.text, self.choices.one(&["22", "1.5", "1300000"])),
            _ => format!(
                "clamp({}, {}, {})",
                of.text,
                self.choices.one(&["0", "10.5"]),
                self.choices.one(&["30", "1700000"])
            ),
        };
        of.mapped(text, numbers)
    }

    fn relabeled(&mut self, of: &Vector) -> Vector {
        let (from, expressions) = self.choices.one(&PARTS);
        let to = self.choices.one(&["host", "zone"]);
        let text = match self.choices.below(3) {
            0 | 1 => {
                let with = self.choices.one(&["$1", "x-$1", "$2$1", "same"]);
                let expression = self.choices.one(&expressions);
                format!(r#"label_replace({}, "{to}", "{with}", "{from}", "{expression}")"#, of.text)
            }
            _ => format!(r#"label_join({}, "{to}", "-", "{from}", "cluster")"#, of.text),
        };
        let mut labels: Names = of.labels.clone();
        labels.insert(to);
        Vector { labels, name: of.name, is_distinct: of.is_distinct, ..of.mapped(text, of.numbers) }
    }
}
