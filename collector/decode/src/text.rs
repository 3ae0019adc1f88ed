//! The Prometheus text exposition format, version 0.0.4, with the quoted UTF-8 names of Prometheus 3.
//!
//! Owns: the format, read in place: a series of the batch is the range of the body that holds `name{labels}` as written.
//! Does not own: OpenMetrics (another format, though close: [`crate::openmetrics`]), `/federate`'s semantics, staleness.
//!
//! A body that Prometheus takes is taken with the same series, values and times, and a body that it drops is dropped,
//! but for what tests/text_cases.txt lists:
//! - taken here although Prometheus drops it: what the format's own description allows, which is blanks at the start of
//!   a line and the end of a TYPE line, and negative timestamps
//! - dropped here although Prometheus takes it: a NUL byte outside quotes and comments, at which Prometheus stops
//!   reading and forgets the rest; a label that comes twice, once without a value; numbers of years that no table holds;
//!   what breaks a limit
//! - read otherwise: labels stay as written, where Prometheus 3 turns `le="1"` of a histogram and `quantile="1"` of a
//!   summary into `1.0`; help text keeps the byte behind a name that is no blank
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>, and Prometheus 2.42 and 3 observed.

mod write;

pub use crate::exposition::ENCODING;
pub use crate::exposition::write::write_series;
pub use write::{write_family, write_sample};

use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::Kind;

use crate::error::{Fault, quoted};
use crate::exposition::families::Escapes;
use crate::exposition::series::{Loose, scan_family};
use crate::exposition::spans::skip_blanks;
use crate::exposition::{Form, Page, number};
use crate::{Error, Families, Limits};

/// Reads a whole body. Samples without a timestamp get `default_time_ms`.
///
/// A series has the kind that the last TYPE comment gives to its family, `_bucket`, `_sum` and `_count` of histograms
/// and summaries included. Comments that say nothing (TYPE `untyped` without HELP) give no metadata.
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
    let mut decoder = Decoder { page: Page::open(body, default_time_ms, limits, Escapes::ButQuotesInHelp)? };
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
        let mut at = 0;
        loop {
            at = skip_blanks(self.page.body, at);
            at = match self.page.body.get(at) {
                None => break,
                Some(b'\n') => at + 1,
                Some(b'#') => self.comment(at)?,
                Some(_) => self.sample(at)?,
            };
        }
        self.page.end_family()
    }

    /// Reads the sample whose line starts at `start` and returns where the next line starts.
    fn sample(&mut self, start: usize) -> Result<usize, Box<Fault>> {
        let series = self.page.series::<Loose>(start)?;
        let body = self.page.body;
        let (value, after) = number::value(body, skip_blanks(body, series.labels.end))?;
        let mut at = skip_blanks(body, after);
        let mut time_ms = self.page.default_time_ms;
        if !matches!(body.get(at), None | Some(b'\n')) {
            (time_ms, at) = number::time_ms(body, at)?;
            at = skip_blanks(body, at);
        }
        at = self.page.end_of_line(at)?;
        self.page.push(series, time_ms, value)?;
        Ok(at)
    }

    /// Reads the comment whose `#` is at `start` and returns where the next line starts.
    fn comment(&mut self, start: usize) -> Result<usize, Box<Fault>> {
        let body = self.page.body;
        let rest = &body[start..];
        let line_end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let next = (line_end + 1).min(body.len());
        let word = skip_blanks(body, start + 1);
        let is_type = match body.get(word..word + 5) {
            Some([b'H', b'E', b'L', b'P', b' ' | b'\t']) if word > start + 1 => false,
            Some([b'T', b'Y', b'P', b'E', b' ' | b'\t']) if word > start + 1 => true,
            _ => return Ok(next),
        };
        let (name_end, name) = scan_family(body, skip_blanks(body, word + 5))?;
        // A quoted name may hold a line feed.
        let line_end = if name_end <= line_end {
            line_end
        } else {
            name_end + memchr::memchr(b'\n', &body[name_end..]).unwrap_or(body.len() - name_end)
        };
        self.page.enter_family(name)?;
        let text = name_end + usize::from(matches!(body.get(name_end), Some(b' ' | b'\t')));
        if is_type {
            self.page.family.form = form(body, text..line_end)?;
        } else {
            self.page.check_value(text..line_end, "the help text")?;
            self.page.family.help = text..line_end;
        }
        Ok((line_end + 1).min(body.len()))
    }
}

/// The form of a family by the rest of a TYPE comment.
fn form(body: &[u8], range: Range<usize>) -> Result<Form, Box<Fault>> {
    let start = skip_blanks(&body[..range.end], range.start);
    let mut word = &body[start..range.end];
    while let [shorter @ .., b' ' | b'\t'] = word {
        word = shorter;
    }
    match word {
        b"counter" => Ok(Form::bare(Kind::Counter)),
        b"gauge" => Ok(Form::bare(Kind::Gauge)),
        b"histogram" => {
            Ok(Form::suffixed(Kind::Histogram, |suffix| matches!(suffix, b"_bucket" | b"_sum" | b"_count")))
        }
        b"summary" => Ok(Form::suffixed(Kind::Summary, |suffix| matches!(suffix, b"_sum" | b"_count"))),
        b"untyped" => Ok(Form::bare(Kind::Unknown)),
        [.., b'\r'] => {
            let what = "the line ends in a carriage return: lines must end in a line feed only";
            Err(Fault::invalid(range.end - 1, what))
        }
        other => {
            let what = "expected counter, gauge, histogram, summary or untyped";
            Err(Fault::invalid(start, format!("{what}, got {}", quoted(other))))
        }
    }
}
