//! Writes metric families in the text exposition format.

use std::fmt::Write;

/// A family whose HELP and TYPE lines are written.
#[derive(Debug)]
pub(super) struct Family<'a> {
    out: &'a mut String,
    name: String,
}

impl<'a> Family<'a> {
    /// Begins a family of counters.
    pub(super) fn counter(out: &'a mut String, name: &str, help: &str) -> Self {
        Self::begin(out, name, help, "counter")
    }

    /// Begins a family of gauges.
    pub(super) fn gauge(out: &'a mut String, name: &str, help: &str) -> Self {
        Self::begin(out, name, help, "gauge")
    }

    fn begin(out: &'a mut String, name: &str, help: &str, kind: &str) -> Self {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family { out, name: name.to_owned() }
    }

    /// Writes one series of it.
    pub(super) fn line(&mut self, labels: &[(&str, &str)], value: u64) {
        let _ = decode::text::write_series(self.out, &self.name, labels.iter().copied());
        let _ = writeln!(self.out, " {value}");
    }
}
