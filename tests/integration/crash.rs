//! Kills and failures under load, judged by an outside witness.
//!
//! `make test` runs a few, `make chaos` many: FLEETSCOPE_KILLS, FLEETSCOPE_FAILURES, and FLEETSCOPE_STRIDE for the calls
//! that are broken off one by one. FLEETSCOPE_SEED repeats a run.

mod calls;
mod campaign;
mod phases;
mod sweep;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use campaign::{Campaign, Load};
use phases::{FAILING, PHASES, Random};

use crate::server::tick;

/// Ten lives share so many failures.
const FAILURES_PER_LIFE: usize = 6;
/// So many kills, or failures, to one store: the judge keeps all that its witness has sent in memory, and the more blocks there
/// are the longer it takes each life to find the sums of deltas again.
const KILLS_PER_STORE: u64 = 25;
const FAILURES_PER_STORE: u64 = 100;
/// Every third kill comes at a drawn moment, the others are aimed at the phase that had the fewest.
const DRAWN: u64 = 3;

pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

pub(crate) fn random() -> Random {
    let seed = setting("FLEETSCOPE_SEED", u64::from(std::process::id()));
    println!("FLEETSCOPE_SEED={seed}");
    Random::new(seed)
}

/// How many kills there were, and how many fell in each phase. One may fall in two phases, or in none.
#[derive(Debug, Default)]
struct Kills {
    aimed: u64,
    drawn: u64,
    /// Aimed and drawn kills by phase.
    fell: BTreeMap<&'static str, (u64, u64)>,
}

impl Kills {
    fn all(&self) -> u64 {
        self.aimed + self.drawn
    }

    fn in_phase(&self, name: &str) -> u64 {
        self.fell.get(name).map_or(0, |(aimed, drawn)| aimed + drawn)
    }

    fn fewest(&self) -> u64 {
        PHASES.iter().map(|phase| self.in_phase(phase.name)).min().unwrap_or(0)
    }

    /// One life, ended by a kill.
    async fn one_more(&mut self, campaign: &mut Campaign, wanted: u64, random: &mut Random) {
        let drawn = self.all() % DRAWN == DRAWN - 1 && self.all() < wanted;
        let (how, phases) = if drawn {
            self.drawn += 1;
            let call_bytes = random.between(2_000, 60_000);
            (format!("after {call_bytes} bytes of calls"), campaign.live_and_kill(call_bytes).await)
        } else {
            self.aimed += 1;
            let behind = PHASES.iter().min_by_key(|phase| self.in_phase(phase.name));
            let (rule, in_sync) = behind.unwrap_or(&PHASES[0]).rule(random);
            let phases = campaign.live_until_killed(&rule, in_sync).await;
            (rule, phases)
        };
        println!("kill {} {how}: {phases:?}", self.all());
        for phase in phases {
            let (by_aim, by_chance) = self.fell.entry(phase).or_default();
            *(if drawn { by_chance } else { by_aim }) += 1;
        }
    }

    fn print(&self) {
        println!("chaos: {:20} {:>6} {:>6}", "kills by phase", "aimed", "drawn");
        for phase in &PHASES {
            let (aimed, drawn) = self.fell.get(phase.name).copied().unwrap_or_default();
            println!("chaos: {:20} {aimed:6} {drawn:6}", phase.name);
        }
        println!("chaos: {:20} {:6} {:6}", "all", self.aimed, self.drawn);
    }
}

/// Kills `wanted` times, and on until every phase had its share; fails if one does not get it. Under rewrites and late rows
/// no share is asked for: the writer is busy with what cuts leave behind, so that few kills fall before an answer.
async fn kill(wanted: u64, load: Load, random: &mut Random) {
    let least = match load {
        Load::RewritesAndLate => 0,
        _ if wanted >= 100 => 10,
        _ => 2,
    };
    let (mut kills, mut acknowledged, mut commits) = (Kills::default(), 0, [0, 0]);
    let is_done = |kills: &Kills| kills.all() >= 4 * wanted + 20 || kills.all() >= wanted && kills.fewest() >= least;
    while !is_done(&kills) {
        let mut campaign = Campaign::start(load, random.next());
        for _ in 0..KILLS_PER_STORE {
            if is_done(&kills) {
                break;
            }
            kills.one_more(&mut campaign, wanted, random).await;
        }
        let verdict = campaign.end_and_judge().await;
        // Every key once as a physical row, because nothing was sent twice.
        assert!(load != Load::New || verdict["physical_rows"] == verdict["stored"], "{verdict}");
        acknowledged += verdict["acknowledged"].as_u64().unwrap();
        for (sum, table) in commits.iter_mut().zip(["logs", "samples"]) {
            *sum += verdict["commits"][table].as_u64().unwrap();
        }
    }
    kills.print();
    assert!(commits[0] > commits[1], "no cut took logs and spans alone: {commits:?} commits of logs and of samples");
    assert!(kills.fewest() >= least, "a phase had less than {least} kills: {kills:?}");
    println!("chaos: {} kills under {load:?}, {acknowledged} acknowledged rows, none lost", kills.all());
}

#[tokio::test]
async fn crash_by_kills_loses_and_doubles_nothing() {
    kill(setting("FLEETSCOPE_KILLS", 20), Load::New, &mut random()).await;
}

#[tokio::test]
async fn crash_by_kills_under_rewrites_and_late_rows_keeps_the_newest_values() {
    kill(setting("FLEETSCOPE_KILLS", 20) / 2 + 4, Load::RewritesAndLate, &mut random()).await;
}

#[tokio::test]
async fn crash_free_failures_of_the_disk_lose_nothing_and_service_comes_back() {
    let mut random = random();
    let (wanted, mut hits, mut lives, mut acknowledged) = (setting("FLEETSCOPE_FAILURES", 60), 0, 0, 0);
    while hits < wanted {
        let mut campaign = Campaign::start(Load::New, random.next());
        let until = wanted.min(hits + FAILURES_PER_STORE);
        while hits < until {
            lives += 1;
            assert!(lives < wanted, "only {hits} failures in {lives} lives");
            let rules: Vec<String> = (0..FAILURES_PER_LIFE).map(|_| FAILING.rule(&mut random)).collect();
            hits += campaign.live_through(&rules.join(";")).await;
        }
        acknowledged += campaign.end_and_judge().await["acknowledged"].as_u64().unwrap();
    }
    println!("chaos: {hits} failures of the disk in {lives} lives, {acknowledged} acknowledged rows, none lost");
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
