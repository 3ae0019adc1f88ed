//! Writes the exposition format: what [`super::decode`] reads, for federation, tests and generators of load.

use std::fmt::{self, Write};

use model::batch::Kind;

use crate::exposition::write::{write_escaped, write_family_name, write_series, write_value};

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
