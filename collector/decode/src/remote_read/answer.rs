//! The answer, as a server gives it: series in, messages of both kinds out.
//!
//! Owns: the messages, frames and chunks of both kinds of answer, and how large a frame becomes.
//! Does not own: which series there are, and in which order: clients rely on that of their labels.

mod frames;
mod histogram;
mod samples;

use model::histogram::NativeHistogram;

pub use self::frames::push_frames;
pub use self::samples::SamplesAnswer;
use crate::protobuf::message::Message;

/// A series of an answer, with its samples in order of time, each time once.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// The names and values of its labels, sorted by name.
    pub labels: &'a [(&'a str, &'a str)],
    /// The times of its numbers, in milliseconds since the Unix epoch.
    pub times_ms: &'a [i64],
    /// The numbers, as many as times; [`model::batch::STALE_NAN_BITS`] are sent as they are.
    pub values: &'a [f64],
    /// Its native histograms with their times. They are sent with floating-point counts.
    pub histograms: &'a [(i64, NativeHistogram)],
}

/// The label fields of a series, field 1 of both messages.
fn labels(series: &Series<'_>) -> Message {
    let mut message = Message::default();
    for (name, value) in series.labels {
        let mut label = Message::default();
        label.bytes(1, name.as_bytes());
        label.bytes(2, value.as_bytes());
        message.sized(1, &label.0);
    }
    message
}

#[cfg(test)]
mod tests;
