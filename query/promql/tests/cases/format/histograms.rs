//! Native histograms: as they are stored, and as an answer shows them.

use std::collections::BTreeMap;

use model::NativeHistogram;
use model::histogram::{BucketCounts, CUSTOM_BUCKETS, Counts, ResetHint, spans_of};

use super::numbers::{is_same, number, number_text};

/// A native histogram in an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buckets {
    /// All observations.
    pub(crate) count: f64,
    /// The sum of all observations.
    pub(crate) sum: f64,
    /// Its buckets that are not empty.
    pub(crate) buckets: Vec<Bucket>,
}

/// One bucket of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bucket {
    /// Whether an observation of the lower bound is in it.
    pub(crate) has_lower: bool,
    /// Whether an observation of the upper bound is in it.
    pub(crate) has_upper: bool,
    /// The lower bound.
    pub(crate) lower: f64,
    /// The upper bound.
    pub(crate) upper: f64,
    /// The observations in it.
    pub(crate) count: f64,
}

impl Buckets {
    /// Reads `{count=4 sum=5 (0.5,1]=3}`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut histogram = Buckets { count: 0.0, sum: 0.0, buckets: Vec::new() };
        for part in inner(text)?.split_whitespace() {
            let (key, value) = part.rsplit_once('=').ok_or_else(|| format!("'{part}' has no '='"))?;
            match key {
                "count" => histogram.count = number(value)?,
                "sum" => histogram.sum = number(value)?,
                _ => {
                    let wrong = || format!("'{key}' is not a bucket such as (0.5,1]");
                    let (lower, upper) = key.split_once(',').ok_or_else(wrong)?;
                    histogram.buckets.push(Bucket {
                        has_lower: lower.starts_with('['),
                        has_upper: upper.ends_with(']'),
                        lower: number(lower.strip_prefix(['[', '(']).ok_or_else(wrong)?)?,
                        upper: number(upper.strip_suffix([']', ')']).ok_or_else(wrong)?)?,
                        count: number(value)?,
                    });
                }
            }
        }
        Ok(histogram)
    }

    /// Writes it as [`Buckets::parse`] reads it.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{{count={} sum={}", number_text(self.count), number_text(self.sum));
        for bucket in &self.buckets {
            let (open, close) = (if bucket.has_lower { '[' } else { '(' }, if bucket.has_upper { ']' } else { ')' });
            let (lower, upper) = (number_text(bucket.lower), number_text(bucket.upper));
            text.push_str(&format!(" {open}{lower},{upper}{close}={}", number_text(bucket.count)));
        }
        text + "}"
    }

    /// Whether it is the one that was expected, as numbers are compared.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_same_bucket = |(a, b): (&Bucket, &Bucket)| {
            (a.has_lower, a.has_upper) == (b.has_lower, b.has_upper)
                && is_same(a.lower, b.lower)
                && is_same(a.upper, b.upper)
                && is_same(a.count, b.count)
        };
        is_same(self.count, other.count)
            && is_same(self.sum, other.sum)
            && self.buckets.len() == other.buckets.len()
            && self.buckets.iter().zip(&other.buckets).all(is_same_bucket)
    }
}

/// What the words of a stored histogram say, before it is known whether its counts are whole.
#[derive(Default)]
struct Draft {
    schema: i8,
    hint: ResetHint,
    sum: f64,
    zero: (f64, f64),
    bounds: Option<Vec<f64>>,
    positive: BTreeMap<i64, f64>,
    negative: BTreeMap<i64, f64>,
    count: Option<f64>,
    is_float: bool,
}

/// Reads `{schema=0 sum=5 zero=2@0.001 pos=0:1,2/5:3 neg=0:1}` and checks that it can be stored.
pub(crate) fn parse_stored(text: &str) -> Result<NativeHistogram, String> {
    let mut draft = Draft::default();
    for part in inner(text)?.split_whitespace() {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key {
            "schema" => draft.schema = value.parse().map_err(|_| format!("'{value}' is not a schema"))?,
            "sum" => draft.sum = number(value)?,
            "count" => draft.count = Some(number(value)?),
            "zero" => {
                let (count, width) = value.split_once('@').ok_or("'zero' is COUNT@THRESHOLD")?;
                draft.zero = (number(count)?, number(width)?);
            }
            "bounds" => draft.bounds = Some(value.split(',').map(number).collect::<Result<_, _>>()?),
            "pos" => draft.positive = indexed(value)?,
            "neg" => draft.negative = indexed(value)?,
            "hint" => {
                let hint = ResetHint::ALL.into_iter().find(|hint| hint.as_str() == value);
                draft.hint = hint.ok_or_else(|| format!("'{value}' is none of reset, no_reset and gauge"))?;
            }
            "float" => draft.is_float = true,
            _ => return Err(format!("'{part}' is not known in a histogram")),
        }
    }
    let histogram = draft.histogram();
    histogram.validate().map_err(|error| error.to_string())?;
    Ok(histogram)
}

impl Draft {
    fn histogram(self) -> NativeHistogram {
        let buckets: Vec<f64> = self.positive.values().chain(self.negative.values()).copied().collect();
        let count = self.count.unwrap_or(self.zero.0 + buckets.iter().sum::<f64>());
        let float = BucketCounts {
            count,
            zero: self.zero.0,
            positive: self.positive.values().copied().collect(),
            negative: self.negative.values().copied().collect(),
        };
        let is_whole = !self.is_float && buckets.iter().chain([&count, &self.zero.0]).all(|c| c.fract() == 0.0);
        NativeHistogram {
            schema: if self.bounds.is_some() { CUSTOM_BUCKETS } else { self.schema },
            reset_hint: self.hint,
            start_ms: None,
            sum: self.sum,
            zero_threshold: self.zero.1,
            custom_bounds: self.bounds.unwrap_or_default(),
            positive_spans: spans_of(self.positive.keys().copied()),
            negative_spans: spans_of(self.negative.keys().copied()),
            counts: if is_whole { Counts::Integer(whole(&float)) } else { Counts::Float(float) },
        }
    }
}

fn whole(counts: &BucketCounts<f64>) -> BucketCounts<u64> {
    let all = |counts: &[f64]| counts.iter().map(|count| *count as u64).collect();
    BucketCounts {
        count: counts.count as u64,
        zero: counts.zero as u64,
        positive: all(&counts.positive),
        negative: all(&counts.negative),
    }
}

/// Reads `0:1,2/5:3`: the buckets 0 and 1 hold 1 and 2, bucket 5 holds 3.
fn indexed(text: &str) -> Result<BTreeMap<i64, f64>, String> {
    let mut buckets = BTreeMap::new();
    for run in text.split('/') {
        let wrong = || format!("'{run}' is not INDEX:COUNT,COUNT…");
        let (first, counts) = run.split_once(':').ok_or_else(wrong)?;
        let first: i64 = first.parse().map_err(|_| wrong())?;
        for (index, count) in (first..).zip(counts.split(',')) {
            buckets.insert(index, number(count)?);
        }
    }
    Ok(buckets)
}

/// The histogram that has the observations of two of the same layout; the hint is that of the second.
pub(crate) fn sum(first: &NativeHistogram, more: &NativeHistogram) -> Result<NativeHistogram, String> {
    let layout = |h: &NativeHistogram| (h.schema, h.positive_spans.clone(), h.negative_spans.clone());
    if layout(first) != layout(more) || first.custom_bounds != more.custom_bounds {
        return Err("a histogram is added to one with other buckets".into());
    }
    let counts = match (&first.counts, &more.counts) {
        (Counts::Integer(a), Counts::Integer(b)) => Counts::Integer(add(a, b)),
        (Counts::Float(a), Counts::Float(b)) => Counts::Float(add(a, b)),
        _ => return Err("a histogram of floats is added to one of integers, or the other way round".into()),
    };
    Ok(NativeHistogram { sum: first.sum + more.sum, counts, reset_hint: more.reset_hint, ..first.clone() })
}

fn add<T: Copy + std::ops::Add<Output = T>>(a: &BucketCounts<T>, b: &BucketCounts<T>) -> BucketCounts<T> {
    let all = |a: &[T], b: &[T]| a.iter().zip(b).map(|(a, b)| *a + *b).collect();
    BucketCounts {
        count: a.count + b.count,
        zero: a.zero + b.zero,
        positive: all(&a.positive, &b.positive),
        negative: all(&a.negative, &b.negative),
    }
}

fn inner(text: &str) -> Result<&str, String> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.ok_or_else(|| format!("'{text}' is not a histogram in braces"))
}
