//! The labels of what an expression gives, its metric name among them.

use std::fmt;
use std::sync::Arc;

use model::labels::NAME_LABEL;
use xxhash_rust::xxh64::xxh64;

use crate::quote::{LabelName, Quoted};

/// Labels, sorted by name, each name once, no value empty. The metric name is the label `__name__`.
///
/// They are ordered as Prometheus orders series: by the first name that differs, or else its value; fewer come first.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Vec<(Arc<str>, Arc<str>)>);

impl Labels {
    /// Sorts labels and drops those without a value. Of a name that comes twice the last counts.
    pub fn new(labels: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        let mut sorted: Vec<_> = labels.into_iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        sorted.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        sorted.retain(|(_, value)| !value.is_empty());
        Labels(sorted)
    }

    /// As [`Labels::new`], of plain texts.
    pub fn from_texts<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Labels::new(labels.into_iter().map(|(name, value)| (Arc::from(name), Arc::from(value))))
    }

    /// Names and values in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_ref().cmp(name))
    }

    /// The value of a label; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).map_or("", |at| &self.0[at].1)
    }

    /// The metric name; empty if there is none.
    pub fn metric(&self) -> &str {
        self.get(NAME_LABEL)
    }

    /// Gives a label a value; an empty one takes the label away.
    pub fn set(&mut self, name: &str, value: impl Into<Arc<str>>) {
        let value = value.into();
        match (self.find(name), value.is_empty()) {
            (Ok(at), true) => drop(self.0.remove(at)),
            (Ok(at), false) => self.0[at].1 = value,
            (Err(_), true) => {}
            (Err(at), false) => self.0.insert(at, (Arc::from(name), value)),
        }
    }

    /// Takes all labels away but those of some names.
    pub fn keep<T: AsRef<str>>(&mut self, names: &[T]) {
        self.0.retain(|(name, _)| names.iter().any(|kept| kept.as_ref() == name.as_ref()));
    }

    /// Takes the labels of some names away.
    pub fn remove<T: AsRef<str>>(&mut self, names: &[T]) {
        self.0.retain(|(name, _)| !names.iter().any(|removed| removed.as_ref() == name.as_ref()));
    }

    /// Takes away what says which metric this is: most functions and operators give something that is not that metric.
    pub fn remove_metric(&mut self) {
        self.0.retain(|(name, _)| !is_of_metric(name));
    }

    /// The labels that `by` or `without` group by.
    pub fn grouped<T: AsRef<str>>(&self, is_without: bool, names: &[T]) -> Labels {
        let mut labels = self.clone();
        if is_without {
            labels.remove(names);
            labels.remove(&[NAME_LABEL]);
        } else {
            labels.keep(names);
        }
        labels
    }

    /// Where Prometheus puts these labels between 0 and 1 to draw a part of all series. It is the same in each process.
    pub fn ratio(&self) -> f64 {
        let mut bytes = Vec::new();
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            push_length(&mut bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
        xxh64(&bytes, 0) as f64 / u64::MAX as f64
    }
}

/// The length of a name or value before its bytes: one byte up to 254, else 255 and three bytes, the lowest first.
fn push_length(bytes: &mut Vec<u8>, length: usize) {
    match length {
        0..255 => bytes.push(length as u8),
        _ => bytes.extend([255, length as u8, (length >> 8) as u8, (length >> 16) as u8]),
    }
}

/// Whether a label says which metric this is: its name, type or unit.
pub fn is_of_metric(name: &str) -> bool {
    matches!(name, NAME_LABEL | "__type__" | "__unit__")
}

/// As errors show labels.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            write!(f, "{}={}", LabelName(name), Quoted(value))?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests;
