//! The index of series that are not in a block yet. It grows and shrinks series by series.

use std::collections::BTreeMap;

use model::SeriesKey;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use roaring::RoaringBitmap;

use super::postings::Postings;
use super::select::{self, Label};
use crate::Matcher;

/// What an entry of one of the maps takes beside its text and its ordinals, in bytes.
const ENTRY_BYTES: u64 = 64;
/// What one more ordinal in a set takes at most, in bytes.
const ORDINAL_BYTES: u64 = 4;
/// What a set takes that outgrows a single ordinal, in bytes.
const SET_BYTES: u64 = 120;

/// Postings that change: the index of the head.
#[derive(Debug, Default)]
pub struct LivePostings {
    all: RoaringBitmap,
    labels: BTreeMap<Box<str>, LiveLabel>,
    memory_bytes: u64,
}

/// One label of the head.
#[derive(Debug, Default)]
struct LiveLabel {
    values: BTreeMap<Box<str>, Ordinals>,
    present: RoaringBitmap,
}

impl<'a> Label<'a> for &'a LiveLabel {
    fn present(self) -> &'a RoaringBitmap {
        &self.present
    }

    fn find(self, value: &str) -> Option<Postings<'a>> {
        self.values.get(value).map(Ordinals::postings)
    }

    fn values(self) -> impl Iterator<Item = (&'a str, Postings<'a>)> {
        self.values.iter().map(|(value, ordinals)| (value.as_ref(), ordinals.postings()))
    }
}

/// The series that have a value. Most values of a wide label belong to one series, so one costs no allocation and no room for
/// a set.
#[derive(Debug)]
enum Ordinals {
    One(u32),
    Many(Box<RoaringBitmap>),
}

impl Ordinals {
    fn postings(&self) -> Postings<'_> {
        match self {
            Ordinals::One(ordinal) => Postings::One(*ordinal),
            Ordinals::Many(bitmap) => Postings::Bitmap(bitmap),
        }
    }

    fn insert(&mut self, ordinal: u32) -> u64 {
        match self {
            Ordinals::One(one) if *one == ordinal => 0,
            Ordinals::One(one) => {
                *self = Ordinals::Many(Box::new(RoaringBitmap::from_iter([*one, ordinal])));
                SET_BYTES
            }
            Ordinals::Many(bitmap) => u64::from(bitmap.insert(ordinal)) * ORDINAL_BYTES,
        }
    }

    /// Takes an ordinal out and returns the bytes that frees, or `None` if it was the last.
    fn remove(&mut self, ordinal: u32) -> Option<u64> {
        match self {
            Ordinals::One(one) => (*one != ordinal).then_some(0),
            Ordinals::Many(bitmap) => {
                let removed = bitmap.remove(ordinal);
                match (removed, bitmap.len(), bitmap.min()) {
                    (true, 1, Some(last)) => {
                        *self = Ordinals::One(last);
                        Some(SET_BYTES)
                    }
                    _ => Some(u64::from(removed) * ORDINAL_BYTES),
                }
            }
        }
    }
}

impl LivePostings {
    /// Adds a series. An ordinal stands for one series until that is removed.
    pub fn insert(&mut self, ordinal: u32, key: &SeriesKey) {
        if !self.all.insert(ordinal) {
            return;
        }
        self.memory_bytes += ORDINAL_BYTES;
        self.insert_label(ordinal, NAME_LABEL, &key.name);
        self.insert_label(ordinal, CLUSTER_LABEL, &key.cluster);
        for (name, value) in key.labels.iter() {
            self.insert_label(ordinal, name, value);
        }
    }

    fn insert_label(&mut self, ordinal: u32, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if !self.labels.contains_key(name) {
            self.labels.insert(name.into(), LiveLabel::default());
            self.memory_bytes += ENTRY_BYTES + SET_BYTES + name.len() as u64;
        }
        let Some(label) = self.labels.get_mut(name) else { return };
        label.present.insert(ordinal);
        self.memory_bytes += ORDINAL_BYTES;
        match label.values.get_mut(value) {
            Some(ordinals) => self.memory_bytes += ordinals.insert(ordinal),
            None => {
                label.values.insert(value.into(), Ordinals::One(ordinal));
                self.memory_bytes += ENTRY_BYTES + value.len() as u64;
            }
        }
    }

    /// Takes out a series that was added with this key.
    pub fn remove(&mut self, ordinal: u32, key: &SeriesKey) {
        if !self.all.remove(ordinal) {
            return;
        }
        self.memory_bytes -= ORDINAL_BYTES;
        self.remove_label(ordinal, NAME_LABEL, &key.name);
        self.remove_label(ordinal, CLUSTER_LABEL, &key.cluster);
        for (name, value) in key.labels.iter() {
            self.remove_label(ordinal, name, value);
        }
    }

    fn remove_label(&mut self, ordinal: u32, name: &str, value: &str) {
        let Some(label) = self.labels.get_mut(name) else { return };
        if !label.present.remove(ordinal) {
            return;
        }
        let mut freed = ORDINAL_BYTES;
        match label.values.get_mut(value).map(|ordinals| ordinals.remove(ordinal)) {
            Some(Some(bytes)) => freed += bytes,
            Some(None) => {
                label.values.remove(value);
                freed += ENTRY_BYTES + value.len() as u64;
            }
            None => {}
        }
        if label.values.is_empty() {
            self.labels.remove(name);
            freed += ENTRY_BYTES + SET_BYTES + name.len() as u64;
        }
        self.memory_bytes -= freed;
    }

    /// The ordinals of the series that fulfil all matchers.
    pub fn select(&self, matchers: &[Matcher]) -> RoaringBitmap {
        select::select(&self.all, |name| self.labels.get(name), matchers)
    }

    /// The ordinals of all series.
    pub fn all(&self) -> &RoaringBitmap {
        &self.all
    }

    /// The names of the labels that a series of `among` has, ascending; of all series without `among`. For the label
    /// calls of the Prometheus API, which end at the index.
    pub fn label_names(&self, among: Option<&RoaringBitmap>) -> Vec<String> {
        self.labels
            .iter()
            .filter(|(_, label)| among.is_none_or(|set| !label.present.is_disjoint(set)))
            .map(|(name, _)| name.to_string())
            .collect()
    }

    /// The values of a label that a series of `among` has, ascending; of all series without `among`. For the same calls.
    pub fn label_values(&self, name: &str, among: Option<&RoaringBitmap>) -> Vec<String> {
        self.labels.get(name).map_or_else(Vec::new, |label| select::values(label, among))
    }

    /// About how many bytes of memory this takes, never much less than it does.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}
