//! `tests/otlp_cases.txt`: read, held against the decoder, and against a real Prometheus.

use std::collections::BTreeSet;
use std::fmt::Write;

use bytes::Bytes;
use decode::otlp::{self, Decoded, Promotion, Strategy, Translation};
use decode::{Error, Limits, text};
use model::NativeHistogram;
use model::batch::{Batch, is_stale};
use model::histogram::{CUSTOM_BUCKETS, Counts, indexed};
use model::labels::LabelsBuilder;
use serde_json::Value;

use crate::server::Prometheus;

const FILE: &str = include_str!("../otlp_cases.txt");
/// `T0` in a body, in seconds.
const T0: i64 = 1_700_000_000;

/// One case of the file.
#[derive(Debug, Default)]
struct Case {
    title: String,
    /// Lines of Prometheus' section `otlp`.
    settings: Vec<String>,
    resource: Vec<(String, String)>,
    metrics: Vec<String>,
    rows: Vec<String>,
    refused: Option<(u64, String)>,
    /// What Prometheus 3 does.
    by_3: String,
    differs: bool,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::<Case>::new();
    for line in FILE.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            let resource = vec![("service.name".to_owned(), "shop".to_owned())];
            cases.push(Case { title: title.to_owned(), resource, by_3: "takes".to_owned(), ..Case::default() });
            continue;
        }
        let (Some(case), Some((mark, rest))) = (cases.last_mut(), line.split_once(' ')) else { continue };
        match mark {
            "$" => case.settings.push(rest.to_owned()),
            "@" => {
                let pairs = rest.split(' ').map(|pair| pair.split_once('=').unwrap());
                case.resource = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            }
            "|" => case.metrics.push(rest.to_owned()),
            ">" | "*" | "+" | "^" | "-" => case.rows.push(line.to_owned()),
            "!" => {
                let (points, part) = rest.split_once(' ').unwrap();
                case.refused = Some((points.parse().unwrap(), part.to_owned()));
            }
            "=" => case.by_3 = rest.to_owned(),
            "~" => case.differs = true,
            _ => {}
        }
    }
    cases
}

impl Case {
    fn translation(&self) -> Translation {
        let mut translation = Translation::default();
        for line in &self.settings {
            let (name, value) = line.split_once(": ").unwrap();
            let is_on = value == "true";
            let keys = || value.trim_matches(['[', ']']).split(", ").map(str::to_owned).collect::<BTreeSet<_>>();
            match name {
                "translation_strategy" => {
                    translation.strategy = match value {
                        "NoUTF8EscapingWithSuffixes" => Strategy::NoUtf8EscapingWithSuffixes,
                        "UnderscoreEscapingWithoutSuffixes" => Strategy::UnderscoreEscapingWithoutSuffixes,
                        "NoTranslation" => Strategy::NoTranslation,
                        other => panic!("{other}"),
                    }
                }
                "promote_resource_attributes" => translation.promotion = Promotion::Only(keys()),
                "promote_all_resource_attributes" => translation.promotion = Promotion::AllBut(BTreeSet::new()),
                "ignore_resource_attributes" => translation.promotion = Promotion::AllBut(keys()),
                "keep_identifying_resource_attributes" => translation.keep_identifying = is_on,
                "promote_scope_metadata" => translation.promote_scope = is_on,
                "convert_histograms_to_nhcb" => translation.classic_to_native = is_on,
                "label_name_underscore_sanitization" => translation.key_before_underscore = is_on,
                "label_name_preserve_multiple_underscores" => translation.keep_underscores = is_on,
                other => panic!("{other}"),
            }
        }
        translation
    }

    /// The request, as JSON.
    fn json(&self) -> String {
        let attributes: Vec<_> = self
            .resource
            .iter()
            .map(|(key, value)| serde_json::json!({"key": key, "value": {"stringValue": value}}))
            .collect();
        let mut metrics = self.metrics.join(",");
        for second in 0..1000 {
            if metrics.contains("\"T") {
                metrics = metrics.replace(&format!("\"T{second}\""), &format!("\"{}000000000\"", T0 + second));
            }
        }
        let scope = r#"{"name":"lib","version":"1.2","attributes":[{"key":"a.b","value":{"stringValue":"c"}}]}"#;
        let resource = serde_json::json!({ "attributes": attributes });
        let scopes = format!(r#"[{{"scope":{scope},"metrics":[{metrics}]}}]"#);
        format!(r#"{{"resourceMetrics":[{{"resource":{resource},"scopeMetrics":{scopes}}}]}}"#)
    }

    fn protobuf(&self) -> Bytes {
        otlp::json::to_protobuf(otlp::json::Request::Metrics, self.json().as_bytes(), &Limits::default()).unwrap()
    }

    fn read(&self) -> Result<Decoded, Error> {
        otlp::decode(&self.protobuf(), i64::MAX, &self.translation(), &Limits::default(), 1 << 20)
    }
}

/// The bodies of all cases, as protobuf and as JSON.
pub(crate) fn bodies() -> Vec<(Vec<u8>, Vec<u8>)> {
    cases().iter().map(|case| (case.protobuf().to_vec(), case.json().into_bytes())).collect()
}

/// Seconds after `T0`.
fn time(time_ms: i64) -> String {
    format!("T{}", (time_ms - T0 * 1000) as f64 / 1000.0)
}

fn number(value: f64) -> String {
    if is_stale(value) { "stale".to_owned() } else { value.to_string() }
}

fn series(batch: &Batch, index: u32) -> String {
    let key = batch.key(index as usize, &mut LabelsBuilder::default()).unwrap();
    let mut line = String::new();
    let cluster = [("cluster", &*key.cluster)].into_iter().filter(|(_, cluster)| !cluster.is_empty());
    text::write_series(&mut line, &key.name, cluster.chain(key.labels.iter())).unwrap();
    line
}

/// A histogram as Prometheus' API shows it, buckets without observations left out.
fn shown(histogram: &NativeHistogram) -> String {
    if histogram.is_stale() {
        return "stale".to_owned();
    }
    let Counts::Integer(counts) = &histogram.counts else { panic!("whole counts") };
    let bound = |index: i64| match histogram.schema {
        CUSTOM_BUCKETS => histogram.custom_bounds.get(index as usize).copied().unwrap_or(f64::INFINITY),
        schema => (index as f64 * 2f64.powi(-i32::from(schema))).exp2(),
    };
    let mut buckets = Vec::new();
    for (index, count) in indexed(&histogram.negative_spans, &counts.negative) {
        buckets.push((-bound(index), -bound(index - 1), count));
    }
    buckets.reverse();
    if counts.zero > 0 {
        buckets.push((-histogram.zero_threshold, histogram.zero_threshold, counts.zero));
    }
    for (index, count) in indexed(&histogram.positive_spans, &counts.positive) {
        let lower = if index == 0 && histogram.schema == CUSTOM_BUCKETS { f64::NEG_INFINITY } else { bound(index - 1) };
        buckets.push((lower, bound(index), count));
    }
    let mut line = format!("{} of {}:", counts.count, number(histogram.sum));
    for (lower, upper, count) in buckets.into_iter().filter(|(_, _, count)| *count > 0) {
        write!(line, " {lower:.6e}..{upper:.6e}={count}").unwrap();
    }
    line
}

/// All that is in a batch, a line each.
fn lines(decoded: &Decoded) -> Vec<String> {
    let batch = &decoded.batch;
    let mut lines = Vec::new();
    for sample in &batch.samples {
        let kind = batch.series[sample.series as usize].kind.as_str();
        lines.push(format!(
            "> {} {} {} {kind}",
            series(batch, sample.series),
            number(sample.value),
            time(sample.time_ms)
        ));
    }
    for row in &batch.histograms {
        lines.push(format!("> {} {} {}", series(batch, row.series), time(row.time_ms), shown(&row.value)));
    }
    for start in &batch.starts {
        lines.push(format!("^ {} {} {}", series(batch, start.series), time(start.time_ms), time(start.start_ms)));
    }
    for exemplar in &batch.exemplars {
        let labels =
            exemplar.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",");
        let (series, time) = (series(batch, exemplar.series), time(exemplar.time_ms));
        lines.push(format!("* {series} {{{labels}}} {} {time}", exemplar.value));
    }
    for said in &batch.metadata {
        lines.push(
            format!("+ {} {} [{}] {}", said.name, said.kind.as_str(), said.unit, said.help).trim_end().to_owned(),
        );
    }
    for delta in &decoded.deltas {
        let (samples, histograms) = (&delta.samples, &delta.histograms);
        let (start, end) = (time(delta.start_ms), time(delta.time_ms));
        lines.push(format!("- {} samples, {} histograms {start} {end}", samples.len(), histograms.len()));
    }
    lines
}

#[test]
fn every_case_reads_as_written_down() {
    let mut wrong = String::new();
    for case in cases() {
        let decoded = case.read().unwrap();
        let got = lines(&decoded);
        let is_refused = match &case.refused {
            None => decoded.refused == otlp::Refused::default(),
            Some((points, part)) => {
                decoded.refused.points == *points && decoded.refused.reasons.iter().any(|reason| reason.contains(part))
            }
        };
        if got != case.rows || !is_refused {
            writeln!(wrong, "== {}\n{}\n{:?}", case.title, got.join("\n"), decoded.refused).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn whatever_differs_from_prometheus_has_a_reason() {
    let cases = cases();
    assert!(cases.len() == FILE.matches("\n== ").count() && cases.len() > 30, "{}", cases.len());
    for case in cases {
        assert!(["takes", "takes as other", "drops"].contains(&case.by_3.as_str()), "{}", case.title);
        let both_drop = case.by_3 == "drops" && case.rows.is_empty();
        assert_eq!(case.by_3 == "takes" || both_drop, !case.differs, "{}", case.title);
    }
}

/// A series of an answer of Prometheus' API.
fn named(metric: &Value) -> String {
    let labels = metric.as_object().unwrap().iter().filter(|(name, _)| *name != "__name__");
    let labels: Vec<_> = labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let mut line = String::new();
    text::write_series(&mut line, metric["__name__"].as_str().unwrap(), labels).unwrap();
    line
}

fn float(value: &Value) -> f64 {
    let text = value.as_str().unwrap();
    text.parse().unwrap_or_else(|_| if text == "+Inf" { f64::INFINITY } else { f64::NEG_INFINITY })
}

/// The rows that a Prometheus has.
fn kept(server: &Prometheus) -> BTreeSet<String> {
    let query = format!("/api/v1/query?query={{__name__=~%22.%2B%22}}[900s]&time={}", T0 + 800);
    let answer = server.request("GET", &query, &[], b"").unwrap();
    let answer: Value = serde_json::from_slice(&answer.body()).unwrap();
    let time = |pair: &Value| time((pair[0].as_f64().unwrap() * 1000.0).round() as i64);
    let mut rows = BTreeSet::new();
    for found in answer["data"]["result"].as_array().unwrap() {
        let series = named(&found["metric"]);
        for pair in found["values"].as_array().into_iter().flatten() {
            rows.insert(format!("> {series} {} {}", float(&pair[1]), time(pair)));
        }
        for pair in found["histograms"].as_array().into_iter().flatten() {
            let mut line =
                format!("> {series} {} {} of {}:", time(pair), float(&pair[1]["count"]), float(&pair[1]["sum"]));
            for bucket in pair[1]["buckets"].as_array().into_iter().flatten() {
                write!(line, " {:.6e}..{:.6e}={}", float(&bucket[1]), float(&bucket[2]), float(&bucket[3]) as u64)
                    .unwrap();
            }
            rows.insert(line);
        }
    }
    rows
}

/// Our rows as Prometheus' API shows them: without kinds, and without staleness markers, which it leaves out.
fn as_kept(case: &Case) -> BTreeSet<String> {
    let decoded = case.read().unwrap();
    let rows = lines(&decoded).into_iter().filter(|line| line.starts_with("> ") && !line.contains(" stale"));
    rows.map(|line| match line.rsplit_once(' ') {
        Some((row, kind)) if !kind.contains(['.', ':']) => row.to_owned(),
        _ => line.clone(),
    })
    .collect()
}

#[test]
#[ignore = "asks a Prometheus 3: PROMETHEUS=… cargo test -p decode otlp -- --ignored"]
fn prometheus_3_does_what_is_written_down() {
    let mut wrong = String::new();
    for case in cases() {
        let settings: String = case.settings.iter().map(|line| format!("  {line}\n")).collect();
        let empty = if settings.is_empty() { " {}" } else { "" };
        let config = format!("otlp:{empty}\n{settings}");
        let arguments = ["--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"];
        let server = Prometheus::start(tempfile::tempdir().unwrap(), &config, &arguments);
        let headers = [("Content-Type", "application/x-protobuf")];
        let answer = server.request("POST", "/api/v1/otlp/v1/metrics", &headers, &case.protobuf()).unwrap();
        let (kept, ours) = (kept(&server), as_kept(&case));
        let is = match (answer.status, kept == ours) {
            (200, true) => "takes",
            (200, false) => "takes as other",
            _ => "drops",
        };
        if is != case.by_3 {
            let said = String::from_utf8_lossy(&answer.body()).into_owned();
            writeln!(wrong, "== {}: {is}, {} {said}\n{kept:#?}\n{ours:#?}", case.title, answer.status).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
