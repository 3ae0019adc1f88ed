//! The operators `</` and `>/`: what a histogram has below or above a value.

use super::FloatHistogram;
use super::buckets::{Bucket, Scale};

/// Which observations stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Those below the value: `</`.
    Below,
    /// Those above it: `>/`.
    Above,
}

/// What stays of a bucket.
#[derive(Debug, Clone, Copy)]
struct Rest {
    count: f64,
    /// The observation that stands for all of them.
    middle: f64,
}

impl Rest {
    const NOTHING: Rest = Rest { count: 0.0, middle: 0.0 };
}

impl FloatHistogram {
    /// Drops the observations above or below a value. What is within a bucket that the value is in too is estimated, as by
    /// a quantile. If anything was dropped, count and sum are estimated anew.
    pub(crate) fn trim(&mut self, value: f64, keep: Keep) {
        let scale = if self.has_custom_buckets() { Scale::Linear } else { Scale::Exponential };
        let rest = |bucket: Bucket, sign: f64| rest(bucket, value, keep, sign, scale);
        let positive: Vec<Rest> = self.positive_buckets().map(|bucket| rest(bucket, 1.0)).collect();
        let negative: Vec<Rest> = self.negative_buckets().map(|bucket| rest(bucket, -1.0)).collect();
        let zero = (self.zero_count > 0.0).then(|| self.zero_rest(value, keep));

        let counts =
            self.positive.iter_mut().chain(&mut self.negative).chain(zero.is_some().then_some(&mut self.zero_count));
        let rests = positive.iter().chain(&negative).chain(&zero);
        let (mut count, mut sum, mut is_trimmed) = (0.0, 0.0, false);
        for (present, rest) in counts.zip(rests) {
            count += rest.count;
            sum += rest.middle * rest.count;
            is_trimmed |= *present != rest.count;
            *present = rest.count;
        }
        if is_trimmed {
            self.count = count;
            self.sum = sum;
            self.compact();
        }
    }

    /// Observations are thought to lie evenly in the zero bucket, on the side of zero that has others too.
    fn zero_rest(&self, value: f64, keep: Keep) -> Rest {
        let has_positive = self.positive.iter().any(|count| *count != 0.0);
        let has_negative = self.negative.iter().any(|count| *count != 0.0);
        let lower = if has_positive && !has_negative { 0.0 } else { -self.zero_threshold };
        let upper = if has_negative && !has_positive { 0.0 } else { self.zero_threshold };
        let all = Rest { count: self.zero_count, middle: (lower + upper) / 2.0 };
        match keep {
            Keep::Below if value <= lower => Rest::NOTHING,
            Keep::Below if value >= upper => all,
            Keep::Below => {
                let share = (value - lower) / (upper - lower);
                Rest { count: self.zero_count * share, middle: (lower + value) / 2.0 }
            }
            Keep::Above if value <= lower => all,
            Keep::Above if value >= upper => Rest::NOTHING,
            Keep::Above => {
                let share = (upper - value) / (upper - lower);
                Rest { count: self.zero_count * share, middle: (value + upper) / 2.0 }
            }
        }
    }
}

/// What stays of a bucket of observations of one sign.
fn rest(bucket: Bucket, value: f64, keep: Keep, sign: f64, scale: Scale) -> Rest {
    let (is_whole, is_cut) = match keep {
        Keep::Below => (bucket.upper <= value, bucket.lower < value),
        Keep::Above => (bucket.lower >= value, bucket.upper > value),
    };
    if bucket.count == 0.0 || !(is_whole || is_cut) {
        return Rest::NOTHING;
    }
    if is_whole {
        return Rest { count: bucket.count, middle: middle(bucket.lower, bucket.upper, sign, scale) };
    }
    if bucket.lower == f64::NEG_INFINITY || bucket.upper == f64::INFINITY {
        return endless_rest(bucket, value, keep);
    }
    let below = bucket.count * bucket.fraction_below(value, scale);
    match keep {
        Keep::Below => Rest { count: below, middle: middle(bucket.lower, value, sign, scale) },
        Keep::Above => Rest { count: bucket.count - below, middle: middle(value, bucket.upper, sign, scale) },
    }
}

/// What stays of a bucket that has no end and the value in it.
///
/// The lowest custom bucket is thought to begin at zero if it ends above it. Of others nobody knows where in them the
/// observations are: all or none stay.
fn endless_rest(bucket: Bucket, value: f64, keep: Keep) -> Rest {
    if bucket.upper == f64::INFINITY {
        return match keep {
            Keep::Below => Rest::NOTHING,
            Keep::Above if bucket.lower == f64::NEG_INFINITY => Rest::NOTHING,
            Keep::Above => Rest { count: bucket.count, middle: value },
        };
    }
    match keep {
        Keep::Below if value > 0.0 && bucket.upper > 0.0 => {
            Rest { count: bucket.count * value / bucket.upper, middle: value / 2.0 }
        }
        Keep::Below if bucket.upper <= 0.0 => Rest { count: bucket.count, middle: value },
        Keep::Above if value >= 0.0 => {
            Rest { count: bucket.count * (1.0 - value / bucket.upper), middle: (value + bucket.upper) / 2.0 }
        }
        Keep::Below | Keep::Above => Rest::NOTHING,
    }
}

/// The observation that stands for all between two bounds.
fn middle(lower: f64, upper: f64, sign: f64, scale: Scale) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => 0.0,
        (true, false) if upper > 0.0 => upper / 2.0,
        (true, false) => upper,
        (false, true) => lower,
        (false, false) if scale == Scale::Linear => (lower + upper) / 2.0,
        (false, false) => sign * (lower * upper).abs().sqrt(),
    }
}

#[cfg(test)]
mod tests;
