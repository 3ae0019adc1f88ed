//! The Prometheus text exposition format, version 0.0.4, with the quoted UTF-8 names of Prometheus 3.
//!
//! Owns: the format, read in place: a series of the batch is the range of the body that holds `name{labels}` as written.
//! Does not own: OpenMetrics (another format, though close), `/federate`'s semantics, staleness.
//!
//! A body that Prometheus takes is taken with the same series, values and times, and a body that it drops is dropped,
//! but for what tests/text_cases.txt lists:
//! - taken here although Prometheus drops it: what the format's own description allows, which is blanks at the start of
//!   a line and the end of a TYPE line, and negative timestamps
//! - dropped here although Prometheus takes it: a NUL byte outside quotes and comments, at which Prometheus stops
//!   reading and forgets the rest; numbers of years that no table holds; what breaks a limit
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>, and Prometheus 2.42 and 3 observed.

mod number;
mod series;
mod spans;
mod write;

pub use write::{write_family, write_sample, write_series};

use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{Kind, LabelEncoding, Metadata, RawSeries, Sample};
use model::labels::{LabelsBuilder, NAME_LABEL};

use self::series::{Visit, scan, scan_family, shown, unescape};
use self::spans::skip_blanks;
use crate::error::{Fault, quoted};
use crate::names::SeenNames;
use crate::{Error, Limits};

/// How the label bytes of a batch of [`decode`] are read.
pub const ENCODING: LabelEncoding = LabelEncoding { name: "text", read };

/// Reads a whole body. Samples without a timestamp get `default_time_ms`.
///
/// A series has the kind that the last TYPE comment gives to its family, `_bucket`, `_sum` and `_count` of histograms
/// and summaries included. Comments that say nothing (TYPE `untyped` without HELP) give no metadata.
///
/// # Errors
/// `Invalid` with line and column of the first fault, `TooLarge` if a limit is broken.
pub fn decode(body: &Bytes, default_time_ms: i64, limits: &Limits) -> Result<Batch, Error> {
    if body.len() > limits.max_decoded_bytes || u32::try_from(body.len()).is_err() {
        let what = format!("the text has {} bytes, the limit is {}", body.len(), limits.max_decoded_bytes);
        return Err(Error::too_large(what));
    }
    if !model::time::in_range(default_time_ms) {
        return Err(Error::invalid(format!("the time {default_time_ms} ms of the answer is outside years 1 to 9999")));
    }
    let mut decoder = Decoder {
        body,
        limits,
        default_time_ms,
        is_utf8: body.is_ascii() || std::str::from_utf8(body).is_ok(),
        batch: Batch::new(body.clone(), ENCODING),
        names: SeenNames::default(),
        family: Family::default(),
    };
    decoder.reserve();
    match decoder.run() {
        Ok(()) => Ok(decoder.batch),
        Err(fault) => Err(fault.in_text(body)),
    }
}

/// Reads the labels of one series that [`decode`] has accepted.
fn read(bytes: &[u8], labels: &mut LabelsBuilder) -> Result<(), model::Error> {
    struct Push<'a>(&'a [u8], &'a mut LabelsBuilder);

    impl Push<'_> {
        fn push(&mut self, name: &[u8], (start, end): (usize, usize)) -> Result<(), Box<Fault>> {
            let value = unescape(&self.0[start..end], true);
            self.1.push_bytes(name, &value).map_err(|error| Fault::invalid(start, error.message()))
        }
    }

    impl Visit for Push<'_> {
        fn metric(&mut self, start: usize, end: usize) -> Result<(), Box<Fault>> {
            self.push(NAME_LABEL.as_bytes(), (start, end))
        }

        fn label(&mut self, name: (usize, usize), value: (usize, usize)) -> Result<(), Box<Fault>> {
            let name = unescape(&self.0[name.0..name.1], true);
            self.push(&name, value)
        }
    }

    match scan(bytes, 0, &mut Push(bytes, labels)) {
        Ok(end) if end == bytes.len() => Ok(()),
        Ok(end) => Err(Fault::invalid(end, "the series goes on after its labels").in_text(bytes).into()),
        Err(fault) => Err(fault.in_text(bytes).into()),
    }
}

/// What the comments said of the metric family at hand.
#[derive(Default)]
struct Family {
    /// The name without quotes, as written; empty before the first comment.
    name: Range<usize>,
    help: Range<usize>,
    kind: Kind,
}

struct Decoder<'a> {
    body: &'a [u8],
    limits: &'a Limits,
    default_time_ms: i64,
    /// Whether the body as a whole is UTF-8, so that no part of it need be asked.
    is_utf8: bool,
    batch: Batch,
    names: SeenNames,
    family: Family,
}

impl Decoder<'_> {
    /// Makes room for as many samples as the text will have if it goes on as it starts.
    fn reserve(&mut self) {
        const LOOKED_AT: usize = 8 << 10;
        let start = &self.body[..self.body.len().min(LOOKED_AT)];
        let samples = start.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count();
        let expected = samples.saturating_mul(self.body.len()) / start.len().max(1);
        // Dense text is not believed: its vectors grow as it is read.
        let rows = expected.min(self.body.len() / 32 + 1).min(self.limits.max_rows);
        self.batch.series.reserve(rows);
        self.batch.samples.reserve(rows);
    }

    fn run(&mut self) -> Result<(), Box<Fault>> {
        let mut at = 0;
        loop {
            at = skip_blanks(self.body, at);
            at = match self.body.get(at) {
                None => break,
                Some(b'\n') => at + 1,
                Some(b'#') => self.comment(at)?,
                Some(_) => self.sample(at)?,
            };
        }
        self.end_family()
    }

    /// Reads the sample whose line starts at `start` and returns where the next line starts.
    fn sample(&mut self, start: usize) -> Result<usize, Box<Fault>> {
        self.names.clear();
        let mut check =
            Check { body: self.body, limits: self.limits, is_utf8: self.is_utf8, names: &mut self.names, metric: 0..0 };
        let end = scan(self.body, start, &mut check)?;
        let metric = check.metric;
        let (value, after) = number::value(self.body, skip_blanks(self.body, end))?;
        let mut at = skip_blanks(self.body, after);
        let mut time_ms = self.default_time_ms;
        if !matches!(self.body.get(at), None | Some(b'\n')) {
            (time_ms, at) = number::time_ms(self.body, at)?;
            at = skip_blanks(self.body, at);
        }
        at = self.end_of_line(at)?;
        self.count_row(start)?;
        let labels = &self.body[start..end];
        let series = self.batch.series.len() as u32;
        let kind = self.family.kind_of(self.body, &self.body[metric]);
        self.batch.series.push(RawSeries { labels: start as u32..end as u32, hash: Batch::hash(labels), kind });
        self.batch.samples.push(Sample { series, time_ms, value });
        Ok(at)
    }

    fn end_of_line(&self, at: usize) -> Result<usize, Box<Fault>> {
        match self.body.get(at) {
            None => Ok(at),
            Some(b'\n') => Ok(at + 1),
            got => Err(Fault::invalid(at, format!("expected the end of the line, got {}", shown(got)))),
        }
    }

    fn count_row(&self, at: usize) -> Result<(), Box<Fault>> {
        if self.batch.samples.len() + self.batch.metadata.len() >= self.limits.max_rows {
            let what = format!("the text has more than {} samples and metadata entries", self.limits.max_rows);
            return Err(Fault::too_large(at, what));
        }
        Ok(())
    }

    /// Reads the comment whose `#` is at `start` and returns where the next line starts.
    fn comment(&mut self, start: usize) -> Result<usize, Box<Fault>> {
        let rest = &self.body[start..];
        let line_end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let next = (line_end + 1).min(self.body.len());
        let word = skip_blanks(self.body, start + 1);
        let is_type = match self.body.get(word..word + 5) {
            Some([b'H', b'E', b'L', b'P', b' ' | b'\t']) if word > start + 1 => false,
            Some([b'T', b'Y', b'P', b'E', b' ' | b'\t']) if word > start + 1 => true,
            _ => return Ok(next),
        };
        let (name_end, name) = scan_family(self.body, skip_blanks(self.body, word + 5))?;
        // A quoted name may hold a line feed.
        let line_end = if name_end <= line_end {
            line_end
        } else {
            name_end + memchr::memchr(b'\n', &self.body[name_end..]).unwrap_or(self.body.len() - name_end)
        };
        check_name(self.body, self.limits, self.is_utf8, name.0..name.1, "the metric name")?;
        self.enter_family(name.0..name.1)?;
        let text = name_end + usize::from(matches!(self.body.get(name_end), Some(b' ' | b'\t')));
        if is_type {
            self.family.kind = self.kind(text..line_end)?;
        } else {
            check_value(self.body, self.limits, self.is_utf8, text..line_end, "the help text")?;
            self.family.help = text..line_end;
        }
        Ok((line_end + 1).min(self.body.len()))
    }

    fn kind(&self, range: Range<usize>) -> Result<Kind, Box<Fault>> {
        let start = skip_blanks(&self.body[..range.end], range.start);
        let mut word = &self.body[start..range.end];
        while let [shorter @ .., b' ' | b'\t'] = word {
            word = shorter;
        }
        match word {
            b"counter" => Ok(Kind::Counter),
            b"gauge" => Ok(Kind::Gauge),
            b"histogram" => Ok(Kind::Histogram),
            b"summary" => Ok(Kind::Summary),
            b"untyped" => Ok(Kind::Unknown),
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

    /// Makes `name` the family at hand, unless it is that already.
    fn enter_family(&mut self, name: Range<usize>) -> Result<(), Box<Fault>> {
        if self.body[self.family.name.clone()] != self.body[name.clone()] {
            self.end_family()?;
            self.family = Family { name, ..Family::default() };
        }
        Ok(())
    }

    /// Turns what is known of the family at hand into metadata.
    fn end_family(&mut self) -> Result<(), Box<Fault>> {
        let Family { name, help, kind } = std::mem::take(&mut self.family);
        if help.is_empty() && kind == Kind::Unknown {
            return Ok(());
        }
        self.count_row(name.start)?;
        // Both were found to be UTF-8 when they were met.
        let owned = |raw, quotes| String::from_utf8(unescape(raw, quotes).into_owned()).unwrap_or_default();
        self.batch.metadata.push(Metadata {
            name: owned(&self.body[name], true),
            kind,
            unit: String::new(),
            help: owned(&self.body[help], false),
        });
        Ok(())
    }
}

impl Family {
    /// The kind of a sample with the name `metric`.
    #[inline]
    fn kind_of(&self, body: &[u8], metric: &[u8]) -> Kind {
        if self.kind == Kind::Unknown {
            return Kind::Unknown;
        }
        match (self.kind, metric.strip_prefix(&body[self.name.clone()])) {
            (kind, Some(b"")) => kind,
            (Kind::Histogram, Some(b"_bucket" | b"_sum" | b"_count")) => Kind::Histogram,
            (Kind::Summary, Some(b"_sum" | b"_count")) => Kind::Summary,
            _ => Kind::Unknown,
        }
    }
}

/// Holds one series of a body against the limits.
struct Check<'a> {
    body: &'a [u8],
    limits: &'a Limits,
    is_utf8: bool,
    names: &'a mut SeenNames,
    metric: Range<usize>,
}

impl Visit for Check<'_> {
    #[inline]
    fn metric(&mut self, start: usize, end: usize) -> Result<(), Box<Fault>> {
        self.metric = start..end;
        check_name(self.body, self.limits, self.is_utf8, start..end, "the metric name")
    }

    #[inline]
    fn label(&mut self, name: (usize, usize), value: (usize, usize)) -> Result<(), Box<Fault>> {
        check_name(self.body, self.limits, self.is_utf8, name.0..name.1, "the label name")?;
        check_value(self.body, self.limits, self.is_utf8, value.0..value.1, "the label value")?;
        let text = &self.body[name.0..name.1];
        if text == NAME_LABEL.as_bytes() {
            return Err(Fault::invalid(name.0, "the metric name is given twice"));
        }
        if !self.names.note(self.body, name.0, name.1) {
            return Err(Fault::invalid(name.0, format!("the label {} comes twice in one series", quoted(text))));
        }
        if self.names.len() > self.limits.max_labels {
            let what = format!("the series has more than {} labels", self.limits.max_labels);
            return Err(Fault::too_large(name.0, what));
        }
        Ok(())
    }
}

#[inline(always)]
fn check_name(body: &[u8], limits: &Limits, is_utf8: bool, name: Range<usize>, what: &str) -> Result<(), Box<Fault>> {
    if name.is_empty() || name.len() > limits.max_name_bytes {
        return Err(bad_length(name, limits.max_name_bytes, what));
    }
    if is_utf8 { Ok(()) } else { check_utf8(body, name, what) }
}

#[inline(always)]
fn check_value(body: &[u8], limits: &Limits, is_utf8: bool, text: Range<usize>, what: &str) -> Result<(), Box<Fault>> {
    if text.len() > limits.max_value_bytes {
        return Err(bad_length(text, limits.max_value_bytes, what));
    }
    if is_utf8 { Ok(()) } else { check_utf8(body, text, what) }
}

#[cold]
fn bad_length(text: Range<usize>, limit: usize, what: &str) -> Box<Fault> {
    if text.is_empty() {
        return Fault::invalid(text.start, format!("{what} is empty"));
    }
    Fault::too_large(text.start, format!("{what} has {} bytes, the limit is {limit}", text.len()))
}

#[cold]
fn check_utf8(body: &[u8], range: Range<usize>, what: &str) -> Result<(), Box<Fault>> {
    match std::str::from_utf8(&body[range.clone()]) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::invalid(range.start + error.valid_up_to(), format!("{what} is not UTF-8"))),
    }
}
