//! Exposition as protobuf: `io.prometheus.client.MetricFamily`, one behind the other, each with its length before it.
//!
//! Owns: the format, as Prometheus 3 reads it: what series a metric is, how `le` and `quantile` are written.
//! Does not own: content negotiation, staleness; native histograms as such (`protobuf/histogram.rs`).
//!
//! ```text
//! MetricFamily { name = 1, help = 2, type = 3: enum, metric = 4: Metric, unit = 5 }
//! Metric { label = 1: LabelPair, gauge = 2, counter = 3, summary = 4, untyped = 5, timestamp_ms = 6, histogram = 7 }
//! LabelPair { name = 1, value = 2 }        Gauge, Untyped { value = 1: double }
//! Counter { value = 1: double, exemplar = 2: Exemplar, start_timestamp = 3: Timestamp }
//! Summary { sample_count = 1, sample_sum = 2: double, quantile = 3: Quantile, start_timestamp = 4: Timestamp }
//! Quantile { quantile = 1: double, value = 2: double }
//! Exemplar { label = 1: LabelPair, value = 2: double, timestamp = 3: Timestamp }
//! Timestamp { seconds = 1: int64, nanos = 2: int32 }
//! ```
//!
//! A metric is mostly several series, of which no bytes say the labels. They are written out, one behind the other in
//! the plain encoding; that is the body of the batch.
//!
//! A page is good as a whole or not at all, as in Prometheus. A metric without the part that its family's type names is
//! refused, where Prometheus takes it for 0.
//!
//! Source: `metrics.proto` of <https://github.com/prometheus/client_model>, and Prometheus 3 observed

mod exemplar;
mod histogram;
mod number;
mod series;

use std::ops::Range;

use bytes::Bytes;
use model::Batch;
use model::batch::{Kind, PLAIN};

use self::series::SeriesText;
use crate::exposition::families::Escapes;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::{Draft, wrong_type};
use crate::{Error, Families, Limits};

/// What is made of a histogram that a page has in both forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Histograms {
    /// Whether native histograms are read; else all are classic, if only with their count.
    pub native: bool,
    /// Whether the classic buckets of a native histogram are read as well.
    pub classic_too: bool,
}

/// Reads a whole page. Samples without a timestamp get `default_time_ms`; one that is 0 is none, as in Prometheus.
///
/// # Errors
/// `Invalid` if the bytes are no such page, or hold a series, a time or a histogram that is not acceptable; `TooLarge` if a
/// limit is broken, or would be if every series were written out.
pub fn decode(body: &Bytes, default_time_ms: i64, wanted: Histograms, limits: &Limits) -> Result<Batch, Error> {
    let (mut batch, families) = decode_apart(body, default_time_ms, wanted, limits)?;
    batch.metadata = families.metadata();
    Ok(batch)
}

/// As [`decode`], but what the page says of families is given apart.
///
/// # Errors
/// As [`decode`].
pub fn decode_apart(
    body: &Bytes,
    default_time_ms: i64,
    wanted: Histograms,
    limits: &Limits,
) -> Result<(Batch, Families), Error> {
    let mut decoder = Decoder {
        draft: Draft::new("page", body, PLAIN, limits)?,
        families: Families::new(Escapes::None, 0),
        series: SeriesText::default(),
        default_time_ms,
        wanted,
    };
    let mut messages = Fields::new(body, 0..body.len());
    while let Some(family) = messages.next_delimited()? {
        decoder.family(family)?;
    }
    let Decoder { mut draft, families, series, .. } = decoder;
    draft.batch.body = series.into_bytes();
    Ok((draft.batch, families))
}

struct Decoder<'a> {
    /// Its body is the page; that of the batch is written in `series`.
    draft: Draft<'a>,
    families: Families,
    series: SeriesText,
    default_time_ms: i64,
    wanted: Histograms,
}

/// The family at hand.
#[derive(Debug, Clone, Copy)]
struct Family<'a> {
    name: &'a str,
    form: Form,
}

/// What the metrics of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Counter,
    Gauge,
    Summary,
    Untyped,
    Histogram,
    GaugeHistogram,
}

impl Form {
    /// The form of a number of the enum `MetricType`.
    fn of(number: u64) -> Option<Self> {
        use Form::{Counter, Gauge, GaugeHistogram, Histogram, Summary, Untyped};
        let all = [Counter, Gauge, Summary, Untyped, Histogram, GaugeHistogram];
        usize::try_from(number).ok().and_then(|number| all.get(number)).copied()
    }

    fn kind(self) -> Kind {
        match self {
            Form::Counter => Kind::Counter,
            Form::Gauge => Kind::Gauge,
            Form::Summary => Kind::Summary,
            Form::Untyped => Kind::Unknown,
            Form::Histogram | Form::GaugeHistogram => Kind::Histogram,
        }
    }

    /// The field of a `Metric` that holds it, and its name there.
    fn field(self) -> (u64, &'static str) {
        match self {
            Form::Gauge => (2, "gauge"),
            Form::Counter => (3, "counter"),
            Form::Summary => (4, "summary"),
            Form::Untyped => (5, "untyped"),
            Form::Histogram | Form::GaugeHistogram => (7, "histogram"),
        }
    }
}

impl<'a> Decoder<'a> {
    fn family(&mut self, range: Range<usize>) -> Result<(), Error> {
        let body = self.draft.body;
        let (mut texts, mut form, mut metrics) = ([0..0, 0..0, 0..0], 0, 0usize);
        let mut fields = Fields::new(body, range.clone());
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(name)) => texts[0] = name,
                (2, Value::Bytes(help)) => texts[2] = help,
                (3, Value::Varint(number)) => form = number,
                (4, Value::Bytes(_)) => metrics += 1,
                (5, Value::Bytes(unit)) => texts[1] = unit,
                (1..=5, _) => return Err(wrong_type("MetricFamily", number)),
                _ => {}
            }
        }
        if metrics == 0 {
            return Ok(());
        }
        let limits = self.draft.limits;
        let [name, unit, help] = texts;
        let name = self.text(name, limits.max_name_bytes, "the name of a family")?;
        if name.is_empty() {
            return Err(Error::invalid("a family has no name"));
        }
        let unit = self.text(unit, limits.max_name_bytes, "the unit of a family")?;
        let help = self.text(help, limits.max_value_bytes, "the help text of a family")?;
        let known = Form::of(form);
        let form =
            known.ok_or_else(|| Error::invalid(format!("family {name:?} has the type {form}, which is none")))?;
        if !(unit.is_empty() && help.is_empty() && form.kind() == Kind::Unknown) {
            self.draft.count_rows(1)?;
            self.families.push(form.kind(), [name, unit, help].map(str::as_bytes));
        }
        let mut fields = Fields::new(body, range);
        while let Some((number, value)) = fields.next()? {
            if let (4, Value::Bytes(range)) = (number, value) {
                self.metric(Family { name, form }, range)?;
            }
        }
        Ok(())
    }

    fn metric(&mut self, family: Family<'_>, range: Range<usize>) -> Result<(), Error> {
        let (wanted, what) = family.form.field();
        let (mut content, mut time_ms) = (None, 0);
        self.series.begin();
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(pair)) => self.label(family.name, pair)?,
                (6, Value::Varint(time)) => time_ms = time as i64,
                (2..=5 | 7, Value::Bytes(range)) if number == wanted => content = Some(range),
                (2..=5 | 7, Value::Bytes(_)) => {}
                (1..=7, _) => return Err(wrong_type("Metric", number)),
                _ => {}
            }
        }
        let name = family.name;
        let content = content.ok_or_else(|| Error::invalid(format!("a metric of family {name:?} has no {what}")))?;
        if !model::time::in_range(time_ms) {
            return Err(Error::invalid(format!("the time {time_ms} ms of {name} is outside years 1 to 9999")));
        }
        let time_ms = if time_ms == 0 { self.default_time_ms } else { time_ms };
        match family.form {
            Form::Counter | Form::Gauge | Form::Untyped => self.single(family, content, time_ms),
            Form::Summary => self.summary(family, content, time_ms),
            Form::Histogram | Form::GaugeHistogram => self.histogram(family, content, time_ms),
        }
    }

    /// A metric of one series.
    fn single(&mut self, family: Family<'_>, range: Range<usize>, time_ms: i64) -> Result<(), Error> {
        let is_counter = family.form == Form::Counter;
        let (mut sample, mut exemplar, mut start_ms) = (0.0, None, None);
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Fixed64(bits)) => sample = f64::from_bits(bits),
                (2, Value::Bytes(range)) if is_counter => exemplar = Some(range),
                (3, Value::Bytes(range)) if is_counter => start_ms = self.start(range)?,
                (1, _) => return Err(wrong_type("a metric's value", number)),
                (2 | 3, _) if is_counter => return Err(wrong_type("Counter", number)),
                _ => {}
            }
        }
        let series = self.sample(family, "", None, time_ms, sample, start_ms)?;
        match exemplar {
            Some(range) => self.exemplar(series, range, Some(time_ms)),
            None => Ok(()),
        }
    }

    fn summary(&mut self, family: Family<'_>, range: Range<usize>, time_ms: i64) -> Result<(), Error> {
        let (mut count, mut sum, mut start_ms) = (0, 0.0, None);
        let mut fields = Fields::new(self.draft.body, range.clone());
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(number)) => count = number,
                (2, Value::Fixed64(bits)) => sum = f64::from_bits(bits),
                (3, Value::Bytes(_)) => {}
                (4, Value::Bytes(range)) => start_ms = self.start(range)?,
                (1..=4, _) => return Err(wrong_type("Summary", number)),
                _ => {}
            }
        }
        self.sample(family, "_count", None, time_ms, count as f64, start_ms)?;
        self.sample(family, "_sum", None, time_ms, sum, start_ms)?;
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            if let (3, Value::Bytes(range)) = (number, value) {
                let (quantile, value) = self.quantile(range)?;
                let quantile = number::label_text(quantile);
                self.sample(family, "", Some(("quantile", &quantile)), time_ms, value, None)?;
            }
        }
        Ok(())
    }

    fn quantile(&self, range: Range<usize>) -> Result<(f64, f64), Error> {
        let (mut quantile, mut sample) = (0.0, 0.0);
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Fixed64(bits)) => quantile = f64::from_bits(bits),
                (2, Value::Fixed64(bits)) => sample = f64::from_bits(bits),
                (1 | 2, _) => return Err(wrong_type("Quantile", number)),
                _ => {}
            }
        }
        Ok((quantile, sample))
    }

    /// A `Timestamp` in milliseconds since the Unix epoch, cut off to them; `None` if no table can hold it.
    fn timestamp(&self, range: Range<usize>) -> Result<Option<i64>, Error> {
        let (mut seconds, mut nanos) = (0, 0);
        let mut fields = Fields::new(self.draft.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(number)) => seconds = number as i64,
                (2, Value::Varint(number)) => nanos = number as i64,
                (1 | 2, _) => return Err(wrong_type("Timestamp", number)),
                _ => {}
            }
        }
        let time_ms = seconds.checked_mul(1000).and_then(|time_ms| time_ms.checked_add(nanos / 1_000_000));
        Ok(time_ms.filter(|time_ms| model::time::in_range(*time_ms)))
    }

    /// Since when something counts; 0 is what is not said.
    fn start(&self, range: Range<usize>) -> Result<Option<i64>, Error> {
        let start_ms = self.timestamp(range)?;
        let start_ms = start_ms.ok_or_else(|| Error::invalid("a start timestamp is outside years 1 to 9999"))?;
        Ok(Some(start_ms).filter(|start_ms| *start_ms != 0))
    }

    /// Text that is UTF-8 and not too long; `what` it is goes into the message.
    fn text(&self, range: Range<usize>, limit: usize, what: &str) -> Result<&'a str, Error> {
        let bytes = &self.draft.body[range];
        if bytes.len() > limit {
            return Err(Error::too_large(format!("{what} has {} bytes, the limit is {limit}", bytes.len())));
        }
        let shown = |_| Error::invalid(format!("{what} is not UTF-8: {}", crate::error::quoted(bytes)));
        std::str::from_utf8(bytes).map_err(shown)
    }
}
