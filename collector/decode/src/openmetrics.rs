//! OpenMetrics as text, version 1.0, with the quoted UTF-8 names of Prometheus 3.
//!
//! Owns: the format, read in place: a series of the batch is the range of the body that holds `name{labels}` as written.
//! Does not own: content negotiation, staleness, what a `_created` sample says of its counter: it is a sample like any
//! other, as Prometheus has it unless told otherwise.
//!
//! ```text
//! # TYPE request_seconds histogram
//! # UNIT request_seconds seconds
//! # HELP request_seconds Time to the last byte.
//! request_seconds_bucket{le="+Inf"} 17 1700000000.25 # {trace_id="4bf92f3577b34da6"} 0.67 1700000000.1
//! request_seconds_count 17
//! # EOF
//! ```
//!
//! A body that Prometheus takes is taken with the same series, values and times, and a body that it drops is dropped,
//! but for what tests/openmetrics_cases.txt lists:
//! - taken here although Prometheus drops it: a NUL byte in a quoted name or in the label of an exemplar, which are text
//!   like any other
//! - dropped here although Prometheus takes it: a body without a byte, since what ends without `# EOF` was cut; a NUL
//!   byte behind the end or inside a comment's keyword; a label that comes twice, once without a value; names of
//!   families and of exemplars' labels that are empty or not UTF-8; numbers of years that no table holds; what breaks a
//!   limit
//! - read otherwise: labels stay as written, where Prometheus 3 turns `le="1"` of a histogram and `quantile="1"` of a
//!   summary into `1.0`; escapes are resolved in the labels of exemplars and in the names of families too; what comments
//!   say of a family counts until they speak of another, where Prometheus gathers it over the whole body
//!
//! Where Prometheus 2.42 and 3 part, 3 is followed: it allows a comma behind the last label, and exemplars on any sample.
//!
//! Source: <https://prometheus.io/docs/specs/om/open_metrics_spec/>, and Prometheus 2.42 and 3.14 observed.

mod exemplar;
mod write;

pub use crate::exposition::ENCODING;
pub use crate::exposition::write::write_series;
pub use write::{write_end, write_family, write_sample};

use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::Kind;

use crate::error::{Fault, quoted};
use crate::exposition::families::Escapes;
use crate::exposition::series::{Strict, scan_family, shown};
use crate::exposition::{Form, Page, number};
use crate::{Error, Families, Limits};

/// Reads a whole body. Samples without a timestamp get `default_time_ms`, exemplars without one that of their sample.
///
/// A series has the kind of the family that the last comments speak of, if it is called as the family is, with a suffix
/// that belongs to the kind (`_total` of counters, `_bucket` of histograms, `_info`, `_created`, …) or without one.
/// Gauge histograms are histograms. Comments that say nothing (TYPE `unknown` alone) give no metadata.
///
/// An exemplar whose labels have more than 128 characters, names and values together, is left out, as the format
/// provides; its sample stays.
///
/// # Errors
/// `Invalid` with line and column of the first fault, `TooLarge` if a limit is broken.
pub fn decode(body: &Bytes, default_time_ms: i64, limits: &Limits) -> Result<Batch, Error> {
    let (mut batch, families) = decode_apart(body, default_time_ms, limits)?;
    batch.metadata = families.metadata();
    Ok(batch)
}

/// As [`decode`], but what comments say of families is given apart, as written.
///
/// # Errors
/// As [`decode`].
pub fn decode_apart(body: &Bytes, default_time_ms: i64, limits: &Limits) -> Result<(Batch, Families), Error> {
    let mut decoder = Decoder { page: Page::open(body, default_time_ms, limits, Escapes::All)? };
    match decoder.run() {
        Ok(()) => Ok((decoder.page.batch, decoder.page.families)),
        Err(fault) => Err(fault.in_text(body)),
    }
}

struct Decoder<'a> {
    page: Page<'a>,
}

impl Decoder<'_> {
    fn run(&mut self) -> Result<(), Box<Fault>> {
        const END: &[u8] = b"# EOF";
        let mut at = 0;
        loop {
            at = match self.page.body.get(at) {
                None => return Err(self.cut()),
                Some(b'#') if self.page.body[at..].starts_with(END) => return self.end(at + END.len()),
                Some(b'#') => self.comment(at)?,
                Some(_) => self.sample(at)?,
            };
        }
    }

    /// Ends the page, whose last comment ends at `at`.
    fn end(&mut self, at: usize) -> Result<(), Box<Fault>> {
        let at = at + usize::from(self.page.body.get(at) == Some(&b'\n'));
        if let Some(byte) = self.page.body.get(at) {
            return Err(Fault::invalid(at, format!("expected nothing after # EOF, got {}", shown(Some(byte)))));
        }
        self.page.end_family()
    }

    /// The fault of a body that ends without saying so.
    #[cold]
    fn cut(&self) -> Box<Fault> {
        let what = "the text does not end with the line # EOF: it was cut on its way, or it is not OpenMetrics";
        Fault::invalid(self.page.body.len(), what)
    }

    /// Reads the sample whose line starts at `start` and returns where the next line starts.
    fn sample(&mut self, start: usize) -> Result<usize, Box<Fault>> {
        let series = self.page.series::<Strict>(start)?;
        let body = self.page.body;
        let (value, mut at) = number::value(body, self.space(series.labels.end, "a value")?)?;
        let mut time_ms = self.page.default_time_ms;
        if body.get(at) == Some(&b' ') && !self.is_exemplar(at) {
            (time_ms, at) = number::time_s(body, at + 1)?;
        }
        let index = self.page.push(series, time_ms, value)?;
        if self.is_exemplar(at) {
            at = self.exemplar(at, index, time_ms)?;
        }
        self.end_of_line(at)
    }

    /// Returns where what comes behind the one blank at `at` starts.
    fn space(&self, at: usize, what: &str) -> Result<usize, Box<Fault>> {
        match self.page.body.get(at) {
            Some(b' ') => Ok(at + 1),
            got => Err(Fault::invalid(at, format!("expected one blank and {what}, got {}", shown(got)))),
        }
    }

    fn end_of_line(&self, at: usize) -> Result<usize, Box<Fault>> {
        if at == self.page.body.len() { Err(self.cut()) } else { self.page.end_of_line(at) }
    }

    /// Reads the comment whose `#` is at `start` and returns where the next line starts.
    fn comment(&mut self, start: usize) -> Result<usize, Box<Fault>> {
        let body = self.page.body;
        let word = match body.get(start..start + 7) {
            Some([b'#', b' ', word @ .., b' ']) if matches!(word, b"HELP" | b"TYPE" | b"UNIT") => word,
            _ => return Err(self.no_comment(start)),
        };
        let (name_end, name) = scan_family(body, start + 7)?;
        let text = self.space(name_end, "what is said of the metric")?;
        let Some(length) = memchr::memchr(b'\n', &body[text..]) else { return Err(self.cut()) };
        let text = text..text + length;
        let next = text.end + 1;
        self.page.enter_family(name.clone())?;
        match word {
            b"HELP" => {
                self.page.check_value(text.clone(), "the help text")?;
                self.page.family.help = text;
            }
            b"UNIT" => {
                self.check_unit(name, text.clone())?;
                self.page.family.unit = text;
            }
            _ => self.page.family.form = form(body, text)?,
        }
        Ok(next)
    }

    /// The fault of a line that starts with `#` and is none of the four comments.
    #[cold]
    fn no_comment(&self, start: usize) -> Box<Fault> {
        let line = self.page.body[start..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let what = "expected # HELP, # TYPE, # UNIT or # EOF, the only comments of OpenMetrics";
        Fault::invalid(start, format!("{what}, got {}", quoted(line)))
    }

    /// Holds a unit against the name of its family, which must end in it.
    fn check_unit(&self, name: Range<usize>, unit: Range<usize>) -> Result<(), Box<Fault>> {
        let (written_name, written) = (&self.page.body[name.clone()], &self.page.body[unit.clone()]);
        let ends_name = matches!(written_name.strip_suffix(written), Some([.., b'_']));
        if !ends_name && !written.is_empty() {
            let what = format!("the unit {} is not the end of the metric name, after an underscore", quoted(written));
            return Err(Fault::invalid(unit.start, what));
        }
        Ok(())
    }
}

/// The form of a family by the word of a TYPE comment.
fn form(body: &[u8], word: Range<usize>) -> Result<Form, Box<Fault>> {
    let form = match &body[word.clone()] {
        b"counter" => Form::suffixed(Kind::Counter, |suffix| matches!(suffix, b"_total" | b"_created")),
        b"gauge" => Form::bare(Kind::Gauge),
        b"histogram" => {
            Form::suffixed(Kind::Histogram, |suffix| matches!(suffix, b"_bucket" | b"_sum" | b"_count" | b"_created"))
        }
        b"gaugehistogram" => {
            Form::suffixed(Kind::Histogram, |suffix| matches!(suffix, b"_bucket" | b"_gsum" | b"_gcount"))
        }
        b"summary" => Form::suffixed(Kind::Summary, |suffix| matches!(suffix, b"_sum" | b"_count" | b"_created")),
        b"info" => Form::suffixed(Kind::Info, |suffix| matches!(suffix, b"_info")),
        b"stateset" => Form::bare(Kind::StateSet),
        b"unknown" => Form::bare(Kind::Unknown),
        other => {
            let what = "expected counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown";
            return Err(Fault::invalid(word.start, format!("{what}, got {}", quoted(other))));
        }
    };
    Ok(form)
}
