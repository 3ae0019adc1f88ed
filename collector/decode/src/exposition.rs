//! What the two exposition formats share: the page they are read from, how a series, a number and a family are written.
//!
//! Owns: [`Page`], a body on its way to a batch, with the limits it is held against, and what a series means.
//! Does not own: lines. Which may stand on a page, and in which order, is each format's own ([`crate::text`],
//! [`crate::openmetrics`]).
//!
//! OpenMetrics writes a series as the text format does, only with less freedom. So one encoding serves the batches of
//! both, and a target that changes from one to the other goes on with the series that are known of it.

pub(crate) mod families;
pub(crate) mod number;
pub(crate) mod series;
pub(crate) mod spans;
pub(crate) mod write;

use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{Kind, LabelEncoding, RawLabels, RawSeries, Sample};
use model::labels::{LabelsBuilder, NAME_LABEL};

use self::families::{Escapes, Families};
use self::series::{Grammar, Loose, Visit, scan, shown, unescape};
use crate::error::{Fault, quoted};
use crate::names::SeenNames;
use crate::{Error, Limits};

/// How the label bytes of a batch of [`decode`](crate::text::decode), of either format, are read.
pub const ENCODING: LabelEncoding = LabelEncoding { name: "text", read };

/// Reads the labels of one series that a decoder has accepted.
fn read(RawLabels { bytes, .. }: RawLabels<'_>, labels: &mut LabelsBuilder) -> Result<(), model::Error> {
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

    match scan::<Loose>(bytes, 0, &mut Push(bytes, labels)) {
        Ok(end) if end == bytes.len() => Ok(()),
        Ok(end) => Err(Fault::invalid(end, "the series goes on after its labels").in_text(bytes).into()),
        Err(fault) => Err(fault.in_text(bytes).into()),
    }
}

/// What the samples of a family measure, and how they are called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    kind: Kind,
    /// Whether a sample is of the family that is called as the family is, and this behind it.
    has_suffix: fn(&[u8]) -> bool,
}

impl Form {
    /// Samples are called as their family is, with or without one of some suffixes.
    pub(crate) fn suffixed(kind: Kind, has_suffix: fn(&[u8]) -> bool) -> Self {
        Form { kind, has_suffix }
    }

    /// Samples are called as their family is.
    pub(crate) fn bare(kind: Kind) -> Self {
        Form { kind, has_suffix: |_| false }
    }
}

/// What the comments said of a metric family.
#[derive(Debug)]
pub(crate) struct Family {
    /// The name without quotes, as written; empty before the first comment.
    name: Range<usize>,
    pub(crate) help: Range<usize>,
    pub(crate) unit: Range<usize>,
    pub(crate) form: Form,
}

impl Family {
    fn named(name: Range<usize>) -> Self {
        Family { name, help: 0..0, unit: 0..0, form: Form::bare(Kind::Unknown) }
    }

    /// The kind of a sample with the name `metric`.
    #[inline]
    fn kind_of(&self, body: &[u8], metric: &[u8]) -> Kind {
        let Form { kind, has_suffix } = self.form;
        if kind == Kind::Unknown {
            return Kind::Unknown;
        }
        match metric.strip_prefix(&body[self.name.clone()]) {
            Some(b"") => kind,
            Some(suffix) if has_suffix(suffix) => kind,
            _ => Kind::Unknown,
        }
    }
}

/// Where a series stands on a page.
pub(crate) struct Place {
    /// The whole of it.
    pub(crate) labels: Range<usize>,
    /// Its metric name, without quotes.
    metric: Range<usize>,
}

/// A body on its way to a batch.
pub(crate) struct Page<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) limits: &'a Limits,
    /// The time of samples that come without one.
    pub(crate) default_time_ms: i64,
    /// What was read so far, without what is said of families.
    pub(crate) batch: Batch,
    /// What was said of families, that at hand left out.
    pub(crate) families: Families,
    /// The family at hand.
    pub(crate) family: Family,
    /// Whether the body as a whole is UTF-8, so that no part of it need be asked.
    is_utf8: bool,
    names: SeenNames,
    /// Exemplars and their labels.
    exemplar_rows: usize,
}

impl<'a> Page<'a> {
    /// Opens a body, before a line of it is read. `escapes` says what is escaped in what it says of families.
    ///
    /// # Errors
    /// `TooLarge` if it is longer than the limit, `Invalid` if the time is outside the years 1 to 9999.
    pub(crate) fn open(
        body: &'a Bytes,
        default_time_ms: i64,
        limits: &'a Limits,
        escapes: Escapes,
    ) -> Result<Self, Error> {
        if body.len() > limits.max_decoded_bytes || u32::try_from(body.len()).is_err() {
            let what = format!("the text has {} bytes, the limit is {}", body.len(), limits.max_decoded_bytes);
            return Err(Error::too_large(what));
        }
        if !model::time::in_range(default_time_ms) {
            let what = format!("the time {default_time_ms} ms of the answer is outside years 1 to 9999");
            return Err(Error::invalid(what));
        }
        let mut page = Page {
            body,
            limits,
            default_time_ms,
            batch: Batch::new(body.clone(), ENCODING),
            families: Families::new(escapes, body.len()),
            family: Family::named(0..0),
            is_utf8: body.is_ascii() || std::str::from_utf8(body).is_ok(),
            names: SeenNames::default(),
            exemplar_rows: 0,
        };
        page.reserve();
        Ok(page)
    }

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

    /// Scans the series that starts at `start` and holds it against the limits.
    #[inline]
    pub(crate) fn series<G: Grammar>(&mut self, start: usize) -> Result<Place, Box<Fault>> {
        self.names.clear();
        let mut check =
            Check { body: self.body, limits: self.limits, is_utf8: self.is_utf8, names: &mut self.names, metric: 0..0 };
        let end = scan::<G>(self.body, start, &mut check)?;
        Ok(Place { labels: start..end, metric: check.metric })
    }

    /// Keeps one sample of a series and returns its index.
    #[inline]
    pub(crate) fn push(
        &mut self,
        Place { labels, metric }: Place,
        time_ms: i64,
        value: f64,
    ) -> Result<u32, Box<Fault>> {
        self.check_rows(labels.start, 1)?;
        let series = self.batch.series.len() as u32;
        let kind = self.family.kind_of(self.body, &self.body[metric]);
        let hash = Batch::hash(&self.body[labels.clone()]);
        self.batch.series.push(RawSeries { labels: labels.start as u32..labels.end as u32, hash, kind });
        self.batch.samples.push(Sample { series, time_ms, value });
        Ok(series)
    }

    /// Counts an exemplar with so many labels.
    pub(crate) fn count_exemplar(&mut self, at: usize, labels: usize) -> Result<(), Box<Fault>> {
        self.check_rows(at, labels + 1)?;
        self.exemplar_rows += labels + 1;
        Ok(())
    }

    #[inline]
    fn check_rows(&self, at: usize, more: usize) -> Result<(), Box<Fault>> {
        if self.batch.samples.len() + self.families.len() + self.exemplar_rows + more > self.limits.max_rows {
            let what =
                format!("the text has more than {} samples, exemplars and metadata entries", self.limits.max_rows);
            return Err(Fault::too_large(at, what));
        }
        Ok(())
    }

    /// Makes the family at `name` the one at hand, unless it is that already.
    #[inline]
    pub(crate) fn enter_family(&mut self, name: Range<usize>) -> Result<(), Box<Fault>> {
        self.check_name(name.clone(), "the metric name")?;
        if self.body[self.family.name.clone()] != self.body[name.clone()] {
            self.end_family()?;
            self.family = Family::named(name);
        }
        Ok(())
    }

    /// Keeps what was said of the family at hand.
    pub(crate) fn end_family(&mut self) -> Result<(), Box<Fault>> {
        let Family { name, help, unit, form: Form { kind, .. } } =
            std::mem::replace(&mut self.family, Family::named(0..0));
        if help.is_empty() && unit.is_empty() && kind == Kind::Unknown {
            return Ok(());
        }
        self.check_rows(name.start, 1)?;
        self.families.push(kind, [name, unit, help].map(|text| &self.body[text]));
        Ok(())
    }

    /// Text that was found to be UTF-8, with its escapes resolved.
    pub(crate) fn plain(&self, text: Range<usize>) -> String {
        plain(&self.body[text], true)
    }

    /// Holds a name against the limits; `what` it is goes into the message.
    #[inline]
    pub(crate) fn check_name(&self, name: Range<usize>, what: &str) -> Result<(), Box<Fault>> {
        check_name(self.body, self.limits, self.is_utf8, name, what)
    }

    /// Holds a value against the limits.
    #[inline]
    pub(crate) fn check_value(&self, text: Range<usize>, what: &str) -> Result<(), Box<Fault>> {
        check_value(self.body, self.limits, self.is_utf8, text, what)
    }

    /// Returns where the line after the one that ends at `at` starts; at the end of the text, `at` itself.
    #[inline]
    pub(crate) fn end_of_line(&self, at: usize) -> Result<usize, Box<Fault>> {
        match self.body.get(at) {
            None => Ok(at),
            Some(b'\n') => Ok(at + 1),
            got => Err(Fault::invalid(at, format!("expected the end of the line, got {}", shown(got)))),
        }
    }
}

/// Text that was found to be UTF-8, with its escapes resolved, those of quotes if `quotes`.
fn plain(text: &[u8], quotes: bool) -> String {
    String::from_utf8(unescape(text, quotes).into_owned()).unwrap_or_default()
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
    #[inline(always)]
    fn metric(&mut self, start: usize, end: usize) -> Result<(), Box<Fault>> {
        self.metric = start..end;
        check_name(self.body, self.limits, self.is_utf8, start..end, "the metric name")
    }

    #[inline(always)]
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
