//! What matchers mean for a set of series, the same for a block and for the head.

use model::{Error, ErrorKind};
use roaring::RoaringBitmap;

use super::postings::Postings;
use crate::Matcher;
use crate::matcher::Condition;

/// One label: its sorted values and who has them.
pub(super) trait Label<'a>: Copy {
    /// The ordinals that have the label at all.
    fn present(self) -> &'a RoaringBitmap;

    /// The ordinals that have this value.
    fn find(self, value: &str) -> Option<Postings<'a>>;

    /// All values in ascending order.
    fn values(self) -> impl Iterator<Item = (&'a str, Postings<'a>)>;
}

/// The ordinals among `all` that fulfil every matcher. A label that a series lacks has the empty value.
pub(super) fn select<'a, L: Label<'a>>(
    all: &RoaringBitmap,
    label: impl Fn(&str) -> Option<L>,
    matchers: &[Matcher],
) -> RoaringBitmap {
    let mut selected: Option<RoaringBitmap> = None;
    for matcher in matchers {
        let Some(label) = label(&matcher.label) else {
            if matcher.condition.holds("") {
                continue;
            }
            return RoaringBitmap::new();
        };
        let before = selected.as_ref().unwrap_or(all);
        let after = narrow(before, label, &matcher.condition);
        if after.is_empty() {
            return after;
        }
        selected = Some(after);
    }
    selected.unwrap_or_else(|| all.clone())
}

/// Those of `among` whose value of the label fulfils the condition.
fn narrow<'a>(among: &RoaringBitmap, label: impl Label<'a>, condition: &Condition) -> RoaringBitmap {
    let absent_fits = condition.holds("");
    let (listed, listed_fit) = match condition {
        Condition::In(values) => (union_of(label, values), true),
        Condition::NotIn(values) => (union_of(label, values), false),
        Condition::Matches(_) | Condition::MatchesNot(_) => fewer(label, condition),
    };
    match (listed_fit, absent_fits) {
        (true, false) => among & listed,
        (true, true) => (among - label.present()) | (among & listed),
        (false, true) => among - listed,
        (false, false) => (among & label.present()) - listed,
    }
}

fn union_of<'a>(label: impl Label<'a>, values: &[String]) -> RoaringBitmap {
    let mut union = RoaringBitmap::new();
    values.iter().filter_map(|value| label.find(value)).for_each(|postings| postings.add_to(&mut union));
    union
}

/// The ordinals of the values that fulfil the condition, and `true`; or of those that do not, if they are fewer.
fn fewer<'a>(label: impl Label<'a>, condition: &Condition) -> (RoaringBitmap, bool) {
    let (fit, unfit): (Vec<_>, Vec<_>) = label.values().partition(|(value, _)| condition.holds(value));
    let fit_is_less = fit.len() <= unfit.len();
    let mut union = RoaringBitmap::new();
    for (_, postings) in if fit_is_less { fit } else { unfit } {
        postings.add_to(&mut union);
    }
    (union, fit_is_less)
}

/// The values of a label that a series of `among` has; all of them without `among`.
pub(super) fn values<'a>(label: impl Label<'a>, among: Option<&RoaringBitmap>) -> Vec<String> {
    label
        .values()
        .filter(|(_, postings)| among.is_none_or(|set| postings.meets(set)))
        .map(|(value, _)| value.to_owned())
        .collect()
}

/// A damaged index.
pub(super) fn corrupt(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("series index is damaged: {what}"))
}
