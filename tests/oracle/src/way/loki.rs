//! Log rows as Loki takes them, as JSON: one stream, its attributes as structured metadata.

use std::io;

use crate::http::Connection;
use crate::log::Answer;
use crate::way::Request;
use crate::way::otlp::NANOS;

const PATH: &str = "/loki/api/v1/push";
const HEADERS: &str = "content-type: application/json\r\n";
/// Some rows were not written, says the text of such an answer, or all were damaged.
const BAD_REQUEST: u32 = 400;

/// Sends a request, and waits for nothing.
pub(crate) fn send(connection: &mut Connection, request: &Request) -> io::Result<()> {
    connection.send(PATH, HEADERS, encode(request).as_bytes())
}

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let reply = connection.post(PATH, HEADERS, encode(request).as_bytes())?;
    Ok(match reply.status {
        _ if reply.is_success() => Answer::Acknowledged,
        // Everything the witness sends is good.
        BAD_REQUEST => Answer::Partial(0),
        status => Answer::Refused(status),
    })
}

/// The message.
pub(crate) fn encode(request: &Request) -> String {
    let connection = request.connection;
    let value = |record: &crate::row::Record| {
        let (time, id, trace) = (record.time_ms * NANOS, record.text(), record.trace_id(connection));
        let line = record.line();
        format!(r#"["{time}","{line}",{{"trace_id":"{trace:032x}","span_id":"{id}","connection":"{connection}"}}]"#)
    };
    let values: Vec<String> = request.records.iter().map(value).collect();
    let service = request.way.service();
    format!(r#"{{"streams":[{{"stream":{{"service_name":"{service}"}},"values":[{}]}}]}}"#, values.join(","))
}
