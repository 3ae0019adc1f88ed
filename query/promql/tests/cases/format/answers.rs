//! What is answered: series, a scalar, a string or an error; and what is noted beside it.

use std::collections::BTreeSet;

use super::histograms::Buckets;
use super::labels::{self, Labels};
use super::numbers::{duration_ms, duration_text, is_same, number, number_text};
use super::samples::{repeated, words};
use super::{ORIGIN_MS, Times};

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The answer itself.
    pub(crate) outcome: Outcome,
    /// Its notes, each beginning with `warning` or `info`.
    pub(crate) notes: BTreeSet<String>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Series, each with its values: of an instant or a range vector, or of a range query.
    Series(Vec<Row>),
    /// A scalar of an instant query.
    Scalar(f64),
    /// A string.
    String(String),
    /// An error with its kind and message.
    Error(String, String),
}

/// One series of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Its labels, the name among them.
    pub(crate) labels: Labels,
    /// Its values with their times, in milliseconds since the Unix epoch.
    pub(crate) points: Vec<(i64, Point)>,
}

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Point {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Buckets),
}

impl Point {
    fn text(&self) -> String {
        match self {
            Point::Float(value) => number_text(*value),
            Point::Histogram(histogram) => format!("h{}", histogram.text()),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Point::Float(a), Point::Float(b)) => is_same(*a, *b),
            (Point::Histogram(a), Point::Histogram(b)) => a.is_same(b),
            _ => false,
        }
    }
}

impl Answer {
    /// Reads the lines of an answer.
    pub(crate) fn parse(lines: &[&str], times: Times) -> Result<Self, String> {
        let mut answer = Answer { outcome: Outcome::Series(Vec::new()), notes: BTreeSet::new() };
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "empty" => (),
                "scalar" => answer.outcome = Outcome::Scalar(number(rest)?),
                "string" => {
                    let quoted = rest.strip_prefix('"').ok_or("a string is in quotes")?;
                    answer.outcome = Outcome::String(labels::string(quoted)?.0);
                }
                "error" => {
                    let (kind, message) = rest.split_once(": ").ok_or("an error is KIND: MESSAGE")?;
                    answer.outcome = Outcome::Error(kind.into(), unescape(message));
                }
                "warning" | "info" => {
                    answer.notes.insert(unescape(line));
                }
                _ => match &mut answer.outcome {
                    Outcome::Series(rows) => rows.push(Row::parse(line, times)?),
                    _ => return Err(format!("'{line}' stands beside an answer that has no series")),
                },
            }
        }
        Ok(answer)
    }

    /// Writes it as [`Answer::parse`] reads it.
    pub(crate) fn lines(&self, times: Times) -> Vec<String> {
        let mut lines = match &self.outcome {
            Outcome::Series(rows) if rows.is_empty() => vec!["empty".into()],
            Outcome::Series(rows) => rows.iter().map(|row| row.text(times)).collect(),
            Outcome::Scalar(value) => vec![format!("scalar {}", number_text(*value))],
            Outcome::String(value) => vec![format!("string {}", labels::quoted(value))],
            Outcome::Error(kind, message) => vec![format!("error {kind}: {}", escape(message))],
        };
        lines.extend(self.notes.iter().map(|note| escape(note)));
        lines
    }

    /// Whether it is the answer that was expected. Without `is_ordered` the order of the series does not count.
    pub(crate) fn is_same(&self, actual: &Self, is_ordered: bool) -> bool {
        let is_same_outcome = match (&self.outcome, &actual.outcome) {
            (Outcome::Series(expected), Outcome::Series(actual)) => are_same(expected, actual, is_ordered),
            (Outcome::Scalar(expected), Outcome::Scalar(actual)) => is_same(*expected, *actual),
            (expected, actual) => expected == actual,
        };
        is_same_outcome && self.notes == actual.notes
    }
}

fn are_same(expected: &[Row], actual: &[Row], is_ordered: bool) -> bool {
    let (mut expected, mut actual) = (expected.to_vec(), actual.to_vec());
    if !is_ordered {
        expected.sort_by(|a, b| a.labels.cmp(&b.labels));
        actual.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    expected.len() == actual.len() && expected.iter().zip(&actual).all(|(a, b)| a.is_same(b))
}

impl Row {
    fn parse(line: &str, times: Times) -> Result<Self, String> {
        let (labels, values) = labels::parse(line)?;
        let mut points = Vec::new();
        let mut place = 0;
        for word in words(values) {
            let (value, at) = match word.rsplit_once('@') {
                Some((value, at)) => (value, Some(ORIGIN_MS + duration_ms(at)?)),
                None => (word, None),
            };
            let (value, count) = repeated(value)?;
            for _ in 0..count {
                if value != "_" {
                    let point = match value.strip_prefix('h') {
                        Some(histogram) => Point::Histogram(Buckets::parse(histogram)?),
                        None => Point::Float(number(value)?),
                    };
                    points.push((at.unwrap_or(times.instant_ms(place)), point));
                }
                place += 1;
            }
        }
        Ok(Row { labels, points })
    }

    fn text(&self, times: Times) -> String {
        let mut values: Vec<String> = Vec::new();
        let has_steps = matches!(times, Times::Range { .. });
        if !has_steps && self.points.iter().any(|(time_ms, _)| *time_ms != times.instant_ms(0)) {
            let at = |time_ms| duration_text(time_ms - ORIGIN_MS);
            values.extend(self.points.iter().map(|(time_ms, point)| format!("{}@{}", point.text(), at(*time_ms))));
        } else {
            for (time_ms, point) in &self.points {
                while times.instant_ms(values.len()) < *time_ms {
                    values.push("_".into());
                }
                values.push(point.text());
            }
        }
        format!("{}  {}", labels::text(&self.labels), folded(&values))
    }

    fn is_same(&self, other: &Self) -> bool {
        let is_same_point = |(a, b): (&(i64, Point), &(i64, Point))| a.0 == b.0 && a.1.is_same(&b.1);
        self.labels == other.labels
            && self.points.len() == other.points.len()
            && self.points.iter().zip(&other.points).all(is_same_point)
    }
}

/// Joins words; equal ones in a row become one with a count.
fn folded(values: &[String]) -> String {
    let runs = values.chunk_by(|a, b| a == b);
    let words = runs.map(|run| match run.len() {
        1 => run[0].clone(),
        count => format!("{}*{count}", run[0]),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One line of any text: `\n` is a new line, `\s` a space at its end, `\\` a backslash.
fn escape(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
    match escaped.strip_suffix(' ') {
        Some(start) => format!("{start}\\s"),
        None => escaped,
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => plain.push('\n'),
                Some('s') => plain.push(' '),
                Some(letter) => plain.push(letter),
                None => plain.push('\\'),
            },
            _ => plain.push(letter),
        }
    }
    plain
}
