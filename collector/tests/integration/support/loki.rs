//! A Loki that has lines, and answers questions for them as a real one does.

use std::collections::BTreeMap;
use std::sync::Arc;

use collector::Config;
use collector::config::LokiConfig;
use parking_lot::Mutex;
use serde_json::json;
use url::Url;

use super::server::{Reply, Server, answer_with};

/// Time in nanoseconds, the label `app` of the stream, and the line.
pub(crate) type Line = (i64, &'static str, String);

/// What it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) limit: usize,
}

/// What the server does with a question instead of answering it.
type Script = dyn Fn(usize, &Question) -> Option<Reply> + Send + Sync;

pub(crate) struct Loki {
    pub(crate) server: Server,
    lines: Arc<Mutex<Vec<Line>>>,
    questions: Arc<Mutex<Vec<Question>>>,
}

pub(crate) const JSON: &str = "Content-Type: application/json; charset=UTF-8";

impl Loki {
    pub(crate) async fn start(lines: Vec<Line>) -> Self {
        Self::with(lines, |_, _| None).await
    }

    /// A server that does what `script` says; it gets the number of the question, from 0, and the question.
    pub(crate) async fn with(
        lines: Vec<Line>,
        script: impl Fn(usize, &Question) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let (lines, questions) = (Arc::new(Mutex::new(lines)), Arc::new(Mutex::new(Vec::new())));
        let (own, log, script): (_, _, Box<Script>) = (lines.clone(), questions.clone(), Box::new(script));
        let server = Server::start(move |number, head| {
            let question = question(head);
            log.lock().push(question.clone());
            script(number, &question).unwrap_or_else(|| answer(&own.lock(), &question))
        });
        Loki { server: server.await, lines, questions }
    }

    /// How it is configured: read five times a second, an hour back, without delay.
    pub(crate) fn config(&self) -> LokiConfig {
        LokiConfig {
            scrape_interval: std::time::Duration::from_millis(200),
            delay: std::time::Duration::ZERO,
            backfill: std::time::Duration::from_secs(3600),
            ..LokiConfig::new("east", self.server.url())
        }
    }

    pub(crate) fn push(&self, lines: impl IntoIterator<Item = Line>) {
        self.lines.lock().extend(lines);
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        self.questions.lock().clone()
    }
}

/// A configuration with these servers.
pub(crate) fn reading(configs: impl IntoIterator<Item = LokiConfig>) -> Config {
    Config { loki_configs: configs.into_iter().collect(), ..Config::default() }
}

fn question(head: &str) -> Question {
    assert!(head.starts_with("GET /loki/api/v1/query_range?"), "{head}");
    assert!(head.contains("\r\nx-loki-response-encoding-flags: categorize-labels\r\n"), "{head}");
    let path = head.split(' ').nth(1).unwrap();
    let url = Url::parse(&format!("http://x{path}")).unwrap();
    let params: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!((params["query"].as_str(), params["direction"].as_str()), (r#"{job=~".+"}"#, "forward"));
    let number = |name: &str| params[name].parse().unwrap();
    Question { start: number("start"), end: number("end"), limit: number("limit") as usize }
}

/// The earliest lines that are asked for, stream by stream.
pub(crate) fn answer(lines: &[Line], question: &Question) -> Reply {
    let mut found: Vec<&Line> = lines.iter().filter(|line| (question.start..question.end).contains(&line.0)).collect();
    found.sort_by_key(|line| line.0);
    found.truncate(question.limit);
    let mut streams: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
    for (time, app, line) in found {
        let entry = json!([time.to_string(), line, { "structuredMetadata": { "user": "ann" } }]);
        streams.entry(app).or_default().push(entry);
    }
    let stream = |(app, values)| json!({ "stream": { "app": app, "job": "x", "cluster": "own" }, "values": values });
    let result: Vec<_> = streams.into_iter().map(stream).collect();
    let body = json!({ "status": "success", "data": { "resultType": "streams", "result": result, "stats": {} } });
    // The type stands in front, as it does in answers of a Loki.
    let body = body.to_string();
    Reply::Bytes(answer_with("200 OK", &[JSON], body.as_bytes()))
}
