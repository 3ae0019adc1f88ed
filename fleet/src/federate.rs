//! What a cluster's Prometheus answers at `/federate`: every series with its newest sample and that sample's time.
//!
//! Source: Prometheus 2.42 observed.

use std::collections::BTreeMap;

use decode::text::{write_family, write_sample};
use model::batch::Kind;

use crate::exposition::{Family, Labels, Sink, Thing};

/// Gathers what the scrapes of all jobs gave.
#[derive(Debug, Default)]
pub(crate) struct Federation {
    /// By full name, which is the order of the answer.
    texts: BTreeMap<String, String>,
    /// The full name of the sample at hand.
    name: String,
    target: Vec<(String, String)>,
    time_ms: i64,
    samples: usize,
}

impl Federation {
    /// The samples from here on were scraped at `time_ms`.
    pub(crate) fn at(&mut self, time_ms: i64) {
        self.time_ms = time_ms;
    }

    /// The whole text. Types are left out, as by Prometheus, which does not keep them with the samples.
    pub(crate) fn into_text(self) -> String {
        let mut all = String::with_capacity(self.texts.iter().map(|(name, text)| name.len() + 20 + text.len()).sum());
        for (name, text) in &self.texts {
            // A string takes whatever is written to it.
            let _ = write_family(&mut all, name, Kind::Unknown, "");
            all.push_str(text);
        }
        all
    }
}

impl Sink for Federation {
    fn target(&mut self, _id: u64, labels: &[(String, String)]) {
        self.target = labels.to_vec();
    }

    fn thing(&mut self, _thing: Thing) {}

    fn sample(
        &mut self,
        family: &'static Family,
        suffix: &'static str,
        base: Labels<'_>,
        extra: Labels<'_>,
        value: f64,
    ) {
        let mut labels: Vec<(&str, &str)> = Vec::with_capacity(base.len() + extra.len() + self.target.len());
        labels.extend(base.iter().chain(extra).filter(|(_, value)| !value.is_empty()));
        // A target's label gives way to one of the sample's own.
        let own = labels.len();
        for (name, value) in &self.target {
            if labels[..own].iter().all(|(other, _)| other != name) {
                labels.push((name, value));
            }
        }
        labels.sort_unstable();
        self.name.clear();
        self.name.push_str(family.name);
        self.name.push_str(suffix);
        if !self.texts.contains_key(&self.name) {
            self.texts.insert(self.name.clone(), String::new());
        }
        if let Some(text) = self.texts.get_mut(&self.name) {
            // A string takes whatever is written to it.
            let _ = write_sample(text, &self.name, labels, value, Some(self.time_ms));
        }
        self.samples += 1;
    }

    fn samples(&self) -> usize {
        self.samples
    }
}
