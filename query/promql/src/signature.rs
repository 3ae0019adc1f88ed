//! Which functions there are, and what they take and give.

use crate::ast::ValueType;
use crate::ast::ValueType::{Matrix, Scalar, String, Vector};
use crate::quote::Quoted;

/// What a function takes and gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// The types of its arguments. The last one counts for all that follow too.
    pub args: &'static [ValueType],
    /// Zero if it takes just as many arguments as there are types. Otherwise the last one may be left out, and this many
    /// may be given from there on: any number if negative.
    pub variadic: i8,
    /// The type of what it gives.
    pub result: ValueType,
    /// Whether Prometheus has it only with `promql-experimental-functions`.
    pub is_experimental: bool,
}

impl Signature {
    /// The function of this name, which is as it is written: names are not folded to lower case.
    pub fn find(name: &str) -> Option<&'static Signature> {
        let index = FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok()?;
        Some(&FUNCTIONS[index])
    }

    /// The error that there is no function of a name, with the names that are like it.
    pub(crate) fn unknown(name: &str) -> std::string::String {
        let mut message = format!("unknown function with name {}", Quoted(name));
        let names = FUNCTIONS.iter().map(|function| function.name);
        let alike: Vec<_> = match names.clone().find(|other| other.eq_ignore_ascii_case(name)) {
            Some(other) => vec![Quoted(other).to_string()],
            None => names.filter(|other| is_alike(name, other)).map(|other| Quoted(other).to_string()).collect(),
        };
        if !alike.is_empty() {
            message.push_str(&format!(", did you mean {}", alike.join(" or ")));
        }
        message
    }

    /// How many arguments it takes at least.
    pub fn least(&self) -> usize {
        self.args.len() - usize::from(self.variadic != 0)
    }

    /// How many arguments it takes at most, if there is a limit.
    pub fn most(&self) -> Option<usize> {
        Some(self.least() + usize::try_from(self.variadic).ok()?)
    }

    /// The type of an argument, counted from 0.
    pub fn arg(&self, index: usize) -> Option<ValueType> {
        self.args.get(index).or(self.args.last()).copied()
    }
}

/// Whether a name is another with one character too many, too few, or wrong.
fn is_alike(name: &str, other: &str) -> bool {
    let same = name.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let (ours, theirs) = (&name.as_bytes()[same..], &other.as_bytes()[same..]);
    match ours.len() as isize - theirs.len() as isize {
        0 => ours.is_empty() || ours[1..] == theirs[1..],
        1 => ours[1..] == *theirs,
        -1 => *ours == theirs[1..],
        _ => false,
    }
}

const fn stable(name: &'static str, args: &'static [ValueType], variadic: i8, result: ValueType) -> Signature {
    Signature { name, args, variadic, result, is_experimental: false }
}

const fn experimental(name: &'static str, args: &'static [ValueType], variadic: i8, result: ValueType) -> Signature {
    Signature { name, args, variadic, result, is_experimental: true }
}

/// All functions of Prometheus 3.14, by name. Names, types and which are experimental are those of the list that its
/// parser has (`promql/parser/functions.go`); a server with all features switched on takes each of them.
pub static FUNCTIONS: &[Signature] = &[
    stable("abs", &[Vector], 0, Vector),
    stable("absent", &[Vector], 0, Vector),
    stable("absent_over_time", &[Matrix], 0, Vector),
    stable("acos", &[Vector], 0, Vector),
    stable("acosh", &[Vector], 0, Vector),
    stable("asin", &[Vector], 0, Vector),
    stable("asinh", &[Vector], 0, Vector),
    stable("atan", &[Vector], 0, Vector),
    stable("atanh", &[Vector], 0, Vector),
    stable("avg_over_time", &[Matrix], 0, Vector),
    stable("ceil", &[Vector], 0, Vector),
    stable("changes", &[Matrix], 0, Vector),
    stable("clamp", &[Vector, Scalar, Scalar], 0, Vector),
    stable("clamp_max", &[Vector, Scalar], 0, Vector),
    stable("clamp_min", &[Vector, Scalar], 0, Vector),
    stable("cos", &[Vector], 0, Vector),
    stable("cosh", &[Vector], 0, Vector),
    stable("count_over_time", &[Matrix], 0, Vector),
    stable("day_of_month", &[Vector], 1, Vector),
    stable("day_of_week", &[Vector], 1, Vector),
    stable("day_of_year", &[Vector], 1, Vector),
    stable("days_in_month", &[Vector], 1, Vector),
    stable("deg", &[Vector], 0, Vector),
    stable("delta", &[Matrix], 0, Vector),
    stable("deriv", &[Matrix], 0, Vector),
    experimental("double_exponential_smoothing", &[Matrix, Scalar, Scalar], 0, Vector),
    experimental("end", &[], 0, Scalar),
    stable("exp", &[Vector], 0, Vector),
    stable("first_over_time", &[Matrix], 0, Vector),
    stable("floor", &[Vector], 0, Vector),
    stable("histogram_avg", &[Vector], 0, Vector),
    stable("histogram_count", &[Vector], 0, Vector),
    stable("histogram_fraction", &[Scalar, Scalar, Vector], 0, Vector),
    stable("histogram_quantile", &[Scalar, Vector], 0, Vector),
    experimental("histogram_quantiles", &[Vector, String, Scalar, Scalar], 9, Vector),
    stable("histogram_stddev", &[Vector], 0, Vector),
    stable("histogram_stdvar", &[Vector], 0, Vector),
    stable("histogram_sum", &[Vector], 0, Vector),
    stable("hour", &[Vector], 1, Vector),
    stable("idelta", &[Matrix], 0, Vector),
    stable("increase", &[Matrix], 0, Vector),
    experimental("info", &[Vector, Vector], 1, Vector),
    stable("irate", &[Matrix], 0, Vector),
    stable("label_join", &[Vector, String, String, String], -1, Vector),
    stable("label_replace", &[Vector, String, String, String, String], 0, Vector),
    stable("last_over_time", &[Matrix], 0, Vector),
    stable("ln", &[Vector], 0, Vector),
    stable("log10", &[Vector], 0, Vector),
    stable("log2", &[Vector], 0, Vector),
    experimental("mad_over_time", &[Matrix], 0, Vector),
    experimental("max_of", &[Scalar, Scalar], 0, Scalar),
    stable("max_over_time", &[Matrix], 0, Vector),
    experimental("min_of", &[Scalar, Scalar], 0, Scalar),
    stable("min_over_time", &[Matrix], 0, Vector),
    stable("minute", &[Vector], 1, Vector),
    stable("month", &[Vector], 1, Vector),
    stable("pi", &[], 0, Scalar),
    stable("predict_linear", &[Matrix, Scalar], 0, Vector),
    stable("present_over_time", &[Matrix], 0, Vector),
    stable("quantile_over_time", &[Scalar, Matrix], 0, Vector),
    stable("rad", &[Vector], 0, Vector),
    experimental("range", &[], 0, Scalar),
    stable("rate", &[Matrix], 0, Vector),
    stable("resets", &[Matrix], 0, Vector),
    stable("round", &[Vector, Scalar], 1, Vector),
    stable("scalar", &[Vector], 0, Scalar),
    stable("sgn", &[Vector], 0, Vector),
    stable("sin", &[Vector], 0, Vector),
    stable("sinh", &[Vector], 0, Vector),
    stable("sort", &[Vector], 0, Vector),
    experimental("sort_by_label", &[Vector, String], -1, Vector),
    experimental("sort_by_label_desc", &[Vector, String], -1, Vector),
    stable("sort_desc", &[Vector], 0, Vector),
    stable("sqrt", &[Vector], 0, Vector),
    experimental("start", &[], 0, Scalar),
    experimental("start_timestamp", &[Vector], 0, Vector),
    stable("stddev_over_time", &[Matrix], 0, Vector),
    stable("stdvar_over_time", &[Matrix], 0, Vector),
    experimental("step", &[], 0, Scalar),
    stable("sum_over_time", &[Matrix], 0, Vector),
    stable("tan", &[Vector], 0, Vector),
    stable("tanh", &[Vector], 0, Vector),
    stable("time", &[], 0, Scalar),
    stable("timestamp", &[Vector], 0, Vector),
    experimental("ts_of_first_over_time", &[Matrix], 0, Vector),
    experimental("ts_of_last_over_time", &[Matrix], 0, Vector),
    experimental("ts_of_max_over_time", &[Matrix], 0, Vector),
    experimental("ts_of_min_over_time", &[Matrix], 0, Vector),
    stable("vector", &[Scalar], 0, Vector),
    stable("year", &[Vector], 1, Vector),
];

#[cfg(test)]
mod tests;
