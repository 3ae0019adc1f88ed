//! What is missing from an answer: configured sources that nothing was heard of while the samples of the answer were made.
//!
//! Stored `up` tells: each attempt to ask a source leaves a row of it, 1 if its answer is in the store. Where over two intervals
//! lie between two successes, data is missing, whether the source, the way to it or this process was down. What a remote read has
//! filled since is not missing any more.
//!
//! Owns: what counts as missing, how `up` is read and what is kept of it between queries, the words of the warnings.
//! Does not own: which rows of `up` there are (the collectors), who shows the warnings (`http::prometheus`).

mod attempts;
mod filled;
mod history;
mod reach;
mod read;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryPool;
use model::SourceStatus;

use super::question::Question;
use super::scan::Ground;
use crate::source::Source;
use attempts::Gap;
use history::FRESH_MS;
pub(crate) use history::History;
pub(super) use reach::Reach;
use sources::Asked;

/// Sources that a warning names; of more it says how many.
const NAMED_SOURCES: usize = 3;
/// Gaps of a source that a warning names.
const NAMED_GAPS: usize = 3;

/// What is looked at to tell what is missing.
#[derive(Debug)]
pub(crate) struct Grounds<'a> {
    pub(crate) source: Arc<Source>,
    pub(crate) memory: Arc<dyn MemoryPool>,
    pub(crate) context: Arc<TaskContext>,
    /// The sources of the configuration, with what is known of them.
    pub(crate) sources: Vec<SourceStatus>,
    /// What earlier queries have read of `up`.
    pub(crate) history: &'a History,
    /// The present, in milliseconds.
    pub(crate) now_ms: i64,
}

/// Says in the warnings of a planned question what is missing from its answer.
///
/// # Errors
/// Those of the snapshot and of the blocks, `TooLarge` or `Busy` if the memory does not suffice; carried through DataFusion.
pub(crate) async fn remark(question: &Question, grounds: Grounds<'_>) -> Result<()> {
    let all: BTreeSet<Asked> = grounds.sources.iter().filter_map(Asked::of).collect();
    let over = Gap { after_ms: i64::MIN, until_ms: grounds.now_ms };
    let reached: Vec<(Asked, Gap)> = all
        .iter()
        .filter_map(|asked| Some((asked.clone(), question.reach.time(asked)?.and(over))))
        .filter(|(_, time)| time.length_ms() > 0)
        .collect();
    if reached.is_empty() {
        return Ok(());
    }
    // Its samples are not those of the query.
    let ground = Ground::plain(grounds.source, grounds.memory);
    let (context, now_ms) = (&grounds.context, grounds.now_ms);
    let mut missing = grounds.history.missing(&ground, context, (&reached, &all), now_ms).await?;
    for (asked, _, gaps) in &mut missing.gaps {
        *gaps = filled::still_missing(&ground, context, asked, std::mem::take(gaps)).await?;
    }
    question.set_missing(warnings(&missing.gaps, now_ms), missing.looked_since_ms.map(not_looked));
    Ok(())
}

/// One warning for each cluster.
fn warnings(missing: &[(Asked, Gap, Vec<Gap>)], now_ms: i64) -> Vec<String> {
    let mut clusters: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (asked, time, gaps) in missing.iter().filter(|(.., gaps)| !gaps.is_empty()) {
        // Who asks until now has a clock of his own.
        let open_ms = if time.until_ms > now_ms - FRESH_MS { time.until_ms } else { i64::MAX };
        clusters.entry(&asked.up.cluster).or_default().push(format!("{} {}", asked.shown, ranges(gaps, open_ms)));
    }
    let warning = |(cluster, mut sources): (&str, Vec<String>)| {
        let more = sources.len().saturating_sub(NAMED_SOURCES);
        sources.truncate(NAMED_SOURCES);
        let more = if more == 0 { String::new() } else { format!("; and {more} more sources") };
        format!("data of cluster {cluster:?} is missing: nothing from {}{more}", sources.join("; "))
    };
    clusters.into_iter().map(warning).collect()
}

/// The newest gaps first: what is missing now matters most. One that lasts until `open_ms` is not over.
fn ranges(gaps: &[Gap], open_ms: i64) -> String {
    let range = |gap: &Gap| match gap.until_ms >= open_ms {
        true => format!("since {}", time(gap.after_ms)),
        false => format!("from {} to {}", time(gap.after_ms), time(gap.until_ms)),
    };
    let named: Vec<String> = gaps.iter().rev().take(NAMED_GAPS).map(range).collect();
    let more = gaps.len().saturating_sub(NAMED_GAPS);
    let more = if more == 0 { String::new() } else { format!(", and {more} times before") };
    format!("{}{more}", named.join(", "))
}

fn not_looked(since_ms: i64) -> String {
    format!("whether data is missing was looked for from {} on; ask again for what was before", time(since_ms))
}

/// RFC 3339, in seconds.
fn time(time_ms: i64) -> String {
    // It lies in a range that blocks can have.
    DateTime::from_timestamp_millis(time_ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
