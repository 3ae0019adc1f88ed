use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use decode::Limits;
use model::batch::is_stale;

use super::*;
use crate::config::ScrapeConfig;
use crate::relabel::Rules;

const OK: Report = Report { up: true, duration_seconds: 0.5, samples: 0, kept: 0, series_added: 0 };
const DOWN: Report = Report { up: false, ..OK };

/// One target that is scraped page by page.
struct Bench {
    conditions: Conditions,
    memory: Memory,
    time_ms: i64,
}

impl Bench {
    fn new(yaml: &str) -> Self {
        let yaml = format!("{{job_name: node, cluster: east, {yaml}}}");
        let config: ScrapeConfig = serde_saphyr::from_str(&yaml).unwrap();
        let rules = Arc::new(Rules::new(&config.metric_relabel_configs).unwrap());
        let conditions = Conditions::new(&config, rules, vec![("job".into(), "node".into())]);
        Bench { memory: Memory::new(&conditions), conditions, time_ms: 0 }
    }

    /// Takes a page a second after the one before.
    fn take(&mut self, page: &str) -> Result<Taken, Box<Refused>> {
        self.time_ms += 1000;
        let page = decode::text::decode_apart(&Bytes::from(page.to_owned()), UNTIMED_MS, &Limits::default()).unwrap();
        self.memory.take(page, self.time_ms, &self.conditions)
    }

    /// Takes a page, and its rows are written: they are given as text, those of the report left out.
    fn scrape(&mut self, page: &str) -> (Vec<String>, Counts) {
        let (mut batch, counts, page) = self.take(page).unwrap().into_parts();
        self.memory.add_report(&mut batch, &OK, self.time_ms);
        self.memory.commit(page, self.time_ms);
        (rows(&batch), counts)
    }

    /// A scrape fails, and that is written.
    fn fail(&mut self) -> Vec<String> {
        self.time_ms += 1000;
        let batch = self.memory.fail(&DOWN, self.time_ms);
        self.memory.commit_failure(self.time_ms);
        rows(&batch)
    }
}

/// `name{labels but the job} value time`, without the report.
fn rows(batch: &Batch) -> Vec<String> {
    let mut builder = LabelsBuilder::default();
    let mut rows = Vec::new();
    for sample in &batch.samples {
        let key = batch.key(sample.series as usize, &mut builder).unwrap();
        if NAMES.contains(&&*key.name) {
            continue;
        }
        assert_eq!(key.labels.get("job"), Some("node"));
        let labels: BTreeMap<&str, &str> = key.labels.iter().filter(|(name, _)| *name != "job").collect();
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let value = if is_stale(sample.value) { "stale".to_owned() } else { sample.value.to_string() };
        rows.push(format!("{}{{{}}} {value} {}", key.name, labels.join(","), sample.time_ms));
    }
    rows
}

fn counts(exposed: u64, kept: u64, added: u64, vanished: u64) -> Counts {
    Counts { exposed, kept, added, vanished, ..Counts::default() }
}

#[test]
fn rows_have_the_time_of_the_scrape_and_series_that_go_are_marked() {
    let mut bench = Bench::new("");
    let (rows, first) = bench.scrape("a 1\nb{x=\"1\"} 2\n");
    assert_eq!((rows, first), (vec!["a{} 1 1000".into(), "b{x=1} 2 1000".into()], counts(2, 2, 2, 0)));
    let (rows, second) = bench.scrape("a 1\nc 3\n");
    assert_eq!(rows, ["a{} 1 2000", "c{} 3 2000", "b{x=1} stale 2000"]);
    assert_eq!(second, counts(2, 2, 1, 1));
    // It is marked once, and begins anew when it comes back.
    assert_eq!(bench.scrape("a 1\nc 3\n").1, counts(2, 2, 0, 0));
    assert_eq!(bench.scrape("a 1\nc 3\nb{x=\"1\"} 2\n").1, counts(3, 3, 1, 0));
}

#[test]
fn lines_are_known_in_any_order() {
    let mut bench = Bench::new("");
    bench.scrape("a 1\nb 2\nc 3\nd 4\n");
    assert_eq!(bench.scrape("d 4\na 1\nc 3\nb 2\n").1, counts(4, 4, 0, 0));
    let (rows, between) = bench.scrape("a 1\nx 9\nb 2\nb 2\nc 3\nd 4\n");
    assert_eq!(rows, ["a{} 1 3000", "x{} 9 3000", "b{} 2 3000", "c{} 3 3000", "d{} 4 3000"]);
    assert_eq!((between.added, between.vanished, between.repeated), (1, 0, 1));
    assert_eq!(
        bench.scrape("a 1\nx 9\nd 4\n").0,
        ["a{} 1 4000", "x{} 9 4000", "d{} 4 4000", "b{} stale 4000", "c{} stale 4000"]
    );
}

#[test]
fn a_failed_scrape_marks_everything_once() {
    let mut bench = Bench::new("");
    bench.scrape("a 1\nb 2\n");
    assert_eq!(bench.fail(), ["a{} stale 2000", "b{} stale 2000"]);
    assert_eq!(bench.fail(), [""; 0]);
    // Prometheus remembers the lines of the last good page, so none of these is new.
    assert_eq!(bench.scrape("a 1\n"), (vec!["a{} 1 4000".into()], counts(1, 1, 0, 0)));
}

#[test]
fn what_was_not_written_is_not_remembered() {
    let mut bench = Bench::new("");
    bench.scrape("a 1\nb 2\n");
    // The page lacks `a`, but the store did not take its marker.
    bench.take("b 2\n").unwrap();
    assert_eq!(bench.scrape("b 2\n").0, ["b{} 2 3000", "a{} stale 3000"]);
    // The page has `c`, but the store did not take it: its absence is no news.
    bench.take("b 2\nc 3\n").unwrap();
    assert_eq!(bench.scrape("b 2\n").0, ["b{} 2 5000"]);
    // Nor did it take the news of a failure.
    bench.time_ms += 1000;
    bench.memory.fail(&DOWN, bench.time_ms);
    assert_eq!(bench.fail(), ["b{} stale 7000"]);
}

#[test]
fn timestamps_of_the_page_count_and_are_not_marked() {
    let mut bench = Bench::new("");
    assert_eq!(bench.scrape("a 1 500\nb 2\n").0, ["a{} 1 500", "b{} 2 1000"]);
    // The same row again is no row, another value at its time neither: the first counts.
    let (rows, again) = bench.scrape("a 1 500\nb 2\n");
    assert_eq!((rows, again.repeated, again.duplicates), (vec!["b{} 2 2000".to_owned()], 1, 0));
    let (rows, changed) = bench.scrape("a 7 500\nb 2\n");
    assert_eq!((rows, changed.repeated, changed.duplicates), (vec!["b{} 2 3000".to_owned()], 0, 1));
    assert_eq!(bench.scrape("a 7 499\na 8 501\nb 2\n").0, ["a{} 7 499", "a{} 8 501", "b{} 2 4000"]);
    assert_eq!(bench.scrape("b 2\n").0, ["b{} 2 5000"]);
}

#[test]
fn timestamps_are_marked_or_passed_over_where_that_is_configured() {
    let mut tracked = Bench::new("track_timestamps_staleness: true");
    assert_eq!(tracked.scrape("a 1 500\nb 2 9000\n").0, ["a{} 1 500", "b{} 2 9000"]);
    // A marker is later than the last row.
    assert_eq!(tracked.scrape("").0, ["a{} stale 2000", "b{} stale 9001"]);
    let mut ignored = Bench::new("honor_timestamps: false");
    assert_eq!(ignored.scrape("a 1 500\n").0, ["a{} 1 1000"]);
    assert_eq!(ignored.scrape("").0, ["a{} stale 2000"]);
}

#[test]
fn of_equal_series_in_one_page_the_first_counts() {
    let rules = "metric_relabel_configs: [{action: labeldrop, regex: x}]";
    let mut bench = Bench::new(rules);
    let (rows, first) = bench.scrape("a{x=\"1\"} 1\na{x=\"2\"} 2\na 1\n");
    assert_eq!(rows, ["a{} 1 1000"]);
    assert_eq!((first.exposed, first.kept, first.repeated, first.duplicates), (3, 3, 1, 1));
    // It lives as long as one of the lines does.
    assert_eq!(bench.scrape("a{x=\"2\"} 2\n").0, ["a{} 2 2000"]);
    assert_eq!(bench.scrape("").0, ["a{} stale 3000"]);
}

#[test]
fn dropped_series_are_counted_and_nothing_else() {
    let mut bench = Bench::new("metric_relabel_configs: [{source_labels: [__name__], regex: b, action: drop}]");
    assert_eq!(bench.scrape("a 1\nb 2\n"), (vec!["a{} 1 1000".into()], counts(2, 1, 1, 0)));
    assert_eq!(bench.scrape("a 1\n").1, counts(1, 1, 0, 0));
}

#[test]
fn too_many_samples_fail_the_scrape_with_what_was_seen() {
    let mut bench = Bench::new("sample_limit: 2");
    bench.scrape("a 1\nb 2\n");
    let refused = bench.take("a 1\nb 2\nc 3\nd 4\n").unwrap_err();
    assert!(refused.failure.message.contains("4 samples are left after relabeling, sample_limit is 2"));
    assert_eq!((refused.counts.exposed, refused.counts.kept, refused.counts.added), (4, 4, 0));
    assert_eq!(bench.fail(), ["a{} stale 3000", "b{} stale 3000"]);
}

#[test]
fn a_broken_limit_of_labels_fails_the_scrape_at_its_series() {
    let mut bench = Bench::new("label_limit: 3");
    let refused = bench.take("a 1\nb{x=\"1\",y=\"2\"} 2\nc 3\n").unwrap_err();
    assert!(refused.failure.message.contains("label_limit is 3"), "{:?}", refused.failure);
    assert_eq!((refused.counts.exposed, refused.counts.kept), (2, 1));
}

#[test]
fn the_report_is_there_in_each_case_and_ends_with_the_target() {
    let mut bench = Bench::new("");
    let up = |batch: &Batch| {
        let mut builder = LabelsBuilder::default();
        let rows = batch.samples.iter().filter(|s| &*batch.key(s.series as usize, &mut builder).unwrap().name == "up");
        rows.map(|sample| (sample.time_ms, sample.value.to_bits())).collect::<Vec<_>>()
    };
    let (mut batch, _, page) = bench.take("a 1\n").unwrap().into_parts();
    bench.memory.add_report(&mut batch, &OK, 1000);
    bench.memory.commit(page, 1000);
    assert_eq!((batch.samples.len(), up(&batch)), (6, vec![(1000, 1f64.to_bits())]));
    assert_eq!(up(&bench.memory.fail(&DOWN, 2000)), [(2000, 0f64.to_bits())]);
    bench.memory.commit_failure(2000);
    bench.scrape("a 1\n");
    // The clock was set back meanwhile; a marker is later than the rows all the same.
    let end = bench.memory.end(1500);
    assert_eq!(up(&end), [(2001, STALE_NAN_BITS)]);
    assert_eq!(rows(&end), ["a{} stale 2001"]);
    assert!(Bench::new("").memory.end(5).is_empty());
}

#[test]
fn a_page_may_expose_a_row_of_the_report_itself() {
    let mut bench = Bench::new("");
    let Taken { mut batch, .. } = bench.take("up 7\n").unwrap();
    bench.memory.add_report(&mut batch, &OK, bench.time_ms);
    let values: Vec<f64> = batch.samples.iter().map(|sample| sample.value).collect();
    assert_eq!(values, [7.0, 0.5, 0.0, 0.0, 0.0]);
    bench.scrape("up 7\n");
    // Its row ends with the page's, and not beside the next one of the report.
    let (mut batch, counts, _) = bench.take("a 1\n").unwrap().into_parts();
    bench.memory.add_report(&mut batch, &OK, bench.time_ms);
    let values: Vec<f64> = batch.samples.iter().map(|sample| sample.value).collect();
    assert_eq!((values, counts.vanished), (vec![1.0, 1.0, 0.5, 0.0, 0.0, 0.0], 0));
}

#[test]
fn series_that_change_with_every_page_are_forgotten() {
    let mut bench = Bench::new("");
    let page = |round: u32| (0..500).map(|i| format!("a{{i=\"{round}-{i}\"}} 1\n")).collect::<String>();
    for round in 0..50 {
        let (rows, counts) = bench.scrape(&format!("steady 1\n{}", page(round)));
        assert_eq!(rows[0], format!("steady{{}} 1 {}", bench.time_ms));
        assert_eq!(counts.vanished, if round == 0 { 0 } else { 500 });
        assert!(bench.memory.lines.len() < 500 * 2 + FORGET_SURPLUS + 600, "{}", bench.memory.lines.len());
    }
    assert_eq!(bench.scrape("steady 1\n").1.vanished, 500);
    assert_eq!(bench.scrape("").0, [format!("steady{{}} stale {}", bench.time_ms)]);
    assert_eq!(bench.memory.end(0).samples.len(), NAMES.len());
}

#[test]
fn other_conditions_end_what_they_do_not_keep() {
    let mut bench = Bench::new("");
    bench.scrape("a{x=\"1\"} 1\nb 2\n");
    let other = Bench::new("metric_relabel_configs: [{action: labeldrop, regex: x}]");
    bench.conditions = other.conditions;
    bench.memory.forget_lines();
    assert_eq!(bench.scrape("a{x=\"1\"} 1\nb 2\n").0, ["a{} 1 2000", "b{} 2 2000", "a{x=1} stale 2000"]);
}

#[test]
fn families_are_told_when_they_change() {
    let mut bench = Bench::new("");
    let page = "# TYPE a counter\na 1\n";
    assert_eq!(bench.take(page).unwrap().batch.metadata.len(), 1);
    bench.scrape(page);
    assert_eq!(bench.take(page).unwrap().batch.metadata.len(), 0);
    assert_eq!(bench.take("# TYPE a gauge\na 1\n").unwrap().batch.metadata.len(), 1);
}

#[test]
fn an_exemplar_is_taken_once() {
    let mut bench = Bench::new("");
    let mut scrape = |exemplar: &str| {
        bench.time_ms += 1000;
        let page = format!("# TYPE a counter\na_total 1 # {exemplar}\n# EOF\n");
        let page = decode::openmetrics::decode_apart(&Bytes::from(page), UNTIMED_MS, &Limits::default()).unwrap();
        let taken = bench.memory.take(page, bench.time_ms, &bench.conditions).unwrap();
        let (batch, _, page) = taken.into_parts();
        bench.memory.commit(page, bench.time_ms);
        batch.exemplars.iter().map(|exemplar| (exemplar.time_ms, exemplar.value)).collect::<Vec<_>>()
    };
    assert_eq!(scrape("{trace_id=\"x\"} 0.5"), [(1000, 0.5)]);
    assert_eq!(scrape("{trace_id=\"x\"} 0.5"), []);
    assert_eq!(scrape("{trace_id=\"y\"} 0.5"), [(3000, 0.5)]);
    assert_eq!(scrape("{trace_id=\"y\"} 0.5 7"), [(7000, 0.5)]);
}

/// A page as protobuf with one family: a counter that began at `start` seconds, or a histogram of `count` observations.
fn family(name: &str, count: u8, start: u8) -> Vec<u8> {
    let field = |number: u8, content: &[u8]| [&[number << 3 | 2, content.len() as u8], content].concat();
    let started = field(if count == 0 { 3 } else { 15 }, &[1 << 3, start]);
    let content = if count == 0 { started } else { [&[1 << 3, count, 7 << 3, count][..], &started].concat() };
    let metric = field(if count == 0 { 3 } else { 7 }, &content);
    let kind = if count == 0 { 0 } else { 4 };
    let family = [field(1, name.as_bytes()), vec![3 << 3, kind], field(4, &metric)].concat();
    [&[family.len() as u8][..], &family].concat()
}

/// Takes a page as protobuf, and its rows are written.
fn scrape_families(bench: &mut Bench, page: Vec<u8>) -> (Batch, Counts) {
    bench.time_ms += 1000;
    let wanted = decode::metric_families::Histograms { native: true, classic_too: false };
    let page = decode::metric_families::decode_apart(&page.into(), UNTIMED_MS, wanted, &Limits::default()).unwrap();
    let taken = bench.memory.take(page, bench.time_ms, &bench.conditions).unwrap();
    let (batch, counts, page) = taken.into_parts();
    bench.memory.commit(page, bench.time_ms);
    (batch, counts)
}

#[test]
fn native_histograms_come_and_go_as_samples_do() {
    let mut bench = Bench::new("metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: unwanted}]");
    let histograms = |batch: &Batch| {
        let mut builder = LabelsBuilder::default();
        let row = batch.histograms.iter().map(|histogram| {
            let key = batch.key(histogram.series as usize, &mut builder).unwrap();
            (key.name.to_string(), histogram.time_ms, histogram.value.is_stale())
        });
        row.collect::<Vec<_>>()
    };
    let page = || [family("a", 2, 1), family("unwanted", 2, 1)].concat();
    let (batch, taken) = scrape_families(&mut bench, page());
    assert_eq!((histograms(&batch), taken), (vec![("a".to_owned(), 1000, false)], counts(2, 1, 1, 0)));
    assert_eq!(batch.series[batch.histograms[0].series as usize].kind, Kind::Histogram);
    assert_eq!(batch.histograms[0].value.start_ms, Some(1000));
    let (batch, taken) = scrape_families(&mut bench, page());
    assert_eq!((histograms(&batch), taken), (vec![("a".to_owned(), 2000, false)], counts(2, 1, 0, 0)));
    // It is gone, then the target is.
    let (batch, taken) = scrape_families(&mut bench, Vec::new());
    assert_eq!((histograms(&batch), taken), (vec![("a".to_owned(), 3000, true)], counts(0, 0, 0, 1)));
    assert!(batch.samples.is_empty());
    assert!(histograms(&scrape_families(&mut bench, Vec::new()).0).is_empty());
    scrape_families(&mut bench, page());
    bench.memory.reported_ms = Some(5000);
    assert_eq!(histograms(&bench.memory.end(6000)), [("a".to_owned(), 6000, true)]);
}

#[test]
fn a_start_is_written_when_it_changes() {
    let mut bench = Bench::new("");
    let starts = |bench: &mut Bench, start: u8| {
        let (batch, _) = scrape_families(bench, family("a", 0, start));
        batch.starts.iter().map(|start| (start.time_ms, start.start_ms)).collect::<Vec<_>>()
    };
    assert_eq!(starts(&mut bench, 1), [(1000, 1000)]);
    assert_eq!(starts(&mut bench, 1), []);
    // One that was not written is told again.
    let page = decode::metric_families::Histograms { native: true, classic_too: false };
    let page = decode::metric_families::decode_apart(&family("a", 0, 3).into(), UNTIMED_MS, page, &Limits::default());
    assert_eq!(bench.memory.take(page.unwrap(), 2500, &bench.conditions).unwrap().batch.starts.len(), 1);
    assert_eq!(starts(&mut bench, 3), [(3000, 3000)]);
    assert_eq!(starts(&mut bench, 3), []);
    // What is known of series that stay outlives the others.
    bench.memory.forget(|line| line.scrape > 0);
    assert_eq!(starts(&mut bench, 3), []);
    // The day on which it was said may be kept no longer than the next.
    bench.time_ms += model::time::DAY_MS;
    assert_eq!(starts(&mut bench, 3).len(), 1);
    assert_eq!(starts(&mut bench, 3), []);
}

#[test]
fn pages_that_are_always_new_and_always_refused_take_no_memory() {
    let mut bench = Bench::new("sample_limit: 3");
    bench.scrape("a 1\n");
    for round in 0..100 {
        let page: String = (0..100).map(|i| format!("x{{i=\"{round}-{i}\"}} 1\n")).collect();
        assert!(bench.take(&page).is_err());
        bench.fail();
        assert_eq!((bench.memory.lines.len(), bench.memory.series.labels().len() < 1000), (1, true));
    }
    assert_eq!(bench.scrape("a 1\n").1, counts(1, 1, 0, 0));
}

#[test]
fn lines_that_come_back_after_a_blank_page_are_not_new() {
    let mut bench = Bench::new("");
    bench.scrape("a 1\n");
    assert_eq!(bench.scrape("").0, ["a{} stale 2000"]);
    assert_eq!(bench.scrape("a 1\n").1, counts(1, 1, 0, 0));
    bench.scrape("# nothing\n");
    assert_eq!(bench.scrape("a 1\n").1, counts(1, 1, 1, 0));
}
