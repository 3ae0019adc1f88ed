//! Kills and failures under load, judged by an outside witness.
//!
//! `make test` runs a few; `make chaos` many, through FLEETSCOPE_KILLS and FLEETSCOPE_FAILURES. FLEETSCOPE_SEED repeats a run.

mod campaign;
mod phases;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use campaign::{Campaign, Load};
use phases::{FAILING, PHASES, Random};

use crate::server::tick;

/// Ten lives share so many failures.
const FAILURES_PER_LIFE: usize = 6;

pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

pub(crate) fn random() -> Random {
    let seed = setting("FLEETSCOPE_SEED", u64::from(std::process::id()));
    println!("FLEETSCOPE_SEED={seed}");
    Random::new(seed)
}

/// Kills `kills` times, in turn at each phase and at any time, and returns how often each phase was hit.
async fn kill_in_turn(campaign: &mut Campaign, kills: u64, random: &mut Random) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    let least = (kills / 50).max(2);
    let mut lives = 0;
    let behind =
        |counts: &BTreeMap<_, u64>| PHASES.iter().any(|p| counts.get(p.name).is_none_or(|count| *count < least));
    while counts.values().sum::<u64>() < kills || behind(&counts) {
        lives += 1;
        assert!(lives < 3 * kills + 20, "too many lives without a kill: {counts:?}");
        // Whoever is behind goes first, so that every phase gets its share.
        let phase = PHASES.iter().min_by_key(|phase| counts.get(phase.name).copied().unwrap_or(0));
        let any_time = lives % 7 == 0;
        match phase.filter(|_| !any_time) {
            Some(phase) => {
                let hit = campaign.live_until_killed(&phase.rule(random)).await;
                *counts.entry(if hit { phase.name } else { "any time" }).or_default() += 1;
            }
            None => {
                campaign.live_and_kill(Duration::from_millis(random.between(50, 1500))).await;
                *counts.entry("any time").or_default() += 1;
            }
        }
    }
    println!("kills: {counts:?}");
    for phase in &PHASES {
        let count = counts.get(phase.name).copied().unwrap_or(0);
        assert!(count >= least, "only {count} kills from {}: {counts:?}", phase.name);
    }
    counts
}

#[tokio::test]
async fn crash_by_kills_loses_and_doubles_nothing() {
    let mut random = random();
    let mut campaign = Campaign::start(Load::New, random.next());
    kill_in_turn(&mut campaign, setting("FLEETSCOPE_KILLS", 20), &mut random).await;
    let verdict = campaign.end_and_judge().await;
    // Every key once as a physical row, because nothing was sent twice.
    assert_eq!(verdict["physical_rows"], verdict["stored"], "{verdict}");
}

#[tokio::test]
async fn crash_by_kills_under_rewrites_and_late_rows_keeps_the_newest_values() {
    let mut random = random();
    let mut campaign = Campaign::start(Load::RewritesAndLate, random.next());
    kill_in_turn(&mut campaign, setting("FLEETSCOPE_KILLS", 20) / 2 + 4, &mut random).await;
    campaign.end_and_judge().await;
}

#[tokio::test]
async fn crash_free_failures_of_the_disk_lose_nothing_and_service_comes_back() {
    let mut random = random();
    let mut campaign = Campaign::start(Load::New, random.next());
    let (wanted, mut hits, mut lives) = (setting("FLEETSCOPE_FAILURES", 60), 0, 0);
    while hits < wanted {
        lives += 1;
        assert!(lives < wanted, "only {hits} failures in {lives} lives");
        let rules: Vec<String> = (0..FAILURES_PER_LIFE).map(|_| FAILING.rule(&mut random)).collect();
        hits += campaign.live_through(&rules.join(";")).await;
    }
    println!("failures: {hits} in {lives} lives");
    campaign.end_and_judge().await;
}

/// Looks until `condition` holds or the time is over.
async fn within(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = std::time::Instant::now();
    while !condition() {
        if begin.elapsed() > time {
            return false;
        }
        tick().await;
    }
    true
}
