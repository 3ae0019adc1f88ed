//! Writes OpenMetrics: what [`super::decode`] reads, for federation, tests and generators of load.

use std::fmt::{self, Write};

use model::batch::{Exemplar, Kind, Metadata};

use crate::exposition::number::seconds_to_ms;
use crate::exposition::write::{write_escaped, write_family_name, write_labels, write_series, write_value};

/// Writes a whole line: the series, its value, its time if one is given, and its exemplar.
///
/// Every finite value and every time reads back as it is.
///
/// # Errors
/// Those of `out`.
pub fn write_sample<'a>(
    out: &mut impl Write,
    name: &str,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    value: f64,
    time_ms: Option<i64>,
    exemplar: Option<&Exemplar>,
) -> fmt::Result {
    write_series(out, name, labels)?;
    out.write_char(' ')?;
    write_value(out, value)?;
    if let Some(time_ms) = time_ms {
        write_time(out, time_ms)?;
    }
    if let Some(exemplar) = exemplar {
        out.write_str(" # ")?;
        let labels = exemplar.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if !write_labels(out, labels, false)? {
            out.write_char('{')?;
        }
        out.write_str("} ")?;
        write_value(out, exemplar.value)?;
        write_time(out, exemplar.time_ms)?;
    }
    out.write_char('\n')
}

/// Writes the comments that say what a metric family is.
///
/// A unit must end the name, after an underscore, or the text is not readable.
///
/// # Errors
/// Those of `out`.
pub fn write_family(out: &mut impl Write, family: &Metadata) -> fmt::Result {
    let kind = if family.kind == Kind::Unknown { "" } else { family.kind.as_str() };
    for (word, text) in [("TYPE", kind), ("UNIT", &family.unit), ("HELP", &family.help)] {
        if !text.is_empty() {
            write!(out, "# {word} ")?;
            write_family_name(out, &family.name)?;
            out.write_char(' ')?;
            write_escaped(out, text, true)?;
            out.write_char('\n')?;
        }
    }
    Ok(())
}

/// Writes the line that ends a body.
///
/// # Errors
/// Those of `out`.
pub fn write_end(out: &mut impl Write) -> fmt::Result {
    out.write_str("# EOF\n")
}

/// Writes a blank and the time, in seconds.
///
/// A reader multiplies by 1,000 and cuts off, which turns some times into the millisecond before; they get half a
/// millisecond more.
fn write_time(out: &mut impl Write, time_ms: i64) -> fmt::Result {
    let sign = if time_ms < 0 { "-" } else { "" };
    let (seconds, rest_ms) = (time_ms.unsigned_abs() / 1000, time_ms.unsigned_abs() % 1000);
    write!(out, " {sign}{seconds}")?;
    if rest_ms > 0 {
        write!(out, ".{rest_ms:03}")?;
    }
    if seconds_to_ms(time_ms as f64 / 1000.0) != time_ms { out.write_char('5') } else { Ok(()) }
}
