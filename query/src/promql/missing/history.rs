//! What is known of the successes of each source, kept from query to query: what is over is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::TaskContext;
use tokio::sync::Mutex;

use super::super::scan::Ground;
use super::attempts::{Gap, Successes};
use super::read::{begins, successes};
use super::sources::Asked;

/// How old a row of `up` may be when it comes, in milliseconds: that of an attempt comes when the attempt ends.
const SETTLED_MS: i64 = 600_000;
/// What is newer than that is read again after this time, in milliseconds.
pub(super) const FRESH_MS: i64 = 5_000;
/// Milliseconds of sources that one query reads at most: of sources that are asked every 15 s, five million rows.
const READ_AT_ONCE_MS: i64 = 20_000 * 3_600_000;
/// What lies this much before what is kept is read for itself, in milliseconds.
const FAR_MS: i64 = 24 * 3_600_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<BTreeMap<Asked, Known>>);

/// What is known of a source.
#[derive(Debug)]
struct Known {
    /// The time of its first row of `up`, if it has one.
    since_ms: Option<i64>,
    /// The time whose successes are kept. To its end no more rows come.
    settled: Gap,
    successes: Successes,
    /// Those after that, until they were read.
    newest: Successes,
    read_ms: i64,
}

/// What is missing of some sources.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// The gaps of each source within its time, and that time.
    pub(super) gaps: Vec<(Asked, Gap, Vec<Gap>)>,
    /// Since when was looked, if not for the whole time.
    pub(super) looked_since_ms: Option<i64>,
}

/// What one source is asked about.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    asked: &'a Asked,
    /// What is to be read: the time of the question, and what may be the ends of a gap in it.
    time: Gap,
    /// The time of its first row, in milliseconds.
    since_ms: i64,
}

impl History {
    /// What is missing of sources within a time of each. `all` are those of the configuration.
    ///
    /// # Errors
    /// Those of the snapshot and of the blocks.
    pub(super) async fn missing(
        &self,
        ground: &Ground,
        context: &Arc<TaskContext>,
        (reached, all): (&[(Asked, Gap)], &BTreeSet<Asked>),
        now_ms: i64,
    ) -> Result<Missing> {
        let mut known = self.0.lock().await;
        known.retain(|asked, _| all.contains(asked));
        let mut missing = Missing::default();
        read_newest(&mut known, ground, context, reached, now_ms).await?;
        let mut alone = Vec::new();
        let mut before = Vec::new();
        for (asked, time) in reached {
            let Some(Known { since_ms: Some(since_ms), settled, .. }) = known.get(asked) else { continue };
            let after_ms = time.after_ms.saturating_sub(asked.apart_ms).max(*since_ms - 1);
            let time = Gap { after_ms, until_ms: time.until_ms.saturating_add(asked.apart_ms) };
            let wanted = Wanted { asked, time, since_ms: *since_ms };
            if time.until_ms < settled.after_ms.saturating_sub(FAR_MS) {
                alone.push(wanted);
            } else if time.after_ms < settled.after_ms {
                before.push(Wanted { time: Gap { until_ms: settled.after_ms, ..time }, ..wanted });
            }
        }
        let looked = read_before(&mut known, ground, context, before).await?;
        missing.looked_since_ms = looked;
        let (alone, looked) = read_alone(ground, context, alone).await?;
        missing.looked_since_ms = missing.looked_since_ms.max(looked);
        for (asked, time) in reached {
            let gaps = match (alone.get(asked), known.get(asked)) {
                (Some(gaps), _) => gaps.clone(),
                (None, Some(known)) => known.gaps(asked.apart_ms, now_ms),
                (None, None) => Vec::new(),
            };
            let within = gaps.into_iter().map(|gap| gap.and(*time)).filter(|gap| gap.length_ms() > 0);
            missing.gaps.push((asked.clone(), *time, within.collect()));
        }
        Ok(missing)
    }
}

impl Known {
    /// A gap that is not over goes on to the present.
    fn gaps(&self, apart_ms: i64, now_ms: i64) -> Vec<Gap> {
        let Some(since_ms) = self.since_ms else { return Vec::new() };
        let mut all = self.successes.clone();
        all.append(&self.newest, apart_ms);
        let known = Gap { after_ms: self.settled.after_ms.max(since_ms), until_ms: self.read_ms };
        let mut gaps = all.gaps(known, apart_ms);
        if let Some(last) = gaps.last_mut().filter(|last| last.until_ms == self.read_ms) {
            last.until_ms = now_ms;
        }
        gaps
    }
}

/// Reads what came since the last time, of sources whose newest successes are not fresh.
async fn read_newest(
    known: &mut BTreeMap<Asked, Known>,
    ground: &Ground,
    context: &Arc<TaskContext>,
    reached: &[(Asked, Gap)],
    now_ms: i64,
) -> Result<()> {
    let is_fresh = |asked: &Asked, known: &Known| (0..FRESH_MS.min(asked.apart_ms)).contains(&(now_ms - known.read_ms));
    let stale: Vec<&Asked> = reached
        .iter()
        .map(|(asked, _)| asked)
        .filter(|asked| !known.get(*asked).is_some_and(|known| is_fresh(asked, known)))
        .collect();
    let settled_ms = now_ms - SETTLED_MS;
    let unknown = |asked: &&&Asked| known.get(**asked).is_none_or(|known| known.since_ms.is_none());
    let since = begins(ground, &stale.iter().filter(unknown).copied().collect::<Vec<_>>(), now_ms).await?;
    let mut wanted = Vec::with_capacity(stale.len());
    for asked in stale {
        let nothing = Gap { after_ms: settled_ms, until_ms: settled_ms };
        let one = known.entry(asked.clone()).or_insert_with(|| Known {
            since_ms: None,
            settled: nothing,
            successes: Successes::default(),
            newest: Successes::default(),
            read_ms: now_ms,
        });
        one.since_ms = one.since_ms.or_else(|| since.get(asked).copied());
        if now_ms - one.settled.until_ms > FAR_MS || one.settled.until_ms > now_ms {
            // Nobody asked for a day, or the clock was set back.
            (one.settled, one.successes) = (nothing, Successes::default());
        }
        let time = Gap { after_ms: one.settled.until_ms, until_ms: now_ms };
        wanted.push(Wanted { asked, time, since_ms: i64::MIN });
    }
    let read = read(ground, context, &wanted, settled_ms).await?;
    for (asked, (settled, newest)) in read {
        if let Some(one) = known.get_mut(&asked) {
            one.successes.append(&settled, asked.apart_ms);
            one.settled.until_ms = one.settled.until_ms.max(settled_ms);
            (one.newest, one.read_ms) = (newest, now_ms);
        }
    }
    Ok(())
}

/// Reads what lies before what is kept. Gives since when was looked, if the beginning was left out.
async fn read_before(
    known: &mut BTreeMap<Asked, Known>,
    ground: &Ground,
    context: &Arc<TaskContext>,
    mut wanted: Vec<Wanted<'_>>,
) -> Result<Option<i64>> {
    let looked_since_ms = shorten(&mut wanted);
    for (asked, (before, _)) in read(ground, context, &wanted, i64::MAX).await? {
        let Some(one) = known.get_mut(&asked) else { continue };
        let later = std::mem::replace(&mut one.successes, before);
        one.successes.append(&later, asked.apart_ms);
    }
    for Wanted { asked, time, .. } in wanted {
        if let Some(one) = known.get_mut(asked) {
            one.settled.after_ms = time.after_ms;
        }
    }
    Ok(looked_since_ms)
}

/// The gaps in times that lie far before what is kept, and since when was looked, if the beginning was left out.
async fn read_alone(
    ground: &Ground,
    context: &Arc<TaskContext>,
    mut wanted: Vec<Wanted<'_>>,
) -> Result<(BTreeMap<Asked, Vec<Gap>>, Option<i64>)> {
    let looked_since_ms = shorten(&mut wanted);
    let read = read(ground, context, &wanted, i64::MAX).await?;
    let gaps = |Wanted { asked, time, since_ms }: &Wanted<'_>| {
        let known = Gap { after_ms: time.after_ms.max(*since_ms), ..*time };
        let successes = read.get(*asked).map(|(successes, _)| successes.clone()).unwrap_or_default();
        ((*asked).clone(), successes.gaps(known, asked.apart_ms))
    };
    Ok((wanted.iter().map(gaps).collect(), looked_since_ms))
}

/// Leaves out the beginning where all together are too much. Gives when the time begins that is left.
fn shorten(wanted: &mut [Wanted<'_>]) -> Option<i64> {
    let each_ms = READ_AT_ONCE_MS / i64::try_from(wanted.len().max(1)).unwrap_or(i64::MAX);
    let mut since_ms = None;
    for Wanted { time, .. } in wanted {
        let after_ms = time.until_ms.saturating_sub(each_ms);
        if time.after_ms < after_ms {
            time.after_ms = after_ms;
            since_ms = since_ms.max(Some(after_ms));
        }
    }
    since_ms
}

/// The successes of each source in its time, up to an instant and after it.
async fn read(
    ground: &Ground,
    context: &Arc<TaskContext>,
    wanted: &[Wanted<'_>],
    cut_ms: i64,
) -> Result<BTreeMap<Asked, (Successes, Successes)>> {
    let mut read: BTreeMap<Asked, (Successes, Successes)> =
        wanted.iter().map(|wanted| (wanted.asked.clone(), Default::default())).collect();
    let Some(time) = wanted.iter().map(|wanted| wanted.time).reduce(Gap::over) else { return Ok(read) };
    let times: BTreeMap<&Asked, Gap> = wanted.iter().map(|wanted| (wanted.asked, wanted.time)).collect();
    let asked: Vec<&Asked> = times.keys().copied().collect();
    successes(ground, context, &asked, time, |asked, time_ms| {
        let is_wanted = times.get(asked).is_some_and(|time| time_ms > time.after_ms && time_ms <= time.until_ms);
        if let Some((settled, newest)) = read.get_mut(asked).filter(|_| is_wanted) {
            let part = if time_ms <= cut_ms { settled } else { newest };
            part.push(time_ms, asked.apart_ms);
        }
    })
    .await?;
    Ok(read)
}

#[cfg(test)]
mod tests;
