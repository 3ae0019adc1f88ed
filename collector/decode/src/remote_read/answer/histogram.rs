//! A native histogram as the message of `types.proto`; its fields are in `protobuf/histogram.rs`, which reads it.

use model::histogram::{Counts, NativeHistogram, Span};

use crate::protobuf::message::Message;

/// The message of a histogram with its time in milliseconds; its counts are floating-point numbers.
pub(super) fn message(time_ms: i64, histogram: &NativeHistogram) -> Message {
    let mut message = Message::default();
    let floats = |counts: &[u64]| counts.iter().map(|count| *count as f64).collect::<Vec<_>>();
    let (count, zero, positive, negative) = match &histogram.counts {
        Counts::Float(counts) => (counts.count, counts.zero, counts.positive.clone(), counts.negative.clone()),
        Counts::Integer(counts) => {
            (counts.count as f64, counts.zero as f64, floats(&counts.positive), floats(&counts.negative))
        }
    };
    // Which of two fields is there tells whether its counts are whole numbers.
    message.present_double(2, count);
    message.double(3, histogram.sum);
    message.signed(4, i64::from(histogram.schema));
    message.double(5, histogram.zero_threshold);
    message.present_double(7, zero);
    spans(&mut message, 8, &histogram.negative_spans);
    message.doubles(10, &negative);
    spans(&mut message, 11, &histogram.positive_spans);
    message.doubles(13, &positive);
    message.number(14, histogram.reset_hint as i64);
    message.number(15, time_ms);
    message.doubles(16, &histogram.custom_bounds);
    message
}

fn spans(message: &mut Message, field: u64, spans: &[Span]) {
    for span in spans {
        let mut one = Message::default();
        one.signed(1, i64::from(span.offset));
        one.number(2, i64::from(span.length));
        message.sized(field, &one.0);
    }
}
