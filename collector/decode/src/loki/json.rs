//! The JSON form of a push: `{"streams": [{"stream": {label: value}, "values": [[time, line, {name: value}], …]}]}`.
//!
//! Times are nanoseconds since the Unix epoch, as text or as a number.

use super::labels::Labels;
use super::rows::Rows;
use crate::error::{Fault, quoted};
use crate::json::{Kind, Reader, Text};
use crate::log_rows::lossy;
use crate::refused::{Bad, Reason};
use crate::{Arrival, DecodedLines, Error, Limits};

/// Reads a whole request, already decompressed. What is no UTF-8 in it becomes U+FFFD.
///
/// What is wrong by itself is left out as [`super::decode`] does, a row of another form too.
///
/// # Errors
/// `Invalid` with line and column if it is no JSON or has no streams, `TooLarge` if there are too many or too many rows: then
/// nothing is taken.
pub fn decode(body: &[u8], arrival: Arrival, limits: &Limits) -> Result<DecodedLines, Error> {
    let rows = Rows::new(body.len(), arrival, limits)?;
    let text = lossy(body);
    let mut decoder = Decoder::new(rows, Form::Push);
    let mut reader = Reader::new(&text);
    let read = decoder.request(&mut reader);
    read.map_err(|fault| fault.in_body(text.as_bytes()))?;
    Ok(decoder.rows.finish())
}

/// Why a body is given up.
#[derive(Debug)]
pub(super) enum GivenUp {
    /// It is no JSON, or of another form.
    Fault(Box<Fault>),
    /// It is too large.
    Error(Error),
}

impl GivenUp {
    pub(super) fn in_body(self, text: &[u8]) -> Error {
        match self {
            GivenUp::Fault(fault) => fault.in_text(text),
            GivenUp::Error(error) => error,
        }
    }
}

impl From<Box<Fault>> for GivenUp {
    fn from(fault: Box<Fault>) -> Self {
        GivenUp::Fault(fault)
    }
}

impl From<Error> for GivenUp {
    fn from(error: Error) -> Self {
        GivenUp::Error(error)
    }
}

/// What the third item of an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Structured metadata.
    Push,
    /// Objects of structured metadata and of what the query made of the line.
    Answer,
}

/// Texts whose escapes were resolved.
#[derive(Debug, Default)]
struct Scratch {
    line: String,
    name: String,
    value: String,
}

/// Reads streams into rows.
pub(super) struct Decoder<'l> {
    pub(super) rows: Rows<'l>,
    pub(super) form: Form,
    labels: Labels,
    scratch: Scratch,
}

impl<'l> Decoder<'l> {
    pub(super) fn new(rows: Rows<'l>, form: Form) -> Self {
        Decoder { rows, form, labels: Labels::default(), scratch: Scratch::default() }
    }

    fn request(&mut self, reader: &mut Reader<'_>) -> Result<(), GivenUp> {
        let (mut is_first, mut has_streams) = (true, false);
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut is_first)? {
            if key.raw() == "streams" {
                has_streams = true;
                self.streams(reader)?;
            } else {
                reader.skip()?;
            }
        }
        reader.end()?;
        if has_streams { Ok(()) } else { Err(Fault::invalid(0, "the request has no field \"streams\"").into()) }
    }

    /// Reads an array of streams.
    pub(super) fn streams(&mut self, reader: &mut Reader<'_>) -> Result<(), GivenUp> {
        let mut is_first = true;
        if is_null(reader)? {
            return Ok(());
        }
        reader.enter_array()?;
        while reader.next_item(&mut is_first)? {
            self.stream(reader)?;
        }
        Ok(())
    }

    fn stream(&mut self, reader: &mut Reader<'_>) -> Result<(), GivenUp> {
        let mut labels = None;
        // Values that stand before the labels that they need.
        let mut before = Vec::new();
        let mut is_first = true;
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut is_first)? {
            match key.raw() {
                "stream" => labels = Some(self.stream_labels(reader)?),
                "values" => match labels.as_mut() {
                    Some(labels) => self.values(reader, labels)?,
                    None => {
                        before.push(reader.clone());
                        reader.skip()?;
                    }
                },
                _ => drop(reader.skip()?),
            }
        }
        let mut labels = labels.unwrap_or_else(|| Err(Bad::new(Reason::InvalidLabels, "a stream has no labels")));
        for mut reader in before {
            self.values(&mut reader, &mut labels)?;
        }
        Ok(())
    }

    /// Reads the labels of a stream and begins it; the inner result says what is wrong with them.
    fn stream_labels(&mut self, reader: &mut Reader<'_>) -> Result<Result<(), Box<Bad>>, GivenUp> {
        self.labels.clear();
        let mut bad = None;
        let mut is_first = true;
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut is_first)? {
            let name = key.resolved(&mut self.scratch.name)?;
            match scalar(reader, &mut self.scratch.value)? {
                Ok(value) => self.labels.push(name, value),
                Err(kind) => {
                    let what = format!("the label {} is {}, not a text", quoted(name.as_bytes()), kind.as_str());
                    bad.get_or_insert_with(|| Bad::new(Reason::InvalidLabels, what));
                }
            }
        }
        Ok(bad.map_or(Ok(()), Err).and_then(|()| self.rows.begin_stream(self.labels.iter())))
    }

    /// Reads the entries of the stream that has begun, or counts them if its labels are wrong.
    fn values(&mut self, reader: &mut Reader<'_>, labels: &mut Result<(), Box<Bad>>) -> Result<(), GivenUp> {
        let (mut is_first, mut entries) = (true, 0);
        if is_null(reader)? {
            return Ok(());
        }
        reader.enter_array()?;
        while reader.next_item(&mut is_first)? {
            self.rows.count(1)?;
            entries += 1;
            match labels {
                Ok(()) => self.entry(reader)?,
                Err(_) => drop(reader.skip()?),
            }
        }
        match labels {
            Err(bad) if entries > 0 => {
                let Bad { reason, what } = &**bad;
                self.rows.refuse_stream(Bad { reason: *reason, what: what.clone() }, entries);
            }
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn entry(&mut self, reader: &mut Reader<'_>) -> Result<(), GivenUp> {
        let kind = reader.kind()?;
        if kind != Kind::Array {
            reader.skip()?;
            let what = format!("an entry is {}, not an array of time and line", kind.as_str());
            self.rows.refuse_row(*Bad::new(Reason::InvalidRow, what));
            return Ok(());
        }
        let (mut time, mut line) = (None, None);
        let mut taken = Ok(());
        let (mut is_first, mut place) = (true, 0);
        reader.enter_array()?;
        while reader.next_item(&mut is_first)? {
            match (place, reader.kind()?) {
                (0, Kind::Text) => time = Some(reader.text()?.raw()),
                (0, Kind::Number) => time = Some(reader.number()?),
                (1, Kind::Text) => line = Some(reader.text()?),
                (2, Kind::Object) => taken = self.third(reader)?,
                (2, Kind::Null) => drop(reader.skip()?),
                (place, kind) => {
                    reader.skip()?;
                    let what = format!("item {place} of an entry is {}", kind.as_str());
                    taken = taken.and_then(|()| Err(Bad::new(Reason::InvalidRow, what)));
                }
            }
            place += 1;
        }
        let named = taken.map_err(|bad| bad.of_line(line.map_or("", |line| line.raw())));
        if let Err(bad) = named.and_then(|()| self.end_row(time, line)) {
            self.rows.refuse_row(*bad);
        }
        Ok(())
    }

    #[inline]
    fn end_row(&mut self, time: Option<&str>, line: Option<Text<'_>>) -> Result<(), Box<Bad>> {
        let invalid = |what: String| Bad::new(Reason::InvalidRow, what);
        let time = time.ok_or_else(|| invalid("an entry has no time".to_owned()))?;
        let time = time
            .parse()
            .map_err(|_| invalid(format!("the time {} is not in nanoseconds since 1970", quoted(time.as_bytes()))))?;
        let line = line.ok_or_else(|| invalid("an entry has no line".to_owned()))?;
        let line = line.resolved(&mut self.scratch.line).map_err(|fault| invalid(fault.what))?;
        self.rows.end_row(time, line)
    }

    /// Reads the object behind time and line.
    fn third(&mut self, reader: &mut Reader<'_>) -> Result<Result<(), Box<Bad>>, GivenUp> {
        if self.form == Form::Push {
            return self.metadata(reader);
        }
        let mut taken = Ok(());
        let mut is_first = true;
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut is_first)? {
            match (key.raw(), reader.kind()?) {
                ("structuredMetadata" | "parsed", Kind::Object) => {
                    let more = self.metadata(reader)?;
                    taken = taken.and(more);
                }
                _ => drop(reader.skip()?),
            }
        }
        Ok(taken)
    }

    fn metadata(&mut self, reader: &mut Reader<'_>) -> Result<Result<(), Box<Bad>>, GivenUp> {
        let mut taken = Ok(());
        let mut is_first = true;
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut is_first)? {
            let name = key.resolved(&mut self.scratch.name)?;
            let more = match scalar(reader, &mut self.scratch.value)? {
                Ok(value) if taken.is_ok() => self.rows.metadata(name, value),
                Ok(_) => Ok(()),
                Err(kind) => {
                    let what = format!("{} of an entry is {}, not a text", quoted(name.as_bytes()), kind.as_str());
                    Err(Bad::new(Reason::InvalidRow, what))
                }
            };
            taken = taken.and(more);
        }
        Ok(taken)
    }
}

/// Steps over `null`, which is what some writers have for nothing; whether it was next.
fn is_null(reader: &mut Reader<'_>) -> Result<bool, Box<Fault>> {
    let is_null = reader.kind()? == Kind::Null;
    if is_null {
        reader.word()?;
    }
    Ok(is_null)
}

/// The text, number or boolean that is next, as text; `null` is an empty one. Of anything else, which is stepped over, what
/// it is.
fn scalar<'s, 'a: 's>(reader: &mut Reader<'a>, scratch: &'s mut String) -> Result<Result<&'s str, Kind>, Box<Fault>> {
    Ok(match reader.kind()? {
        Kind::Text => Ok(reader.text()?.resolved(scratch)?),
        Kind::Number => Ok(reader.number()?),
        Kind::Bool => Ok(reader.word()?),
        Kind::Null => reader.word().map(|_| Ok(""))?,
        kind @ (Kind::Object | Kind::Array) => {
            reader.skip()?;
            Err(kind)
        }
    })
}

#[cfg(test)]
mod tests;
