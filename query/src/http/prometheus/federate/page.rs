//! The page of a federation: which format, and how names are written in it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use decode::{openmetrics, text};
use model::batch::{Kind, Metadata};
use model::labels::NAME_LABEL;

use crate::promql::labels::LabelSet;

/// A label that every series of a page has, be it empty: a scraper with `honor_labels` would add its own otherwise.
const INSTANCE_LABEL: &str = "instance";

/// The formats of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    is_openmetrics: bool,
    /// Whether names may have any character; else what the format did not know of old becomes `_`.
    allows_utf8: bool,
}

impl Format {
    /// The format that the values of `Accept` headers like best; the text format if they like none of these.
    pub(super) fn accepted(accept: &[&str]) -> Self {
        let mut best = (0.0, Format { is_openmetrics: false, allows_utf8: false });
        for range in accept.iter().flat_map(|value| value.split(',')) {
            let range = range.to_ascii_lowercase();
            let mut parts = range.split(';').map(str::trim);
            let is_openmetrics = match parts.next() {
                Some("application/openmetrics-text") => true,
                Some("text/plain" | "text/*" | "*/*") => false,
                _ => continue,
            };
            let parameters: Vec<&str> = parts.collect();
            let quality = parameters.iter().find_map(|p| p.strip_prefix("q=")).and_then(|q| q.parse().ok());
            let allows_utf8 = parameters.contains(&"escaping=allow-utf-8");
            if quality.unwrap_or(1.0) > best.0 {
                best = (quality.unwrap_or(1.0), Format { is_openmetrics, allows_utf8 });
            }
        }
        best.1
    }

    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> &'static str {
        match (self.is_openmetrics, self.allows_utf8) {
            (false, false) => "text/plain; version=0.0.4; charset=utf-8",
            (false, true) => "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            (true, false) => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            (true, true) => "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        }
    }
}

/// A page while it is written.
#[derive(Debug)]
pub(super) struct Page {
    format: Format,
    text: String,
}

impl Page {
    /// An empty page.
    pub(super) fn new(format: Format) -> Self {
        Page { format, text: String::new() }
    }

    /// Begins the samples of a name. They may have a type of their own only if that is one of a single sample: of a classic
    /// histogram or a summary a name is but a part.
    pub(super) fn family(&mut self, name: &str, kinds: &BTreeMap<String, Kind>) {
        let of_counter = name.strip_suffix("_total");
        let known = |name: &str| kinds.get(name).copied();
        // Senders of OpenMetrics name a counter without its suffix.
        let kind = known(name).or_else(|| of_counter.and_then(known).filter(|kind| *kind == Kind::Counter));
        let kind = kind.filter(|kind| matches!(kind, Kind::Counter | Kind::Gauge)).unwrap_or(Kind::Unknown);
        let name = self.escaped(name);
        // A string takes all that is written.
        let _ = if self.format.is_openmetrics {
            let (name, kind) = match (kind, name.strip_suffix("_total")) {
                (Kind::Counter, Some(family)) => (family, kind),
                // OpenMetrics has no counters that are called otherwise.
                (Kind::Counter, None) => (&*name, Kind::Unknown),
                _ => (&*name, kind),
            };
            let family = Metadata { name: name.to_owned(), kind, help: String::new(), unit: String::new() };
            openmetrics::write_family(&mut self.text, &family)
        } else {
            text::write_family(&mut self.text, &name, kind, "")
        };
    }

    /// Adds a sample with its time in milliseconds.
    pub(super) fn sample(&mut self, labels: &LabelSet, value: f64, time_ms: i64) {
        let name = self.escaped(labels.get(NAME_LABEL)).into_owned();
        let others = labels.iter().filter(|(name, _)| *name != NAME_LABEL);
        let mut others: Vec<(Cow<'_, str>, &str)> =
            others.map(|(name, value)| (self.escaped_label(name), value)).collect();
        if labels.get(INSTANCE_LABEL).is_empty() {
            others.push((INSTANCE_LABEL.into(), ""));
        }
        // Of names that have become one the first is kept: a page with a name twice in a series is refused as a whole.
        others.sort_by(|a, b| a.0.cmp(&b.0));
        others.dedup_by(|a, b| a.0 == b.0);
        let others = others.iter().map(|(name, value)| (&**name, *value));
        // A string takes all that is written.
        let _ = if self.format.is_openmetrics {
            openmetrics::write_sample(&mut self.text, &name, others, value, Some(time_ms), None)
        } else {
            text::write_sample(&mut self.text, &name, others, value, Some(time_ms))
        };
    }

    /// The whole page.
    pub(super) fn finish(mut self) -> String {
        if self.format.is_openmetrics {
            // A string takes all that is written.
            let _ = openmetrics::write_end(&mut self.text);
        }
        self.text
    }

    fn escaped<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.format.allows_utf8 { Cow::Borrowed(name) } else { escaped(name, |c| c == ':') }
    }

    fn escaped_label<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.format.allows_utf8 { Cow::Borrowed(name) } else { escaped(name, |_| false) }
    }
}

/// The name with `_` in place of what names of old may not have.
fn escaped(name: &str, is_allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_plain =
        |at: usize, c: char| c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit() || is_allowed(c);
    if name.char_indices().all(|(at, c)| is_plain(at, c)) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.char_indices().map(|(at, c)| if is_plain(at, c) { c } else { '_' }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> LabelSet {
        pairs.iter().fold(LabelSet::default(), |set, (name, value)| set.with(name, value))
    }

    #[test]
    fn the_best_liked_format_is_taken() {
        let content_type = |accept: &str| Format::accepted(&[accept]).content_type();
        assert_eq!(content_type(""), "text/plain; version=0.0.4; charset=utf-8");
        // Prometheus 2.42, 3.14, and one that likes protobuf best.
        let old = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(content_type(old), "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let new = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.1";
        assert_eq!(content_type(new), "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8");
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.2";
        assert_eq!(content_type(protobuf), "text/plain; version=0.0.4; charset=utf-8");
    }

    #[test]
    fn names_and_types_are_written_as_each_format_has_them() {
        let kinds = [("a_total", Kind::Counter), ("b", Kind::Counter), ("c", Kind::Gauge), ("d", Kind::Histogram)];
        let kinds = kinds.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
        let page = |accept: &str| {
            let mut page = Page::new(Format::accepted(&[accept]));
            for name in ["a_total", "b", "b_total", "c", "d_bucket", "my.name"] {
                page.family(name, &kinds);
                page.sample(&labels(&[(NAME_LABEL, name), ("instance", "x")]), 1.5, 1_234);
            }
            page.sample(&labels(&[(NAME_LABEL, "c"), ("job", "a"), ("a.b", "1"), ("a-b", "2")]), f64::NAN, -1);
            page.finish()
        };
        assert_eq!(
            page("text/plain"),
            "# TYPE a_total counter\na_total{instance=\"x\"} 1.5 1234\n\
             # TYPE b counter\nb{instance=\"x\"} 1.5 1234\n\
             # TYPE b_total counter\nb_total{instance=\"x\"} 1.5 1234\n\
             # TYPE c gauge\nc{instance=\"x\"} 1.5 1234\n\
             # TYPE d_bucket untyped\nd_bucket{instance=\"x\"} 1.5 1234\n\
             # TYPE my_name untyped\nmy_name{instance=\"x\"} 1.5 1234\n\
             c{a_b=\"2\",instance=\"\",job=\"a\"} NaN -1\n"
        );
        assert_eq!(
            page("application/openmetrics-text;escaping=allow-utf-8"),
            "# TYPE a counter\na_total{instance=\"x\"} 1.5 1.234\n\
             b{instance=\"x\"} 1.5 1.234\n\
             # TYPE b counter\nb_total{instance=\"x\"} 1.5 1.234\n\
             # TYPE c gauge\nc{instance=\"x\"} 1.5 1.234\n\
             d_bucket{instance=\"x\"} 1.5 1.234\n\
             {\"my.name\",instance=\"x\"} 1.5 1.234\n\
             c{\"a-b\"=\"2\",\"a.b\"=\"1\",instance=\"\",job=\"a\"} NaN -0.001\n# EOF\n"
        );
    }
}
