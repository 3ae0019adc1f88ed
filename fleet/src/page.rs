//! The text that a target answers with, family by family, in one of two forms.

use std::collections::HashMap;

use decode::{openmetrics, text};
use model::batch::{Exemplar, Kind, Metadata};

use crate::exposition::{Family, Labels, Sink, Thing};
use crate::systems::application::DURATION;
use crate::traffic::Exemplars;

/// Gathers what one target exposes. Things come one after the other, families may not: each has a text of its own.
#[derive(Debug)]
pub(crate) struct Page {
    form: Form,
    places: HashMap<&'static str, usize>,
    texts: Vec<String>,
    /// The full name of the sample at hand.
    name: String,
    samples: usize,
}

/// How a page is written.
#[derive(Debug)]
enum Form {
    /// The text exposition format 0.0.4.
    Text,
    /// OpenMetrics 1.0, with the exemplars that the target has.
    OpenMetrics(Exemplars),
}

impl Page {
    /// A page in the text exposition format 0.0.4.
    pub(crate) fn text() -> Self {
        Page::new(Form::Text)
    }

    /// A page in OpenMetrics 1.0.
    pub(crate) fn openmetrics(exemplars: Exemplars) -> Self {
        Page::new(Form::OpenMetrics(exemplars))
    }

    fn new(form: Form) -> Self {
        Page { form, places: HashMap::new(), texts: Vec::new(), name: String::new(), samples: 0 }
    }

    /// The whole text.
    pub(crate) fn into_text(self) -> String {
        let mut all = self.texts.concat();
        if let Form::OpenMetrics(_) = self.form {
            // A string takes whatever is written to it.
            let _ = openmetrics::write_end(&mut all);
        }
        all
    }
}

impl Form {
    fn write_family(&self, family: &Family) -> String {
        let mut out = String::new();
        // A string takes whatever is written to it, here and below.
        let _ = match self {
            Form::Text => text::write_family(&mut out, family.name, family.kind, family.help),
            Form::OpenMetrics(_) => openmetrics::write_family(&mut out, &metadata(family)),
        };
        out
    }

    fn write_sample<'a>(
        &'a self,
        out: &mut String,
        (family, name): (&Family, &str),
        labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        value: f64,
    ) {
        let _ = match self {
            Form::Text => text::write_sample(out, name, labels, value, None),
            Form::OpenMetrics(exemplars) => {
                let exemplar = if family.name == DURATION.name { exemplar(exemplars, labels.clone()) } else { None };
                openmetrics::write_sample(out, name, labels, value, None, exemplar)
            }
        };
    }
}

/// A family as OpenMetrics has it, where the suffix of a counter is no part of its name.
fn metadata(family: &Family) -> Metadata {
    let name = match family.kind {
        Kind::Counter => family.name.strip_suffix("_total").unwrap_or(family.name),
        _ => family.name,
    };
    Metadata { name: name.to_owned(), kind: family.kind, unit: String::new(), help: family.help.to_owned() }
}

/// The exemplar of the bucket that has these labels.
fn exemplar<'a>(
    exemplars: &'a Exemplars,
    labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Option<&'a Exemplar> {
    let value = |name: &str| labels.clone().find(|(label, _)| *label == name).map(|(_, value)| value);
    exemplars.get(&(value("handler")?, value("le")?))
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
            self.texts.push(self.form.write_family(family));
            self.texts.len() - 1
        });
        self.name.clear();
        self.name.push_str(family.name);
        self.name.push_str(suffix);
        let labels = base.iter().chain(extra).copied();
        self.form.write_sample(&mut self.texts[place], (family, &self.name), labels, value);
        self.samples += 1;
    }

    fn samples(&self) -> usize {
        self.samples
    }
}
