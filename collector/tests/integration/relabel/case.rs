//! The text form of the cases, and what ours makes of them.

use std::collections::BTreeMap;
use std::fmt;

use collector::config::RelabelConfig;
use collector::relabel::{LabelSet, Rules};

use super::peer::Version;

const TEXT: &str = include_str!("../../relabel_cases.txt");

/// What a target has unless its case says otherwise.
const TARGET_LABELS: [(&str, &str); 5] = [
    ("__address__", "host:80"),
    ("__metrics_path__", "/metrics"),
    ("__scheme__", "http"),
    ("__scrape_interval__", "1d"),
    ("__scrape_timeout__", "10s"),
];
/// The labels without which no target is scraped.
const NEEDED_LABELS: [&str; 3] = ["__address__", "__scrape_interval__", "__scrape_timeout__"];
/// The instance of the targets whose series are relabeled.
pub(super) const EXPORTER: &str = "exporter:1";

/// Names and values.
pub(super) type Labels = BTreeMap<String, String>;

/// One case. The head of the text says what its parts mean.
pub(super) struct Case {
    pub(super) number: usize,
    pub(super) title: String,
    pub(super) labels: Labels,
    /// The rules, as lines of YAML.
    pub(super) rules: String,
    pub(super) expected: Outcome,
    expected_of_2: Option<Outcome>,
    expected_of_3: Option<Outcome>,
}

/// What comes of a case.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Labels(Labels),
    Dropped,
    /// Only known to be taken, where it should have been refused.
    Taken,
    /// With a part of the message.
    Refused(String),
    NoTarget,
    NoName,
}

impl Outcome {
    /// Whether this, as an expectation, allows what was found.
    pub(super) fn allows(&self, found: &Outcome) -> bool {
        match (self, found) {
            (Outcome::Refused(part), Outcome::Refused(message)) => message.contains(part),
            _ => self == found,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Labels(labels) => write!(f, "{labels:?}"),
            Outcome::Dropped => f.write_str("dropped"),
            Outcome::Taken => f.write_str("taken"),
            Outcome::Refused(message) => write!(f, "refused {message}"),
            Outcome::NoTarget => f.write_str("no target"),
            Outcome::NoName => f.write_str("no name"),
        }
    }
}

impl Case {
    /// All cases of the text.
    pub(super) fn all() -> Vec<Case> {
        let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix("  ") {
                None => blocks.push((line, Vec::new())),
                Some(line) => blocks.last_mut().expect("a title before").1.push(line),
            }
        }
        let cases: Vec<Case> =
            blocks.iter().enumerate().map(|(number, (title, lines))| Case::read(number, title, lines)).collect();
        let titles: std::collections::HashSet<&str> = cases.iter().map(|case| case.title.as_str()).collect();
        assert_eq!(titles.len(), cases.len(), "a title stands twice");
        cases
    }

    fn read(number: usize, title: &str, lines: &[&str]) -> Case {
        let (mut given, mut rules, mut expected) = (Labels::new(), String::new(), [const { None }; 3]);
        for line in lines {
            let outcomes = [line.strip_prefix('='), line.strip_prefix("2.42:"), line.strip_prefix("3:")];
            match outcomes.into_iter().position(|outcome| outcome.is_some()) {
                Some(which) => expected[which] = outcomes[which].map(str::trim_start),
                None if line.starts_with('-') => rules += &format!("{line}\n"),
                None => given = labels(line),
            }
        }
        let mut case = Case {
            number,
            title: title.to_owned(),
            labels: given,
            rules,
            expected: Outcome::Dropped,
            expected_of_2: None,
            expected_of_3: None,
        };
        let [ours, of_2, of_3] = expected.map(|text| text.map(|text| case.outcome(text)));
        case.expected = ours.unwrap_or_else(|| panic!("{title} has no outcome"));
        (case.expected_of_2, case.expected_of_3) = (of_2, of_3);
        case
    }

    fn outcome(&self, text: &str) -> Outcome {
        match text {
            "dropped" => Outcome::Dropped,
            "no target" => Outcome::NoTarget,
            "no name" => Outcome::NoName,
            _ => match text.strip_prefix("refused") {
                Some(part) => Outcome::Refused(part.trim_start().to_owned()),
                None => {
                    let mut labels = labels(text);
                    for (name, value) in [("job", self.job()), ("instance", self.instance())] {
                        labels.entry(name.to_owned()).or_insert(value);
                    }
                    labels.retain(|_, value| !value.is_empty());
                    Outcome::Labels(labels)
                }
            },
        }
    }

    /// Whether it relabels a series, not a target.
    pub(super) fn is_of_series(&self) -> bool {
        self.labels.contains_key("__name__")
    }

    /// The job of its scrape.
    pub(super) fn job(&self) -> String {
        format!("case-{}", self.number)
    }

    pub(super) fn address(&self) -> &str {
        self.labels.get("__address__").map_or(TARGET_LABELS[0].1, String::as_str)
    }

    fn instance(&self) -> String {
        if self.is_of_series() { EXPORTER.to_owned() } else { self.address().to_owned() }
    }

    /// What a Prometheus of this version should make of it.
    pub(super) fn expected_of(&self, version: Version) -> Outcome {
        let of_version = match version {
            Version::Two => &self.expected_of_2,
            Version::Three => &self.expected_of_3,
        };
        match of_version.as_ref().unwrap_or(&self.expected) {
            // The message is ours.
            Outcome::Refused(_) => Outcome::Refused(String::new()),
            outcome => outcome.clone(),
        }
    }

    /// What ours makes of it.
    pub(super) fn apply(&self) -> Outcome {
        let configs = if self.rules.is_empty() { "[]" } else { &self.rules };
        let configs: Vec<RelabelConfig> = match serde_saphyr::from_str(configs) {
            Ok(configs) => configs,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        let rules = match Rules::new(&configs) {
            Ok(rules) => rules,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        let mut labels = LabelSet::new(&self.labels);
        let job = ("job", self.job());
        let others = if self.is_of_series() { vec![("instance", EXPORTER)] } else { TARGET_LABELS.to_vec() };
        for (name, value) in others.into_iter().chain([(job.0, job.1.as_str())]) {
            if labels.get(name).is_empty() {
                labels.set(name, value);
            }
        }
        match rules.apply(&mut labels) {
            true if self.is_of_series() => series(&labels),
            true => target(&labels),
            false => Outcome::Dropped,
        }
    }
}

fn series(labels: &LabelSet) -> Outcome {
    if labels.get("__name__").is_empty() {
        return Outcome::NoName;
    }
    Outcome::Labels(labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// What is left of the labels of a target when they are put on what is scraped.
fn target(labels: &LabelSet) -> Outcome {
    if NEEDED_LABELS.iter().any(|name| labels.get(name).is_empty()) {
        return Outcome::NoTarget;
    }
    let public = labels.iter().filter(|(name, _)| !name.starts_with("__"));
    let mut public: Labels = public.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    public.entry("instance".to_owned()).or_insert_with(|| labels.get("__address__").to_owned());
    Outcome::Labels(public)
}

/// Reads `name="value" …`; a name may stand in quotes, too.
fn labels(mut text: &str) -> Labels {
    let mut labels = Labels::new();
    while !text.is_empty() {
        let (name, rest) = match quoted(text) {
            Some((name, rest)) => (name, rest.strip_prefix('=').expect("= after a name")),
            None => {
                let (name, rest) = text.split_once('=').expect("= after a name");
                (name.to_owned(), rest)
            }
        };
        let (value, rest) = quoted(rest).unwrap_or_else(|| panic!("no value in {text}"));
        labels.insert(name, value);
        text = rest.trim_start();
    }
    labels
}

/// Takes a text in quotes, as JSON has it, from the beginning.
fn quoted(text: &str) -> Option<(String, &str)> {
    if !text.starts_with('"') {
        return None;
    }
    let mut texts = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let first = texts.next()?.ok()?;
    let end = texts.byte_offset();
    Some((first, &text[end..]))
}
