//! OTLP over HTTP, as protobuf.

use std::io;

use super::otlp;
use crate::http::Connection;
use crate::log::Answer;
use crate::way::Request;

const HEADERS: &str = "content-type: application/x-protobuf\r\n";

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let reply = connection.post("/v1/metrics", HEADERS, &otlp::encode(request))?;
    Ok(if reply.is_success() { otlp::answer(request, &reply.body) } else { Answer::Refused(reply.status) })
}
