//! OTLP over HTTP, as protobuf.

use std::io;

use super::otlp;
use crate::http::Connection;
use crate::log::Answer;
use crate::way::Request;

const HEADERS: &str = "content-type: application/x-protobuf\r\n";

fn path(request: &Request) -> &'static str {
    if request.way.is_columnar() { "/v1/logs" } else { "/v1/metrics" }
}

/// Sends a request, and waits for nothing.
pub(crate) fn send(connection: &mut Connection, request: &Request) -> io::Result<()> {
    connection.send(path(request), HEADERS, &otlp::encode(request))
}

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let reply = connection.post(path(request), HEADERS, &otlp::encode(request))?;
    Ok(if reply.is_success() { otlp::answer(request, &reply.body) } else { Answer::Refused(reply.status) })
}
