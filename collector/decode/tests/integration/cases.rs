//! `tests/text_cases.txt`: read, and held against the decoder.

use std::fmt::Write;

use bytes::Bytes;
use decode::{Limits, text};
use model::batch::{Batch, Kind};
use model::labels::LabelsBuilder;

/// The time of every answer in these tests.
pub(crate) const ANSWER_MS: i64 = 1_700_000_000_000;

/// One case of the file.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) body: Vec<u8>,
    /// Lines after `>`, or none if the body is refused.
    pub(crate) samples: Vec<String>,
    /// Lines after `+`.
    pub(crate) metadata: Vec<String>,
    /// Line, column and a part of the message.
    pub(crate) refused: Option<(usize, usize, String)>,
    /// Whether Prometheus 2.42 takes the body.
    pub(crate) taken_by_2_42: bool,
    /// Whether Prometheus 3 does.
    taken_by_3: bool,
    /// Whether a reason is given for differing from Prometheus 3.
    differs: bool,
}

/// The cases of the file.
pub(crate) fn all() -> Vec<Case> {
    let text = include_str!("../text_cases.txt");
    let mut cases = Vec::<Case>::new();
    for line in text.split('\n') {
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
            Some('>') => case.samples.push(words()),
            Some('+') => case.metadata.push(words()),
            Some('!') => {
                let words = words();
                let (place, part) = words.split_once(' ').unwrap();
                let (line, column) = place.split_once(':').unwrap();
                case.refused = Some((line.parse().unwrap(), column.parse().unwrap(), part.to_owned()));
            }
            Some('=') => {
                case.taken_by_2_42 = words().contains("2.42 takes");
                case.taken_by_3 = words().contains("3 takes");
            }
            Some('~') => case.differs = true,
            _ => {}
        }
    }
    cases
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

/// The samples of a batch as the writer writes them, those at `default_ms` with a dash for the time.
pub(crate) fn shown(batch: &Batch, default_ms: i64) -> Vec<String> {
    let mut builder = LabelsBuilder::default();
    let lines = batch.samples.iter().map(|sample| {
        let key = batch.key(sample.series as usize, &mut builder).unwrap();
        let mut line = String::new();
        text::write_sample(&mut line, &key.name, key.labels.iter(), sample.value, None).unwrap();
        let time = if sample.time_ms == default_ms { "-".to_owned() } else { sample.time_ms.to_string() };
        format!("{} {time}", line.trim_end_matches('\n'))
    });
    lines.collect()
}

fn shown_metadata(batch: &Batch) -> Vec<String> {
    let lines = batch.metadata.iter().map(|metadata| {
        let mut comments = String::new();
        text::write_family(&mut comments, &metadata.name, Kind::Gauge, &metadata.help).unwrap();
        let type_line = comments.split('\n').find(|line| line.starts_with("# TYPE ")).unwrap();
        let name = type_line["# TYPE ".len()..].strip_suffix(" gauge").unwrap();
        let help =
            comments.split('\n').find_map(|line| line.strip_prefix("# HELP ")).map_or("", |rest| &rest[name.len()..]);
        format!("{name} {}{help}", metadata.kind.as_str())
    });
    lines.collect()
}

#[test]
fn every_case_reads_as_written_down() {
    let mut wrong = String::new();
    for case in all() {
        let got = text::decode(&Bytes::from(case.body.clone()), ANSWER_MS, &Limits::default());
        let right = match (&got, &case.refused) {
            (Ok(batch), None) => shown(batch, ANSWER_MS) == case.samples && shown_metadata(batch) == case.metadata,
            (Err(error), Some((line, column, part))) => {
                let place = error.position().unwrap();
                (place.line, place.column) == (*line, *column)
                    && error.message().starts_with(&format!("line {line}, column {column}: "))
                    && error.message().contains(part)
            }
            _ => false,
        };
        if !right {
            let got = got.map(|batch| (shown(&batch, ANSWER_MS), shown_metadata(&batch)));
            writeln!(wrong, "{}: {got:?}", case.title).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_file_is_read_whole() {
    let cases = all();
    assert_eq!(cases.len(), include_str!("../text_cases.txt").matches("\n== ").count());
    assert!(cases.iter().any(|case| case.body.contains(&b'\r')) && cases.iter().any(|case| case.body.is_empty()));
}

#[test]
fn whatever_differs_from_prometheus_has_a_reason() {
    for case in all() {
        let differs = case.refused.is_none() != case.taken_by_3 || case.taken_by_2_42 && !case.taken_by_3;
        // Blanks before a name are taken by both, as another name.
        let differs = differs || case.body.starts_with(b"  a");
        assert_eq!(differs, case.differs, "{}", case.title);
    }
}
