//! Remote write 2.0, encoded by hand: texts stand once, and are pointed at.
//!
//! ```text
//! Request { symbols = 4, timeseries = 5 }
//! TimeSeries { labels_refs = 1, samples = 2, histograms = 3, exemplars = 4, metadata = 5 }
//! Sample { value = 1: double, timestamp = 2, start_timestamp = 3 }       Histogram: as in 1.0, start_timestamp = 17
//! Exemplar { labels_refs = 1, value = 2: double, timestamp = 3 }         Metadata { type = 1, help_ref = 3 }
//! ```
//!
//! Source: the Prometheus remote-write 2.0 specification

use std::collections::HashMap;
use std::io;

use super::remote_write_1::{compress, encode_histogram, kind_number};
use crate::http::Connection;
use crate::log::Answer;
use crate::protobuf::{double, field, message, number, varint};
use crate::row::{Exemplar, Row, Value};
use crate::way::Request;

const HEADERS: &str = "content-type: application/x-protobuf;proto=io.prometheus.write.v2.Request\r\n\
                       content-encoding: snappy\r\nx-prometheus-remote-write-version: 2.0.0\r\n";

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let reply = connection.post("/api/v1/write", HEADERS, &compress(&encode(request)))?;
    if !reply.is_success() {
        return Ok(Answer::Refused(reply.status));
    }
    let histograms = request.rows.iter().filter(|row| matches!(row.value, Value::Histogram(_))).count() as u64;
    let exemplars = request.rows.iter().filter(|row| row.exemplar.is_some()).count() as u64;
    let sent =
        [("samples", request.rows.len() as u64 - histograms), ("histograms", histograms), ("exemplars", exemplars)];
    let written = |what: &str| reply.header(&format!("x-prometheus-remote-write-{what}-written")).parse::<u64>();
    let is_whole = sent.iter().all(|(what, rows)| written(what).as_ref() == Ok(rows));
    let all = sent.iter().map(|(what, _)| written(what).unwrap_or(0)).sum();
    Ok(if is_whole { Answer::Acknowledged } else { Answer::Partial(all) })
}

/// The texts of a request by their numbers; the first is empty.
#[derive(Debug, Default)]
struct Symbols {
    texts: Vec<String>,
    numbers: HashMap<String, u64>,
}

impl Symbols {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u64;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// Names and values in turn, as packed numbers.
    fn packed(&mut self, labels: &[(&str, &str)]) -> Vec<u8> {
        let mut packed = Vec::new();
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            varint(&mut packed, self.number(text));
        }
        packed
    }
}

/// The message.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let mut symbols = Symbols::default();
    symbols.number("");
    let (mut all_series, mut out) = (Vec::new(), Vec::new());
    for rows in request.rows.chunk_by(|a, b| a.series == b.series) {
        message(&mut all_series, 5, |series| encode_series(series, &mut symbols, request, rows));
    }
    for text in &symbols.texts {
        field(&mut out, 4, text.as_bytes());
    }
    out.extend_from_slice(&all_series);
    out
}

fn encode_series(out: &mut Vec<u8>, symbols: &mut Symbols, request: &Request, rows: &[Row]) {
    let (name, own) = (request.way.name(rows[0].kind), request.labels(rows[0].series));
    let mut labels = vec![("__name__", name.as_str())];
    labels.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
    field(out, 1, &symbols.packed(&labels));
    for row in rows {
        let time = row.time_ms as u64;
        message(out, if matches!(row.value, Value::Number(_)) { 2 } else { 3 }, |bytes| {
            let start = match &row.value {
                Value::Number(value) => {
                    double(bytes, 1, *value);
                    number(bytes, 2, time);
                    3
                }
                Value::Histogram(histogram) => {
                    encode_histogram(bytes, histogram, time);
                    17
                }
            };
            if let Some(start_ms) = row.start_ms {
                number(bytes, start, start_ms as u64);
            }
        });
        if let Some(exemplar) = &row.exemplar {
            message(out, 4, |bytes| encode_exemplar(bytes, symbols, exemplar, time));
        }
    }
    message(out, 5, |metadata| {
        number(metadata, 1, kind_number(rows[0].kind));
        number(metadata, 3, symbols.number(&request.help));
    });
}

fn encode_exemplar(out: &mut Vec<u8>, symbols: &mut Symbols, exemplar: &Exemplar, time: u64) {
    let (draw, span_id, trace_id) = (exemplar.draw.to_string(), exemplar.span_id(), exemplar.trace_id());
    field(out, 1, &symbols.packed(&[("draw", &draw), ("span_id", &span_id), ("trace_id", &trace_id)]));
    double(out, 2, exemplar.value);
    number(out, 3, time);
}
