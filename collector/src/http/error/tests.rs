use std::time::Duration;

use super::*;

fn retry_after(error: &Error) -> Option<String> {
    response(error).headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn each_kind_has_its_status() {
    let table = [
        (ErrorKind::Invalid, 400),
        (ErrorKind::TooLarge, 413),
        (ErrorKind::NotFound, 404),
        (ErrorKind::Forbidden, 403),
        (ErrorKind::Busy, 503),
        (ErrorKind::Unavailable, 503),
        (ErrorKind::Timeout, 503),
        (ErrorKind::Cancelled, 503),
        (ErrorKind::Conflict, 503),
        (ErrorKind::Corrupt, 500),
        (ErrorKind::Internal, 500),
    ];
    for (kind, code) in table {
        assert_eq!(response(&Error::new(kind, "why")).status().as_u16(), code, "{kind}");
    }
}

#[test]
fn whoever_may_come_again_is_told_when() {
    let busy = Error::new(ErrorKind::Busy, "full");
    assert_eq!(retry_after(&busy).as_deref(), Some("5"));
    assert_eq!(retry_after(&busy.with_retry_after(Duration::from_millis(1200))).as_deref(), Some("2"));
    let away = Error::new(ErrorKind::Unavailable, "away").with_retry_after(Duration::ZERO);
    assert_eq!(retry_after(&away).as_deref(), Some("1"));
    assert_eq!(retry_after(&Error::invalid("wrong")), None);
}
