//! The questions, in both dialects. DuckDB sees the columns of the tables, ours those of the views.

use crate::records::line::{Line, RARE_WORD};
use crate::records::{hex, span};

/// A question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) what: &'static str,
    /// The milliseconds in which it is to be answered.
    pub(super) asked_ms: Option<f64>,
    pub(super) ours: String,
    pub(super) duckdb: String,
    /// Rows of the right answer.
    pub(super) rows: usize,
}

/// All of them, for so many rows.
pub(super) fn all(rows: usize) -> Vec<Question> {
    let line = Line::new(rows / 3, 0);
    let (of_line, of_span) = (line.trace(), hex(&span::trace_of(rows / 3)));
    let user = line.body.rsplit(' ').next().unwrap_or_default().to_owned();
    let question = |what, asked_ms, ours: String, duckdb: String, rows| Question { what, asked_ms, ours, duckdb, rows };
    vec![
        question(
            "a trace id among lines",
            Some(100.0),
            format!("SELECT CAST(ts AS BIGINT) AS a, body AS b FROM logs WHERE trace_id = '{of_line}'"),
            format!("SELECT time_unix_nano, body FROM logs WHERE trace_id = unhex('{of_line}')"),
            1,
        ),
        question(
            "a rare word",
            Some(100.0),
            format!("SELECT CAST(ts AS BIGINT) AS a, body AS b FROM logs WHERE has_word(body, '{RARE_WORD}')"),
            format!("SELECT time_unix_nano, body FROM logs WHERE body LIKE '% {RARE_WORD} %'"),
            (rows + 1_265_432) / 2_500_000,
        ),
        question(
            "two words, one of them a user's",
            Some(300.0),
            format!("SELECT count(*) AS a FROM logs WHERE has_word(body, '{user}') AND has_word(body, 'checkout')"),
            format!("SELECT count(*) FROM logs WHERE body LIKE '%user {user}' AND body LIKE '% /checkout %'"),
            1,
        ),
        question(
            "two words that are everywhere",
            Some(300.0),
            "SELECT count(*) AS a FROM logs WHERE has_word(body, 'checkout') AND has_word(body, 'POST')".to_owned(),
            "SELECT count(*) FROM logs WHERE body LIKE '% /checkout %' AND body LIKE 'POST %'".to_owned(),
            1,
        ),
        question(
            "count by level and service",
            Some(1000.0),
            "SELECT severity_text AS a, service AS b, count(*) AS c FROM logs GROUP BY 1, 2".to_owned(),
            "SELECT severity_text, service, count(*) FROM logs GROUP BY 1, 2".to_owned(),
            80,
        ),
        question(
            "the last 100 lines of a service",
            Some(50.0),
            "SELECT CAST(ts AS BIGINT) AS a, body AS b FROM logs WHERE service = 'service-7' ORDER BY ts DESC LIMIT 100"
                .to_owned(),
            "SELECT time_unix_nano, body FROM logs WHERE service = 'service-7' ORDER BY time_unix_nano DESC LIMIT 100"
                .to_owned(),
            100,
        ),
        question(
            "a trace by its id among spans",
            Some(30.0),
            format!(
                "SELECT CAST(ts AS BIGINT) AS a, name AS b, duration_nano AS c FROM spans WHERE trace_id = '{of_span}'"
            ),
            format!(
                "SELECT start_time_unix_nano, name, duration_nano FROM spans WHERE trace_id = unhex('{of_span}')"
            ),
            10,
        ),
        question(
            "the slowest 20 spans of a service",
            None,
            "SELECT duration_nano AS a, name AS b FROM spans WHERE service = 'service-7' ORDER BY duration_nano DESC LIMIT 20"
                .to_owned(),
            "SELECT duration_nano, name FROM spans WHERE service = 'service-7' ORDER BY duration_nano DESC LIMIT 20"
                .to_owned(),
            20,
        ),
    ]
}
