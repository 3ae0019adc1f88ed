//! `tests/text_cases.txt` and `tests/openmetrics_cases.txt`: read, and held against the decoders.

use std::fmt::Write;

use bytes::Bytes;
use decode::{Error, Limits, openmetrics, text};
use model::batch::{Batch, Exemplar, Kind, Metadata};
use model::labels::LabelsBuilder;

/// The time of every answer in these tests.
pub(crate) const ANSWER_MS: i64 = 1_700_000_000_000;

/// A format that has a file of cases.
pub(crate) struct Format {
    file: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) decode: fn(&Bytes, i64, &Limits) -> Result<Batch, Error>,
}

pub(crate) const TEXT: Format =
    Format { file: include_str!("../text_cases.txt"), content_type: "text/plain; version=0.0.4", decode: text::decode };

pub(crate) const OPENMETRICS: Format = Format {
    file: include_str!("../openmetrics_cases.txt"),
    content_type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
    decode: openmetrics::decode,
};

/// What a Prometheus does with a body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    #[default]
    Drops,
    /// And keeps what is read here.
    Takes,
    /// And keeps something else.
    TakesAs,
}

impl Verdict {
    fn of(words: &str) -> Self {
        match words {
            "drops" => Verdict::Drops,
            "takes" => Verdict::Takes,
            as_what if as_what.starts_with("takes as ") => Verdict::TakesAs,
            other => panic!("neither takes, takes as … nor drops: {other:?}"),
        }
    }

    pub(crate) fn takes(self) -> bool {
        self != Verdict::Drops
    }
}

/// One case of a file.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) body: Vec<u8>,
    /// Lines after `>` and `*`, marks included, or none if the body is refused.
    pub(crate) rows: Vec<String>,
    /// Lines after `+`.
    pub(crate) metadata: Vec<String>,
    /// Line, column and a part of the message.
    pub(crate) refused: Option<(usize, usize, String)>,
    /// What Prometheus 2.42 does with the body.
    pub(crate) by_2_42: Verdict,
    /// What Prometheus 3 does.
    pub(crate) by_3: Verdict,
    /// Whether a reason is given for differing from Prometheus 3.
    differs: bool,
}

impl Format {
    /// The cases of the file.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::<Case>::new();
        for line in self.file.split('\n') {
            if let Some(title) = line.strip_prefix("== ") {
                cases.push(Case { title: title.to_owned(), ..Case::default() });
                continue;
            }
            let Some(case) = cases.last_mut() else { continue };
            let rest = line.get(2..).unwrap_or("").strip_prefix(if line.starts_with("|-") { " " } else { "" });
            let rest = bytes_of(rest.unwrap_or(""));
            let words = || String::from_utf8(rest.clone()).unwrap();
            match line.chars().next() {
                Some('|') => {
                    case.body.extend_from_slice(&rest);
                    case.body.extend_from_slice(if line.starts_with("|-") { b"" } else { b"\n" });
                }
                Some(mark @ ('>' | '*')) => case.rows.push(format!("{mark} {}", words())),
                Some('+') => case.metadata.push(words()),
                Some('!') => {
                    let words = words();
                    let (place, part) = words.split_once(' ').unwrap();
                    let (line, column) = place.split_once(':').unwrap();
                    case.refused = Some((line.parse().unwrap(), column.parse().unwrap(), part.to_owned()));
                }
                Some('=') => {
                    let words = words();
                    let (older, newer) = words.strip_prefix("2.42 ").and_then(|rest| rest.split_once(", 3 ")).unwrap();
                    (case.by_2_42, case.by_3) = (Verdict::of(older), Verdict::of(newer));
                }
                Some('~') => case.differs = true,
                _ => {}
            }
        }
        cases
    }

    /// Reads a body as the format.
    pub(crate) fn read(&self, body: &[u8]) -> Result<Batch, Error> {
        (self.decode)(&Bytes::copy_from_slice(body), ANSWER_MS, &Limits::default())
    }
}

/// Resolves `⟨0d⟩`.
fn bytes_of(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('⟨') {
        bytes.extend_from_slice(before.as_bytes());
        let (hex, after) = after.split_once('⟩').unwrap();
        bytes.push(u8::from_str_radix(hex, 16).unwrap());
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// A time, or a dash for that of the answer.
fn time(time_ms: i64) -> String {
    if time_ms == ANSWER_MS { "-".to_owned() } else { time_ms.to_string() }
}

/// The samples of a batch as the writer writes them, each with its kind and followed by its exemplar.
fn shown(batch: &Batch) -> Vec<String> {
    let mut builder = LabelsBuilder::default();
    let mut lines = Vec::new();
    for sample in &batch.samples {
        let key = batch.key(sample.series as usize, &mut builder).unwrap();
        let mut line = "> ".to_owned();
        text::write_sample(&mut line, &key.name, key.labels.iter(), sample.value, None).unwrap();
        let kind = match batch.series[sample.series as usize].kind {
            Kind::Unknown => String::new(),
            kind => format!(" {}", kind.as_str()),
        };
        lines.push(format!("{} {}{kind}", line.trim_end_matches('\n'), time(sample.time_ms)));
        let exemplars = batch.exemplars.iter().filter(|exemplar| exemplar.series == sample.series);
        lines.extend(exemplars.map(shown_exemplar));
    }
    lines
}

fn shown_exemplar(exemplar: &Exemplar) -> String {
    let labels = exemplar.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut line = String::new();
    text::write_sample(&mut line, "a", labels, exemplar.value, None).unwrap();
    let written = line.trim_end_matches('\n').strip_prefix('a').unwrap();
    let braces = if exemplar.labels.is_empty() { "{}" } else { "" };
    format!("* {braces}{written} {}", time(exemplar.time_ms))
}

fn shown_metadata(batch: &Batch) -> Vec<String> {
    let lines = batch.metadata.iter().map(|Metadata { name, kind, unit, help }| {
        let mut comments = String::new();
        text::write_family(&mut comments, name, Kind::Gauge, help).unwrap();
        let type_line = comments.split('\n').find(|line| line.starts_with("# TYPE ")).unwrap();
        let name = type_line["# TYPE ".len()..].strip_suffix(" gauge").unwrap();
        let help =
            comments.split('\n').find_map(|line| line.strip_prefix("# HELP ")).map_or("", |rest| &rest[name.len()..]);
        let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
        format!("{name} {}{unit}{help}", kind.as_str())
    });
    lines.collect()
}

#[test]
fn every_case_reads_as_written_down() {
    let mut wrong = String::new();
    for format in [TEXT, OPENMETRICS] {
        for case in format.cases() {
            let got = format.read(&case.body);
            let right = match (&got, &case.refused) {
                (Ok(batch), None) => shown(batch) == case.rows && shown_metadata(batch) == case.metadata,
                (Err(error), Some((line, column, part))) => {
                    let place = error.position().unwrap();
                    (place.line, place.column) == (*line, *column)
                        && error.message().starts_with(&format!("line {line}, column {column}: "))
                        && error.message().contains(part)
                }
                _ => false,
            };
            if !right {
                let got = got.map(|batch| (shown(&batch), shown_metadata(&batch)));
                writeln!(wrong, "{}: {got:?}", case.title).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_files_are_read_whole() {
    for (format, least) in [(TEXT, 100), (OPENMETRICS, 200)] {
        let cases = format.cases();
        assert!(cases.len() == format.file.matches("\n== ").count() && cases.len() > least, "{}", cases.len());
        assert!(cases.iter().any(|case| case.body.contains(&b'\r')) && cases.iter().any(|case| case.body.is_empty()));
    }
}

#[test]
fn whatever_differs_from_prometheus_has_a_reason() {
    for format in [TEXT, OPENMETRICS] {
        for case in format.cases() {
            let dropped_since = case.by_2_42.takes() && !case.by_3.takes();
            let differs = case.refused.is_none() != case.by_3.takes() || case.by_3 == Verdict::TakesAs || dropped_since;
            assert_eq!(differs, case.differs, "{}", case.title);
        }
    }
}
