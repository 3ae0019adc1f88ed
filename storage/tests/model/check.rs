//! The rules of DESIGN.md section 5 that the stored rows themselves must obey, whatever was written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::batch::STALE_NAN_BITS;
use model::time::{DAY_MS, Date};
use storage::Table;
use storage::block::Block;

use crate::columnar_read::{ColumnarBlocks, Seed};
use crate::read::{Blocks, HeadPart, Picture, Stored};
use crate::reference::WriteId;
use crate::series::{Identity, Key, identities};

/// Late blocks of one cut lie in at most this many dates.
const LATE_DATES: usize = 32;

/// Checks blocks and head of a snapshot. The error names the block and the rule.
pub(crate) fn check(picture: &Picture, seen: &BTreeMap<Key, u64>) -> Result<(), String> {
    for (table, blocks) in [(Table::Samples, &picture.samples), (Table::Histograms, &picture.histograms)] {
        for (block, rows) in blocks {
            check_block(block, rows).map_err(|wrong| format!("block {block:?}: {wrong}"))?;
        }
        check_windows(blocks)?;
        check_late(blocks)?;
        let newest = blocks.iter().map(|(block, _)| block.gen_max).max();
        for part in picture.head.iter().filter(|part| part.table == table) {
            check_head(part, newest).map_err(|wrong| format!("head rows of rank {}: {wrong}", part.rank))?;
        }
    }
    check_columnar(&picture.columnar)?;
    check_series(picture)?;
    check_resolved(picture, seen)
}

/// Blocks of logs and spans are sorted, each is of one date, and a cut has at most one of a date and table.
fn check_columnar(blocks: &ColumnarBlocks) -> Result<(), String> {
    const NANOS: i64 = 1_000_000;
    let mut dates: BTreeMap<_, BTreeSet<Date>> = BTreeMap::new();
    for (table, block, rows) in blocks {
        let wrong = |what: &str| Err(format!("block {block:?} of {} {what}", table.name()));
        let times = || rows.iter().map(|row| row.time_unix_nano.div_euclid(NANOS));
        if !rows.is_sorted_by_key(Seed::order) {
            return wrong("is not sorted");
        }
        if rows.len() as u64 != block.rows {
            return wrong("has another number of rows");
        }
        if (times().min(), times().max()) != (Some(block.min_time_ms), Some(block.max_time_ms)) {
            return wrong("has rows of other times");
        }
        if !block.path.contains(&format!("date={}", block.date)) || times().any(|time| Date::of_ms(time) != block.date)
        {
            return wrong("has rows of another date");
        }
        let dates = dates.entry((*table, block.journal, block.gen_min, block.gen_max)).or_default();
        if !dates.insert(block.date) {
            return wrong("is the second one of its cut and date");
        }
        if dates.len() > LATE_DATES {
            return wrong("is of one date too many for its cut");
        }
    }
    Ok(())
}

/// The last sample of a cluster is no older than the newest sign of its life that is there, and was written.
///
/// It may be newer than what is there: where a staleness marker has replaced a sample, blocks do not tell of it any more.
pub(crate) fn check_last(
    last: &BTreeMap<Arc<str>, i64>,
    seen: &BTreeMap<Key, u64>,
    written: &[(WriteId, Key, u64)],
) -> Result<(), String> {
    // What is written of a target that does not answer is `up` with 0, and no sign of life; nor is a marker.
    let is_sign = |identity: &Identity, bits: u64| {
        bits != STALE_NAN_BITS && (identity.name != "up" || f64::from_bits(bits) != 0.0)
    };
    for ((identity, time_ms), _) in seen.iter().filter(|((identity, _), bits)| is_sign(identity, **bits)) {
        if last.get(identity.cluster.as_str()).is_none_or(|last_ms| last_ms < time_ms) {
            return Err(format!("last samples are {last:?}, but {identity:?} has one at {time_ms}"));
        }
    }
    let is_written = |cluster: &str, last_ms: i64| {
        written.iter().any(|(_, (identity, time_ms), bits)| {
            identity.cluster == cluster && *time_ms == last_ms && is_sign(identity, *bits)
        })
    };
    match last.iter().find(|(cluster, last_ms)| !is_written(cluster, **last_ms)) {
        Some((cluster, last_ms)) => {
            Err(format!("the last sample of {cluster:?} is at {last_ms}, where none was written"))
        }
        None => Ok(()),
    }
}

fn check_sorted(rows: &[Stored]) -> Result<(), String> {
    match rows.windows(2).find(|pair| pair[0].order() >= pair[1].order()) {
        Some(pair) => Err(format!("{:?} comes before {:?}", pair[0], pair[1])),
        None => Ok(()),
    }
}

fn check_times(rows: &[Stored], min_time_ms: i64, max_time_ms: i64) -> Result<(), String> {
    let times = || rows.iter().map(|row| row.time_ms);
    if (times().min(), times().max()) != (Some(min_time_ms), Some(max_time_ms)) {
        return Err(format!("times are {:?} to {:?}", times().min(), times().max()));
    }
    Ok(())
}

fn check_block(block: &Block, rows: &[Stored]) -> Result<(), String> {
    check_sorted(rows)?;
    check_times(rows, block.min_time_ms, block.max_time_ms)?;
    if rows.len() as u64 != block.rows {
        return Err(format!("it has {} rows", rows.len()));
    }
    if block.gen_min > block.gen_max {
        return Err("gen_min is above gen_max".into());
    }
    if !block.path.contains(&format!("date={}", block.date)) {
        return Err("the path is of another date".into());
    }
    if let Some(row) = rows.iter().find(|row| Date::of_ms(row.time_ms) != block.date) {
        return Err(format!("{row:?} is of another date"));
    }
    let Some((start, end)) = block.window_ms else { return Ok(()) };
    match rows.iter().find(|row| !(start..end).contains(&row.time_ms)) {
        Some(row) => Err(format!("{row:?} is outside the window")),
        None => Ok(()),
    }
}

/// Windows of one journal never overlap; a window over midnight has a block on each side.
fn check_windows(blocks: &Blocks) -> Result<(), String> {
    let mut ends: BTreeMap<_, Vec<(i64, i64, &str)>> = BTreeMap::new();
    for (block, _) in blocks {
        if let Some((start, end)) = block.window_ms {
            let day = block.date.start_ms();
            let clipped = (start.max(day), end.min(day + DAY_MS), block.path.as_str());
            ends.entry((block.journal, block.date)).or_default().push(clipped);
        }
    }
    for windows in ends.values_mut() {
        windows.sort_unstable();
        if let Some(pair) = windows.windows(2).find(|pair| pair[0].1 > pair[1].0) {
            return Err(format!("windows overlap: {:?} and {:?}", pair[0], pair[1]));
        }
    }
    Ok(())
}

fn check_late(blocks: &Blocks) -> Result<(), String> {
    let mut dates: BTreeMap<_, BTreeSet<Date>> = BTreeMap::new();
    for (block, _) in blocks.iter().filter(|(block, _)| block.window_ms.is_none()) {
        let dates = dates.entry((block.journal, block.gen_min, block.gen_max)).or_default();
        if !dates.insert(block.date) {
            return Err(format!("a second late block of its cut and date: {block:?}"));
        }
        if dates.len() > LATE_DATES {
            return Err(format!("more than {LATE_DATES} late dates in the cut of {block:?}"));
        }
    }
    Ok(())
}

fn check_head(part: &HeadPart, newest: Option<i64>) -> Result<(), String> {
    check_sorted(&part.rows)?;
    check_times(&part.rows, part.min_time_ms, part.max_time_ms)?;
    if newest.is_some_and(|newest| part.rank <= newest) {
        return Err(format!("not above gen_max {newest:?} of the blocks"));
    }
    Ok(())
}

/// Each series of a block of samples has exactly one row of `series` for that date, committed with it or before.
fn check_series(picture: &Picture) -> Result<(), String> {
    let known: BTreeSet<Identity> = identities().into_iter().collect();
    let mut rows: BTreeMap<(&str, &str, i64, Date), usize> = BTreeMap::new();
    for (block, stored) in &picture.series {
        if stored.len() as u64 != block.rows {
            return Err(format!("{block:?} has {} rows", stored.len()));
        }
        for row in stored.iter() {
            let id = (row.identity.name.as_str(), row.identity.cluster.as_str(), row.series_id, block.date);
            *rows.entry(id).or_default() += 1;
            if Date::of_ms(row.first_time_ms) != block.date {
                return Err(format!("first_time_ms of {row:?} is not of the date {}", block.date));
            }
        }
    }
    if let Some((id, count)) = rows.iter().find(|(_, count)| **count > 1) {
        return Err(format!("{count} rows of `series` for {id:?}"));
    }
    let stored = picture.series.iter().flat_map(|(_, rows)| rows.iter()).chain(&picture.head_series);
    for row in stored {
        if !known.contains(&row.identity) || row.identity.series_id() != row.series_id {
            return Err(format!("nobody wrote the series {row:?}"));
        }
    }
    for (block, stored) in picture.samples.iter().chain(&picture.histograms) {
        for row in stored.iter() {
            if !rows.contains_key(&(row.name.as_str(), row.cluster.as_str(), row.series_id, block.date)) {
                return Err(format!("no row of `series` for {} and {row:?}", block.date));
            }
        }
    }
    Ok(())
}

/// The index knows every series that has a sample, in the order of the tables and once.
fn check_resolved(picture: &Picture, seen: &BTreeMap<Key, u64>) -> Result<(), String> {
    let infos = &picture.resolved.series;
    let order = |at: usize| (&infos[at].key.name, &infos[at].key.cluster, infos[at].id);
    if let Some(at) = (1..infos.len()).find(|at| order(at - 1) >= order(*at)) {
        return Err(format!("resolved series out of order: {:?} before {:?}", infos[at - 1], infos[at]));
    }
    let identity = |info: &storage::SeriesInfo| Identity {
        name: info.key.name.to_string(),
        cluster: info.key.cluster.to_string(),
        labels: info.key.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    let resolved: BTreeMap<Identity, i64> = infos.iter().map(|i| (identity(i), i.first_time_ms)).collect();
    for (identity, time_ms) in seen.keys() {
        match resolved.get(identity) {
            None => return Err(format!("{identity:?} has a sample at {time_ms} and is not resolved")),
            Some(first) if Date::of_ms(*first) > Date::of_ms(*time_ms) => {
                return Err(format!("{identity:?} has a sample at {time_ms}, the index says first at {first}"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
