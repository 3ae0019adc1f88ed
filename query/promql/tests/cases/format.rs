//! Text cases of PromQL: data, expressions and their answers, as `query/promql/cases/README.md` describes them.
//!
//! Owns: reading a file of cases, and writing it back with other answers.
//! Does not own: who answers. A test of ours includes this file by its path, the confirming example does too.

#[path = "format/answers.rs"]
pub(crate) mod answers;
#[path = "format/histograms.rs"]
pub(crate) mod histograms;
#[path = "format/labels.rs"]
pub(crate) mod labels;
#[path = "format/numbers.rs"]
pub(crate) mod numbers;
#[path = "format/responses.rs"]
pub(crate) mod responses;
#[path = "format/samples.rs"]
pub(crate) mod samples;

use std::ops::Range;

use answers::Answer;
use labels::Labels;
use numbers::duration_ms;
use samples::Sample;

/// The instant that a file calls 0: 2026-01-01T00:00:00Z.
pub(crate) const ORIGIN_MS: i64 = 1_767_225_600_000;

/// One file: what is stored, and what is asked.
#[derive(Debug)]
pub(crate) struct CaseFile {
    /// Features of Prometheus that are off while its cases are asked; all others are on.
    pub(crate) without: Vec<String>,
    /// The series that are stored before the first case is asked.
    pub(crate) series: Vec<Series>,
    /// The cases, in order.
    pub(crate) cases: Vec<Case>,
    lines: Vec<String>,
}

/// A series that is stored.
#[derive(Debug, PartialEq)]
pub(crate) struct Series {
    /// Its labels, the name among them.
    pub(crate) labels: Labels,
    /// Its samples with their times, in milliseconds since the Unix epoch and in order.
    pub(crate) samples: Vec<(i64, Sample)>,
}

/// An expression, when it is asked, and its answer.
#[derive(Debug)]
pub(crate) struct Case {
    /// The line that it begins at, from 1 on.
    pub(crate) line: usize,
    /// When it is asked.
    pub(crate) times: Times,
    /// How far an instant selector looks back, if not for five minutes.
    pub(crate) lookback_ms: Option<i64>,
    /// The expression.
    pub(crate) expression: String,
    /// Whether the order of the series in the answer counts.
    pub(crate) is_ordered: bool,
    /// The answer, unless it has still to be filled in.
    pub(crate) answer: Option<Answer>,
    answer_lines: Range<usize>,
}

/// The instants of a query, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// An instant query.
    At(i64),
    /// A range query.
    Range {
        /// The first instant.
        start_ms: i64,
        /// No instant is after it.
        end_ms: i64,
        /// From one instant to the next.
        step_ms: i64,
    },
}

impl Times {
    /// The time of the answer's value number `place`.
    pub(crate) fn instant_ms(self, place: usize) -> i64 {
        match self {
            Times::At(time_ms) => time_ms,
            Times::Range { start_ms, step_ms, .. } => start_ms + place as i64 * step_ms,
        }
    }
}

impl CaseFile {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut file = CaseFile { without: Vec::new(), series: Vec::new(), cases: Vec::new(), lines };
        let lines = std::mem::take(&mut file.lines);
        let mut place = 0;
        while place < lines.len() {
            place = file.parse_block(&lines, place)?;
        }
        file.lines = lines;
        Ok(file)
    }

    /// The text of the file with the answers given, one for each case.
    pub(crate) fn with_answers(&self, answers: &[Answer]) -> String {
        let mut text = String::new();
        let mut next = 0;
        for (case, answer) in self.cases.iter().zip(answers) {
            push_lines(&mut text, &self.lines[next..case.answer_lines.start]);
            if case.is_ordered {
                text.push_str("  ordered\n");
            }
            for line in answer.lines(case.times) {
                text.push_str(&format!("  {line}\n"));
            }
            next = case.answer_lines.end;
        }
        push_lines(&mut text, &self.lines[next..]);
        text
    }

    /// Reads what begins at a line, and says where the next block begins.
    fn parse_block(&mut self, lines: &[String], place: usize) -> Result<usize, String> {
        let line = lines[place].as_str();
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(place + 1);
        }
        let end = (place + 1..lines.len()).find(|next| !lines[*next].starts_with(' ')).unwrap_or(lines.len());
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let at = |error: String| format!("line {}: {error}", place + 1);
        match word {
            "without" => self.without.extend(rest.split_whitespace().map(str::to_owned)),
            "load" => {
                let (step_ms, start_ms) = load_times(rest).map_err(at)?;
                for (number, line) in lines.iter().enumerate().take(end).skip(place + 1) {
                    let at = |error: String| format!("line {}: {error}", number + 1);
                    if !line.trim_start().starts_with('#') {
                        self.series.push(parse_series(line, start_ms, step_ms).map_err(at)?);
                    }
                }
            }
            "at" | "from" => self.cases.push(Case::parse(&lines[place..end], place)?),
            _ => return Err(at(format!("'{word}' is none of without, load, at and from"))),
        }
        Ok(end)
    }
}

impl Case {
    /// Whether an answer is the one that the file has. Range queries always answer in the order of the labels.
    pub(crate) fn accepts(&self, answer: &Answer) -> bool {
        let is_ordered = self.is_ordered || matches!(self.times, Times::Range { .. });
        self.answer.as_ref().is_some_and(|expected| expected.is_same(answer, is_ordered))
    }

    /// Reads a case from its lines; `place` is the place of the first one in the file.
    fn parse(lines: &[String], place: usize) -> Result<Self, String> {
        let at = |error: String| format!("line {}: {error}", place + 1);
        let (times, lookback_ms, first) = parse_head(&lines[0]).map_err(at)?;
        let mut expression = first.to_owned();
        let mut next = 1;
        while let Some(more) = lines.get(next).and_then(|line| line.trim_start().strip_prefix('|')) {
            expression.push('\n');
            expression.push_str(more.strip_prefix(' ').unwrap_or(more));
            next += 1;
        }
        let mut words: Vec<&str> = lines[next..].iter().map(|line| line.trim()).collect();
        let answer_lines = place + next..place + lines.len();
        let is_ordered = words.first() == Some(&"ordered");
        if is_ordered {
            words.remove(0);
        }
        let answer = if words.is_empty() { None } else { Some(Answer::parse(&words, times).map_err(at)?) };
        Ok(Case { line: place + 1, times, lookback_ms, expression, is_ordered, answer, answer_lines })
    }
}

fn push_lines(text: &mut String, lines: &[String]) {
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
}

/// The step of a block of series and the time of their first samples.
fn load_times(text: &str) -> Result<(i64, i64), String> {
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [step] => Ok((duration_ms(step)?, ORIGIN_MS)),
        [step, "from", start] => Ok((duration_ms(step)?, ORIGIN_MS + duration_ms(start)?)),
        _ => Err(format!("'load {text}' is not 'load STEP' or 'load STEP from TIME'")),
    }
}

fn parse_series(line: &str, start_ms: i64, step_ms: i64) -> Result<Series, String> {
    let (labels, values) = labels::parse(line.trim())?;
    Ok(Series { labels, samples: samples::parse(values, start_ms, step_ms)? })
}

/// The times of a case, its lookback, and where its expression begins.
fn parse_head(line: &str) -> Result<(Times, Option<i64>, &str), String> {
    let mut rest = line;
    let mut word = || {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after.trim_start();
        word
    };
    let times = match word() {
        "at" => Times::At(ORIGIN_MS + duration_ms(word())?),
        _ => {
            let start_ms = ORIGIN_MS + duration_ms(word())?;
            let (to, end) = (word(), word());
            let (step, width) = (word(), word());
            if (to, step) != ("to", "step") {
                return Err("a range query begins 'from TIME to TIME step DURATION'".into());
            }
            Times::Range { start_ms, end_ms: ORIGIN_MS + duration_ms(end)?, step_ms: duration_ms(width)? }
        }
    };
    match rest.strip_prefix("lookback ") {
        None => Ok((times, None, rest)),
        Some(after) => {
            let (width, expression) = after.split_once(' ').unwrap_or((after, ""));
            Ok((times, Some(duration_ms(width)?), expression.trim_start()))
        }
    }
}
