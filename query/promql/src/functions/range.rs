//! Functions of the samples of one series within a window of time.
//!
//! None allocates for plain numbers: a window that slides along many steps costs slices only.

mod boundary;
mod change;
mod extreme;
pub mod histograms;
mod last_two;
mod order;
mod rate;
mod regression;
mod smoothing;
mod statistics;

use model::Error;

pub use boundary::{Boundary, samples_between_ends, smoothed_at};
pub use rate::counter_note;

use crate::note::Notes;
use crate::value::{Value, Window};

/// What a function gets beside the window.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a> {
    /// The scalar arguments in order: a quantile, a duration, factors.
    pub scalars: [f64; 2],
    /// The instant of the step, in milliseconds; the window may end elsewhere.
    pub eval_ms: i64,
    /// How the window meets its samples at both ends.
    pub boundary: Boundary,
    /// The metric name of the series, for notes.
    pub metric: &'a str,
}

/// What functions write to while a window slides.
#[derive(Debug, Default)]
pub struct Workspace {
    /// What the answer says beside its values.
    pub notes: Notes,
    /// Memory for numbers that have to be put in order.
    scratch: Vec<f64>,
}

/// A function of a window: its value at that step, if it has one.
///
/// # Errors
/// `Invalid` for scalars that the function refuses.
pub type RangeFunction = fn(&Window<'_>, &Args<'_>, &mut Workspace) -> Result<Option<Value>, Error>;

/// The function of a name, if it takes a window.
pub fn range_function(name: &str) -> Option<RangeFunction> {
    TABLE.iter().find(|(other, _)| *other == name).map(|(_, function)| *function)
}

/// All of them, by name.
const TABLE: &[(&str, RangeFunction)] = &[
    ("absent_over_time", statistics::present),
    ("avg_over_time", statistics::mean),
    ("changes", change::changes),
    ("count_over_time", statistics::count),
    ("delta", rate::delta),
    ("deriv", regression::slope),
    ("double_exponential_smoothing", smoothing::double_exponential_smoothing),
    ("first_over_time", order::first),
    ("idelta", last_two::last_difference),
    ("increase", rate::increase),
    ("irate", last_two::last_rate),
    ("last_over_time", order::last),
    ("mad_over_time", order::median_deviation),
    ("max_over_time", extreme::max),
    ("min_over_time", extreme::min),
    ("predict_linear", regression::prediction),
    ("present_over_time", statistics::present),
    ("quantile_over_time", order::quantile),
    ("rate", rate::rate),
    ("resets", change::resets),
    ("stddev_over_time", statistics::standard_deviation),
    ("stdvar_over_time", statistics::variance),
    ("sum_over_time", statistics::sum),
    ("ts_of_first_over_time", order::time_of_first),
    ("ts_of_last_over_time", order::time_of_last),
    ("ts_of_max_over_time", extreme::time_of_max),
    ("ts_of_min_over_time", extreme::time_of_min),
];

#[cfg(test)]
mod tests;
