//! OTLP over gRPC.

use std::io;

use super::otlp;
use crate::http2::Connection;
use crate::log::Answer;
use crate::way::Request;

const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// Before a message: that it is not compressed, and its length in four bytes.
const PREFIX_BYTES: usize = 5;

/// Sends a request; gives the number of its stream.
pub(crate) fn send(connection: &mut Connection, request: &Request) -> io::Result<u32> {
    let message = otlp::encode(request);
    let mut framed = vec![0];
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(&message);
    connection.post(if request.way.has_spans() { TRACES } else { METRICS }, &framed)
}

pub(crate) fn ask(connection: &mut Connection, request: &Request) -> io::Result<Answer> {
    let stream = send(connection, request)?;
    let reply = connection.reply(stream)?;
    match (reply.grpc_status, reply.body.get(PREFIX_BYTES..)) {
        (Some(0), Some(message)) => Ok(otlp::answer(request, message)),
        (Some(status @ 1..), _) => Ok(Answer::Refused(status)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("odd answer: {reply:?}"))),
    }
}
