//! Putting series in the order of the tables.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::series::SeriesInfo;

/// A text that series share, as long as it is the same one.
type Shared<'a> = (&'a Arc<str>, u32);

/// Sorts series by name, cluster and id; those that are equal stay as they are to each other.
///
/// Series of a day come from as many blocks as there were cuts, a hundred thousand of them in any order that these have. Names and
/// clusters are few: numbered in their order, they and the id are one number, and no text is compared.
pub(super) fn sort(series: &mut Vec<Arc<SeriesInfo>>) {
    if series.is_sorted_by(|a, b| a.table_order(b).is_le()) {
        return;
    }
    let (names, clusters) = (Numbers::of(series, |info| &info.key.name), Numbers::of(series, |info| &info.key.cluster));
    let (mut name, mut cluster) = (None, None);
    let mut keyed: Vec<(u128, Arc<SeriesInfo>)> = Vec::with_capacity(series.len());
    for info in series.iter() {
        let name = names.number(&info.key.name, &mut name);
        let cluster = clusters.number(&info.key.cluster, &mut cluster);
        // The smallest id becomes 0.
        let id = info.id as u64 ^ (1 << 63);
        keyed.push((u128::from(name) << 96 | u128::from(cluster) << 64 | u128::from(id), info.clone()));
    }
    keyed.sort_by_key(|(key, _)| *key);
    series.clear();
    series.extend(keyed.into_iter().map(|(_, info)| info));
}

/// Texts by their place among all of them.
struct Numbers<'a>(HashMap<&'a str, u32>);

impl<'a> Numbers<'a> {
    fn of(series: &'a [Arc<SeriesInfo>], text: impl Fn(&'a SeriesInfo) -> &'a Arc<str>) -> Self {
        let (mut texts, mut last) = (BTreeSet::new(), None);
        for text in series.iter().map(|info| text(info)) {
            // Neighbours mostly share the one text.
            if !last.is_some_and(|last| Arc::ptr_eq(last, text)) {
                texts.insert(&**text);
                last = Some(text);
            }
        }
        Numbers(texts.into_iter().zip(0..).collect())
    }

    fn number<'b>(&self, text: &'b Arc<str>, last: &mut Option<Shared<'b>>) -> u32 {
        match last {
            Some((known, number)) if Arc::ptr_eq(known, text) => *number,
            _ => {
                // Each of them was numbered.
                let number = self.0.get(&**text).copied().unwrap_or(u32::MAX);
                *last = Some((text, number));
                number
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::batch::Kind;
    use model::{Labels, SeriesKey};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_the_tables(
            series in prop::collection::vec((0_usize..4, 0_usize..4, prop_oneof![any::<i64>(), -3_i64..3]), 0..60),
            shares in any::<bool>(),
        ) {
            let texts = ["", "b", "a", "ab"].map(Arc::<str>::from);
            let text = |number: usize| if shares { texts[number].clone() } else { Arc::from(&*texts[number]) };
            let info = |(at, (name, cluster, id)): (usize, (usize, usize, i64))| {
                let key = SeriesKey { name: text(name), cluster: text(cluster), labels: Labels::empty() };
                Arc::new(SeriesInfo { key, id, kind: Kind::Unknown, first_time_ms: at as i64 })
            };
            let mut found: Vec<Arc<SeriesInfo>> = series.into_iter().enumerate().map(info).collect();
            let mut expected = found.clone();
            expected.sort_by(|a, b| a.table_order(b));
            sort(&mut found);
            prop_assert_eq!(found, expected);
        }
    }
}
