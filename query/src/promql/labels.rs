//! Label sets while an expression is evaluated: name and cluster are labels like others.

use std::fmt;

use model::SeriesKey;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use promql::labels::Labels;

/// Ends each name and each value. No UTF-8 text contains it.
const END: u8 = 0xff;

/// Labels in canonical form: `name 0xff value 0xff …`, sorted by name, no empty value. Equal sets are equal bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct LabelSet(Vec<u8>);

impl LabelSet {
    /// The labels of a series, its name and its cluster among them.
    pub(crate) fn of(key: &SeriesKey) -> Self {
        let mut own = [(NAME_LABEL, &*key.name), (CLUSTER_LABEL, &*key.cluster)].into_iter().peekable();
        let mut set =
            LabelSet(Vec::with_capacity(key.labels.as_bytes().len() + key.name.len() + key.cluster.len() + 24));
        for (name, value) in key.labels.iter() {
            while let Some(before) = own.next_if(|own| own.0 < name) {
                set.push(before.0, before.1);
            }
            set.push(name, value);
        }
        own.for_each(|(name, value)| set.push(name, value));
        set
    }

    /// Takes bytes that [`LabelSet::as_bytes`] gave.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        LabelSet(bytes.to_vec())
    }

    /// The canonical bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Names and values in order of the names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.0)
    }

    /// The value of a label; empty if the set lacks it.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value)
    }

    /// The labels whose name is `wanted`.
    pub(crate) fn filtered(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let mut set = LabelSet::default();
        self.iter().filter(|(name, _)| wanted(name)).for_each(|(name, value)| set.push(name, value));
        set
    }

    /// With another value for a label; an empty one takes it out.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut set = LabelSet::default();
        let mut new = Some((name, value));
        for (other, old) in self.iter() {
            if let Some((name, value)) = new.take_if(|(name, _)| *name <= other) {
                set.push(name, value);
            }
            if other != name {
                set.push(other, old);
            }
        }
        if let Some((name, value)) = new {
            set.push(name, value);
        }
        set
    }

    /// Adds a label behind all others.
    fn push(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        for text in [name, value] {
            self.0.extend_from_slice(text.as_bytes());
            self.0.push(END);
        }
    }
}

impl From<&LabelSet> for Labels {
    fn from(set: &LabelSet) -> Self {
        Labels::from_texts(set.iter())
    }
}

impl From<&Labels> for LabelSet {
    fn from(labels: &Labels) -> Self {
        let mut set = LabelSet::default();
        labels.iter().for_each(|(name, value)| set.push(name, value));
        set
    }
}

/// The names and values in canonical bytes.
fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let mut texts = bytes.split(|byte| *byte == END).map(|text| std::str::from_utf8(text).unwrap_or(""));
    std::iter::from_fn(move || {
        let name = texts.next()?;
        Some((name, texts.next()?))
    })
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::labels::LabelsBuilder;

    use super::*;

    fn set(pairs: &[(&str, &str)]) -> LabelSet {
        let mut builder = LabelsBuilder::default();
        pairs.iter().for_each(|(name, value)| builder.push(name, value));
        LabelSet::of(&builder.build(None).unwrap())
    }

    #[test]
    fn name_and_cluster_stand_in_their_place() {
        let all = set(&[("__name__", "up"), ("cluster", "eu"), ("a", "1"), ("job", "x")]);
        let pairs: Vec<_> = all.iter().collect();
        assert_eq!(pairs, [("__name__", "up"), ("a", "1"), ("cluster", "eu"), ("job", "x")]);
        assert_eq!((all.get("cluster"), all.get("b")), ("eu", ""));
        assert_eq!(all.filtered(|name| name != "__name__"), set(&[("cluster", "eu"), ("a", "1"), ("job", "x")]));
        let key = SeriesKey { name: Arc::from(""), cluster: Arc::from(""), labels: model::Labels::empty() };
        assert_eq!(LabelSet::of(&key).iter().count(), 0);
    }

    #[test]
    fn a_label_is_set_added_and_taken_out() {
        let all = set(&[("a", "1"), ("c", "3")]);
        assert_eq!(all.with("b", "2"), set(&[("a", "1"), ("b", "2"), ("c", "3")]));
        assert_eq!(all.with("a", "9"), set(&[("a", "9"), ("c", "3")]));
        assert_eq!(all.with("d", "4"), set(&[("a", "1"), ("c", "3"), ("d", "4")]));
        assert_eq!(all.with("c", ""), set(&[("a", "1")]));
    }
}
