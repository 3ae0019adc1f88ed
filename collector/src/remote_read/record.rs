//! The rows that tell of the reading: how an attempt went, and which times have been read.

use model::Batch;
use model::batch::{BatchBuilder, Kind};
use model::source::{READ_SINCE, read_after_ms};

use super::coverage::Span;
use super::server::Server;
use crate::federate::Source;
use crate::report::{ENDED, Report, add_report};

/// The label that has [`Server::key`].
pub(super) const SOURCE: &str = "source";

/// The rows of an attempt: how it went, and that `read` has been read, if anything has.
pub(super) fn of_attempt(server: &Server, report: &Report, time_ms: i64, read: Option<Span>) -> Batch {
    let mut builder = BatchBuilder::default();
    add_report(&mut builder, &server.source.id, report.values(), time_ms);
    if let Some(span) = read {
        add_span(&mut builder, server, span);
    }
    builder.build().stamped(server.source.cluster.clone())
}

/// The row that says that a span has been read.
pub(super) fn of_span(server: &Server, span: Span) -> Batch {
    let mut builder = BatchBuilder::default();
    add_span(&mut builder, server, span);
    builder.build().stamped(server.source.cluster.clone())
}

/// The markers that end the rows of a source that has left the configuration.
pub(super) fn end(source: &Source, time_ms: i64) -> Batch {
    let mut builder = BatchBuilder::default();
    add_report(&mut builder, &source.id, ENDED, time_ms);
    builder.build().stamped(source.cluster.clone())
}

fn add_span(builder: &mut BatchBuilder, server: &Server, span: Span) {
    let labels = [(SOURCE, server.key.as_str()), ("url", &server.config().url)];
    let series = builder.series(READ_SINCE, &labels, Kind::Gauge);
    builder.sample(series, span.until_ms, span.after_ms as f64 / 1000.0);
}

/// What rows of the name [`READ_SINCE`] say: their times in milliseconds and their values.
pub(super) fn spans(rows: impl IntoIterator<Item = (i64, f64)>) -> impl Iterator<Item = Span> {
    let span = |(until_ms, since)| read_after_ms(until_ms, since).map(|after_ms| Span { after_ms, until_ms });
    rows.into_iter().filter_map(span)
}

#[cfg(test)]
mod tests;
