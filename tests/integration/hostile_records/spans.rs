//! Spans.

use serde_json::{Value, json};

use super::Series;
use super::encode::{self, Form, Span, hex, time_text};

/// A span of a trace, both told by numbers.
fn span(trace: u8, id: u8, parent: u8, name: impl Into<Vec<u8>>, start: i64) -> Span {
    let start = start as u64;
    Span {
        trace_id: [trace; 16],
        span_id: [id; 8],
        parent_span_id: [parent; 8],
        name: name.into(),
        start,
        end: start + 70,
    }
}

/// A span as a row.
fn row(cluster: &str, service: &str, span: &Span) -> Value {
    let duration = if span.end == 0 { 0 } else { span.end as i64 - span.start as i64 };
    let parent = (span.parent_span_id != [0; 8]).then(|| hex(&span.parent_span_id));
    json!({
        "ts": time_text(span.start as i64), "duration_nano": duration, "cluster": cluster, "service": service,
        "namespace": "", "pod": "", "container": "", "node": "", "trace_id": hex(&span.trace_id),
        "span_id": hex(&span.span_id), "parent_span_id": parent, "trace_state": "",
        "name": String::from_utf8_lossy(&span.name), "kind": "unspecified", "status": "unset", "status_message": "",
        "flags": 0, "scope_name": "", "scope_version": "", "attributes": {}, "resource": {"service.name": service},
        "events": [], "links": [],
    })
}

impl Series {
    /// Spans of a service of a cluster, field by field, in the order of their ids.
    async fn keep_spans(&mut self, cluster: &str, service: &str, spans: &[Span]) {
        let rows = spans.iter().map(|span| row(cluster, service, span)).collect();
        let sql = format!(
            "SELECT * FROM spans WHERE cluster = '{cluster}' AND service = '{service}' ORDER BY trace_id, span_id"
        );
        self.keep(sql, rows).await;
    }
}

/// Ids that are none, times that are odd, names that are no text.
pub(super) async fn odd_spans(series: &mut Series) {
    for form in Form::OTLP {
        let service = format!("odd-{}", form.word());
        let now = series.begin;
        let good = [
            span(1, 1, 0, "a root", now),
            Span { end: now as u64 - 5_000_000_000, ..span(1, 2, 1, "ends before it starts", now) },
            Span { end: 0, ..span(1, 3, 1, "has no end", now) },
            span(1, 4, 9, "has a parent that is nowhere", now),
            span(1, 5, 1, "of 1970", 1),
            Span { end: 1, ..span(1, 6, 1, "ends in 1970", now) },
            span(1, 7, 1, &b"\0 and \x1b[31mred, caf\xe9"[..], now),
        ];
        let late = i64::MAX - 1000;
        let bad = [
            span(1, 0, 1, "without an id", now),
            span(0, 8, 1, "without a trace", now),
            span(1, 8, 1, "without a start", 0),
            span(1, 9, 1, "of 2262", late),
            Span { end: late as u64, ..span(1, 10, 1, "ends in 2262", now) },
            Span { end: u64::MAX, ..span(1, 11, 1, "ends in 2554", now) },
        ];
        let all: Vec<Span> = bad[..3].iter().chain(&good).chain(&bad[3..]).cloned().collect();
        let answer = series.sender.spans(form, &series.usual, &encode::spans(form, &service, &all)).await;
        let names = bad.each_ref().map(|span| std::str::from_utf8(&span.name).unwrap());
        answer.took_all_but(6, &names, form.word());
        let reasons = [
            "it has no span_id",
            "it has no trace_id",
            "it has no start",
            "start_time_unix_nano, 9223372036854 ms, is too far in the future",
            "end_time_unix_nano, 9223372036854 ms, is too far in the future",
            "future_limit",
            "the year 2262",
        ];
        answer.took_all_but(6, &reasons, form.word());
        series.keep_spans("usual", &service, &good).await;

        let latest =
            [span(1, 1, 0, "of 2262", late), Span { end: i64::MAX as u64, ..span(1, 2, 1, "of all times", 1) }];
        let answer = series.sender.spans(form, &series.future, &encode::spans(form, &service, &latest)).await;
        answer.took_all_but(0, &[], form.word());
        series.keep_spans("future", &service, &latest).await;
    }
}

/// The others are there, all of them, and the bad one is named.
pub(super) async fn one_bad_span_among_10_000(series: &mut Series) {
    const BAD: usize = 7654;
    for form in Form::OTLP {
        let service = format!("many-{}", form.word());
        let numbered = |n: usize| Span {
            span_id: (n as u64 + 1).to_be_bytes(),
            ..span(2, 1, 0, format!("span {n}"), series.begin + n as i64)
        };
        let mut spans: Vec<Span> = (0..10_000).map(numbered).collect();
        spans[BAD].span_id = [0; 8];
        let answer = series.sender.spans(form, &series.usual, &encode::spans(form, &service, &spans)).await;
        answer.took_all_but(1, &["\"span 7654\"", "it has no span_id", &service], form.word());
        let of = format!("FROM spans WHERE cluster = 'usual' AND service = '{service}'");
        let whole = format!("SELECT count(*) AS n, count(DISTINCT name) AS names, count(DISTINCT span_id) AS ids {of}");
        series.keep(whole, vec![json!({"n": 9_999, "names": 9_999, "ids": 9_999})]).await;
        series.keep(format!("SELECT name {of} AND name = 'span {BAD}'"), Vec::new()).await;
    }
}

/// They are kept, and a query that goes from parent to parent ends.
pub(super) async fn parents_in_a_circle(series: &mut Series) {
    for (trace, form) in [21, 22, 23].into_iter().zip(Form::OTLP) {
        let service = format!("circle-{}", form.word());
        let now = series.begin;
        let spans = [
            span(trace, 1, 3, "of three", now),
            span(trace, 2, 1, "of three", now),
            span(trace, 3, 2, "of three", now),
            span(trace, 4, 4, "its own", now),
            span(trace, 5, 4, "below it", now),
        ];
        let answer = series.sender.spans(form, &series.usual, &encode::spans(form, &service, &spans)).await;
        answer.took_all_but(0, &[], form.word());
        series.keep_spans("usual", &service, &spans).await;

        let trace_id = hex(&[trace; 16]);
        let sql = format!(
            "WITH RECURSIVE up AS (SELECT span_id AS span, parent_span_id AS ancestor FROM spans WHERE trace_id = '{trace_id}' \
             UNION SELECT up.span, s.parent_span_id FROM up JOIN spans s ON s.span_id = up.ancestor \
             WHERE s.trace_id = '{trace_id}') SELECT span, ancestor FROM up ORDER BY span, ancestor"
        );
        let id = |n: u8| hex(&[n; 8]);
        let of_three = (1..=3).flat_map(|span| (1..=3).map(move |ancestor| (span, ancestor)));
        let rows = of_three
            .chain([(4, 4), (5, 4)])
            .map(|(span, ancestor)| json!({"span": id(span), "ancestor": id(ancestor)}));
        series.keep(sql, rows.collect()).await;
    }
}
