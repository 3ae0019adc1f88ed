//! What is sent, and how the log writes it.

use std::fmt;

/// What a series is. Counters say since when they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Gauge,
    Counter,
    Histogram,
}

impl Kind {
    /// Its word in the tables.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        }
    }
}

/// One row of a series, and an exemplar of the same time if it has one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) series: u64,
    pub(crate) time_ms: i64,
    pub(crate) start_ms: Option<i64>,
    pub(crate) value: Value,
    pub(crate) exemplar: Option<Exemplar>,
}

/// A log row or a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) time_ms: i64,
    /// A number that no other one has: its text, and what its ids are made of.
    pub(crate) number: u64,
}

impl Record {
    /// The name of a span, which its line repeats if it is a log row.
    pub(crate) fn text(self) -> String {
        format!("{:016x}", self.number)
    }

    /// The line of a log row: so long that logs are soon as many as a block should have.
    pub(crate) fn line(self) -> String {
        self.text().repeat(30)
    }

    /// Its trace, which tells who sent it.
    pub(crate) fn trace_id(self, connection: u64) -> u128 {
        u128::from(connection + 1) << 64 | u128::from(self.number)
    }

    /// How long a span takes, in nanoseconds.
    pub(crate) fn duration_nanos(self) -> u64 {
        self.number % 1_000_000_007
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Histogram(Histogram),
}

/// An observation that points at a trace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) value: f64,
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// Its one further label, `draw`.
    pub(crate) draw: u64,
}

impl Exemplar {
    pub(crate) fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    pub(crate) fn span_id(&self) -> String {
        format!("{:016x}", self.span_id)
    }
}

/// A native histogram; bucket `i` ends at `2^(i * 2^-schema)`, or at bound `i` if it has bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    /// Unknown, reset, no reset, gauge.
    pub(crate) hint: u8,
    pub(crate) schema: i8,
    pub(crate) zero_threshold: f64,
    pub(crate) sum: f64,
    pub(crate) zero: u64,
    /// Index and observations of each bucket with any, ascending.
    pub(crate) positive: Vec<(i64, u64)>,
    pub(crate) negative: Vec<(i64, u64)>,
    pub(crate) bounds: Vec<f64>,
    /// All counts are floats, and a half of what stands here.
    pub(crate) is_float: bool,
}

/// The schema of histograms with bounds of their own.
pub(crate) const CUSTOM: i8 = -53;

impl Histogram {
    /// All observations.
    pub(crate) fn count(&self) -> u64 {
        self.zero + self.positive.iter().chain(&self.negative).map(|(_, count)| count).sum::<u64>()
    }

    /// A count of a histogram of floats.
    pub(crate) fn halved(count: u64) -> f64 {
        count as f64 / 2.0
    }

    fn count_text(&self, count: u64) -> String {
        if self.is_float { format!("x{:016x}", Self::halved(count).to_bits()) } else { count.to_string() }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(value) => write!(f, "{:016x}", value.to_bits()),
            Value::Histogram(histogram) => histogram.fmt(f),
        }
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hint = ["unknown", "reset", "no_reset", "gauge"][usize::from(self.hint)];
        let side = |side: &[(i64, u64)]| {
            let bucket = |(index, count): &(i64, u64)| format!("{index}={}", self.count_text(*count));
            side.iter().map(bucket).collect::<Vec<_>>().join(",")
        };
        let bounds: Vec<String> = self.bounds.iter().map(|bound| format!("{:016x}", bound.to_bits())).collect();
        let (threshold, sum) = (self.zero_threshold.to_bits(), self.sum.to_bits());
        let (count, zero) = (self.count_text(self.count()), self.count_text(self.zero));
        let (positive, negative, bounds) = (side(&self.positive), side(&self.negative), bounds.join(","));
        write!(f, "{hint}:{}:{threshold:016x}:{sum:016x}:{count}:{zero}:{positive}:{negative}:{bounds}", self.schema)
    }
}

impl fmt::Display for Exemplar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}:{}:{}:{}", self.value.to_bits(), self.trace_id(), self.span_id(), self.draw)
    }
}
