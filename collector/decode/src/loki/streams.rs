//! What a Loki answers to `GET /loki/api/v1/query_range` for lines, in JSON.
//!
//! ```text
//! {"status": "success", "data": {"resultType": "streams", "result": [{"stream": {label: value}, "values": [
//!     [time, line, {"structuredMetadata": {name: value}, "parsed": {name: value}}], …]}]}}
//! ```
//!
//! The third item is there if the request had `X-Loki-Response-Encoding-Flags: categorize-labels`. Without it structured
//! metadata stands among the labels, and every row of its own is a stream of its own: whoever pulls should send it.
//!
//! Source: <https://grafana.com/docs/loki/latest/reference/loki-http-api/>

use super::json::{Decoder, Form, GivenUp};
use super::rows::Rows;
use crate::error::{Fault, quoted};
use crate::json::{Kind, Reader};
use crate::log_rows::lossy;
use crate::{Arrival, DecodedLines, Error, Limits};

/// Reads a whole answer, already decompressed, into the rows that a push of the same lines becomes. What the Loki has
/// derived itself, `service_name` and `detected_level`, is not derived again.
///
/// # Errors
/// `Invalid` if it is no JSON, of another kind than lines, or tells of an error; `TooLarge` if there are too many or too many
/// rows.
pub fn decode(body: &[u8], arrival: Arrival, limits: &Limits) -> Result<DecodedLines, Error> {
    let rows = Rows::new(body.len(), arrival, limits)?;
    let text = lossy(body);
    let mut decoder = Decoder::new(rows, Form::Answer);
    answer(&mut Reader::new(&text), &mut decoder).map_err(|given_up| given_up.in_body(text.as_bytes()))?;
    Ok(decoder.rows.finish())
}

fn answer(reader: &mut Reader<'_>, decoder: &mut Decoder<'_>) -> Result<(), GivenUp> {
    let (mut is_first, mut has_data) = (true, false);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut is_first)? {
        match (key.raw(), reader.kind()?) {
            ("data", Kind::Object) => {
                has_data = true;
                data(reader, decoder)?;
            }
            ("error", Kind::Text) => {
                let (at, error) = (reader.at(), reader.text()?.raw());
                let what = format!("the answer tells of an error: {}", quoted(error.as_bytes()));
                return Err(Fault::invalid(at, what).into());
            }
            _ => drop(reader.skip()?),
        }
    }
    reader.end()?;
    if has_data { Ok(()) } else { Err(Fault::invalid(0, "the answer has no field \"data\"").into()) }
}

fn data(reader: &mut Reader<'_>, decoder: &mut Decoder<'_>) -> Result<(), GivenUp> {
    let (mut is_first, mut has_type) = (true, false);
    // A result that stands before its type.
    let mut before = None;
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut is_first)? {
        match (key.raw(), reader.kind()?) {
            ("resultType", Kind::Text) => {
                let (at, found) = (reader.at(), reader.text()?.raw());
                if found != "streams" {
                    let found = quoted(found.as_bytes());
                    let what = format!("the answer has results of type {found}, not streams: ask for lines");
                    return Err(Fault::invalid(at, what).into());
                }
                has_type = true;
            }
            ("result", _) if has_type => decoder.streams(reader)?,
            ("result", _) => {
                before = Some(reader.clone());
                reader.skip()?;
            }
            _ => drop(reader.skip()?),
        }
    }
    match (has_type, before) {
        (true, Some(mut before)) => decoder.streams(&mut before),
        (true, None) => Ok(()),
        (false, _) => Err(Fault::invalid(reader.at(), "the answer does not say the type of its results").into()),
    }
}

#[cfg(test)]
mod tests;
