//! Writes what the two formats have in common: series, values, quoted names.

use std::fmt::{self, Write};

use super::series::{is_plain_label, is_plain_metric};

/// Writes `name{label="value",…}`, quoting names that need it as Prometheus 3 does.
///
/// `name` must not be empty and no label may be called `__name__`, or the text is not readable.
///
/// # Errors
/// Those of `out`.
pub fn write_series<'a>(
    out: &mut impl Write,
    name: &str,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> fmt::Result {
    let plain = is_plain_metric(name);
    if plain {
        out.write_str(name)?;
    } else {
        out.write_char('{')?;
        write_quoted(out, name)?;
    }
    if write_labels(out, labels, !plain)? { out.write_char('}') } else { Ok(()) }
}

/// Writes labels, the brace before them unless it is `open`, and not the one behind; says whether one is open then.
pub(crate) fn write_labels<'a>(
    out: &mut impl Write,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    mut open: bool,
) -> Result<bool, fmt::Error> {
    for (label, value) in labels {
        out.write_char(if open { ',' } else { '{' })?;
        open = true;
        if is_plain_label(label) {
            out.write_str(label)?;
        } else {
            write_quoted(out, label)?;
        }
        out.write_char('=')?;
        write_quoted(out, value)?;
    }
    Ok(open)
}

/// Writes the name of a family as comments have it.
pub(crate) fn write_family_name(out: &mut impl Write, name: &str) -> fmt::Result {
    if is_plain_metric(name) { out.write_str(name) } else { write_quoted(out, name) }
}

/// Writes a value such that every finite one reads back bit for bit.
pub(crate) fn write_value(out: &mut impl Write, value: f64) -> fmt::Result {
    let magnitude = value.abs();
    if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else if magnitude == 0.0 || (1e-5..1e17).contains(&magnitude) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    }
}

fn write_quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    write_escaped(out, text, true)?;
    out.write_char('"')
}

/// Writes text with its backslashes and line feeds escaped, and its quotes if `quotes`.
pub(crate) fn write_escaped(out: &mut impl Write, text: &str, quotes: bool) -> fmt::Result {
    for c in text.chars() {
        match c {
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '"' if quotes => out.write_str("\\\"")?,
            c => out.write_char(c)?,
        }
    }
    Ok(())
}
