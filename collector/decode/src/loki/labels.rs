//! The labels of a stream as text, `{name="value", …}`, and the service they tell of.

mod quoted;

use crate::error;
use crate::refused::{Bad, Reason};

/// The label that names the service of a stream.
pub(super) const SERVICE_NAME: &str = "service_name";
/// What it is if no other label tells.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Labels that tell of the service where none is named so; the first of them that is there counts.
///
/// Source: `discover_service_name` in Loki's configuration, its default.
const SERVICE_LABELS: [&str; 13] = [
    "service",
    "app",
    "application",
    "app_name",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
    "k8s_job_name",
];

/// The value of `service_name` that is derived from labels; `None` if they have one.
pub(super) fn derived_service<'a>(labels: &[(&'a str, &'a str)]) -> Option<&'a str> {
    let value = |wanted: &str| {
        labels.iter().find(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| *value)
    };
    match value(SERVICE_NAME) {
        Some(_) => None,
        None => Some(SERVICE_LABELS.iter().find_map(|name| value(name)).unwrap_or(UNKNOWN_SERVICE)),
    }
}

/// The labels of the stream at hand. Kept and reused, so that it allocates only while it grows.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// All names and values one behind the other, escapes resolved.
    text: String,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Labels {
    /// Names and values, in the order of the text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |(name, value)| {
            let label = (&self.text[start..*name], &self.text[*name..*value]);
            start = *value;
            label
        })
    }

    /// Forgets all labels.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a label; one without a value is none.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.text.push_str(name);
            let name = self.text.len();
            self.text.push_str(value);
            self.ends.push((name, self.text.len()));
        }
    }

    /// Reads labels as PromQL writes them: names bare or quoted, values in double or single quotes with the escapes of Go,
    /// or in backquotes without any; a comma may follow the last one.
    pub(super) fn parse(&mut self, bytes: &[u8]) -> Result<(), Box<Bad>> {
        self.clear();
        let Ok(text) = std::str::from_utf8(bytes) else {
            let what = format!("the labels of a stream are not UTF-8: {}", error::quoted(bytes));
            return Err(Bad::new(Reason::InvalidLabels, what));
        };
        let mut scanner = Scanner { text, at: 0 };
        self.scan(&mut scanner).map_err(|what| {
            let (byte, shown) = (scanner.at, error::quoted(bytes));
            Bad::new(Reason::InvalidLabels, format!("{what} at byte {byte} of the labels {shown}"))
        })
    }

    fn scan(&mut self, scanner: &mut Scanner<'_>) -> Result<(), String> {
        scanner.take('{')?;
        loop {
            if scanner.skip_if('}') {
                break;
            }
            let start = self.text.len();
            scanner.name(&mut self.text)?;
            let name = self.text.len();
            scanner.take('=')?;
            scanner.quoted(&mut self.text)?;
            if self.text.len() == name {
                self.text.truncate(start);
            } else {
                self.ends.push((name, self.text.len()));
            }
            if !scanner.skip_if(',') {
                scanner.take('}')?;
                break;
            }
        }
        scanner.skip_blanks();
        if scanner.at < scanner.text.len() { Err(scanner.expected("nothing more")) } else { Ok(()) }
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn skip_if(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let is_there = self.text[self.at..].starts_with(wanted);
        self.at += if is_there { wanted.len_utf8() } else { 0 };
        is_there
    }

    fn take(&mut self, wanted: char) -> Result<(), String> {
        if self.skip_if(wanted) { Ok(()) } else { Err(self.expected(&format!("{wanted:?}"))) }
    }

    fn expected(&self, what: &str) -> String {
        match self.text[self.at..].chars().next() {
            Some(found) => format!("expected {what}, got {found:?}"),
            None => format!("expected {what}, got the end"),
        }
    }

    fn name(&mut self, out: &mut String) -> Result<(), String> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        if rest.starts_with(['"', '\'', '`']) {
            let start = out.len();
            self.quoted(out)?;
            return if out.len() > start { Ok(()) } else { Err("a label has no name".to_owned()) };
        }
        let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-');
        let bytes = rest.bytes().take_while(|byte| is_of_name(byte)).count();
        if bytes == 0 || rest.as_bytes()[0].is_ascii_digit() {
            return Err(self.expected("the name of a label"));
        }
        out.push_str(&rest[..bytes]);
        self.at += bytes;
        Ok(())
    }

    fn quoted(&mut self, out: &mut String) -> Result<(), String> {
        self.skip_blanks();
        self.at += match quoted::resolve(&self.text[self.at..], out) {
            Ok(bytes) => bytes,
            Err(quoted::Fault::NoQuote) => return Err(self.expected("a quoted value")),
            Err(quoted::Fault::NoEnd) => return Err("a quote has no end".to_owned()),
            Err(quoted::Fault::Escape) => return Err("a value has an escape that is none".to_owned()),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
