//! The text that a target answers with, family by family.

use std::collections::HashMap;

use decode::text::{write_family, write_sample};

use crate::exposition::{Family, Labels, Sink, Thing};

/// Gathers what one target exposes. Things come one after the other, families may not: each has a text of its own.
#[derive(Debug, Default)]
pub(crate) struct Page {
    places: HashMap<&'static str, usize>,
    texts: Vec<String>,
    /// The full name of the sample at hand.
    name: String,
    samples: usize,
}

impl Page {
    /// The whole text.
    pub(crate) fn into_text(self) -> String {
        self.texts.concat()
    }
}

impl Sink for Page {
    fn target(&mut self, _id: u64, _labels: &[(String, String)]) {}

    fn thing(&mut self, _thing: Thing) {}

    fn sample(
        &mut self,
        family: &'static Family,
        suffix: &'static str,
        base: Labels<'_>,
        extra: Labels<'_>,
        value: f64,
    ) {
        let place = *self.places.entry(family.name).or_insert_with(|| {
            let mut text = String::new();
            // A string takes whatever is written to it.
            let _ = write_family(&mut text, family.name, family.kind, family.help);
            self.texts.push(text);
            self.texts.len() - 1
        });
        self.name.clear();
        self.name.push_str(family.name);
        self.name.push_str(suffix);
        let labels = base.iter().chain(extra).copied();
        let _ = write_sample(&mut self.texts[place], &self.name, labels, value, None);
        self.samples += 1;
    }

    fn samples(&self) -> usize {
        self.samples
    }
}
