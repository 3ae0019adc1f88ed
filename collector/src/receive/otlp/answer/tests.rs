use super::*;

#[test]
fn an_answer_of_nothing_refused_says_nothing() {
    let taken = Taken::default();
    for signal in Signal::ALL {
        assert_eq!((success(signal, &taken), success_json(signal, &taken)), (Vec::new(), "{}".to_owned()));
    }
}

#[test]
fn what_was_refused_is_told_with_its_number_in_the_words_of_its_signal() {
    let mut taken = Taken::default();
    taken.refused.add(300, "x");
    for (signal, words, field) in [
        (Signal::Metrics, "300 data points", "rejectedDataPoints"),
        (Signal::Logs, "300 log records", "rejectedLogRecords"),
        (Signal::Traces, "300 spans", "rejectedSpans"),
    ] {
        let message = format!("{words} were refused: x");
        // Field 1, a message: field 1, the number 300, field 2, a text.
        let length = message.len() as u8;
        let expected = [&[0x0a, length + 5, 0x08, 0xac, 0x02, 0x12, length][..], message.as_bytes()].concat();
        assert_eq!(success(signal, &taken), expected, "{words}");
        let expected = format!(r#"{{"partialSuccess":{{"errorMessage":"{message}","{field}":"300"}}}}"#);
        assert_eq!(success_json(signal, &taken), expected);
    }
    let warned =
        Taken { refused: decode::otlp::Refused { points: 0, reasons: vec!["y".to_owned()] }, ..Taken::default() };
    assert_eq!(success(Signal::Metrics, &warned), b"\x0a\x03\x12\x01y");
    assert!(success_json(Signal::Metrics, &warned).contains(r#""rejectedDataPoints":"0""#));
}

#[test]
fn every_kind_that_may_pass_is_sent_again_and_no_other() {
    use ErrorKind::{
        Busy, Cancelled, Conflict, Corrupt, Forbidden, Internal, Invalid, NotFound, Timeout, TooLarge, Unavailable,
    };
    for kind in [Busy, Unavailable, Timeout, Cancelled, Conflict] {
        let error = Error::new(kind, "x");
        assert_eq!((code(kind), retry_after(&error)), (14, Some(DEFAULT_RETRY_AFTER)));
    }
    for (kind, number) in [(Invalid, 3), (TooLarge, 3), (NotFound, 5), (Forbidden, 7), (Corrupt, 13), (Internal, 13)] {
        assert_eq!((code(kind), retry_after(&Error::new(kind, "x"))), (number, None));
    }
}

#[test]
fn a_delay_has_seconds_and_nanoseconds() {
    let error = Error::new(ErrorKind::Busy, "x").with_retry_after(Duration::from_millis(1500));
    // 500,000,000 in base 128.
    assert!(failure(&error).ends_with(&[0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]));
    assert!(failure_json(&error).contains(r#""retryDelay":"1.5s""#));
}
