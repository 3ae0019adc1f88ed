//! Times and durations of parameters.

use chrono::DateTime;

use super::envelope::Failure;

/// The times that clients send for the beginning and the end of all time.
const MIN_TEXT: &str = "-292273086-05-16T16:47:06Z";
const MAX_TEXT: &str = "292277025-08-18T07:12:54.999999999Z";
/// What they stand for, in milliseconds.
pub(super) const MIN_TIME_MS: i64 = i64::MIN / 1000;
/// See [`MIN_TIME_MS`].
pub(super) const MAX_TIME_MS: i64 = i64::MAX / 1000;

/// A time in milliseconds: seconds as a decimal number, or RFC 3339.
///
/// # Errors
/// `bad_data` with the words of Prometheus.
pub(super) fn parse(text: &str) -> Result<i64, Failure> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok((seconds * 1000.0).round() as i64);
    }
    match text {
        MIN_TEXT => return Ok(MIN_TIME_MS),
        MAX_TEXT => return Ok(MAX_TIME_MS),
        _ => {}
    }
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.timestamp_millis())
        .map_err(|_| Failure::bad_data(format!("cannot parse {text:?} to a valid timestamp")))
}

/// The time of a parameter, or another one if it is not there.
///
/// # Errors
/// As [`parse`], and names the parameter.
pub(super) fn parameter(name: &str, text: &str, otherwise: Option<i64>) -> Result<i64, Failure> {
    match (text, otherwise) {
        ("", Some(time_ms)) => Ok(time_ms),
        _ => parse(text).map_err(|_| Failure::parameter(name, format!("cannot parse {text:?} to a valid timestamp"))),
    }
}

/// The duration of a parameter in milliseconds: seconds as a decimal number, or as Prometheus writes durations.
///
/// # Errors
/// `bad_data` with the words of Prometheus.
pub(super) fn duration(name: &str, text: &str) -> Result<i64, Failure> {
    let wrong = || Failure::parameter(name, format!("cannot parse {text:?} to a valid duration"));
    if let Ok(seconds) = text.parse::<f64>() {
        let ms = seconds * 1000.0;
        return if ms.is_finite() && ms.abs() < i64::MAX as f64 { Ok(ms as i64) } else { Err(wrong()) };
    }
    let duration = model::duration::parse(text).map_err(|_| wrong())?;
    i64::try_from(duration.as_millis()).map_err(|_| wrong())
}
