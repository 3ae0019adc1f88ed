//! `tests/otlp_logs_cases.txt` and `tests/otlp_traces_cases.txt`: read, and held against the decoders.

use std::fmt::Write;

use bytes::Bytes;
use decode::Limits;
use decode::otlp::json::{Request, to_protobuf};
use decode::otlp::{DecodedLogs, DecodedSpans, Refused, logs, traces};
use model::{Logs, Resource, Spans};

const LOGS: &str = include_str!("../otlp_logs_cases.txt");
const TRACES: &str = include_str!("../otlp_traces_cases.txt");
/// `T0` in a body, in seconds.
const T0: i64 = 1_700_000_000;
/// When a request arrives, in nanoseconds.
const ARRIVAL: i64 = (T0 + 100) * 1_000_000_000;
/// A day after `T0`.
const LATEST_MS: i64 = (T0 + 86_400) * 1000;
const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const SPAN: &str = "eee19b7ec3c1b174";

/// One case of a file.
#[derive(Debug, Default)]
struct Case {
    title: String,
    resource: Vec<(String, String)>,
    scope: Option<String>,
    records: Vec<String>,
    rows: Vec<String>,
    refused: Vec<(u64, String)>,
}

fn cases(file: &str) -> Vec<Case> {
    let mut cases = Vec::<Case>::new();
    for line in file.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            let resource = vec![("service.name".to_owned(), "shop".to_owned())];
            cases.push(Case { title: title.to_owned(), resource, ..Case::default() });
            continue;
        }
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        let Some(case) = cases.last_mut() else { continue };
        match mark {
            "@" => {
                let pairs = rest.split(' ').filter_map(|pair| pair.split_once('='));
                case.resource = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            }
            "%" => case.scope = Some(rest.to_owned()),
            "|" => case.records.push(rest.to_owned()),
            ">" | "*" | "&" | ":" => case.rows.push(line.to_owned()),
            "!" => {
                let (count, part) = rest.split_once(' ').unwrap();
                case.refused.push((count.parse().unwrap(), part.to_owned()));
            }
            "" => {}
            other => panic!("{other}"),
        }
    }
    assert!(cases.len() >= 8 && cases.len() == file.matches("\n== ").count());
    cases
}

impl Case {
    /// The request, as JSON, with the names of its fields.
    fn json(&self, [resources, scopes, records]: [&str; 3]) -> String {
        let attributes: Vec<_> = self
            .resource
            .iter()
            .map(|(key, value)| serde_json::json!({"key": key, "value": {"stringValue": value}}))
            .collect();
        let mut all = self.records.join(",").replace("TRACE", TRACE).replace("SPAN\"", &format!("{SPAN}\""));
        for second in [0, 1, 900_000, 900_001] {
            all = all.replace(&format!("\"T{second}\""), &format!("\"{}000000000\"", T0 + second));
        }
        let scope = self.scope.as_ref().map_or(String::new(), |scope| format!(r#""scope":{scope},"#));
        let resource = serde_json::json!({ "attributes": attributes });
        format!(r#"{{"{resources}":[{{"resource":{resource},"{scopes}":[{{{scope}"{records}":[{all}]}}]}}]}}"#)
    }

    fn logs_json(&self) -> String {
        self.json(["resourceLogs", "scopeLogs", "logRecords"])
    }

    fn traces_json(&self) -> String {
        self.json(["resourceSpans", "scopeSpans", "spans"])
    }

    /// What is wrong with what was read, if anything is.
    fn held_against(&self, rows: &[String], refused: &Refused) -> Option<String> {
        let parts = |(count, part): &(u64, String)| {
            refused.points == *count && refused.reasons.iter().any(|reason| reason.contains(part))
        };
        let is_refused = if self.refused.is_empty() { refused.points == 0 } else { self.refused.iter().all(parts) };
        // The columns of the resource stand in a case that is about them.
        let shows = |row: &&String| !row.starts_with(':') || self.rows.iter().any(|row| row.starts_with(':'));
        let shown: Vec<&String> = rows.iter().filter(shows).collect();
        let is_same = shown == self.rows.iter().collect::<Vec<_>>();
        (!is_same || !is_refused).then(|| format!("== {}\n{}\n{refused:?}\n", self.title, rows.join("\n")))
    }
}

fn protobuf(request: Request, json: &str) -> Bytes {
    to_protobuf(request, json.as_bytes(), &Limits::default()).unwrap()
}

/// The bodies of all cases of logs, as protobuf and as JSON.
pub(crate) fn logs_bodies() -> Vec<(Vec<u8>, Vec<u8>)> {
    let bodies = cases(LOGS).into_iter().map(|case| case.logs_json());
    bodies.map(|json| (protobuf(Request::Logs, &json).to_vec(), json.into_bytes())).collect()
}

/// The same of traces.
pub(crate) fn traces_bodies() -> Vec<(Vec<u8>, Vec<u8>)> {
    let bodies = cases(TRACES).into_iter().map(|case| case.traces_json());
    bodies.map(|json| (protobuf(Request::Traces, &json).to_vec(), json.into_bytes())).collect()
}

fn time(nanos: i64) -> String {
    match nanos {
        ARRIVAL => "ARRIVAL".to_owned(),
        nanos => format!("T{}", (nanos - T0 * 1_000_000_000) as f64 / 1e9),
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn braced<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = attributes.map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Writes ` name=value`, unless it is the default.
fn part(line: &mut String, name: &str, value: &str, default: &str) {
    if value != default {
        write!(line, " {name}={value}").unwrap();
    }
}

fn resource(resource: &Resource) -> String {
    let mut line = ":".to_owned();
    let names = ["cluster", "namespace", "pod", "container", "node", "service"];
    for (name, column) in names.iter().zip(resource.columns()) {
        part(&mut line, name, column, "");
    }
    line + " " + &braced(resource.attributes.iter())
}

/// All rows of logs, a line each.
fn log_lines(logs: &Logs) -> Vec<String> {
    let mut lines = Vec::new();
    for row in 0..logs.len() {
        let log = logs.row(row);
        let mut line = format!("> {} {} ", time(log.time_unix_nano), time(log.observed_time_unix_nano));
        write!(line, "{} {:?} {:?} ", log.severity_number, log.severity_text, log.body).unwrap();
        line += &braced(logs.attributes.row(row));
        part(&mut line, "trace", &hex(&log.trace_id), &"0".repeat(32));
        part(&mut line, "span", &hex(&log.span_id), &"0".repeat(16));
        part(&mut line, "flags", &log.flags.to_string(), "0");
        let scope = logs.scopes.get(log.scope).unwrap();
        part(&mut line, "scope", &format!("{}/{}", scope.name, scope.version), "/");
        lines.push(line);
        lines.push(resource(logs.resources.get(log.resource).unwrap()));
    }
    lines
}

/// All spans, a line each, with their events and links.
fn span_lines(spans: &Spans) -> Vec<String> {
    let mut lines = Vec::new();
    for row in 0..spans.len() {
        let span = spans.row(row);
        let mut line = format!("> {:?} {} {} ", span.name, span.kind, time(span.start_time_unix_nano));
        write!(line, "{} {}", span.duration_nano, braced(spans.attributes.row(row))).unwrap();
        part(&mut line, "trace", &hex(&span.trace_id), TRACE);
        part(&mut line, "span", &hex(&span.span_id), SPAN);
        part(&mut line, "parent", &hex(&span.parent_span_id), &"0".repeat(16));
        part(&mut line, "state", &format!("{:?}", span.trace_state), "\"\"");
        part(&mut line, "flags", &span.flags.to_string(), "0");
        part(&mut line, "status", &format!("{} {:?}", span.status_code, span.status_message), "0 \"\"");
        let scope = spans.scopes.get(span.scope).unwrap();
        part(&mut line, "scope", &format!("{}/{}", scope.name, scope.version), "/");
        lines.push(line);
        for event in spans.events.of(row) {
            let (time, name) = (time(spans.events.time_unix_nano[event]), spans.texts.get(spans.events.name[event]));
            lines.push(format!("* {time} {name:?} {}", braced(spans.events.attributes.row(event))));
        }
        for link in spans.links.of(row) {
            let (trace, span) = (hex(&spans.links.trace_id[link]), hex(&spans.links.span_id[link]));
            let state = spans.texts.get(spans.links.trace_state[link]);
            lines.push(format!("& {trace} {span} {state:?} {}", braced(spans.links.attributes.row(link))));
        }
        lines.push(resource(spans.resources.get(span.resource).unwrap()));
    }
    lines
}

#[test]
fn every_case_of_logs_reads_as_written_down() {
    let mut wrong = String::new();
    for case in cases(LOGS) {
        let body = protobuf(Request::Logs, &case.logs_json());
        let DecodedLogs { logs, refused } = logs::decode(&body, ARRIVAL, LATEST_MS, &Limits::default()).unwrap();
        wrong.extend(case.held_against(&log_lines(&logs), &refused));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_case_of_traces_reads_as_written_down() {
    let mut wrong = String::new();
    for case in cases(TRACES) {
        let body = protobuf(Request::Traces, &case.traces_json());
        let DecodedSpans { spans, refused } = traces::decode(&body, LATEST_MS, &Limits::default()).unwrap();
        wrong.extend(case.held_against(&span_lines(&spans), &refused));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
