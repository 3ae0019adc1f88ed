//! The commands that ask a running server: `fleetscope query` and `fleetscope status`.

use std::io::Write;

use futures::StreamExt;
use model::{Error, ErrorKind};

use self::ask::Asker;
use crate::cli::{Color, Format, Query, Status};

mod ask;
mod status;
mod table;

/// Sends the statement and writes the answer to `out`; rows are passed on as they come, but for a table, whose columns
/// are as wide as their widest value.
///
/// # Errors
/// `Invalid` if a file of the connection cannot be used, `Unavailable` if the server cannot be reached, the server's own kind
/// and message if it refuses the statement.
pub async fn query(query: &Query, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let accept = if query.format == Format::Json { "application/json" } else { "text/csv" };
    let answer = Asker::new(&query.connection)?.ask(&query.sql, accept).await?;
    let mut whole = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(ask::broken_off)?;
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

/// Asks how the fleet is and writes it to `out`; `shows_colour` is whether the reader can show it in colour.
///
/// # Errors
/// As [`query`].
pub async fn status(status: &Status, shows_colour: bool, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let fleet = status::ask(&Asker::new(&status.connection)?).await?;
    let in_colour = status.color == Color::Always || status.color == Color::Auto && shows_colour;
    write(out, status::render(&fleet, in_colour).as_bytes())
}

/// Writes and flushes; a reader that has gone away is content.
///
/// # Errors
/// `Unavailable` if the rest of it cannot be written.
pub(crate) fn write(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Error> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // The reader, `head` for one, has seen enough.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Error::new(ErrorKind::Unavailable, "cannot write the answer").with_source(e)),
    }
}

#[cfg(test)]
mod tests;
