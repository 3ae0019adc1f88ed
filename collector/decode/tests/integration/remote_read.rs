//! Reads the installed Prometheus by remote read: blocks, its head, what it scraped and what was pushed to it.
//!
//! Both ways of answering are compared bit for bit with what was written and with each other, and with what the server
//! says in JSON, where one NaN is as good as another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::RangeInclusive;

use bytes::Bytes;
use decode::Limits;
use decode::body::{ContentEncoding, decompress};
use decode::remote_read::{
    Frames, Matcher, Operator, Part, Query, ResponseType, decode_chunks, decode_samples, encode_request,
};
use model::batch::STALE_NAN_BITS;
use model::{Clock, ErrorKind, SystemClock};

use crate::samples::{Message, label, sample, snappy};
use crate::server::{Answer, Prometheus, create_blocks, serve, wait_for};

/// Name and value of each label, in order of the names.
type Labels = Vec<(String, String)>;
/// Time and bits of each sample of a series.
type Series = BTreeMap<Labels, Vec<(i64, u64)>>;

/// Two that no series has, and one that some have.
const EXTERNAL: [(&str, &str); 3] = [("aa", "first"), ("job", "external"), ("zz", "last")];
const HISTORY: usize = 1200;
const PUSHED: usize = 700;
/// `NormalNaN` in Prometheus' `model/value/value.go`: what it takes for the NaN of a text.
const TEXT_NAN_BITS: u64 = 0x7ff8_0000_0000_0001;
const MINUS_ZERO_BITS: u64 = 1 << 63;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The labels with which a series without a job comes back.
fn with_external(name: &str, case: &str) -> Labels {
    labels(&[("__name__", name), EXTERNAL[0], ("case", case), EXTERNAL[1], EXTERNAL[2]])
}

/// A case and what makes its n-th value.
type Case<T> = (&'static str, fn(usize) -> T);

/// Values that are hard on a packer, all of which a text can say.
fn history_values() -> [Case<f64>; 8] {
    [
        ("flat", |_| 42.5),
        ("counter", |n| ((n % 500) * (n % 500)) as f64),
        ("big", |n| 9_007_199_254_740_992.0 + (n * 7919) as f64 * 2.0),
        ("signs", |n| if n % 3 == 0 { 0.0 } else { -0.0 }),
        ("specials", |n| [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0, f64::NAN][n % 5]),
        ("subnormal", |n| f64::from_bits((n % 7) as u64 * 0x1234_5678 + 1)),
        ("tenths", |n| n as f64 / 10.0),
        ("wild", |n| Some(f64::from_bits(mixed(n))).filter(|value| value.is_finite()).unwrap_or(1e308)),
    ]
}

/// Bits of any value, the same for the same number.
fn mixed(n: usize) -> u64 {
    (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9) << 17
}

/// Seven hours of samples that ended two hours ago, as text and as what they are.
fn history(now_ms: i64) -> (String, Series) {
    let (mut text, mut expected) = (String::new(), Series::new());
    for (case, value) in history_values() {
        let series = expected.entry(with_external("history", case)).or_default();
        for n in 0..HISTORY {
            // Mostly the same step, at times an odd one, once a long gap.
            let odd_ms = if n % 50 == 0 { n as i64 % 977 } else { 0 };
            let gap_ms = if n > HISTORY / 2 { 1_800_000 } else { 0 };
            let time_ms = now_ms - 9 * 3_600_000 + n as i64 * 19_001 + odd_ms + gap_ms;
            let (seconds, value) = (format!("{}.{:03}", time_ms / 1000, time_ms % 1000), value(n));
            let shown = match value {
                value if value.is_nan() => "NaN".to_owned(),
                value if value.is_infinite() => format!("{value:+}").to_lowercase(),
                value => format!("{value:e}"),
            };
            writeln!(text, "history{{case=\"{case}\"}} {shown} {seconds}").unwrap();
            let bits = if value.is_nan() { TEXT_NAN_BITS } else { value.to_bits() };
            // As the tool does: seconds as a double, cut to whole milliseconds.
            series.push(((seconds.parse::<f64>().unwrap() * 1000.0) as i64, bits));
        }
    }
    (text + "# EOF\n", expected)
}

/// Half an hour of samples that no text can say, as a remote-write request and as what they are.
fn pushed(now_ms: i64) -> (Vec<u8>, Series) {
    let values: [Case<u64>; 3] = [
        ("payloads", |n| 0x7ff0_0000_0000_0001 + (n as u64 % 2) * (1 << 63) + (n as u64 * 31) % 1000 * 0x1_0000_0001),
        ("stale", |n| if n % 10 < 3 { STALE_NAN_BITS } else { (n as f64).to_bits() }),
        ("any", mixed),
    ];
    let (mut request, mut expected) = (Message::default(), Series::new());
    for (case, bits) in values {
        let mut series = Message::default().bytes(1, label("__name__", "pushed")).bytes(1, label("case", case));
        let rows = (0..PUSHED).map(|n| (now_ms - 1_800_000 + n as i64 * 2_003 + n as i64 % 3, bits(n)));
        let rows: Vec<(i64, u64)> = rows.collect();
        for (time_ms, bits) in &rows {
            series = series.bytes(2, sample(f64::from_bits(*bits), *time_ms));
        }
        expected.insert(with_external("pushed", case), rows);
        request = request.bytes(1, series);
    }
    // Histogram: count 3, sum 1.5, zero threshold, one span of two buckets with 1 and 2.
    let histogram = |time_ms: i64| {
        let span = Message::default().varint(1, 0).varint(2, 2);
        let buckets = Message::default().varint(1, 3).double(3, 1.5).varint(4, 0).double(5, 1e-9).bytes(11, span);
        buckets.bytes(12, [2, 2]).varint(15, time_ms as u64)
    };
    let series = Message::default().bytes(1, label("__name__", "native")).bytes(1, label("case", "histogram"));
    let series = (0..3).fold(series, |series, n| series.bytes(4, histogram(now_ms - 1_800_000 + n * 1000)));
    (snappy(&request.bytes(1, series).0), expected)
}

/// What the exporter says at its `count`-th scrape: one series leaves, one has times of its own, which are odd.
fn exposition(count: usize, now_ms: i64) -> String {
    let leaving = if count < 3 { format!("scraped{{case=\"leaving\"}} {count}\n") } else { String::new() };
    format!(
        "{leaving}scraped{{case=\"nan\"}} NaN\nscraped{{case=\"inf\"}} -Inf\nscraped{{case=\"zero\"}} -0\n\
         scraped{{case=\"subnormal\"}} 5e-324\nscraped{{case=\"big\"}} 18446744073709551615\n\
         scraped{{case=\"flat\"}} 7\nscraped{{case=\"count\"}} {count}\n\
         scraped{{case=\"stamped\",job=\"own\"}} 0.1 {}\n",
        now_ms | 1
    )
}

struct Fixture {
    server: Prometheus,
    start_ms: i64,
    /// The last instant of which everything is in the server.
    end_ms: i64,
    history: Series,
    pushed: Series,
}

impl Fixture {
    fn start() -> Self {
        let now_ms = SystemClock.now_ms();
        let folder = tempfile::tempdir().unwrap();
        let (text, history) = history(now_ms);
        create_blocks(folder.path(), &text);
        let mut count = 0;
        let exporter = serve(move |_| {
            count += 1;
            exposition(count - 1, SystemClock.now_ms()).into_bytes()
        });
        let external: Vec<String> = EXTERNAL.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let config = format!(
            "global: {{scrape_interval: 500ms, scrape_timeout: 500ms, external_labels: {{{}}}}}\n\
             scrape_configs: [{{job_name: inner, honor_labels: true, static_configs: [{{targets: ['{exporter}']}}]}}]\n",
            external.join(", ")
        );
        let arguments = [
            "--web.enable-remote-write-receiver",
            "--enable-feature=native-histograms",
            // Blocks stay as they are made: none is compacted while it is read.
            "--storage.tsdb.min-block-duration=2h",
            "--storage.tsdb.max-block-duration=2h",
        ];
        let server = Prometheus::start(folder, &config, &arguments);
        let (request, pushed) = pushed(now_ms);
        let headers = [("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy")];
        let answer = server.request("POST", "/api/v1/write", &headers, &request).unwrap();
        assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&answer.body()));
        // Scrapes of one target follow each other, so before the last one that is seen all of one is in.
        let end_ms = wait_for("two scrapes without the series that leaves", || {
            let counts = samples_of(&server, "scraped{case=\"count\"}")?;
            let last = counts.iter().rfind(|(_, bits)| *bits != STALE_NAN_BITS)?;
            let up = samples_of(&server, "up")?;
            (f64::from_bits(last.1) >= 5.0).then_some(up.get(up.len().checked_sub(2)?)?.0)
        });
        Fixture { server, start_ms: now_ms - 10 * 3_600_000, end_ms, history, pushed }
    }

    fn read(&self, accepted: ResponseType, matchers: &[(&str, Operator, &str)]) -> Read {
        read(&self.server, self.start_ms..=self.end_ms, accepted, matchers)
    }
}

/// The samples of the last hour of one series, given as `name{case="…"}`, as the server streams them.
fn samples_of(server: &Prometheus, series: &str) -> Option<Vec<(i64, u64)>> {
    let now_ms = SystemClock.now_ms();
    let (name, case) = series.split_once('{').unwrap_or((series, ""));
    let case = case.trim_start_matches("case=\"").trim_end_matches("\"}");
    let matchers = [("__name__", Operator::Equal, name), ("case", Operator::Equal, case)];
    let mut found = read(server, now_ms - 3_600_000..=now_ms, ResponseType::StreamedXorChunks, &matchers).series;
    found.pop_first().map(|(_, samples)| samples)
}

/// An answer, whichever way it came.
#[derive(Debug, Default)]
struct Read {
    series: Series,
    histograms: usize,
    /// The labels of each series in the order of the answer, in their own order there.
    order: Vec<Labels>,
    /// Of a streamed one, how many chunks each series has.
    chunks: BTreeMap<Labels, usize>,
}

const HEADERS: [(&str, &str); 3] = [
    ("Content-Type", "application/x-protobuf"),
    ("Content-Encoding", "snappy"),
    ("X-Prometheus-Remote-Read-Version", "0.1.0"),
];

fn ask(
    server: &Prometheus,
    time_ms: &RangeInclusive<i64>,
    accepted: ResponseType,
    matchers: &[(&str, Operator, &str)],
) -> Answer {
    let matchers = matchers.iter().map(|(label, operator, value)| Matcher {
        label: (*label).to_owned(),
        operator: *operator,
        value: (*value).to_owned(),
    });
    let query = Query { time_ms: time_ms.clone(), matchers: matchers.collect(), hints: None };
    let accepted = if accepted == ResponseType::Samples { &[accepted][..] } else { &ResponseType::PREFERRED };
    let body = encode_request(&query, accepted).unwrap();
    let answer = server.request("POST", "/api/v1/read", &HEADERS, &body).unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body()));
    answer
}

fn read(
    server: &Prometheus,
    time_ms: RangeInclusive<i64>,
    accepted: ResponseType,
    matchers: &[(&str, Operator, &str)],
) -> Read {
    let answer = ask(server, &time_ms, accepted, matchers);
    assert_eq!(ResponseType::parse(&answer.content_type).unwrap(), accepted);
    let (mut read, limits) = (Read::default(), Limits::default());
    if accepted == ResponseType::Samples {
        let body = decompress(ContentEncoding::Snappy, &answer.body().into(), &limits).unwrap();
        read.add(decode_samples(&body, time_ms, &limits).unwrap());
        return read;
    }
    let mut frames = Frames::new(&limits);
    // In pieces that no frame and no number of one keeps to.
    for bytes in answer.pieces.iter().flat_map(|piece| piece.chunks(777)) {
        frames.push(bytes).unwrap();
        if frames.whole_bytes() > 10_000 {
            read.add_frames(frames.take(), time_ms.clone());
        }
    }
    read.add_frames(frames.finish().unwrap(), time_ms);
    read
}

impl Read {
    fn add_frames(&mut self, frames: Bytes, time_ms: RangeInclusive<i64>) {
        for (_, series) in fields(&frames).iter().filter(|(field, _)| *field == 1) {
            let chunks = fields(series).iter().filter(|(field, _)| *field == 2).count();
            *self.chunks.entry(labels_of(series)).or_default() += chunks;
        }
        self.add(decode_chunks(&frames, time_ms, &Limits::default()).unwrap());
    }

    fn add(&mut self, part: Part) {
        let of_series = |index: usize| {
            let range = &part.batch.series[index].labels;
            labels_of(&part.batch.body[range.start as usize..range.end as usize])
        };
        for index in 0..part.batch.series.len() {
            let labels = of_series(index);
            if self.order.last() != Some(&labels) {
                self.order.push(labels);
            }
        }
        for sample in &part.batch.samples {
            let series = self.series.entry(of_series(sample.series as usize)).or_default();
            series.push((sample.time_ms, sample.value.to_bits()));
        }
        self.histograms += part.batch.histograms.len();
    }
}

/// The fields of a message: numbers have no bytes.
fn fields(message: &[u8]) -> Vec<(u64, &[u8])> {
    let mut rest = message;
    let number = |rest: &mut &[u8]| {
        let len = rest.iter().position(|byte| *byte < 0x80).unwrap() + 1;
        let (digits, after) = rest.split_at(len);
        *rest = after;
        digits.iter().rev().fold(0u64, |number, digit| number << 7 | u64::from(digit & 0x7f))
    };
    let mut found = Vec::new();
    while !rest.is_empty() {
        let tag = number(&mut rest);
        let size = number(&mut rest);
        let (content, after) = if tag & 7 == 2 { rest.split_at(size as usize) } else { (&rest[..0], rest) };
        found.push((tag >> 3, content));
        rest = after;
    }
    found
}

/// The labels of a series, in their order there.
fn labels_of(series: &[u8]) -> Labels {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let labels = fields(series).into_iter().filter(|(field, _)| *field == 1);
    labels.map(|(_, label)| fields(label)).map(|label| (text(label[0].1), text(label[1].1))).collect()
}

/// What the server says in JSON of the range up to `end_ms`.
fn json(fixture: &Fixture, selector: &str) -> Series {
    let range_ms = fixture.end_ms - fixture.start_ms;
    let query: String = format!("{selector}[{range_ms}ms]").bytes().map(|byte| format!("%{byte:02X}")).collect();
    let time = format!("{}.{:03}", fixture.end_ms / 1000, fixture.end_ms % 1000);
    let answer = fixture.server.get(&format!("/api/v1/query?query={query}&time={time}")).unwrap();
    let mut found = Series::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        let pairs = series["metric"].as_object().unwrap().iter();
        let mut labels: Labels =
            pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        labels.sort();
        let samples = series["values"].as_array().unwrap().iter().map(|pair| {
            let value: f64 = pair[1].as_str().unwrap().parse().unwrap();
            ((pair[0].as_f64().unwrap() * 1000.0).round() as i64, value.to_bits())
        });
        found.insert(labels, samples.collect());
    }
    found
}

/// As JSON says it: without external labels and marks, with one NaN.
fn as_json(read: &Series) -> Series {
    let mut found = Series::new();
    for (labels, samples) in read {
        let own = labels.iter().filter(|(name, value)| !EXTERNAL.contains(&(name, value)));
        let samples = samples
            .iter()
            .filter(|(_, bits)| *bits != STALE_NAN_BITS)
            .map(|(time_ms, bits)| (*time_ms, if f64::from_bits(*bits).is_nan() { f64::NAN.to_bits() } else { *bits }));
        found.insert(own.cloned().collect(), samples.collect());
    }
    found
}

/// Where two differ first, if they do.
fn differing(a: &Series, b: &Series) -> Option<String> {
    let labels = |series: &Series| series.keys().cloned().collect::<Vec<_>>();
    if labels(a) != labels(b) {
        return Some(format!("{:?}\n{:?}", labels(a), labels(b)));
    }
    a.iter().zip(b.values()).find_map(|((labels, a), b)| {
        let at = a.iter().zip(b).position(|(a, b)| a != b).or((a.len() != b.len()).then_some(a.len().min(b.len())))?;
        Some(format!("{labels:?}: sample {at} of {} and {}: {:x?} and {:x?}", a.len(), b.len(), a.get(at), b.get(at)))
    })
}

/// What an answer of whole samples says of a series: protocol buffers leave out what is equal to zero, so −0 is lost.
fn as_sent(series: &Series, accepted: ResponseType) -> Series {
    let mut series = series.clone();
    if accepted == ResponseType::Samples {
        for (_, bits) in series.values_mut().flatten().filter(|(_, bits)| *bits == MINUS_ZERO_BITS) {
            *bits = 0;
        }
    }
    series
}

const BOTH: [ResponseType; 2] = [ResponseType::StreamedXorChunks, ResponseType::Samples];

/// One server for all that is asked of it; the last question needs it damaged.
#[test]
fn the_installed_prometheus_is_read_bit_for_bit() {
    let fixture = Fixture::start();
    blocks_come_back_as_they_were_written(&fixture);
    the_head_comes_back_as_it_was_pushed(&fixture);
    scraped_series_are_the_same_both_ways(&fixture);
    external_labels_are_added_and_all_is_sorted(&fixture);
    matchers_mean_what_they_do_in_promql(&fixture);
    only_what_was_asked_for_is_taken(&fixture);
    what_a_server_says_when_it_fails_halfway_is_told(fixture);
}

fn blocks_come_back_as_they_were_written(fixture: &Fixture) {
    for accepted in BOTH {
        let read = fixture.read(accepted, &[("__name__", Operator::Equal, "history")]);
        assert_eq!(differing(&read.series, &as_sent(&fixture.history, accepted)), None, "{accepted:?}");
        // A chunk has about 120 samples, and never twice as many.
        assert!(read.chunks.values().all(|chunks| *chunks >= HISTORY / 240), "{:?}", read.chunks);
    }
    let read = fixture.read(BOTH[0], &[("__name__", Operator::Equal, "history")]);
    assert_eq!(differing(&as_json(&read.series), &json(fixture, "history")), None);
}

fn the_head_comes_back_as_it_was_pushed(fixture: &Fixture) {
    for accepted in BOTH {
        let read = fixture.read(accepted, &[("__name__", Operator::Equal, "pushed")]);
        assert_eq!(differing(&read.series, &as_sent(&fixture.pushed, accepted)), None, "{accepted:?}");
        assert!(read.chunks.values().all(|chunks| *chunks >= PUSHED / 240), "{:?}", read.chunks);
        assert_eq!(differing(&as_json(&read.series), &json(fixture, "pushed")), None);
    }
}

fn scraped_series_are_the_same_both_ways(fixture: &Fixture) {
    let [streamed, whole] =
        BOTH.map(|accepted| fixture.read(accepted, &[("__name__", Operator::Matches, "scraped|up")]).series);
    assert_eq!(differing(&as_sent(&streamed, ResponseType::Samples), &whole), None);
    assert_eq!(differing(&as_json(&streamed), &json(fixture, "{__name__=~\"scraped|up\"}")), None);
    let case = |case: &str| {
        let found = streamed.iter().find(|(labels, _)| labels.contains(&("case".to_owned(), case.to_owned())));
        found.map(|(_, samples)| samples.iter().map(|(_, bits)| *bits).collect::<Vec<u64>>()).unwrap()
    };
    // A scrape that a busy machine does not get to marks every series as well.
    let values = |name: &str| case(name).into_iter().filter(|bits| *bits != STALE_NAN_BITS).collect::<Vec<u64>>();
    let (leaving, last) = (values("leaving"), case("leaving").pop());
    assert!(!leaving.is_empty() && leaving.iter().all(|bits| f64::from_bits(*bits) < 3.0), "{leaving:x?}");
    assert_eq!(last, Some(STALE_NAN_BITS));
    for (name, bits) in [
        ("nan", TEXT_NAN_BITS),
        ("inf", f64::NEG_INFINITY.to_bits()),
        ("zero", MINUS_ZERO_BITS),
        ("subnormal", 1),
        ("big", (u64::MAX as f64).to_bits()),
        ("flat", 7.0f64.to_bits()),
        ("stamped", 0.1f64.to_bits()),
    ] {
        let values = values(name);
        assert!(values.len() >= 2 && values.iter().all(|found| *found == bits), "{name}: {values:x?}");
    }
}

fn external_labels_are_added_and_all_is_sorted(fixture: &Fixture) {
    let build = fixture.server.get("/api/v1/status/buildinfo").unwrap();
    let version = build["data"]["version"].as_str().unwrap();
    for accepted in BOTH {
        // Chunks of native histograms are not read, so that they are asked for as samples.
        let is_whole = accepted == ResponseType::Samples;
        let others = ("__name__", Operator::NotEqual, if is_whole { "" } else { "native" });
        let read = fixture.read(accepted, &[("__name__", Operator::NotEqual, ""), others]);
        assert!(read.order.iter().all(|labels| labels.is_sorted() && labels[1] == external(0)));
        // A series keeps a label of its own.
        let jobs: Vec<&str> =
            read.order.iter().flatten().filter(|(name, _)| name == "job").map(|(_, job)| job.as_str()).collect();
        assert_eq!(jobs.len(), read.order.len());
        assert!(["external", "inner", "own"].iter().all(|job| jobs.contains(job)), "{jobs:?}");
        let own = |labels: &Labels| labels.iter().filter(|(name, _)| name != "aa" && name != "zz").cloned().collect();
        let order: Vec<Labels> = read.order.iter().map(own).collect();
        assert!(order.is_sorted(), "{accepted:?}: {order:?}");
        // Whole samples of 2.42 say nothing of native histograms, and the server does not say that.
        let has_histograms = is_whole && !version.starts_with("2.42");
        assert_eq!(read.histograms, if has_histograms { 3 } else { 0 }, "{version} {accepted:?}");
    }
    let answer = ask(&fixture.server, &(0..=i64::MAX), BOTH[0], &[("__name__", Operator::Equal, "native")]);
    let mut frames = Frames::new(&Limits::default());
    answer.pieces.iter().for_each(|piece| frames.push(piece).unwrap());
    let error = decode_chunks(&frames.finish().unwrap(), 0..=i64::MAX, &Limits::default()).unwrap_err();
    assert!(error.message().contains("ask for samples instead of chunks"), "{error}");
}

fn external(index: usize) -> (String, String) {
    (EXTERNAL[index].0.to_owned(), EXTERNAL[index].1.to_owned())
}

fn matchers_mean_what_they_do_in_promql(fixture: &Fixture) {
    use Operator::{Equal, Matches, MatchesNot, NotEqual};
    let all: Vec<&str> = history_values().iter().map(|(case, _)| *case).collect();
    let but = |out: &[&str]| all.iter().copied().filter(|case| !out.contains(case)).collect::<Vec<_>>();
    for (matcher, expected) in [
        (("case", Equal, "flat"), vec!["flat"]),
        (("case", NotEqual, "flat"), but(&["flat"])),
        (("case", Matches, "fl.*|big"), vec!["big", "flat"]),
        // Anchored at both ends.
        (("case", Matches, "fla"), vec![]),
        (("case", MatchesNot, "fl.*|big"), but(&["flat", "big"])),
        (("case", MatchesNot, ""), all.clone()),
        (("zz", Equal, "last"), all.clone()),
        (("zz", Equal, "other"), vec![]),
    ] {
        for accepted in BOTH {
            let read = fixture.read(accepted, &[("__name__", Equal, "history"), matcher]);
            let found = read.series.keys().map(|labels| labels[2].1.as_str());
            assert_eq!(
                found.collect::<Vec<_>>(),
                {
                    let mut expected = expected.clone();
                    expected.sort();
                    expected
                },
                "{matcher:?}"
            );
        }
    }
}

fn only_what_was_asked_for_is_taken(fixture: &Fixture) {
    let matchers = [("__name__", Operator::Matches, "history|pushed")];
    let times: Vec<i64> = fixture.history.values().next().unwrap().iter().map(|(time_ms, _)| *time_ms).collect();
    for (from, to) in [(times[7], times[1000]), (times[700] + 1, times[701] - 1), (times[300], times[300])] {
        let within = |series: &Series| -> Series {
            let cut = series.iter().map(|(labels, samples)| {
                let samples = samples.iter().copied().filter(|(time_ms, _)| (from..=to).contains(time_ms));
                (labels.clone(), samples.collect::<Vec<_>>())
            });
            cut.filter(|(_, samples)| !samples.is_empty()).collect()
        };
        for accepted in BOTH {
            let read = read(&fixture.server, from..=to, accepted, &matchers);
            assert_eq!(
                differing(&read.series, &as_sent(&within(&fixture.history), accepted)),
                None,
                "{accepted:?} {from} {to}"
            );
        }
    }
}

fn what_a_server_says_when_it_fails_halfway_is_told(fixture: Fixture) {
    // The last chunk of each block, so that whole frames come first.
    for block in std::fs::read_dir(fixture.server.data()).unwrap() {
        let file = block.unwrap().path().join("chunks/000001");
        if let Ok(mut chunks) = std::fs::read(&file) {
            let last = chunks.len() - 10;
            chunks[last] ^= 0xff;
            std::fs::OpenOptions::new().write(true).open(&file).unwrap().write_all(&chunks).unwrap();
        }
    }
    let time_ms = fixture.start_ms..=fixture.end_ms;
    let answer = ask(&fixture.server, &time_ms, BOTH[0], &[("__name__", Operator::Equal, "history")]);
    let mut frames = Frames::new(&Limits::default());
    let pushed = answer.pieces.iter().try_for_each(|piece| frames.push(piece));
    assert!(frames.whole_bytes() > 1000);
    let error = pushed.and_then(|()| frames.finish().map(drop)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains(", it reads \"") && error.message().contains("cannot populate chunk"), "{error}");
}
