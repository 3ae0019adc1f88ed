//! The labels that rules work on.

/// A label that is there: its value is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Label {
    name: String,
    value: String,
}

/// The labels of one target or one series while rules change them.
///
/// A label with an empty value is one that is not there. Of a series the name is the label `__name__`. Names are not
/// looked at: `labelmap` may make one that is empty or that no selector can say, and who takes the labels out refuses it.
///
/// The labels have an order, which decides who wins where `labelmap` copies two of them to one name: those that were
/// given come first, by name, then those that were set, each at the place where it was set first. It is the order of
/// Prometheus 3 for a series whose own labels were given and whose target's labels were set.
#[derive(Debug, Clone, Default)]
pub struct LabelSet {
    labels: Vec<Label>,
    /// How many at the beginning were given and not set since.
    given: usize,
}

impl LabelSet {
    /// The given labels. Where a name comes twice the last one counts; who must refuse that refuses it before.
    pub fn new<N: Into<String>, V: Into<String>>(labels: impl IntoIterator<Item = (N, V)>) -> Self {
        let labels = labels.into_iter().map(|(name, value)| Label { name: name.into(), value: value.into() });
        let mut labels: Vec<Label> = labels.collect();
        // The last one first, which is the one that `dedup` leaves.
        labels.reverse();
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        labels.dedup_by(|next, kept| next.name == kept.name);
        labels.retain(|label| !label.value.is_empty());
        LabelSet { given: labels.len(), labels }
    }

    /// The value of a label; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.labels.iter().find(|label| label.name == name).map_or("", |label| &label.value)
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.labels.iter().position(|label| label.name == name) {
            Some(at) if value.is_empty() => self.remove_at(at),
            Some(at) if at >= self.given => self.labels[at].value = value,
            Some(at) => {
                self.given -= 1;
                self.labels[at].value = value;
                self.labels[at..].rotate_left(1);
            }
            None if value.is_empty() => {}
            None => self.labels.push(Label { name: name.to_owned(), value }),
        }
    }

    /// Removes a label if it is there.
    pub fn remove(&mut self, name: &str) {
        if let Some(at) = self.labels.iter().position(|label| label.name == name) {
            self.remove_at(at);
        }
    }

    /// Removes each label whose name `keeps` does not want.
    pub fn retain(&mut self, mut keeps: impl FnMut(&str) -> bool) {
        let (mut at, mut given) = (0, self.given);
        self.labels.retain(|label| {
            let stays = keeps(&label.name);
            given -= usize::from(!stays && at < self.given);
            at += 1;
            stays
        });
        self.given = given;
    }

    /// Names and values, in the order that the labels have.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().map(|label| (label.name.as_str(), label.value.as_str()))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    fn remove_at(&mut self, at: usize) {
        self.given -= usize::from(at < self.given);
        self.labels.remove(at);
    }
}

#[cfg(test)]
mod tests;
