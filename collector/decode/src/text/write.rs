//! Writes the exposition format: what [`super::decode`] reads, for tests and generators of load.

use std::fmt::{self, Write};

use model::batch::Kind;

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
    let mut open = !plain;
    if plain {
        out.write_str(name)?;
    } else {
        out.write_char('{')?;
        write_quoted(out, name)?;
    }
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
    if open { out.write_char('}') } else { Ok(()) }
}

/// Writes a whole line: the series, its value, and its time in milliseconds if one is given.
///
/// Every finite value reads back bit for bit; each NaN reads back as the one NaN that Prometheus knows.
///
/// # Errors
/// Those of `out`.
pub fn write_sample<'a>(
    out: &mut impl Write,
    name: &str,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    value: f64,
    time_ms: Option<i64>,
) -> fmt::Result {
    write_series(out, name, labels)?;
    out.write_char(' ')?;
    write_value(out, value)?;
    if let Some(time_ms) = time_ms {
        write!(out, " {time_ms}")?;
    }
    out.write_char('\n')
}

/// Writes the two comments that say what a metric family is; kinds that the format lacks become `untyped`.
///
/// # Errors
/// Those of `out`.
pub fn write_family(out: &mut impl Write, name: &str, kind: Kind, help: &str) -> fmt::Result {
    let kind = match kind {
        Kind::Counter | Kind::Gauge | Kind::Histogram | Kind::Summary => kind.as_str(),
        Kind::Unknown | Kind::Info | Kind::StateSet => "untyped",
    };
    if !help.is_empty() {
        out.write_str("# HELP ")?;
        write_family_name(out, name)?;
        out.write_char(' ')?;
        write_escaped(out, help, false)?;
        out.write_char('\n')?;
    }
    out.write_str("# TYPE ")?;
    write_family_name(out, name)?;
    writeln!(out, " {kind}")
}

fn write_family_name(out: &mut impl Write, name: &str) -> fmt::Result {
    if is_plain_metric(name) { out.write_str(name) } else { write_quoted(out, name) }
}

fn write_value(out: &mut impl Write, value: f64) -> fmt::Result {
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

fn write_escaped(out: &mut impl Write, text: &str, quotes: bool) -> fmt::Result {
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
