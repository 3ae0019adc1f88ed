//! Pages of exposition as protobuf, good and bad.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use decode::Limits;
use decode::metric_families::{self, Histograms};
use model::batch::{Batch, Kind};
use model::histogram::{BucketCounts, Counts, ResetHint};
use model::labels::LabelsBuilder;
use model::time::MAX_TIME_MS;
use model::{ErrorKind, SeriesKey};

use crate::cases::ANSWER_MS;
use crate::samples::{Message, label, span};
use crate::server::Prometheus;

pub(crate) const CLASSIC: Histograms = Histograms { native: false, classic_too: false };
pub(crate) const NATIVE: Histograms = Histograms { native: true, classic_too: false };
pub(crate) const BOTH: Histograms = Histograms { native: true, classic_too: true };

/// A family as it stands on a page, its length before it.
fn family(name: &str, form: u64, metrics: impl IntoIterator<Item = Message>) -> Vec<u8> {
    let family = Message::default().bytes(1, name).bytes(2, "Help \\n it.").varint(3, form);
    delimited(metrics.into_iter().fold(family, |family, metric| family.bytes(4, metric)))
}

fn delimited(message: Message) -> Vec<u8> {
    // The field's number is one byte, and what is behind it is what a stream has.
    Message::default().bytes(1, message).0[1..].to_vec()
}

fn timestamp(seconds: u64, nanos: u64) -> Message {
    Message::default().varint(1, seconds).varint(2, nanos)
}

fn exemplar(id: &str) -> Message {
    Message::default().bytes(1, label("trace_id", id)).double(2, 0.5)
}

/// Two classic buckets and a native half, each with an exemplar.
fn histogram() -> Message {
    let first = Message::default().varint(1, 3).double(2, 0.5).bytes(3, exemplar("untimed"));
    let timed = exemplar("timed").bytes(3, timestamp(7, 5_999_999));
    let second = Message::default().varint(1, 5).double(2, 1e6).bytes(3, timed);
    let histogram = Message::default().varint(1, 6).double(2, 9.5).bytes(3, first).bytes(3, second);
    let histogram = histogram.varint(5, 4).double(6, 1e-128).varint(7, 1);
    let histogram = histogram.bytes(9, span(0, 1)).varint(10, 4).bytes(12, span(-3, 0)).bytes(12, span(1, 2));
    histogram.varint(13, 4).varint(13, 1).bytes(15, timestamp(3, 0))
}

/// A page with every form that a metric has.
pub(crate) fn page() -> Vec<u8> {
    let a = || Message::default().bytes(1, label("a", "x\\n\"é\""));
    let counter = Message::default().double(1, 7.0).bytes(2, exemplar("c")).bytes(3, timestamp(2, 500_000_000));
    let quantile = Message::default().double(1, 0.99).double(2, 3.0);
    let summary = Message::default().varint(1, 4).double(2, 8.0).bytes(3, quantile).bytes(4, timestamp(1, 0));
    let float = Message::default().double(4, 2.5).double(2, 1.0).varint(5, 0).bytes(12, span(0, 1));
    let float = float.bytes(14, 2.5f64.to_le_bytes());
    [
        family("requests_total", 0, [a().bytes(3, counter), Message::default().bytes(3, "").varint(6, 99)]),
        family("temperature", 1, [a().bytes(2, Message::default().double(1, -0.0))]),
        family("latency", 2, [a().bytes(4, summary)]),
        family("odd.name", 3, [Message::default().bytes(5, Message::default().double(1, f64::NAN))]),
        family("size", 4, [a().bytes(7, histogram())]),
        family("load", 5, [a().bytes(7, float)]),
        family("nothing", 1, []),
    ]
    .concat()
}

fn decode(page: impl Into<Bytes>, wanted: Histograms) -> Result<Batch, decode::Error> {
    metric_families::decode(&page.into(), ANSWER_MS, wanted, &Limits::default())
}

fn keys(batch: &Batch) -> Vec<SeriesKey> {
    let mut builder = LabelsBuilder::default();
    (0..batch.series.len()).map(|index| batch.key(index, &mut builder).unwrap()).collect()
}

/// `name{le or quantile}` of each sample with its value, as text.
fn rows(batch: &Batch) -> Vec<String> {
    let keys = keys(batch);
    let row = |sample: &model::batch::Sample| {
        let key = &keys[sample.series as usize];
        let extra = ["le", "quantile"].iter().find_map(|name| key.labels.get(name)).unwrap_or("");
        format!("{}{{{extra}}} {}", key.name, sample.value)
    };
    batch.samples.iter().map(row).collect()
}

const OTHERS: [&str; 7] = [
    "requests_total{} 7",
    "requests_total{} 0",
    "temperature{} -0",
    "latency_count{} 4",
    "latency_sum{} 8",
    "latency{0.99} 3",
    "odd.name{} NaN",
];
const SIZE: [&str; 5] =
    ["size_count{} 6", "size_sum{} 9.5", "size_bucket{0.5} 3", "size_bucket{1e+06} 5", "size_bucket{+Inf} 6"];
const LOAD: [&str; 3] = ["load_count{} 2.5", "load_sum{} 1", "load_bucket{+Inf} 2.5"];

#[test]
fn a_whole_page_is_read() {
    for (wanted, expected, histograms) in [
        (CLASSIC, [&OTHERS[..], &SIZE, &LOAD].concat(), 0),
        (NATIVE, OTHERS.to_vec(), 2),
        (BOTH, [&OTHERS[..], &SIZE].concat(), 2),
    ] {
        let batch = decode(page(), wanted).unwrap();
        assert_eq!(
            (rows(&batch), batch.histograms.len()),
            (expected.iter().map(|row| (*row).to_owned()).collect(), histograms)
        );
        let times: Vec<i64> = batch.samples.iter().take(3).map(|sample| sample.time_ms).collect();
        assert_eq!(times, [ANSWER_MS, 99, ANSWER_MS]);
        let said: Vec<_> = batch.metadata.iter().map(|m| (&*m.name, m.kind, &*m.help)).collect();
        let (help, h) = ("Help \\n it.", Kind::Histogram);
        let expected = [("requests_total", Kind::Counter), ("temperature", Kind::Gauge), ("latency", Kind::Summary)];
        let expected = [&expected[..], &[("odd.name", Kind::Unknown), ("size", h), ("load", h)]].concat();
        assert_eq!(said, expected.into_iter().map(|(name, kind)| (name, kind, help)).collect::<Vec<_>>());
        assert_eq!(keys(&batch)[0].labels.get("a"), Some("x\\n\"é\""));
        assert_eq!(batch.series[3].kind, Kind::Summary);
    }
}

#[test]
fn native_histograms_are_read() {
    let batch = decode(page(), NATIVE).unwrap();
    let keys = keys(&batch);
    let [size, load] = &batch.histograms[..] else { panic!("{:?}", batch.histograms) };
    assert_eq!(keys[size.series as usize].name.as_ref(), "size");
    assert_eq!((size.time_ms, size.value.schema, size.value.sum), (ANSWER_MS, 2, 9.5));
    assert_eq!((size.value.zero_threshold, size.value.start_ms), (1e-128, Some(3000)));
    let counts = BucketCounts { count: 6, zero: 1, positive: vec![2, 1], negative: vec![2] };
    assert_eq!(size.value.counts, Counts::Integer(counts));
    // The span of no buckets is gone, and what it moved is not.
    assert_eq!((size.value.positive_spans.len(), size.value.positive_spans[0].offset), (1, -2));
    assert_eq!((load.value.reset_hint, load.value.start_ms), (ResetHint::Gauge, None));
    let counts = BucketCounts { count: 2.5, zero: 0.0, positive: vec![2.5], negative: vec![] };
    assert_eq!(load.value.counts, Counts::Float(counts));
    // A native histogram without observations is one.
    let empty = family("h", 4, [Message::default().bytes(7, Message::default().bytes(12, ""))]);
    assert_eq!(decode(empty, NATIVE).unwrap().histograms[0].value.buckets(), 0);
    // And what has no native part is classic, whatever is wanted.
    let classic = family("h", 4, [Message::default().bytes(7, Message::default().varint(1, 2))]);
    assert_eq!(rows(&decode(classic, BOTH).unwrap()), ["h_count{} 2", "h_sum{} 0", "h_bucket{+Inf} 2"]);
}

#[test]
fn exemplars_and_starts_are_those_of_their_series() {
    let batch = decode(page(), BOTH).unwrap();
    let keys = keys(&batch);
    let of = |series: u32| {
        let key = &keys[series as usize];
        format!("{}{{{}}}", key.name, key.labels.get("le").unwrap_or(""))
    };
    let exemplars: Vec<_> =
        batch.exemplars.iter().map(|e| (of(e.series), e.labels[0].1.as_str(), e.time_ms, e.value)).collect();
    let expected = [
        ("requests_total{}", "c", ANSWER_MS, 0.5),
        ("size_bucket{0.5}", "untimed", ANSWER_MS, 0.5),
        ("size_bucket{1e+06}", "timed", 7005, 0.5),
        ("size{}", "timed", 7005, 0.5),
    ];
    assert_eq!(exemplars, expected.map(|(series, id, time_ms, value)| (series.to_owned(), id, time_ms, value)));
    let starts: Vec<_> = batch.starts.iter().map(|start| (of(start.series), start.start_ms)).collect();
    let expected = [
        ("requests_total{}", 2500),
        ("latency_count{}", 1000),
        ("latency_sum{}", 1000),
        ("size_count{}", 3000),
        ("size_sum{}", 3000),
        ("size_bucket{0.5}", 3000),
        ("size_bucket{1e+06}", 3000),
        ("size_bucket{+Inf}", 3000),
    ];
    assert_eq!(starts, expected.map(|(series, start_ms)| (series.to_owned(), start_ms)));
    // Exemplars of the histogram itself take the place of those of its buckets, and need a time.
    let own = histogram().bytes(16, exemplar("untimed")).bytes(16, exemplar("own").bytes(3, timestamp(9, 0)));
    let batch = decode(family("h", 4, [Message::default().bytes(7, own)]), NATIVE).unwrap();
    let exemplars: Vec<_> = batch.exemplars.iter().map(|e| (e.labels[0].1.as_str(), e.time_ms)).collect();
    assert_eq!(exemplars, [("own", 9000)]);
    let long = exemplar(&"x".repeat(121));
    let counter = Message::default().bytes(3, Message::default().bytes(2, long));
    assert!(decode(family("c", 0, [counter]), NATIVE).unwrap().exemplars.is_empty());
}

#[test]
fn what_is_refused_says_why() {
    let gauge = || Message::default().bytes(2, "");
    let metric = |metric: Message| family("f", 1, [metric]);
    let long = "x".repeat(17 << 10);
    let h = |histogram: Message| family("f", 4, [Message::default().bytes(7, histogram)]);
    let huge = timestamp(u64::MAX / 2, 0);
    let many = (0..65).fold(gauge(), |metric, n| metric.bytes(1, label(format!("l{n}"), "")));
    let cases = [
        (family("", 1, [gauge()]), ErrorKind::Invalid, "a family has no name"),
        (family("f", 6, [gauge()]), ErrorKind::Invalid, "family \"f\" has the type 6"),
        (family("f", 0, [gauge()]), ErrorKind::Invalid, "a metric of family \"f\" has no counter"),
        (family("f", 4, [gauge()]), ErrorKind::Invalid, "a metric of family \"f\" has no histogram"),
        (metric(gauge().bytes(1, label("", "1"))), ErrorKind::Invalid, "a label called \"\""),
        (metric(gauge().bytes(1, label("__name__", "1"))), ErrorKind::Invalid, "a label called \"__name__\""),
        (metric(gauge().bytes(1, label("a", "1")).bytes(1, label("a", "2"))), ErrorKind::Invalid, "\"a\" comes twice"),
        (metric(gauge().bytes(1, label("a", b"\xff"))), ErrorKind::Invalid, "the value of a label is not UTF-8"),
        (metric(gauge().bytes(1, label(b"\xff", "a"))), ErrorKind::Invalid, "the name of a label is not UTF-8"),
        (metric(gauge().bytes(1, label("a", &long))), ErrorKind::TooLarge, "the value of a label has 17408 bytes"),
        (metric(many), ErrorKind::TooLarge, "more than 64 labels"),
        (metric(gauge().varint(6, MAX_TIME_MS as u64 + 1)), ErrorKind::Invalid, "of f is outside years 1 to 9999"),
        (metric(gauge().varint(2, 1)), ErrorKind::Invalid, "field 2 of Metric"),
        (family(&long, 1, [gauge()]), ErrorKind::TooLarge, "the name of a family has 17408 bytes"),
        (h(histogram().varint(1, 99)), ErrorKind::Invalid, "counts 99 observations, its buckets 6, in series f"),
        (h(histogram().varint(5, 18)), ErrorKind::Invalid, ""),
        (h(Message::default().bytes(15, &huge)), ErrorKind::Invalid, "a start timestamp is outside"),
        (h(Message::default().varint(3, 1)), ErrorKind::Invalid, "field 3 of Histogram"),
        (b"\x05abc".to_vec(), ErrorKind::Invalid, "a message is longer than what is left (byte 0"),
        (b"# TYPE f gauge\nf 1\n".to_vec(), ErrorKind::Invalid, "byte "),
    ];
    for (page, kind, part) in cases {
        let result = decode(page, BOTH);
        if part.is_empty() {
            assert!(result.is_ok(), "a schema of 9 is made coarser: {result:?}");
            continue;
        }
        let error = result.unwrap_err();
        assert!(error.kind() == kind && error.message().contains(part), "{part}: {error}");
    }
    let quantile = Message::default().bytes(3, "");
    let summary = Message::default().bytes(1, label("quantile", "1")).bytes(4, quantile);
    let error = decode(family("f", 2, [summary]), BOTH).unwrap_err();
    assert!(error.message().contains("has a label quantile of its own"), "{error}");
    assert!(decode("", BOTH).unwrap().is_empty());
}

#[test]
fn small_pages_that_ask_for_much_are_refused() {
    let limits = Limits { max_rows: 1000, max_decoded_bytes: 1 << 20, ..Limits::default() };
    let refused = |page: Vec<u8>, part: &str| {
        let error = metric_families::decode(&page.into(), ANSWER_MS, BOTH, &limits).unwrap_err();
        assert!(error.kind() == ErrorKind::TooLarge && error.message().contains(part), "{part}: {error}");
    };
    let metrics = |metric: Message, count| family("f", 4, (0..count).map(|_| metric.clone()));
    refused(metrics(Message::default().bytes(7, ""), 400), "more than 1000");
    // One metric whose buckets each have its labels.
    let buckets = (0..200).fold(Message::default(), |histogram, _| histogram.bytes(3, ""));
    let labelled = Message::default().bytes(1, label("a", "x".repeat(16 << 10))).bytes(7, buckets);
    refused(metrics(labelled, 1), "more than 1048576 bytes of labels");
    let deltas = Message::default().bytes(13, vec![0; 5000]).bytes(12, "");
    refused(metrics(Message::default().bytes(7, deltas), 1), "more than 1000");
    let families = (0..1001).map(|n| family(&format!("f{n}"), 1, [Message::default().bytes(2, "")]));
    refused(families.collect::<Vec<_>>().concat(), "more than 1000");
}

/// Every sample of a batch, its series as text with numbers of `le` and `quantile` as numbers. Of gauges only that they
/// are there: one that is the same twice may have been another in between.
fn samples(batch: &Batch) -> BTreeMap<String, u64> {
    let keys = keys(batch);
    let row = |sample: &model::batch::Sample| {
        let key = &keys[sample.series as usize];
        let label = |(name, value): (&str, &str)| match name {
            "le" | "quantile" => format!("{name}={:?}", value.parse::<f64>().unwrap()),
            _ => format!("{name}={value}"),
        };
        let labels: Vec<String> = key.labels.iter().map(label).collect();
        let grows =
            matches!(batch.series[sample.series as usize].kind, Kind::Counter | Kind::Histogram | Kind::Summary);
        let bits = if grows { sample.value.to_bits() } else { 0 };
        (format!("{}{{{}}}", key.name, labels.join(",")), bits)
    };
    batch.samples.iter().map(row).collect()
}

/// The installed Prometheus says the same of itself in both forms, read by both decoders; `PROMETHEUS` names another one.
#[test]
fn a_page_of_the_installed_prometheus_says_what_its_text_says() {
    let config = "global: {scrape_interval: 1s}\n";
    let server = Prometheus::start(tempfile::tempdir().unwrap(), config, &[]);
    let page = |accept: &str| server.request("GET", "/metrics", &[("Accept", accept)], b"").unwrap();
    let text = || {
        let page = page("text/plain;version=0.0.4").body().into();
        decode::text::decode(&page, ANSWER_MS, &Limits::default()).unwrap()
    };
    // The server marks the end of its start in numbers of its own: twice, so that all families are there.
    text();
    let before = text();
    let proto = page("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited");
    assert!(proto.content_type.starts_with("application/vnd.google.protobuf"), "{}", proto.content_type);
    let after = text();
    let proto = Bytes::from(proto.body());
    for wanted in [CLASSIC, BOTH] {
        let proto = decode(proto.clone(), wanted).unwrap();
        let said = |batch: &Batch| {
            let said = batch.metadata.iter().map(|m| (m.name.clone(), m.kind.as_str(), m.help.clone()));
            said.collect::<BTreeSet<_>>()
        };
        assert!(said(&before).is_subset(&said(&proto)) && proto.metadata.len() > 50);
        let (before, after, found) = (samples(&before), samples(&after), samples(&proto));
        // What says the same before and after has not changed in between.
        let still: Vec<_> = before.iter().filter(|(series, value)| after.get(*series) == Some(value)).collect();
        assert!(still.len() > 250, "{} of {}", still.len(), before.len());
        let missing: Vec<_> = still.iter().filter(|(series, value)| found.get(*series) != Some(value)).collect();
        // A histogram with native buckets alone has a classic one in text, and none where both forms are wanted.
        let names = keys(&proto);
        let native: Vec<String> =
            proto.histograms.iter().map(|h| format!("{}_", names[h.series as usize].name)).collect();
        let missing = missing.iter().filter(|(series, _)| !native.iter().any(|name| series.starts_with(name)));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&(&String, &u64)>::new(), "{wanted:?}");
        let unknown: Vec<_> = found.keys().filter(|series| !after.contains_key(*series)).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{wanted:?}");
    }
}
