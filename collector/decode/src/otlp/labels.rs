//! The labels of a series: those of its resource and scope, those of its point, and its name.
//!
//! Which labels a point has depends on its keys alone. So what becomes of a sequence of keys is worked out once, as a
//! [`Plan`]; a point whose keys are those of a plan costs a comparison and a copy for each label, and no allocation.

use std::collections::BTreeMap;
use std::ops::Range;

use model::Batch;
use model::batch::{Kind, RawSeries};
use model::labels::{CLUSTER_LABEL, EXPORTED_CLUSTER_LABEL, NAME_LABEL};

use super::values::{self, Attribute, Form};
use super::{Decoder, Fault};
use crate::{Error, Limits};

/// Ends each name and each value in [`model::batch::PLAIN`].
const END: u8 = 0xff;
/// Plans that are kept for the series of one resource and scope.
const MAX_PLANS: usize = 32;

/// A label of a resource or a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fixed {
    pub(super) value: String,
    /// Whether it replaces an attribute of a point that has its name; otherwise that replaces it.
    pub(super) replaces: bool,
}

/// The labels that all series of a resource and scope have, by name.
pub(super) type FixedLabels = BTreeMap<String, Fixed>;

/// What the labels of a series are made of. Kept and reused, so that it allocates only while it grows.
#[derive(Debug, Default)]
pub(super) struct Labels {
    fixed: FixedLabels,
    /// The attributes of the point at hand.
    attributes: Vec<Attribute>,
    plans: Vec<Plan>,
    /// How many of them are those of `fixed`, and which was used last.
    used: usize,
    last: usize,
    /// For values that are no text on the wire.
    scratch: String,
    /// The labels of the point at hand without `le` and `quantile`, if it has such, for series that have their own.
    bare: Option<Vec<u8>>,
}

/// What becomes of a sequence of keys.
#[derive(Debug, Default)]
struct Plan {
    /// The labels that do not depend on the point, as they are written.
    prefix: Vec<u8>,
    /// Keys and label names, back to back.
    bytes: Vec<u8>,
    keys: Vec<Key>,
    /// Whether every key is a label of its own: otherwise each point is worked out.
    is_simple: bool,
}

#[derive(Debug)]
struct Key {
    key: Range<usize>,
    /// The label's name with its end; empty if the attribute is left out.
    name: Range<usize>,
    /// Whether there is a label of this name without it.
    covers: bool,
}

impl Plan {
    fn fits(&self, body: &[u8], attributes: &[Attribute]) -> bool {
        self.keys.len() == attributes.len()
            && self
                .keys
                .iter()
                .zip(attributes)
                .all(|(key, attribute)| self.bytes[key.key.clone()] == body[attribute.key.clone()])
    }
}

impl Labels {
    /// Goes over to the series of another resource or scope.
    pub(super) fn set_fixed(&mut self, fixed: FixedLabels) {
        if fixed != self.fixed {
            self.fixed = fixed;
            self.used = 0;
        }
    }

    /// Makes ready for a point.
    #[inline]
    pub(super) fn begin_point(&mut self) {
        self.attributes.clear();
        self.bare = None;
    }

    /// The plan for the attributes at hand, made if there is none.
    #[inline]
    fn plan(&mut self, decoder: Inputs<'_>) -> Result<usize, Fault> {
        let fits = |plan: &Plan| plan.fits(decoder.body, &self.attributes);
        if self.last < self.used && fits(&self.plans[self.last]) {
            return Ok(self.last);
        }
        if let Some(place) = self.plans[..self.used].iter().position(fits) {
            self.last = place;
            return Ok(place);
        }
        let place = if self.used < MAX_PLANS { self.used } else { (self.last + 1) % MAX_PLANS };
        if place == self.plans.len() {
            self.plans.push(Plan::default());
        }
        // Not to be found before it is whole.
        self.used = self.used.min(place);
        make(&mut self.plans[place], &self.fixed, &self.attributes, decoder)?;
        self.used = place + 1;
        self.last = place;
        Ok(place)
    }
}

/// What a plan depends on beside labels.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    body: &'a [u8],
    translation: &'a super::Translation,
    limits: &'a Limits,
}

/// Works out what becomes of the keys of `attributes`.
fn make(plan: &mut Plan, fixed: &FixedLabels, attributes: &[Attribute], with: Inputs<'_>) -> Result<(), Fault> {
    plan.prefix.clear();
    plan.bytes.clear();
    plan.keys.clear();
    plan.is_simple = true;
    for attribute in attributes {
        let key = attribute.key(with.body)?;
        let start = plan.bytes.len();
        plan.bytes.extend_from_slice(key.as_bytes());
        let name_start = plan.bytes.len();
        let mut covers = false;
        if key != NAME_LABEL {
            write_name(key, fixed, with, &mut plan.bytes)?;
            let name = &plan.bytes[name_start..];
            // Each with each, but there are no more keys than a series may have labels.
            let is_taken = name == NAME_LABEL.as_bytes() || is_own(name) || plan.names().any(|known| known == name);
            let of_all = std::str::from_utf8(name).ok().and_then(|name| fixed.get(name));
            covers = of_all.is_some();
            let is_left_out = of_all.is_some_and(|label| label.replaces);
            plan.is_simple &= !is_taken;
            if is_left_out {
                plan.bytes.truncate(name_start);
            } else {
                plan.bytes.push(END);
            }
        }
        plan.keys.push(Key { key: start..name_start, name: name_start..plan.bytes.len(), covers });
        let labels = plan.keys.len() + fixed.len();
        if labels > with.limits.max_labels {
            return Err(too_many_labels(with.limits));
        }
    }
    for (name, label) in fixed {
        if label.replaces || !plan.names().any(|known| known == name.as_bytes()) {
            push_pair(&mut plan.prefix, name, &label.value);
        }
    }
    Ok(())
}

impl Plan {
    fn names(&self) -> impl Iterator<Item = &[u8]> {
        let named = self.keys.iter().filter(|key| !key.name.is_empty());
        named.map(|key| &self.bytes[key.name.start..key.name.end - 1])
    }
}

/// Whether some series give this label a value of their own.
fn is_own(name: &[u8]) -> bool {
    matches!(name, b"le" | b"quantile")
}

/// Writes the name of the label of a key.
fn write_name(key: &str, fixed: &FixedLabels, with: Inputs<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let start = out.len();
    with.translation.label(key, out).map_err(Fault::Refused)?;
    if out[start..] == *CLUSTER_LABEL.as_bytes() && fixed.get(CLUSTER_LABEL).is_some_and(|label| label.replaces) {
        out.truncate(start);
        out.extend_from_slice(EXPORTED_CLUSTER_LABEL.as_bytes());
    }
    if out.len() - start > with.limits.max_name_bytes {
        let what = format!(
            "the attribute key {} has {} bytes, the limit is {}",
            crate::error::quoted(key.as_bytes()),
            key.len(),
            with.limits.max_name_bytes
        );
        return Err(Fault::Refused(what));
    }
    Ok(())
}

pub(super) fn too_many_labels(limits: &Limits) -> Fault {
    Fault::Refused(format!("a series has more than {} labels", limits.max_labels))
}

pub(super) fn push_pair(out: &mut Vec<u8>, name: &str, value: &str) {
    for text in [name, value] {
        out.extend_from_slice(text.as_bytes());
        out.push(END);
    }
}

impl Decoder<'_> {
    fn inputs(&self) -> Inputs<'_> {
        Inputs { body: self.body, translation: self.translation, limits: self.limits }
    }

    /// Takes the attribute at `range` of the point at hand.
    #[inline]
    pub(super) fn attribute(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let attribute = Attribute::read(self.body, range)?;
        if self.labels.attributes.len() >= self.limits.max_labels {
            return Err(too_many_labels(self.limits));
        }
        self.labels.attributes.push(attribute);
        Ok(())
    }

    /// Writes name and labels of a series of the point at hand, and gives the place of the labels without the name.
    #[inline]
    pub(super) fn first_series(&mut self, suffix: &str) -> Result<Range<usize>, Fault> {
        self.name(suffix);
        let start = self.text.len();
        self.write_labels()?;
        Ok(start..self.text.len())
    }

    /// Writes name and labels of a further series of the point, whose labels are at `labels`, and one of its own.
    pub(super) fn further_series(&mut self, suffix: &str, labels: &Range<usize>, own: Option<(&str, &str)>) {
        self.name(suffix);
        match &self.labels.bare {
            Some(bare) if own.is_some() => self.text.extend_from_slice(bare),
            _ => self.text.extend_from_within(labels.clone()),
        }
        if let Some((name, value)) = own {
            push_pair(&mut self.text, name, value);
        }
    }

    fn name(&mut self, suffix: &str) {
        self.text.extend_from_slice(b"__name__\xff");
        self.text.extend_from_slice(self.metric.name.as_bytes());
        self.text.extend_from_slice(suffix.as_bytes());
        self.text.push(END);
    }

    #[inline]
    fn write_labels(&mut self) -> Result<(), Fault> {
        let with = Inputs { body: self.body, translation: self.translation, limits: self.limits };
        let place = self.labels.plan(with)?;
        if !self.labels.plans[place].is_simple || !self.write_planned(place)? {
            return self.write_worked_out();
        }
        Ok(())
    }

    /// Writes the labels by a plan, unless a value is empty that would stand for another one: it does not.
    #[inline]
    fn write_planned(&mut self, place: usize) -> Result<bool, Fault> {
        let labels = &mut self.labels;
        let plan = &labels.plans[place];
        let form = Form::label(self.limits);
        let start = self.text.len();
        self.text.extend_from_slice(&plan.prefix);
        for (attribute, key) in labels.attributes.iter().zip(&plan.keys) {
            let value = match values::short_text(self.body, &attribute.value) {
                Some(range) => values::text(&self.body[range], "the value of an attribute")?,
                None => {
                    labels.scratch.clear();
                    values::write(self.body, attribute.value.clone(), &form, &mut labels.scratch)?;
                    labels.scratch.as_str()
                }
            };
            if value.is_empty() && key.covers {
                self.text.truncate(start);
                return Ok(false);
            }
            if !key.name.is_empty() && !value.is_empty() {
                self.text.extend_from_slice(&plan.bytes[key.name.clone()]);
                self.text.extend_from_slice(value.as_bytes());
                self.text.push(END);
            }
        }
        Ok(true)
    }

    /// Writes the labels of a point with names that come twice, or without values.
    ///
    /// Values of one name are joined by `;` in the order of their keys.
    #[cold]
    fn write_worked_out(&mut self) -> Result<(), Fault> {
        let form = Form::label(self.limits);
        let mut attributes = Vec::with_capacity(self.labels.attributes.len());
        for attribute in &self.labels.attributes {
            let mut value = String::new();
            values::write(self.body, attribute.value.clone(), &form, &mut value)?;
            attributes.push((attribute.key(self.body)?, value));
        }
        attributes.sort_by(|a, b| a.0.cmp(b.0));
        let mut labels: BTreeMap<Vec<u8>, String> = BTreeMap::new();
        for (key, value) in attributes.into_iter().filter(|(key, _)| *key != NAME_LABEL) {
            let mut name = Vec::new();
            write_name(key, &self.labels.fixed, self.inputs(), &mut name)?;
            let joined = labels.entry(name).or_default();
            if !joined.is_empty() {
                joined.push(';');
            }
            joined.push_str(&value);
            form.check_length(joined.len())?;
        }
        for (name, label) in &self.labels.fixed {
            let own = labels.entry(name.clone().into_bytes()).or_default();
            if label.replaces || own.is_empty() {
                own.clone_from(&label.value);
            }
        }
        labels.remove(NAME_LABEL.as_bytes());
        labels.retain(|_, value| !value.is_empty());
        let written = |labels: &mut dyn Iterator<Item = (&Vec<u8>, &String)>| {
            let pairs = labels.map(|(name, value)| [name.as_slice(), &[END], value.as_bytes(), &[END]].concat());
            pairs.collect::<Vec<_>>().concat()
        };
        self.text.extend_from_slice(&written(&mut labels.iter()));
        if labels.keys().any(|name| is_own(name)) {
            self.labels.bare = Some(written(&mut labels.iter().filter(|(name, _)| !is_own(name))));
        }
        Ok(())
    }

    /// Checks that there is room for the labels: each bucket of a histogram repeats them.
    pub(super) fn check_room(&self) -> Result<(), Fault> {
        let limit = self.max_label_bytes;
        if self.text.len() <= limit {
            return Ok(());
        }
        let what =
            format!("the labels of the request, written out for each series, are over {limit} bytes: send it in parts");
        Err(Fault::Fatal(Error::too_large(what)))
    }
}

/// Ends the series whose labels were written from `start` of `text` on.
#[inline]
pub(super) fn end_series(batch: &mut Batch, text: &[u8], start: usize, kind: Kind) -> u32 {
    let hash = Batch::hash(&text[start..]);
    match batch.series.last() {
        // Points of one series mostly come one after the other.
        Some(last) if last.hash == hash && last.kind == kind => {}
        _ => batch.series.push(RawSeries { labels: start as u32..text.len() as u32, hash, kind }),
    }
    batch.series.len() as u32 - 1
}
