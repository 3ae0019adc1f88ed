//! The write path of DESIGN.md section 5 in the abstract: journal, groups, cut, carried rows, staged blocks, commits that
//! come later, drop, replay.
//!
//! Owns: the rules, each of which a test can break ([`Rules`]), and a disk that a power cut makes forget.
//! Does not own: what must hold (`reference`); bytes, files and threads (the product).
//!
//! Small numbers stand for large ones, so that few steps meet every case: a day has 16 ticks, a cut takes two late dates.

use std::collections::{BTreeMap, BTreeSet};

use crate::reference::{Outcome, Reference, WriteId};

/// A day, for the partition of the tables.
pub(crate) const DAY: i64 = 16;
/// Rows further above W than this are late instead of carried.
const AHEAD: i64 = 4;
/// The end of a window is a multiple of this.
const QUARTER: i64 = 4;
/// How many late dates a cut takes.
const LATE_DATES: usize = 2;
/// How many positions of the journal make a generation.
const GENERATION: u64 = 3;

/// Series and time.
pub(crate) type Key = (u8, i64);
/// Position in the journal and place in the batch: of two rows of a key the higher rank wins.
type Rank = (u64, usize);
/// Rows by key.
type Rows = BTreeMap<Key, (Rank, u64)>;

/// The rules of the design. Each can be broken to show that it is needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// An answer is given only after the sync.
    pub(crate) sync_before_ack: bool,
    /// Rows that stay behind at a cut are written to the journal again.
    pub(crate) carry: bool,
    /// The carried rows are synced before the cut is staged.
    pub(crate) carry_before_staging: bool,
    /// A carried row keeps its rank.
    pub(crate) carry_keeps_rank: bool,
    /// A row that goes back to the head keeps its rank.
    pub(crate) return_keeps_rank: bool,
    /// Series are committed before their samples.
    pub(crate) series_first: bool,
    /// A commit of unknown outcome is looked up in the log before it is tried again.
    pub(crate) look_before_retry: bool,
    /// A generation is dropped only once its rows are in staged blocks whose manifest is synced.
    pub(crate) seal_before_drop: bool,
    /// Staged cuts are committed in their order.
    pub(crate) deliver_in_order: bool,
    /// A new process takes over what is staged.
    pub(crate) adopt: bool,
    /// A new process asks the tables which commits of staged cuts were made.
    pub(crate) look_before_adoption: bool,
    /// Replay skips what is not above the position of the table and of what is staged.
    pub(crate) replay_from_position: bool,
    /// The end of the last window is read from tables and staged blocks on opening.
    pub(crate) window_survives: bool,
}

impl Rules {
    /// As designed.
    pub(crate) const DESIGN: Rules = Rules {
        sync_before_ack: true,
        carry: true,
        carry_before_staging: true,
        carry_keeps_rank: true,
        return_keeps_rank: true,
        series_first: true,
        look_before_retry: true,
        seal_before_drop: true,
        deliver_in_order: true,
        adopt: true,
        look_before_adoption: true,
        replay_from_position: true,
        window_survives: true,
    };
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A batch reaches the journal; `(series, time relative to now)`.
    Append(Vec<Key>),
    /// The group is synced, put into the head and answered.
    Sync,
    /// The sync fails: the segment is closed, the writers get the error.
    SyncFails,
    /// The cut moves on by one step towards the staging folder, or begins.
    Cut,
    /// The next commit of a staged cut is made. As long as none of these comes, the bucket is away.
    Deliver,
    /// As `Deliver`, but the process is told that it failed.
    DeliverAnswerLost,
    /// Time passes.
    Tick(i64),
    /// The process dies and another opens the store.
    Kill,
    /// The power fails: of the unsynced records `keep` have reached the disk, of those whose sync failed, and of unsynced
    /// manifests, the ones in the mask.
    PowerCut { keep: usize, mask: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safety {
    Written,
    Synced,
    SyncFailed,
}

#[derive(Debug, Clone)]
struct Record {
    position: u64,
    safety: Safety,
    rows: Vec<(Key, Rank, u64)>,
    carried: bool,
}

#[derive(Debug, Clone)]
struct Block {
    generation: usize,
    window: Option<(i64, i64)>,
    date: i64,
    rows: BTreeMap<Key, u64>,
}

/// The blocks of a cut in the staging folder.
#[derive(Debug, Clone)]
struct Staged {
    position: u64,
    window: (i64, i64),
    rows: BTreeMap<Key, u64>,
    /// Whether the manifest is synced.
    sealed: bool,
    /// The commits made, as far as the process knows.
    series_done: bool,
    samples_done: bool,
}

/// What is on stable storage or, for journal and manifests, on its way there.
#[derive(Debug, Default)]
struct Disk {
    records: Vec<Record>,
    next_position: u64,
    staged: Vec<Staged>,
    blocks: Vec<Block>,
    /// (series, date) of each row of the table `series`.
    series: Vec<(u8, i64)>,
    samples_position: u64,
    series_position: u64,
    window_end: i64,
    generations: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// All rows are frozen.
    Barrier,
    /// Those that stay are back in the head.
    Settled,
    CarryWritten,
    CarrySynced,
    ManifestWritten,
}

/// A cut on its way to the staging folder. Its rows are frozen: queries still see them here.
#[derive(Debug)]
struct Cut {
    phase: Phase,
    position: u64,
    window: (i64, i64),
    /// The late dates that leave.
    late: BTreeSet<i64>,
    frozen: Rows,
    /// The rows that stay, as they are at the barrier; once it is settled.
    stays: Rows,
}

/// A node and its disk.
#[derive(Debug)]
pub(crate) struct World {
    rules: Rules,
    disk: Disk,
    head: Rows,
    /// Records appended and not yet synced, with the writes that wait for them.
    group: Vec<(usize, Option<WriteId>)>,
    cut: Option<Cut>,
    window_end: i64,
    now: i64,
    next_value: u64,
    /// What must hold.
    pub(crate) truth: Reference<Key>,
}

fn is_late(window: (i64, i64), key: &Key) -> bool {
    key.1 < window.0 || key.1 > window.1 + AHEAD
}

impl World {
    pub(crate) fn new(rules: Rules) -> Self {
        let disk = Disk { next_position: 1, ..Disk::default() };
        let (head, group) = (Rows::new(), Vec::new());
        let truth = Reference::new();
        World { rules, disk, head, group, cut: None, window_end: 0, now: 40, next_value: 1, truth }
    }

    /// Takes a step and checks that all that must hold does.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Append(keys) => self.append(keys),
            Step::Sync => self.sync(),
            Step::SyncFails => self.sync_fails(),
            Step::Cut => self.cut(),
            Step::Deliver => self.deliver(false),
            Step::DeliverAnswerLost => self.deliver(true),
            Step::Tick(by) => self.now += by,
            Step::Kill => self.restart(None),
            Step::PowerCut { keep, mask } => self.restart(Some((*keep, *mask))),
        }
        self.check()
    }

    fn append(&mut self, keys: &[Key]) {
        let position = self.disk.next_position;
        let mut rows = Vec::new();
        for (place, (series, time)) in keys.iter().enumerate() {
            rows.push(((*series, self.now + time), (position, place), self.next_value));
            self.next_value += 1;
        }
        let batch: Vec<(Key, u64)> = rows.iter().map(|(key, _, value)| (*key, *value)).collect();
        let write = self.truth.issue(&batch);
        self.record(rows, false, Some(write));
        if !self.rules.sync_before_ack {
            self.truth.settle(write, Outcome::Acked);
            self.apply(self.disk.records.len() - 1);
        }
    }

    fn record(&mut self, rows: Vec<(Key, Rank, u64)>, carried: bool, write: Option<WriteId>) {
        let position = self.disk.next_position;
        self.disk.next_position += 1;
        self.group.push((self.disk.records.len(), write));
        self.disk.records.push(Record { position, safety: Safety::Written, rows, carried });
    }

    fn sync(&mut self) {
        for (at, write) in std::mem::take(&mut self.group) {
            self.disk.records[at].safety = Safety::Synced;
            match write {
                Some(write) => {
                    self.apply(at);
                    self.truth.settle(write, Outcome::Acked);
                }
                // Carried rows are in the head already.
                None => self.carry_is_synced(),
            }
        }
    }

    fn carry_is_synced(&mut self) {
        if let Some(cut) = &mut self.cut
            && cut.phase == Phase::CarryWritten
        {
            cut.phase = Phase::CarrySynced;
        }
    }

    fn sync_fails(&mut self) {
        for (at, write) in std::mem::take(&mut self.group) {
            self.disk.records[at].safety = Safety::SyncFailed;
            match write {
                Some(write) if self.rules.sync_before_ack => self.truth.settle(write, Outcome::Unknown),
                Some(_) => {}
                // The cut is given up: its rows go back.
                None => {
                    for (key, (rank, value)) in self.cut.take().into_iter().flat_map(|cut| cut.frozen) {
                        self.keep(key, rank, value);
                    }
                }
            }
        }
    }

    /// Puts the rows of a record into the head, where a higher rank stays.
    fn apply(&mut self, at: usize) {
        let record = self.disk.records[at].clone();
        for (place, (key, rank, value)) in record.rows.into_iter().enumerate() {
            let rank = if record.carried && !self.rules.carry_keeps_rank { (record.position, place) } else { rank };
            self.keep(key, rank, value);
        }
    }

    fn keep(&mut self, key: Key, rank: Rank, value: u64) {
        if self.head.get(&key).is_none_or(|(old, _)| *old <= rank) {
            self.head.insert(key, (rank, value));
        }
    }

    fn cut(&mut self) {
        let Some(cut) = &mut self.cut else { return self.barrier() };
        match cut.phase {
            Phase::Barrier => self.settle(),
            Phase::Settled if self.rules.carry && self.rules.carry_before_staging => self.write_carried(),
            Phase::Settled => cut.phase = Phase::CarrySynced,
            Phase::CarryWritten => self.sync(),
            Phase::CarrySynced => {
                let rows = cut.frozen.iter().map(|(key, (_, value))| (*key, *value)).collect();
                let (position, window) = (cut.position, cut.window);
                let (series_done, samples_done) = (false, false);
                self.disk.staged.push(Staged { position, window, rows, sealed: false, series_done, samples_done });
                cut.phase = Phase::ManifestWritten;
            }
            Phase::ManifestWritten => self.seal(),
        }
    }

    /// The manifest is synced: the rows leave memory, and the journal may be dropped.
    fn seal(&mut self) {
        let Some(mut cut) = self.cut.take() else { return };
        if let Some(staged) = self.disk.staged.last_mut() {
            staged.sealed = true;
        }
        self.window_end = cut.window.1;
        self.drop_generations(cut.position);
        self.truth.cut_done();
        if self.rules.carry && !self.rules.carry_before_staging {
            let stays = std::mem::take(&mut cut.stays);
            if !stays.is_empty() {
                self.record(stays.into_iter().map(|(key, (rank, value))| (key, rank, value)).collect(), true, None);
            }
        }
    }

    /// Makes the next commit of the staged cut whose turn it is.
    fn deliver(&mut self, lose_answer: bool) {
        let sealed = |staged: &Staged| staged.sealed;
        let at = match self.rules.deliver_in_order {
            true => self.disk.staged.iter().position(sealed),
            false => self.disk.staged.iter().rposition(sealed),
        };
        let Some(at) = at else { return };
        let staged = self.disk.staged[at].clone();
        let first = !(staged.series_done || staged.samples_done);
        let is_series = first == self.rules.series_first;
        let done = if is_series { self.disk.series_position } else { self.disk.samples_position } >= staged.position;
        if !(done && self.rules.look_before_retry) {
            self.write_commit(&staged, is_series);
        }
        if lose_answer {
            return;
        }
        let known = &mut self.disk.staged[at];
        if is_series {
            known.series_done = true;
        } else {
            known.samples_done = true;
        }
        if known.series_done && known.samples_done {
            self.disk.staged.remove(at);
        }
    }

    /// Takes the head at P, the last position that is in it.
    fn barrier(&mut self) {
        self.truth.cut_begins();
        let in_flight = self.group.first().map(|(at, _)| self.disk.records[*at].position);
        let position = in_flight.unwrap_or(self.disk.next_position) - 1;
        let end = ((self.now - 1).div_euclid(QUARTER) * QUARTER).max(self.window_end);
        let window = (self.window_end, end);
        let late = self.head.keys().filter(|key| is_late(window, key)).map(|key| key.1.div_euclid(DAY));
        let late: BTreeSet<i64> = late.collect::<BTreeSet<_>>().into_iter().take(LATE_DATES).collect();
        let (frozen, stays) = (std::mem::take(&mut self.head), Rows::new());
        self.cut = Some(Cut { phase: Phase::Barrier, position, window, late, frozen, stays });
        if !self.rules.seal_before_drop {
            self.drop_generations(position);
        }
    }

    /// Gives back to the head what stays.
    fn settle(&mut self) {
        let Some(mut cut) = self.cut.take() else { return };
        let moves = |key: &Key| match is_late(cut.window, key) {
            true => cut.late.contains(&key.1.div_euclid(DAY)),
            false => key.1 < cut.window.1,
        };
        (cut.frozen, cut.stays) = std::mem::take(&mut cut.frozen).into_iter().partition(|(key, _)| moves(key));
        for (key, (rank, value)) in &cut.stays {
            if !self.rules.return_keeps_rank {
                self.head.remove(key);
            }
            self.keep(*key, *rank, *value);
        }
        cut.phase = Phase::Settled;
        self.cut = Some(cut);
    }

    /// Appends the rows that stay, as they were at the barrier, above P.
    fn write_carried(&mut self) {
        let Some(cut) = &mut self.cut else { return };
        let stays = std::mem::take(&mut cut.stays);
        cut.phase = if stays.is_empty() { Phase::CarrySynced } else { Phase::CarryWritten };
        if !stays.is_empty() {
            self.record(stays.into_iter().map(|(key, (rank, value))| (key, rank, value)).collect(), true, None);
        }
    }

    /// One atomic commit: the rows of a table and P.
    fn write_commit(&mut self, staged: &Staged, is_series: bool) {
        if is_series {
            let known: BTreeSet<(u8, i64)> = self.disk.series.iter().copied().collect();
            let wanted: BTreeSet<(u8, i64)> = staged.rows.keys().map(|k| (k.0, k.1.div_euclid(DAY))).collect();
            self.disk.series.extend(wanted.difference(&known));
            self.disk.series_position = staged.position;
            return;
        }
        self.disk.generations += 1;
        let generation = self.disk.generations;
        let mut blocks: BTreeMap<(i64, bool), Block> = BTreeMap::new();
        for (key, value) in &staged.rows {
            let (date, late) = (key.1.div_euclid(DAY), !(staged.window.0..staged.window.1).contains(&key.1));
            let window = (!late).then_some(staged.window);
            let new = || Block { generation, window, date, rows: BTreeMap::new() };
            blocks.entry((date, late)).or_insert_with(new).rows.insert(*key, *value);
        }
        self.disk.blocks.extend(blocks.into_values());
        self.disk.samples_position = staged.position;
        self.disk.window_end = staged.window.1;
    }

    /// Whole generations only, and only those below P.
    fn drop_generations(&mut self, position: u64) {
        let above = (position + 1) / GENERATION * GENERATION;
        let before = self.disk.records.len();
        self.disk.records.retain(|record| record.position >= above || record.safety == Safety::Written);
        let dropped = before - self.disk.records.len();
        for (at, _) in &mut self.group {
            *at -= dropped;
        }
    }

    fn restart(&mut self, power_cut: Option<(usize, u32)>) {
        if let Some((keep, mask)) = power_cut {
            let (mut kept, mut failed) = (0, 0);
            self.disk.records.retain(|record| match record.safety {
                Safety::Synced => true,
                Safety::Written => {
                    kept += 1;
                    kept <= keep
                }
                Safety::SyncFailed => {
                    failed += 1;
                    mask >> (failed % 32) & 1 == 1
                }
            });
            // Only the newest manifest can be unsynced.
            self.disk.staged.retain(|staged| staged.sealed || mask & 1 == 1);
        }
        self.group.clear();
        self.head.clear();
        self.cut = None;
        self.adopt();
        self.truth.restarted(power_cut.is_some());
        let staged = self.disk.staged.last().map_or(0, |staged| staged.position);
        let in_blocks = self.disk.samples_position.max(staged);
        for at in 0..self.disk.records.len() {
            // What replay has read is synced before anything builds on it.
            self.disk.records[at].safety = Safety::Synced;
            if self.disk.records[at].position > in_blocks || !self.rules.replay_from_position {
                self.apply(at);
            }
        }
        let last = self.disk.records.last().map_or(0, |r| r.position);
        let committed = in_blocks.max(self.disk.series_position);
        self.disk.next_position = self.disk.next_position.max(last.max(committed) + 1);
    }

    /// Takes over the staged cuts whose commits are not all in the tables.
    fn adopt(&mut self) {
        if !self.rules.adopt {
            self.disk.staged.clear();
        }
        let (series, samples) = (self.disk.series_position, self.disk.samples_position);
        let look = self.rules.look_before_adoption;
        for staged in &mut self.disk.staged {
            // Opening syncs the folder.
            staged.sealed = true;
            staged.series_done = look && series >= staged.position;
            staged.samples_done = look && samples >= staged.position;
        }
        self.disk.staged.retain(|staged| !(staged.series_done && staged.samples_done));
        let staged = self.disk.staged.last().map_or(0, |staged| staged.window.1);
        self.window_end = if self.rules.window_survives { self.disk.window_end.max(staged) } else { self.now - DAY };
    }

    fn check(&mut self) -> Result<(), String> {
        let mut seen: BTreeMap<Key, u64> = BTreeMap::new();
        let mut stored: BTreeMap<Key, usize> = BTreeMap::new();
        let mut by_generation: Vec<&Block> = self.disk.blocks.iter().collect();
        by_generation.sort_by_key(|block| block.generation);
        for (key, value) in by_generation.iter().flat_map(|block| &block.rows) {
            *stored.entry(*key).or_default() += 1;
            seen.insert(*key, *value);
        }
        // Between the commit of the samples and the answer the rows are in both, under one name of a file: a query takes
        // one picture or the other. So it does between manifest and seal.
        let committed = |staged: &&Staged| staged.samples_done || self.disk.samples_position >= staged.position;
        for (key, value) in
            self.disk.staged.iter().filter(|staged| staged.sealed && !committed(staged)).flat_map(|staged| &staged.rows)
        {
            *stored.entry(*key).or_default() += 1;
            seen.insert(*key, *value);
        }
        let frozen = self.cut.iter().flat_map(|cut| &cut.frozen);
        for (key, (_, value)) in frozen.chain(&self.head) {
            *stored.entry(*key).or_default() += 1;
            seen.insert(*key, *value);
        }
        self.truth.observe(&seen)?;
        self.truth.count(&stored)?;
        self.check_blocks()
    }

    fn check_blocks(&self) -> Result<(), String> {
        let blocks = &self.disk.blocks;
        for (at, block) in blocks.iter().enumerate() {
            let Some(window) = block.window else { continue };
            if let Some(key) = block.rows.keys().find(|key| !(window.0..window.1).contains(&key.1)) {
                return Err(format!("{key:?} is outside the window {window:?} of its block"));
            }
            let overlaps = |other: &&Block| {
                let theirs = other.window.unwrap_or((0, 0));
                other.date == block.date && theirs.0 < window.1 && window.0 < theirs.1
            };
            if let Some(other) = blocks[at + 1..].iter().find(overlaps) {
                return Err(format!("windows {window:?} and {:?} overlap", other.window));
            }
        }
        let mut series = self.disk.series.clone();
        series.sort_unstable();
        if series.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(format!("a series twice on a date in {series:?}"));
        }
        let orphan = blocks.iter().flat_map(|b| b.rows.keys().map(|k| (k.0, b.date))).find(|key| !series.contains(key));
        orphan.map_or(Ok(()), |key| Err(format!("samples of {key:?} without their series")))
    }
}
