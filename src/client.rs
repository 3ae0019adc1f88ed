//! `fleetscope query`: asks a running server and prints its rows.

use std::io::Write;

use futures::StreamExt;
use model::{Error, ErrorKind};

use crate::cli::{Format, Query};

mod table;

/// Sends the statement and writes the answer to `out`; rows are passed on as they come, but for a table, whose columns
/// are as wide as their widest value.
///
/// # Errors
/// `Unavailable` if the server cannot be reached, the server's own kind and message if it refuses the statement.
pub async fn run(query: &Query, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let url = format!("{}/api/v1/sql", query.server.trim_end_matches('/'));
    let accept = if query.format == Format::Json { "application/json" } else { "text/csv" };
    let body = serde_json::json!({ "query": query.sql }).to_string();
    let request = reqwest::Client::new().post(&url).header("content-type", "application/json").header("accept", accept);
    let answer = request.body(body).send().await.map_err(|e| {
        Error::new(ErrorKind::Unavailable, format!("cannot reach {url}, is the server running there")).with_source(e)
    })?;
    if !answer.status().is_success() {
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        return Err(refused(status.as_u16(), &text));
    }
    let mut whole = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| {
            Error::new(ErrorKind::Unavailable, "the answer broke off, its rows are not complete").with_source(e)
        })?;
        match query.format {
            Format::Table => whole.extend_from_slice(&chunk),
            Format::Csv | Format::Json => write(out, &chunk)?,
        }
    }
    match query.format {
        Format::Table => write(out, table::render(&String::from_utf8_lossy(&whole)).as_bytes()),
        Format::Json => write(out, b"\n"),
        Format::Csv => Ok(()),
    }
}

/// The error that an answer other than 2xx stands for.
fn refused(status: u16, text: &str) -> Error {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let Some(message) = answer["message"].as_str() else {
        return Error::new(ErrorKind::Unavailable, format!("the server answered {status}: {}", text.trim()));
    };
    let kind = if status < 500 { ErrorKind::Invalid } else { ErrorKind::Unavailable };
    Error::new(kind, message)
}

fn write(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Error> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // The reader, `head` for one, has seen enough.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Error::new(ErrorKind::Unavailable, "cannot write the rows").with_source(e)),
    }
}

#[cfg(test)]
mod tests;
