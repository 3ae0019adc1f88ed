//! Selectors of the series that both have.

use super::generator::Generator;
use super::numbers::{Numbers, Precision};
use super::vector::{Form, Name, Vector};

/// A metric of the data.
struct Metric {
    name: &'static str,
    labels: &'static [&'static str],
    key: &'static [&'static str],
    numbers: Numbers,
    is_distinct: bool,
    /// What narrows it.
    matchers: &'static [&'static str],
}

const NODE: [&str; 4] =
    [r#"cluster="berlin""#, r#"instance=~"[ab]:.*""#, r#"instance!="c:9100""#, r#"cluster!~"ber.*""#];
const TEMPERATURES: Numbers =
    Numbers { precision: Precision::Exact { whole: 7, fraction: 10 }, is_positive: false, is_finite: true };

const METRICS: [Metric; 6] = [
    Metric {
        name: "temperature",
        labels: &["cluster", "instance", "job"],
        key: &["cluster", "instance"],
        numbers: TEMPERATURES,
        is_distinct: true,
        matchers: &NODE,
    },
    Metric {
        name: "up",
        labels: &["cluster", "instance", "job"],
        key: &["cluster", "instance"],
        numbers: Numbers::whole(1),
        is_distinct: false,
        matchers: &NODE,
    },
    Metric {
        name: "requests_total",
        labels: &["cluster", "code", "instance", "job"],
        key: &["cluster", "code", "instance"],
        numbers: Numbers::whole(22),
        is_distinct: false,
        matchers: &[NODE[0], NODE[1], r#"code="500""#, r#"code!~"2..""#, r#"code=~"200|404",job="api""#],
    },
    Metric {
        name: "latency_seconds_bucket",
        labels: &["cluster", "instance", "job", "le"],
        key: &["cluster", "instance", "le"],
        numbers: Numbers::whole(22),
        is_distinct: true,
        matchers: &[NODE[0], NODE[2], r#"le="+Inf""#, r#"le=~"0.*""#],
    },
    Metric {
        name: "churn",
        labels: &["cluster", "kind"],
        key: &["kind"],
        numbers: Numbers::whole(4),
        is_distinct: false,
        matchers: &[r#"kind="holes""#, r#"kind=~"late|holes""#, r#"kind!="ended",instance="""#],
    },
    // Two metrics at once, which their jobs tell apart.
    Metric {
        name: r#"{__name__=~"up|temperature"}"#,
        labels: &["cluster", "instance", "job"],
        key: &["cluster", "instance", "job"],
        numbers: TEMPERATURES,
        is_distinct: false,
        matchers: &[],
    },
];

/// The places in [`METRICS`] of those that only grow.
const COUNTERS: [usize; 2] = [2, 3];

impl Generator<'_> {
    /// Any selector, as it was at another time now and then.
    pub(super) fn selector(&mut self) -> Vector {
        let mut vector = self.bare_selector();
        vector.text += &self.modifiers();
        vector
    }

    /// Any selector without a time.
    pub(super) fn bare_selector(&mut self) -> Vector {
        let place = self.choices.below(METRICS.len());
        self.select(&METRICS[place])
    }

    /// A selector of counters.
    pub(super) fn counters(&mut self) -> Vector {
        let place = self.choices.one(&COUNTERS);
        self.select(&METRICS[place])
    }

    /// The buckets of a histogram.
    pub(super) fn buckets(&mut self) -> Vector {
        let all = &METRICS[COUNTERS[1]];
        // Without one of its buckets a histogram is another one.
        self.select(&Metric { matchers: &NODE, ..*all })
    }

    fn select(&mut self, metric: &Metric) -> Vector {
        let mut text = metric.name.to_owned();
        if !metric.matchers.is_empty() && self.choices.rarely(3) {
            text += &format!("{{{}}}", self.choices.one(metric.matchers));
        }
        Vector {
            text,
            form: Form::Selector,
            labels: metric.labels.iter().copied().collect(),
            key: metric.key.iter().copied().collect(),
            numbers: metric.numbers,
            name: Name::Kept,
            is_distinct: metric.is_distinct,
        }
    }

    /// `offset` and `@`, mostly none.
    pub(super) fn modifiers(&mut self) -> String {
        let offset = match self.choices.below(8) {
            6 => format!(" offset {}", self.choices.one(&["1m", "7m", "20m", "-5m", "90s"])),
            _ => String::new(),
        };
        let at = match self.choices.below(12) {
            10 => format!(" @ {}", self.middle),
            11 => self.choices.one(&[" @ start()", " @ end()"]).to_owned(),
            _ => String::new(),
        };
        if self.choices.rarely(2) { format!("{at}{offset}") } else { format!("{offset}{at}") }
    }
}
