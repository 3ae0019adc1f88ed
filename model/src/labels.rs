//! Labels in canonical form, and the identity of a series.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::Error;

/// The label that holds the metric name. It is never part of [`Labels`].
pub const NAME_LABEL: &str = "__name__";
/// The label that holds the cluster. It is never part of [`Labels`].
pub const CLUSTER_LABEL: &str = "cluster";
/// Where a `cluster` label goes that the sender set and the server does not agree with.
pub const EXPORTED_CLUSTER_LABEL: &str = "exported_cluster";

/// Ends each name and each value in the canonical bytes. No UTF-8 text contains it.
const END: u8 = 0xff;

/// The labels of a series without `__name__` and `cluster`: sorted by name, unique, no empty value.
///
/// Held as the canonical bytes `name 0xff value 0xff …`, which are what [`Labels::series_id`] hashes, so that a known
/// series is never taken apart. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<[u8]>);

impl Labels {
    /// No labels at all.
    pub fn empty() -> Self {
        Labels(Arc::from([]))
    }

    /// Takes bytes that [`Labels::as_bytes`] gave, for example out of a journal.
    ///
    /// # Errors
    /// `Invalid` if they are not canonical: not UTF-8, not sorted, a repeated name, an empty name or value.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut rest = bytes;
        let mut previous: &[u8] = b"";
        let unfinished = || Error::invalid("labels end inside a name or a value");
        while !rest.is_empty() {
            let (name, after) = split(rest).ok_or_else(unfinished)?;
            let (value, after) = split(after).ok_or_else(unfinished)?;
            if name.is_empty() || value.is_empty() || name <= previous {
                return Err(Error::invalid("labels are not in canonical order"));
            }
            if std::str::from_utf8(name).is_err() || std::str::from_utf8(value).is_err() {
                return Err(Error::invalid("labels are not UTF-8"));
            }
            previous = name;
            rest = after;
        }
        Ok(Labels(Arc::from(bytes)))
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// xxh3-64 of the canonical bytes, as the signed 64-bit integer that the tables hold.
    ///
    /// Name and cluster are not part of it: the key of a series is (name, cluster, series_id).
    pub fn series_id(&self) -> i64 {
        xxh3_64(&self.0) as i64
    }

    /// Names and values in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (name, after) = split(rest)?;
            let (value, after) = split(after)?;
            rest = after;
            // Both constructors have checked the bytes; a fault there shows as an empty text, not as a crash.
            Some((std::str::from_utf8(name).unwrap_or(""), std::str::from_utf8(value).unwrap_or("")))
        })
    }

    /// The value of a label, if the series has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The bytes before the next mark, and those behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(END, bytes)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// What makes a series this one and no other: metric name, cluster and labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    /// The metric name; empty if the series has none.
    pub name: Arc<str>,
    /// The cluster; empty if unknown.
    pub cluster: Arc<str>,
    /// All other labels.
    pub labels: Labels,
}

impl SeriesKey {
    /// The order of the tables: name, cluster, then series_id, all ascending.
    pub fn table_order(&self, other: &Self) -> Ordering {
        Self::table_order_by_id((self, self.labels.series_id()), (other, other.labels.series_id()))
    }

    /// As [`SeriesKey::table_order`], for series whose ids are at hand.
    pub fn table_order_by_id(a: (&Self, i64), b: (&Self, i64)) -> Ordering {
        a.0.columns(a.1).cmp(&b.0.columns(b.1))
    }

    /// The columns that the tables are sorted by, for a series whose id is at hand.
    pub fn columns(&self, id: i64) -> SortColumns<'_> {
        SortColumns { name: &self.name, cluster: &self.cluster, id }
    }
}

/// The columns that the tables are sorted by, in their order: name, cluster, then series_id, all ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortColumns<'a> {
    /// The metric name.
    pub name: &'a str,
    /// The cluster.
    pub cluster: &'a str,
    /// The series_id.
    pub id: i64,
}

impl Ord for SortColumns<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // Neighbours mostly share the one text, which then need not be read.
        let texts = |a: &str, b: &str| if std::ptr::eq(a, b) { Ordering::Equal } else { a.cmp(b) };
        let names = texts(self.name, other.name);
        names.then_with(|| texts(self.cluster, other.cluster)).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for SortColumns<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Gathers labels in any order and makes a [`SeriesKey`] of them.
///
/// Keep one and reuse it: it allocates only while it grows.
#[derive(Debug, Default)]
pub struct LabelsBuilder {
    /// Names and values back to back.
    text: String,
    /// For each label the ends of its name and value in `text`; the name starts where the previous value ended.
    ends: Vec<(usize, usize)>,
}

impl LabelsBuilder {
    /// Forgets all labels, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a label as the sender wrote it, `__name__` and `cluster` included.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    /// Adds a label given as bytes.
    ///
    /// # Errors
    /// `Invalid` if name or value is not UTF-8.
    pub fn push_bytes(&mut self, name: &[u8], value: &[u8]) -> Result<(), Error> {
        let name = std::str::from_utf8(name)
            .map_err(|_| Error::invalid(format!("label name {:?} is not UTF-8", String::from_utf8_lossy(name))))?;
        let value = std::str::from_utf8(value).map_err(|_| {
            Error::invalid(format!("value of label {name:?} is not UTF-8: {:?}", String::from_utf8_lossy(value)))
        })?;
        self.push(name, value);
        Ok(())
    }

    /// How many labels were pushed.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no label was pushed.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The labels as they were pushed.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |&(name_end, value_end)| {
            let pair = (&self.text[start..name_end], &self.text[name_end..value_end]);
            start = value_end;
            pair
        })
    }

    /// Makes the key, sorting in place, and empties the builder.
    ///
    /// An empty value means that the label is absent, as in Prometheus. With a `stamp`, the cluster is the stamp: a
    /// `cluster` label that says the same is dropped and one that says otherwise moves to `exported_cluster`, unless
    /// that is taken. Without a stamp the sender's own `cluster` counts.
    ///
    /// # Errors
    /// `Invalid` if a name is empty or comes twice.
    pub fn build(&mut self, stamp: Option<&Arc<str>>) -> Result<SeriesKey, Error> {
        let result = self.canonical(stamp);
        self.clear();
        result
    }

    fn canonical(&self, stamp: Option<&Arc<str>>) -> Result<SeriesKey, Error> {
        let mut pairs = Vec::with_capacity(self.ends.len() + 1);
        for (name, value) in self.pairs() {
            if name.is_empty() {
                return Err(Error::invalid(format!("a label with the value {value:?} has an empty name")));
            }
            pairs.push((Cow::Borrowed(name), value));
        }
        pairs.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::invalid(format!("label {:?} comes twice in one series", twice[0].0)));
        }
        let (mut metric, mut cluster) = ("", "");
        pairs.retain(|(name, value)| match name.as_ref() {
            NAME_LABEL => {
                metric = value;
                false
            }
            CLUSTER_LABEL => {
                cluster = value;
                false
            }
            _ => !value.is_empty(),
        });
        let metric = Arc::from(metric);
        let cluster = match stamp {
            None => Arc::from(cluster),
            Some(stamp) => {
                if !cluster.is_empty() && cluster != stamp.as_ref() {
                    insert_exported(&mut pairs, cluster);
                }
                stamp.clone()
            }
        };
        let bytes: Vec<u8> = pairs
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), &[END], value.as_bytes(), &[END]])
            .flatten()
            .copied()
            .collect();
        Ok(SeriesKey { name: metric, cluster, labels: Labels(Arc::from(bytes)) })
    }
}

/// Puts the sender's cluster under `exported_cluster`, or with `exported_` once more for as long as that is taken.
fn insert_exported<'a>(pairs: &mut Vec<(Cow<'a, str>, &'a str)>, cluster: &'a str) {
    let mut name = EXPORTED_CLUSTER_LABEL.to_owned();
    loop {
        match pairs.binary_search_by(|(n, _)| n.as_bytes().cmp(name.as_bytes())) {
            Ok(_) => name.insert_str(0, "exported_"),
            Err(at) => return pairs.insert(at, (Cow::Owned(name), cluster)),
        }
    }
}

#[cfg(test)]
mod tests;
