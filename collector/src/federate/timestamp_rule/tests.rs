use decode::Limits;
use model::batch::is_stale;
use model::time::MAX_TIME_MS;

use super::*;

/// A row as a test writes it: the series as text, the time, the value or `None` for a marker.
type Row = (String, i64, Option<f64>);

fn answer(text: &str) -> Batch {
    decode::text::decode(&Bytes::from(text.to_owned()), 99_999, &Limits::default()).unwrap()
}

fn asked(time_ms: i64) -> AskedAt {
    AskedAt { time_ms, source_time_ms: None }
}

/// The rows of a batch, with their labels as canonical text, sorted.
fn rows(batch: &Batch) -> Vec<Row> {
    let mut builder = LabelsBuilder::default();
    let mut rows: Vec<Row> = batch
        .samples
        .iter()
        .map(|sample| {
            let raw = &batch.series[sample.series as usize];
            let bytes = &batch.body[raw.labels.start as usize..raw.labels.end as usize];
            assert_eq!(raw.hash, Batch::hash(bytes));
            let key = batch.key(sample.series as usize, &mut builder).unwrap();
            let labels: String = key.labels.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            (format!("{}{labels}", key.name), sample.time_ms, (!is_stale(sample.value)).then_some(sample.value))
        })
        .collect();
    rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    rows
}

/// Judges texts one after the other, each at 100 times its number, all written.
fn judged(texts: &[&str]) -> Vec<(Vec<Row>, Counts)> {
    let mut memory = Memory::default();
    let mut results = Vec::new();
    for (number, text) in (1..).zip(texts) {
        let judged = memory.judge(answer(text), asked(100 * number));
        let counts = judged.counts;
        let (batch, next) = judged.into_parts();
        memory = next;
        results.push((rows(&batch), counts));
    }
    results
}

fn row(series: &str, time_ms: i64, value: f64) -> Row {
    (series.to_owned(), time_ms, Some(value))
}

fn marker(series: &str, time_ms: i64) -> Row {
    (series.to_owned(), time_ms, None)
}

#[test]
fn rows_keep_their_timestamps_and_one_without_gets_the_attempts() {
    let results = judged(&["a 1 7\nb 2\n"]);
    assert_eq!(results[0].0, [row("a", 7, 1.0), row("b", 99_999, 2.0)]);
    assert_eq!(results[0].1, Counts { exposed: 2, kept: 2, added: 2, ..Counts::default() });
}

#[test]
fn a_row_of_the_previous_answer_is_not_sent_again() {
    let results = judged(&["a 1 7\nb 1 7\nc 1 7\n", "a 1 7\nb 2 7\nc 1 8\n", "a 1 7\nb 2 7\nc 1 8\n"]);
    assert_eq!(results[1].0, [row("b", 7, 2.0), row("c", 8, 1.0)]);
    assert_eq!(results[1].1, Counts { exposed: 3, kept: 3, repeated: 1, ..Counts::default() });
    assert_eq!(results[2].0, []);
}

#[test]
fn repeats_are_told_by_bits() {
    let results = judged(&["a 0 7\nb NaN 7\n", "a -0 7\nb NaN 7\n"]);
    assert_eq!(results[1].0.len(), 1);
    assert!(results[1].0[0].2.unwrap().is_sign_negative());
}

#[test]
fn a_series_that_is_gone_gets_one_marker_at_the_time_of_the_attempt() {
    let results = judged(&["a{x=\"1\"} 1 7\nb 1 7\n", "b 1 7\n", "b 1 7\n", "a{x=\"1\"} 2 350\nb 1 7\n"]);
    assert_eq!(results[1].0, [marker("a x=1", 200)]);
    assert_eq!(results[1].1.vanished, 1);
    assert_eq!(results[2].0, []);
    assert_eq!(results[3].0, [row("a x=1", 350, 2.0)]);
    assert_eq!(results[3].1.added, 1);
}

#[test]
fn an_empty_answer_ends_everything() {
    let results = judged(&["a 1 7\nb 1 7\n", ""]);
    assert_eq!(results[1].0, [marker("a", 200), marker("b", 200)]);
}

#[test]
fn markers_and_rows_are_one_batch_with_labels_of_their_own() {
    let results = judged(&["gone{x=\"a, }\\\"\"} 1 7\nstays 1 7\n", "stays 2 8\nnew{y=\"é\"} 1 8\n"]);
    let expected = [marker("gone x=a, }\"", 200), row("new y=é", 8, 1.0), row("stays", 8, 2.0)];
    assert_eq!(results[1].0, expected);
}

#[test]
fn a_marker_is_later_than_the_last_row_even_if_the_sources_clock_is_ahead() {
    let results = judged(&["a 1 5000\nb 1 200\nc 1 199\n", ""]);
    assert_eq!(results[1].0, [marker("a", 5001), marker("b", 201), marker("c", 200)]);
}

#[test]
fn a_marker_takes_the_sources_clock_where_that_is_behind() {
    let (_, memory) = Memory::default().judge(answer("a 1 7\nb 1 70\n"), asked(100)).into_parts();
    let times = |source_time_ms| {
        let asked = AskedAt { time_ms: 200, source_time_ms };
        rows(&memory.judge(answer(""), asked).batch).iter().map(|row| row.1).collect::<Vec<_>>()
    };
    assert_eq!(times(Some(50)), [50, 71]);
    assert_eq!(times(Some(999_999)), [200, 200]);
    assert_eq!(times(Some(i64::MIN)), [8, 71]);
    assert_eq!(times(None), [200, 200]);
}

#[test]
fn a_row_at_the_end_of_time_has_no_marker() {
    let results = judged(&[&format!("a 1 {MAX_TIME_MS}\nb 1 {}\n", MAX_TIME_MS - 1), ""]);
    assert_eq!(results[1].0, [marker("b", MAX_TIME_MS)]);
    assert_eq!(results[1].1.vanished, 1);
}

#[test]
fn of_two_values_for_one_series_and_time_the_first_counts() {
    let results = judged(&["a 1 7\na 1 7\na 2 7\nb 1 7\n"]);
    assert_eq!(results[0].0, [row("a", 7, 1.0), row("b", 7, 1.0)]);
    assert_eq!(results[0].1, Counts { exposed: 4, kept: 4, duplicates: 1, added: 2, ..Counts::default() });
}

#[test]
fn two_times_of_one_series_are_two_rows_and_the_later_is_remembered() {
    let results = judged(&["a 2 8\na 1 7\n", "a 2 8\n", ""]);
    assert_eq!(results[0].0, [row("a", 7, 1.0), row("a", 8, 2.0)]);
    assert_eq!(results[1].0, []);
    assert_eq!(results[2].0, [marker("a", 200 + 100)]);
}

#[test]
fn a_source_that_writes_its_labels_in_another_order_ends_nothing() {
    let results = judged(&[
        "a{x=\"1\",y=\"2\"} 1 7\na{x=\"3\",y=\"4\"} 1 7\n",
        "a{y=\"2\",x=\"1\"} 2 8\n",
        "a{x=\"1\",y=\"2\"} 3 9\n",
    ]);
    assert_eq!(results[1].0, [row("a x=1 y=2", 8, 2.0), marker("a x=3 y=4", 200)]);
    assert_eq!(results[2].0, [row("a x=1 y=2", 9, 3.0)]);
}

#[test]
fn what_was_not_written_comes_again() {
    let (_, memory) = Memory::default().judge(answer("a 1 7\nb 1 7\n"), asked(100)).into_parts();
    let lost = memory.judge(answer("b 2 8\n"), asked(200));
    assert_eq!(rows(&lost.batch), [marker("a", 200), row("b", 8, 2.0)]);
    let again = memory.judge(answer("b 2 8\n"), asked(300));
    assert_eq!(rows(&again.batch), [marker("a", 300), row("b", 8, 2.0)]);
}

#[test]
fn only_series_with_rows_are_in_the_batch() {
    let (_, memory) = Memory::default().judge(answer("a 1 7\nb 1 7\nc 1 7\n"), asked(100)).into_parts();
    assert_eq!(memory.judge(answer("a 1 7\nb 2 8\nc 1 7\n"), asked(200)).batch.series.len(), 1);
}

#[test]
fn the_end_of_a_source_ends_each_series_after_its_last_row() {
    let (_, memory) = Memory::default().judge(answer("a{x=\"1\"} 1 7\nb 1 900\n"), asked(100)).into_parts();
    assert_eq!(memory.series(), 2);
    assert_eq!(rows(&memory.end_all(500)), [marker("a x=1", 500), marker("b", 901)]);
    assert!(Memory::default().end_all(500).is_empty());
}

#[test]
fn metadata_is_sent_on_when_it_changes() {
    let (batch, memory) = Memory::default().judge(answer("# TYPE a counter\na 1 7\n"), asked(100)).into_parts();
    assert_eq!(batch.metadata.len(), 1);
    let (batch, memory) = memory.judge(answer("# TYPE a counter\na 2 8\n"), asked(200)).into_parts();
    assert_eq!(batch.metadata, []);
    let (batch, _) = memory.judge(answer("# TYPE a gauge\na 3 9\n"), asked(300)).into_parts();
    assert_eq!(batch.metadata.len(), 1);
}
