//! The recorded series as those of many instances, with labels as Kubernetes adds them.
//!
//! Samples are re-stamped to one every 15 s. Compression across series must not find the same run twice, as it would not
//! in a real fleet: every step from one value to the next is the recorded one times a random factor of 0.5 to 1.5 that
//! differs by instance, in the decimals and the common divisor of the series; what stands still stands still everywhere.

use std::collections::BTreeMap;
use std::ops::Range;

use model::batch::{BatchBuilder, Kind};
use model::time::DAY_MS;
use model::{Batch, Clock, SystemClock};

use crate::Fault;
use crate::scrapes::{SCRAPES, Scrapes};
use crate::wire;

/// The time between two samples of a series.
pub(crate) const STEP_MS: i64 = 15_000;
/// The most samples that a series has.
pub(crate) const MAX_SAMPLES: usize = 480;
/// Instances that start at different scrapes.
const SHIFTS: usize = SCRAPES - MAX_SAMPLES - 1;

/// One series of one instance.
#[derive(Debug)]
pub(crate) struct Series {
    /// Sorted by name, `__name__` and `cluster` among them.
    pub(crate) labels: Vec<(String, String)>,
    /// The same as remote write has it.
    pub(crate) wire: Vec<u8>,
    values: Box<[f64]>,
}

impl Series {
    /// The value of the `i`-th sample.
    pub(crate) fn value(&self, i: usize) -> f64 {
        self.values[i]
    }

    /// The value of a label.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
    }
}

/// What was recorded of one series.
#[derive(Debug)]
struct Recorded {
    text: String,
    values: Vec<f64>,
    /// The values as integers over a power of ten, and what all steps are multiples of, where they can be had.
    decimals: Option<(Vec<i64>, i8, i64)>,
}

impl Recorded {
    fn new(text: &str, values: Vec<f64>) -> Self {
        let samples: Vec<(i64, u64)> = (0..).zip(values.iter().map(|value| value.to_bits())).collect();
        let mut mantissas = Vec::new();
        let decimals = storage::block::mantissa::encode(&samples, &mut mantissas).map(|scale| {
            let divisor = mantissas.windows(2).map(|pair| pair[1] - pair[0]).fold(0, gcd);
            (mantissas, scale, divisor.max(1))
        });
        Recorded { text: text.to_owned(), values, decimals }
    }

    /// The first `samples` values of an instance.
    fn of_instance(&self, instance: usize, samples: usize, random: &mut Random) -> Box<[f64]> {
        let shift = instance % SHIFTS;
        let Some((mantissas, scale, divisor)) = &self.decimals else {
            let factor = 1.0 + instance as f64 / 1000.0;
            return self.values[shift..shift + samples].iter().map(|value| value * factor).collect();
        };
        let mut at = mantissas[shift];
        let mut values = Vec::with_capacity(samples);
        for pair in mantissas[shift..=shift + samples].windows(2) {
            values.push(at as f64 / 10f64.powi(i32::from(*scale)));
            let steps = ((pair[1] - pair[0]) / divisor) as f64;
            at += (steps * (0.5 + random.fraction())).round() as i64 * divisor;
        }
        values.into()
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

/// Numbers that are the same in every run.
///
/// Source: `splitmix64` of Sebastiano Vigna, in the public domain.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From 0 to below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// All series of all instances, instance by instance.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) series: Vec<Series>,
    /// The time of the first sample of each series.
    pub(crate) start_ms: i64,
}

impl Fleet {
    /// `instances` machines, each with a node exporter and a Prometheus; `samples` of each series, [`MAX_SAMPLES`] at most.
    pub(crate) fn new(scrapes: &Scrapes, instances: usize, samples: usize, start_ms: i64) -> Result<Self, Fault> {
        let node = read(&scrapes.node)?;
        let prometheus = read(&scrapes.prometheus)?;
        let (mut series, mut random) = (Vec::new(), Random(0));
        for instance in 0..instances {
            for (program, recorded) in [("node-exporter", &node), ("prometheus", &prometheus)] {
                for recorded in recorded {
                    let mut labels = labels_of(&recorded.text)?;
                    labels.extend(target(program, instance));
                    labels.sort();
                    let wire = wire::labels(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                    let values = recorded.of_instance(instance, samples, &mut random);
                    series.push(Series { labels, wire, values });
                }
            }
        }
        Ok(Fleet { series, start_ms })
    }

    /// The time of the `i`-th sample.
    pub(crate) fn time_ms(&self, i: usize) -> i64 {
        self.start_ms + i as i64 * STEP_MS
    }

    /// The samples `samples` of the series `series`, as a collector hands them to the store.
    pub(crate) fn batch(&self, series: Range<usize>, samples: Range<usize>) -> Batch {
        let mut builder = BatchBuilder::default();
        for series in &self.series[series] {
            let labels: Vec<(&str, &str)> = series
                .labels
                .iter()
                .filter(|(name, _)| name != "__name__")
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let index = builder.series(series.label("__name__"), &labels, Kind::Unknown);
            for i in samples.clone() {
                builder.sample(index, self.time_ms(i), series.value(i));
            }
        }
        builder.build()
    }

    /// The same as the body of a remote write.
    pub(crate) fn request(&self, series: Range<usize>, samples: Range<usize>) -> Result<Vec<u8>, Fault> {
        let mut request = wire::Request::default();
        for series in &self.series[series] {
            let of_series = samples.clone().map(|i| (self.time_ms(i), series.value(i)));
            request.push(&series.wire, of_series);
        }
        Ok(request.compressed()?)
    }

    /// Ranges that cover all series, each of at most `size`.
    pub(crate) fn chunks(&self, size: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let all = self.series.len();
        (0..all).step_by(size).map(move |start| start..all.min(start + size))
    }
}

/// What Kubernetes and its operators add to every series of a program.
fn target(program: &str, instance: usize) -> Vec<(String, String)> {
    let tag = (instance as u64 + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (port, name) = match program {
        "prometheus" => ("18:9090", "http-web"),
        _ => ("17:9100", "http-metrics"),
    };
    [
        ("job", program.to_owned()),
        ("cluster", ["east", "west"][instance % 2].to_owned()),
        ("namespace", "monitoring".to_owned()),
        ("endpoint", name.to_owned()),
        ("container", program.to_owned()),
        ("service", format!("kube-prometheus-stack-{program}")),
        ("instance", format!("10.42.{instance}.{port}")),
        ("pod", format!("{program}-{:05x}", tag >> 44)),
        ("node", format!("ip-10-0-{instance}-{}.eu-central-1.compute.internal", tag >> 56)),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .into()
}

/// Takes `name{label="value",…}` apart. The recorded values hold no quote and no backslash.
fn labels_of(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let (name, labels) = text.split_once('{').unwrap_or((text, ""));
    let mut found = vec![("__name__".to_owned(), name.to_owned())];
    let mut rest = labels.trim_end_matches('}');
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').ok_or("a label value does not end")?;
        if !value.is_empty() {
            found.push((label.to_owned(), value.to_owned()));
        }
        rest = after.trim_start_matches(',');
    }
    Ok(found)
}

/// The series that are in every page.
fn read(pages: &[String]) -> Result<Vec<Recorded>, Fault> {
    let mut series: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (number, page) in pages.iter().enumerate() {
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (text, value) = line.rsplit_once(' ').ok_or("a line has no value")?;
            let values = series.entry(text).or_default();
            if values.len() == number {
                values.push(value.parse()?);
            }
        }
    }
    let whole = series.into_iter().filter(|(text, values)| values.len() == pages.len() && !text.contains('\\'));
    Ok(whole.map(|(text, values)| Recorded::new(text, values)).collect())
}

/// Noon of yesterday (UTC): a whole number of quarter-hours, all of one day, and near enough for every peer.
pub(crate) fn yesterday_noon_ms() -> i64 {
    (SystemClock.now_ms() / DAY_MS - 1) * DAY_MS + DAY_MS / 2
}
