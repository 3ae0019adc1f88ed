//! The configuration as it is printed: what was found stands as a comment above each entry.

use collector::config::{Authorization, BasicAuth};
use decode::remote_read::ResponseType;
use model::time::Date;
use model::{duration, size};

use super::ask::Access;
use super::estimate::{BodyLimit, Estimate, bytes, count};
use super::fleet::{Fleet, Named, Source};
use super::probe::{Figure, Known};
use super::shown;
use super::yaml::{printable, scalar, visible};

/// Comments are broken before this column.
const WIDTH: usize = 100;
/// Where the values of a list of facts begin.
const NAMES_WIDTH: usize = 18;

/// The whole page.
pub(super) fn render(fleet: &Fleet, access: &Access, today: Date) -> String {
    let mut page = Page(String::new());
    page.head(fleet, today);
    if !fleet.clusters.is_empty() {
        page.line("\nclusters:");
        fleet.clusters.iter().for_each(|named| page.cluster(named));
        page.line("\nfederate_configs:");
        for (index, source) in fleet.sources.iter().enumerate() {
            if index > 0 {
                page.line("");
            }
            page.source(source, access);
        }
    }
    for (url, error) in &fleet.lost {
        let text = format!("{} could not be asked and is not here: {error}", shown(url));
        page.line("");
        page.comment("# WARNING: ", "#   ", &text);
    }
    page.0
}

/// What stands in the way of a source, in whole sentences: what was found wrong with it, and what follows from what it has.
pub(super) fn warnings(source: &Source) -> Vec<String> {
    let mut warnings = source.warnings.clone();
    if let Err(reason) = &source.found.config {
        warnings.push(format!("its external labels and its interval are not known: {reason}"));
    }
    if let Some(twin) = &source.twin_of {
        let merged = match source.replica_labels.as_slice() {
            [label] => {
                format!(", or if its cluster gets `replica_label: {label}`: then PromQL makes one series of both")
            }
            _ => String::new(),
        };
        warnings.push(format!(
            "this is an HA pair with {}, told apart by {}. Both would count twice in every sum, so this one is left out; take \
             it in if the two scrape different targets{merged}.",
            shown(twin),
            source.replica_labels.join(", ")
        ));
    }
    if source.found.remote_read.is_ok() {
        return warnings;
    }
    warnings.push(
        "without remote read no hole heals: what it scrapes while it cannot be asked, or replaces between two fetches, \
         never comes here."
            .into(),
    );
    if let Ok(config) = &source.found.config
        && let Some(shortest) = config.shortest_interval
    {
        warnings.push(format!(
            "a job of it scrapes every {}: of its samples only the newest of each {} come.",
            duration::format(shortest),
            duration::format(config.interval)
        ));
    }
    if let Ok(series) = &source.found.series
        && BodyLimit::of(series.value) == BodyLimit::TooLarge
    {
        warnings
            .push("it has more series than one answer of /federate may have here: choose some with `match`.".into());
    }
    warnings
}

/// What is to be done about a cluster that no label names.
pub(super) fn unnamed(named: &Named) -> Option<String> {
    named.label.is_none().then(|| {
        format!(
            "nothing names the cluster of {}, {} is only where it is. Write its name here and below, and better give its \
             Prometheus the external label cluster.",
            urls(named),
            named.cluster.name
        )
    })
}

fn urls(named: &Named) -> String {
    named.urls.iter().map(shown).collect::<Vec<_>>().join(", ")
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A comment, whatever is in the text; `first` begins its first line and `rest` the others.
    fn comment(&mut self, first: &str, rest: &str, text: &str) {
        let (mut line, mut is_begun) = (first.to_owned(), false);
        for word in visible(text).split_whitespace() {
            if is_begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(line.trim_end());
                (line, is_begun) = (rest.to_owned(), false);
            }
            if is_begun {
                line.push(' ');
            }
            line.push_str(word);
            is_begun = true;
        }
        self.line(line.trim_end());
    }

    fn warning(&mut self, text: &str) {
        self.comment("  # WARNING: ", "  #   ", text);
    }

    fn fact(&mut self, indent: &str, name: &str, text: &str) {
        let (first, rest) = (format!("{indent}#   {name:NAMES_WIDTH$}"), format!("{indent}#   {:NAMES_WIDTH$}", ""));
        self.comment(&first, &rest, text);
    }

    fn head(&mut self, fleet: &Fleet, today: Date) {
        let (version, answered) = (env!("CARGO_PKG_VERSION"), fleet.sources.len());
        let asked = answered + fleet.lost.len();
        let text = format!(
            "Written by fleetscope {version} join on {today}, from what {answered} of {asked} servers said of themselves."
        );
        self.comment("# ", "# ", &text);
        if fleet.sources.is_empty() {
            return;
        }
        let estimate = Estimate::of(fleet);
        let (series, samples) = (count(estimate.series), count(estimate.samples_per_second));
        self.line("#");
        self.comment("# ", "# ", &format!("To expect of {series} series with {samples} samples a second:"));
        let (memory, cut) = (bytes(estimate.memory_bytes()), bytes(estimate.cut_memory_bytes()));
        self.fact("", "memory", &format!("{memory}, up to {cut} while rows are cut to blocks; queries come on top"));
        self.fact("", "disk in a day", &bytes(estimate.disk_bytes_per_day()));
        self.comment(
            "# ",
            "# ",
            "It is reckoned with 2 KB of memory a series, 0.6 bytes of disk a sample and 12 a series.",
        );
        if estimate.unknown > 0 {
            let unknown = estimate.unknown;
            self.comment(
                "# WARNING: ",
                "#   ",
                &format!("{unknown} of them cannot say how much they have, and are not in this."),
            );
        }
        let budget_bytes = storage::Config::default().memory_bytes;
        if estimate.head_bytes() > budget_bytes as f64 {
            let gigabytes = (1.25 * estimate.head_bytes() / (1u64 << 30) as f64).ceil();
            let budget = size::format(budget_bytes);
            let text =
                format!("set `storage.memory_bytes` to {gigabytes}GB, its default of {budget} is too little for that.");
            self.comment("# WARNING: ", "#   ", &text);
        }
    }

    fn cluster(&mut self, named: &Named) {
        match named.label {
            Some(label) => {
                self.comment("  # ", "  #   ", &format!("named by the external label {label} of {}", urls(named)))
            }
            None => unnamed(named).iter().for_each(|warning| self.warning(warning)),
        }
        let cluster = &named.cluster;
        self.line(&format!("  - name: {}", scalar(&cluster.name)));
        let attributes = [
            ("region", &cluster.region),
            ("zone", &cluster.zone),
            ("provider", &cluster.provider),
            ("environment", &cluster.environment),
            ("residency", &cluster.residency),
            ("role", &cluster.role),
        ];
        for (key, value) in attributes.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.line(&format!("    {key}: {}", scalar(value)));
        }
    }

    fn source(&mut self, source: &Source, access: &Access) {
        self.facts(source);
        warnings(source).iter().for_each(|warning| self.warning(warning));
        // A replica is left out, but there to be taken in.
        let prefix = if source.twin_of.is_some() { "  # " } else { "  " };
        for line in entry(source, access) {
            self.line(&format!("{prefix}{line}"));
        }
    }

    fn facts(&mut self, source: &Source) {
        let found = &source.found;
        let version = found.version.as_ref().map_or_else(|why| format!("of a version not known ({why})"), Clone::clone);
        self.comment("  # ", "  #   ", &format!("{}: Prometheus {version}", shown(&source.url)));
        if let Ok(config) = &found.config {
            let labels = config.external_labels.iter().map(|(name, value)| printable(&format!("{name}={value:?}")));
            let labels = labels.collect::<Vec<_>>().join(", ");
            self.fact("  ", "external labels", if labels.is_empty() { "none" } else { &labels });
            let shorter =
                config.shortest_interval.map(|shortest| format!(", of some jobs {}", duration::format(shortest)));
            let interval = duration::format(config.interval);
            self.fact("  ", "scrape interval", &format!("{interval}{}", shorter.unwrap_or_default()));
        }
        if !source.replica_labels.is_empty() {
            self.fact("  ", "replica label", &printable(&source.replica_labels.join(", ")));
        }
        self.fact("  ", "series", &figure(&found.series));
        self.fact("  ", "samples a second", &figure(&found.samples_per_second));
        self.fact("  ", "retention", &or_reason(&found.retention));
        let (ahead_ms, uncertain_ms) = (found.skew.ahead_ms, found.skew.uncertain_ms);
        self.fact("  ", "clock", &format!("{ahead_ms:+} ms beside the one here, give or take {uncertain_ms} ms"));
        let remote_read = match &found.remote_read {
            Ok(ResponseType::StreamedXorChunks) => "yes, in streamed chunks".to_owned(),
            Ok(ResponseType::Samples) => "yes, in samples, not streamed".to_owned(),
            Err(reason) => format!("no: {reason}"),
        };
        self.fact("  ", "remote read", &remote_read);
    }
}

fn figure(known: &Known<Figure>) -> String {
    match known {
        Ok(Figure { value, origin }) => format!("{}, {origin}", count(*value)),
        Err(reason) => format!("not known: {reason}"),
    }
}

fn or_reason(known: &Known<String>) -> String {
    known.as_ref().map_or_else(|reason| format!("not known: {reason}"), Clone::clone)
}

/// The lines of an entry of `federate_configs`.
fn entry(source: &Source, access: &Access) -> Vec<String> {
    let mut lines =
        vec![format!("- cluster: {}", scalar(&source.cluster)), format!("  url: {}", scalar(&shown(&source.url)))];
    lines.extend(source.job_name.as_ref().map(|name| format!("  job_name: {}", scalar(name))));
    if source.found.remote_read.is_ok() {
        lines.push("  via: remote_read".into());
    } else if let Ok(series) = &source.found.series
        && let BodyLimit::Larger(limit) = BodyLimit::of(series.value)
    {
        lines.push(format!("  body_size_limit: {limit}"));
    }
    if let Ok(config) = &source.found.config {
        lines.push(format!("  scrape_interval: {}", duration::format(config.interval)));
    }
    let path = |path: &std::path::Path| scalar(&path.to_string_lossy());
    if let Some(BasicAuth { username, password_file, .. }) = &access.basic_auth {
        lines.push("  basic_auth:".into());
        lines.push(format!("    username: {}", scalar(username)));
        lines.push(format!("    password_file: {}", path(password_file)));
    }
    if let Some(Authorization { credentials_file, .. }) = &access.authorization {
        lines.push("  authorization:".into());
        lines.push(format!("    credentials_file: {}", path(credentials_file)));
    }
    if let Some(file) = &access.ca_file {
        lines.push("  tls_config:".into());
        lines.push(format!("    ca_file: {}", path(file)));
    }
    lines
}

#[cfg(test)]
mod tests;
