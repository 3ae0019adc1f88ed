//! The newest sample of each cluster in a block, and the tag that tells it.
//!
//! Owns: what stands in the tag (docs/formats/tables.md), and which clusters do when there are too many.
//! Does not own: the log that the tag is in (`delta`).

use std::collections::BTreeMap;
use std::sync::Arc;

use model::time::in_range;

/// A tag is no longer than this: it stands in the log, and in every checkpoint, once per live block.
const TAG_BYTES: usize = 16 << 10;
/// A cluster whose newest sample is so much older than the block's has fallen silent, and may be in no block to come.
const SILENT_MS: i64 = 5 * 60 * 1000;
/// About the time between two blocks: the clusters take turns by it.
const TURN_MS: i64 = 15 * 60 * 1000;
/// So many clusters come in two turns, since names differ in length.
const TURN_OVERLAP: usize = 16;

/// The time of the newest sample of each cluster that is a sign of its life (`sign`), in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastSamples(BTreeMap<Arc<str>, i64>);

impl LastSamples {
    /// Takes a sample into account.
    pub fn saw(&mut self, cluster: &Arc<str>, time_ms: i64) {
        match self.0.get_mut(cluster) {
            Some(newest_ms) => *newest_ms = time_ms.max(*newest_ms),
            None => drop(self.0.insert(cluster.clone(), time_ms)),
        }
    }

    /// All clusters that have a sample.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
        self.0.iter().map(|(cluster, time_ms)| (cluster, *time_ms))
    }

    /// The text of the tag; `None` if there is nothing to say.
    pub(crate) fn tag(&self) -> Option<String> {
        let mut chosen = BTreeMap::new();
        let mut left = TAG_BYTES - 2;
        for (cluster, time_ms) in self.by_urgency() {
            let entry = text(cluster, time_ms);
            // One that is too long must not keep those behind it from being told.
            let Some(rest) = left.checked_sub(entry.len() + 1) else { continue };
            left = rest;
            chosen.insert(cluster, entry);
        }
        let entries: Vec<String> = chosen.into_values().collect();
        (!entries.is_empty()).then(|| format!("{{{}}}", entries.join(",")))
    }

    /// The clusters that fell silent within the block, the longest first; then the others, in turn from block to block,
    /// so that each is told of every few blocks.
    fn by_urgency(&self) -> Vec<(&Arc<str>, i64)> {
        let newest_ms = self.0.values().copied().max().unwrap_or_default();
        let is_silent = |(_, time_ms): &(&Arc<str>, i64)| newest_ms.saturating_sub(*time_ms) > SILENT_MS;
        let (mut silent, mut active): (Vec<_>, Vec<_>) = self.iter().partition(is_silent);
        silent.sort_by_key(|(_, time_ms)| *time_ms);
        let room = TAG_BYTES.saturating_sub(bytes(&silent));
        if bytes(&active) > room {
            // So many fit at once, or a few more: turns overlap rather than leave a gap.
            let at_once = (room * active.len() / bytes(&active)).saturating_sub(TURN_OVERLAP).max(1) as u64;
            let turn = newest_ms.div_euclid(TURN_MS) as u64;
            let first = turn.wrapping_mul(at_once) % active.len() as u64;
            active.rotate_left(first as usize);
        }
        silent.append(&mut active);
        silent
    }

    /// Takes in a tag. One that cannot be read tells nothing, which does no harm: then the next sample does.
    pub(crate) fn take_in(&mut self, tag: &str) {
        match serde_json::from_str::<BTreeMap<String, i64>>(tag) {
            Ok(told) => {
                for (cluster, time_ms) in told.into_iter().filter(|(_, time_ms)| in_range(*time_ms)) {
                    self.saw(&cluster.into(), time_ms);
                }
            }
            Err(error) => tracing::warn!(%error, "the last samples of a block cannot be read and are left out"),
        }
    }
}

/// Bytes that these entries take.
fn bytes(entries: &[(&Arc<str>, i64)]) -> usize {
    entries.iter().map(|(cluster, time_ms)| text(cluster, *time_ms).len() + 1).sum()
}

fn text(cluster: &str, time_ms: i64) -> String {
    format!("{}:{time_ms}", serde_json::Value::from(cluster))
}

#[cfg(test)]
mod tests;
