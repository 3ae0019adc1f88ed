//! Functions of single numbers.

mod date;
mod math;

/// A function of a number and of its scalar arguments.
pub type InstantFunction = fn(f64, &[f64]) -> f64;

/// The function of a name, if it makes one number of another. Histograms are passed over.
///
/// `clamp` gives nothing at all where its bounds are the wrong way round: [`is_empty`].
pub fn instant_function(name: &str) -> Option<InstantFunction> {
    TABLE.iter().find(|(other, _)| *other == name).map(|(_, function)| *function)
}

/// The function of a name that makes one scalar of two.
pub fn scalar_function(name: &str) -> Option<fn(f64, f64) -> f64> {
    match name {
        "max_of" => Some(math::max),
        "min_of" => Some(math::min),
        _ => None,
    }
}

/// Whether a function gives no element at all for these scalar arguments.
pub fn is_empty(name: &str, scalars: &[f64]) -> bool {
    name == "clamp" && scalars[1] < scalars[0]
}

/// All of them, by name.
const TABLE: &[(&str, InstantFunction)] = &[
    ("abs", |x, _| x.abs()),
    ("acos", |x, _| x.acos()),
    ("acosh", |x, _| x.acosh()),
    ("asin", |x, _| x.asin()),
    ("asinh", |x, _| x.asinh()),
    ("atan", |x, _| x.atan()),
    ("atanh", |x, _| x.atanh()),
    ("ceil", |x, _| x.ceil()),
    ("clamp", |x, bounds| math::max(bounds[0], math::min(bounds[1], x))),
    ("clamp_max", |x, bounds| math::max(f64::NEG_INFINITY, math::min(bounds[0], x))),
    ("clamp_min", |x, bounds| math::max(bounds[0], math::min(f64::INFINITY, x))),
    ("cos", |x, _| x.cos()),
    ("cosh", |x, _| x.cosh()),
    ("day_of_month", |x, _| date::of(x).day_of_month()),
    ("day_of_week", |x, _| date::of(x).day_of_week()),
    ("day_of_year", |x, _| date::of(x).day_of_year()),
    ("days_in_month", |x, _| date::of(x).days_in_month()),
    ("deg", |x, _| x * 180.0 / std::f64::consts::PI),
    ("exp", |x, _| x.exp()),
    ("floor", |x, _| x.floor()),
    ("hour", |x, _| date::of(x).hour()),
    ("ln", |x, _| x.ln()),
    ("log10", |x, _| x.log10()),
    ("log2", |x, _| x.log2()),
    ("minute", |x, _| date::of(x).minute()),
    ("month", |x, _| date::of(x).month()),
    ("rad", |x, _| x * std::f64::consts::PI / 180.0),
    ("round", math::round),
    ("sgn", |x, _| math::sign(x)),
    ("sin", |x, _| x.sin()),
    ("sinh", |x, _| x.sinh()),
    ("sqrt", |x, _| x.sqrt()),
    ("tan", |x, _| x.tan()),
    ("tanh", |x, _| x.tanh()),
    ("year", |x, _| date::of(x).year()),
];

#[cfg(test)]
mod tests;
