//! Tests of the format of the text cases: what is read is what was written.
//!
//! Owns: the tests of the format, and that every file in `cases/` is well-formed and complete.
//! Does not own: whether our engine gives these answers (`query`), and whether Prometheus does (the example `cases`).

mod format;

use format::answers::{Answer, Outcome, Point};
use format::numbers::{duration_ms, duration_text, is_same, number_text};
use format::samples::Sample;
use format::{CaseFile, ORIGIN_MS, Times, histograms, labels, responses};

use model::histogram::{CUSTOM_BUCKETS, Counts, ResetHint, Span};

/// The values of one series, with their times in seconds after the origin.
fn values(text: &str) -> Vec<(i64, f64)> {
    let file = CaseFile::parse(&format!("load 10s\n  m{{}} {text}\n")).expect("a load");
    let seconds = |time_ms: i64| (time_ms - ORIGIN_MS) / 1000;
    let number = |sample: &Sample| match sample {
        Sample::Float(value) => *value,
        Sample::Histogram(_) => panic!("a histogram"),
    };
    file.series[0].samples.iter().map(|(time_ms, sample)| (seconds(*time_ms), number(sample))).collect()
}

#[test]
fn samples_are_repeated_stepped_and_left_out() {
    assert_eq!(values("1 2 _ 4"), [(0, 1.0), (10, 2.0), (30, 4.0)]);
    assert_eq!(values("5*3 _*2 6"), [(0, 5.0), (10, 5.0), (20, 5.0), (50, 6.0)]);
    assert_eq!(values("1 +2*2 +-0.5"), [(0, 1.0), (10, 3.0), (20, 5.0), (30, 4.5)]);
    assert_eq!(values("1 @25s 2 3"), [(0, 1.0), (25, 2.0), (35, 3.0)]);
    assert_eq!(values("-Inf 1e3"), [(0, f64::NEG_INFINITY), (10, 1000.0)]);
    let stale = values("1 stale")[1].1;
    assert!(model::batch::is_stale(stale));
}

#[test]
fn a_sample_that_is_not_later_is_refused() {
    let error = CaseFile::parse("load 10s\n  m{} 1 2 @5s 3\n").expect_err("back in time");
    assert!(error.starts_with("line 2: "), "{error}");
}

#[test]
fn stored_histograms_say_their_buckets_by_index() {
    let h = histograms::parse_stored("{schema=1 sum=9 zero=2@0.5 pos=0:1,2/5:3 neg=-1:1 hint=gauge}").expect("sound");
    assert_eq!((h.schema, h.reset_hint, h.sum, h.zero_threshold), (1, ResetHint::Gauge, 9.0, 0.5));
    assert_eq!(h.positive_spans, [Span { offset: 0, length: 2 }, Span { offset: 3, length: 1 }]);
    assert_eq!(h.negative_spans, [Span { offset: -1, length: 1 }]);
    let Counts::Integer(counts) = &h.counts else { panic!("floats") };
    assert_eq!(
        (counts.count, counts.zero, &counts.positive[..], &counts.negative[..]),
        (9, 2, &[1, 2, 3][..], &[1][..])
    );

    let h = histograms::parse_stored("{bounds=1,2.5 pos=0:1,0.5,2}").expect("sound");
    assert_eq!((h.schema, &h.custom_bounds[..]), (CUSTOM_BUCKETS, &[1.0, 2.5][..]));
    assert!(matches!(&h.counts, Counts::Float(counts) if counts.count == 3.5), "{h:?}");
    assert!(histograms::parse_stored("{count=5 pos=0:1}").is_err(), "the count is not that of the buckets");
}

#[test]
fn histograms_grow() {
    let file = CaseFile::parse("load 10s\n  m{} h{sum=1 pos=0:1,2} +h{sum=3 pos=0:1,1}*2 stale\n").expect("a load");
    let samples = &file.series[0].samples;
    let Sample::Histogram(last) = &samples[2].1 else { panic!("a number") };
    assert_eq!(last.sum, 7.0);
    assert!(matches!(&last.counts, Counts::Integer(counts) if counts.positive == [3, 4] && counts.count == 7));
    assert!(matches!(&samples[3].1, Sample::Histogram(stale) if stale.is_stale()));
}

#[test]
fn labels_read_back() {
    for text in ["{}", "up{}", r#"up{a="b", c="d \"e\"\n\\"}"#, r#"{"a name", "dotted.label"="x"}"#, r#"{a="b"}"#] {
        let (read, rest) = labels::parse(text).expect("labels");
        assert_eq!((labels::text(&read).as_str(), rest), (text, ""));
    }
    assert!(labels::parse(r#"up{a="b""#).is_err());
    assert!(labels::parse("up 1").is_err());
}

#[test]
fn numbers_and_durations_read_back() {
    for value in [0.0, -0.0, 0.1, 1e300, 1.5e-7, 123456789.125, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE] {
        let text = number_text(value);
        assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{text}");
    }
    assert_eq!(number_text(f64::NAN), "NaN");
    for (text, ms) in [("0", 0), ("90s", 90_000), ("1m30s", 90_000), ("-5m", -300_000), ("1d2h3m4s5ms", 93_784_005)] {
        assert_eq!(duration_ms(text), Ok(ms));
        assert_eq!(duration_ms(&duration_text(ms)), Ok(ms));
    }
    for text in ["", "5", "m", "5x", "5m3", "1.5h"] {
        assert!(duration_ms(text).is_err(), "{text}");
    }
}

#[test]
fn numbers_are_compared_by_a_billionth() {
    assert!(is_same(1.0, 1.0 + 5e-10) && is_same(1e300, 1e300 * (1.0 - 5e-10)));
    assert!(!is_same(1.0, 1.0 + 2e-9) && !is_same(0.0, 1e-300) && !is_same(0.0, -0.0));
    assert!(is_same(f64::NAN, -f64::NAN) && !is_same(f64::NAN, 1.0));
    assert!(is_same(f64::INFINITY, f64::INFINITY) && !is_same(f64::INFINITY, f64::MAX));
}

const FILE: &str = r#"# About sums.
without promql-delayed-name-removal

load 15s from 1m
  # two of them
  m{a="1"}  1 2
  m{a="2"}  3 _ 5

at 1m30s  sum(m)
  ordered
  {}  8

# Between two cases.
from 0 to 1m step 30s lookback 1m  sum(
  | m) # more
  m{}  _*2 4
  m{a="1"}  1*2 h{count=2 sum=3 (0.5,1]=2}
  info PromQL info: something (1:5)

at 0  "text"
  string "text"

at 0  m[5m]
  m{}  1@15s 2@30s

at 0  1 +
  error bad_data: unexpected\nend
"#;

#[test]
fn a_file_reads_back() {
    let file = CaseFile::parse(FILE).expect("a file");
    assert_eq!(file.without, ["promql-delayed-name-removal"]);
    assert_eq!(file.series[0].samples[1].0, ORIGIN_MS + 75_000);
    assert_eq!(file.cases.len(), 5);
    let range = &file.cases[1];
    assert_eq!((range.line, range.lookback_ms), (14, Some(60_000)));
    assert_eq!(range.times, Times::Range { start_ms: ORIGIN_MS, end_ms: ORIGIN_MS + 60_000, step_ms: 30_000 });
    assert_eq!(range.expression, "sum(\nm) # more");
    let answers: Vec<Answer> = file.cases.iter().filter_map(|case| case.answer.clone()).collect();
    let Outcome::Series(rows) = &answers[1].outcome else { panic!("{:?}", answers[1]) };
    assert_eq!(rows[0].points, [(ORIGIN_MS + 60_000, Point::Float(4.0))]);
    assert_eq!(rows[1].points.len(), 3);
    assert_eq!(answers[4].outcome, Outcome::Error("bad_data".into(), "unexpected\nend".into()));
    assert_eq!(file.with_answers(&answers), FILE);
    assert!(file.cases[0].accepts(&answers[0]) && !file.cases[0].accepts(&answers[1]));
}

#[test]
fn missing_answers_are_filled_in() {
    let text = "load 15s\n  m{} 1\n\nat 0  m\n\nat 0  sort(m)\n  ordered\n";
    let file = CaseFile::parse(text).expect("a file");
    assert!(file.cases.iter().all(|case| case.answer.is_none()));
    let answer = Answer { outcome: Outcome::Series(Vec::new()), notes: ["warning w".to_owned()].into() };
    let filled = file.with_answers(&[answer.clone(), answer]);
    let lines = "\n\nat 0  m\n  empty\n  warning w\n\nat 0  sort(m)\n  ordered\n  empty\n  warning w\n";
    assert!(filled.ends_with(lines), "{filled}");
}

#[test]
fn responses_are_answers() {
    let at = Times::At(ORIGIN_MS);
    let body = r#"{"status":"success","infos":["PromQL info: i (1:1)"],"data":{"resultType":"vector","result":[
        {"metric":{"__name__":"m","a":"1"},"value":[1767225600,"1e+21"]},
        {"metric":{},"histogram":[1767225600,{"count":"3","sum":"-1","buckets":[[3,"-1","1","2"],[0,"1","2","1"]]}]}]}}"#;
    let json = serde_json::from_str(body).expect("JSON");
    let lines = ["m{a=\"1\"}  1e21", "{}  h{count=3 sum=-1 [-1,1]=2 (1,2]=1}", "info PromQL info: i (1:1)"];
    let answer = responses::answer(&json).expect("an answer");
    assert_eq!(answer.lines(at), lines);
    assert!(Answer::parse(&lines, at).expect("an answer").is_same(&answer, true));

    let json = serde_json::from_str(r#"{"status":"error","errorType":"bad_data","error":"no\n\\ "}"#).expect("JSON");
    let answer = responses::answer(&json).expect("an answer");
    assert_eq!(answer.lines(at), [r"error bad_data: no\n\\\s"]);
    assert_eq!(Answer::parse(&[r"error bad_data: no\n\\\s"], at), Ok(answer));
}

#[test]
fn every_file_is_complete() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder of cases") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "cases") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file of cases");
        let file = CaseFile::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let answers: Vec<Answer> = file.cases.iter().filter_map(|case| case.answer.clone()).collect();
        assert_eq!(answers.len(), file.cases.len(), "{}: a case has no answer", path.display());
        let rewritten = file.with_answers(&answers);
        let differs = rewritten.lines().zip(text.lines()).find(|(written, read)| written != read);
        assert_eq!(differs, None, "{}", path.display());
        cases += answers.len();
    }
    assert!(cases > 0, "no cases in {}", folder.display());
}
