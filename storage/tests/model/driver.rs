//! Runs the real store through a history on a simulated disk, and compares it with the reference after every step.
//!
//! Owns: one case: disk, clock, the lives of the process one after the other, what was written.
//! Does not own: which histories are drawn (`histories`), what must hold (`reference`, `check`).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::files::sim::{Fate, SimDisk};
use model::time::{MAX_TIME_MS, MIN_TIME_MS, ManualClock};
use model::{Clock, Error, ErrorKind, Ingest};
use storage::store::Parts;
use storage::{Config, Snapshot, Store, Table};
use tokio::runtime::Runtime;

use crate::check;
use crate::columnar::{Batches, Columnar, Parcel};
use crate::columnar_read::{Seed, logs, spans};
use crate::life::{Dice, Fault, Life};
use crate::read::{Picture, Reader};
use crate::reference::{Outcome, Reference, WriteId};
use crate::sender::{Lot, Planned, Sender, What, When};
use crate::series::{Key, Row, batch, identity};

/// 2026-11-22T10:20:00Z.
const START_MS: i64 = 1_795_342_800_000;
/// How long nobody writes between two cuts of [`Step::Quiet`].
const QUIET_MS: i64 = 30 * 60_000;
/// How long a file that nobody needs is there before it may go, and a little.
const TIDY_MS: i64 = 61 * 60_000;
/// How often a query lets others go first before it looks again.
const PACE: usize = 40;
/// An operation that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often what happened in a case.
pub(crate) type Tally = BTreeMap<&'static str, usize>;

/// One step of a history.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Write(Lot),
    /// Batches in flight at once.
    Together(Vec<Lot>, Vec<Parcel>),
    /// One row on each of so many days.
    Wide {
        stamp: usize,
        series: usize,
        days: i64,
    },
    /// A batch of which one row has a time no table can hold.
    Unacceptable(Lot),
    Cut,
    /// Logs and spans leave, rows of series stay; and batches while that goes on.
    CutColumns(Vec<Parcel>),
    /// Everything up to now leaves.
    CutUnderPressure,
    /// Checkpoints of all tables, and files that nobody needs are removed; then once more when they have been so for long.
    Tidy,
    /// So many times half an hour in which nobody writes, a cut at the end of each: series leave memory.
    Quiet(usize),
    /// A cut, and batches while it runs.
    CutDuring(Vec<Lot>, Vec<Parcel>),
    Advance(i64),
    /// Takes a snapshot, which is read at the end of this life.
    Hold,
    Kill,
    PowerCut(u64),
    /// Closes the store and opens it again.
    Close,
    Trouble(Fault),
    /// The bucket cannot be reached, or can again. A new process always reaches it.
    Away(bool),
    /// As `Trouble`, but in the next life, which it may meet while the store opens.
    TroubleNext(Fault),
}

/// What cut a step makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    None,
    Regular,
    UnderPressure,
    Columns,
}

/// What was seen at some instant, and how many writes there were.
#[derive(Debug, Clone, Default)]
struct Sight {
    seen: BTreeMap<Key, u64>,
    writes: usize,
    batches: Batches,
    parcels: usize,
}

/// A snapshot, and what was seen of it when it was taken.
struct Held {
    snapshot: Snapshot,
    sight: Sight,
}

/// The running process.
struct Process {
    // Dropped before the runtime that its tasks run on.
    store: Option<Store>,
    held: Vec<Held>,
    reader: Reader,
    life: Life,
    runtime: Runtime,
}

/// One history under way.
pub(crate) struct Case {
    disk: SimDisk,
    clock: Arc<ManualClock>,
    process: Option<Process>,
    truth: Reference<Key>,
    sender: Sender,
    columnar: Columnar,
    /// What the last observation of this life saw.
    last: Option<Sight>,
    /// How often what happened.
    pub(crate) tally: Tally,
    /// Whether no write and no cut has failed since a test last set this, and the last error.
    answered_well: bool,
    last_error: String,
    /// A fault has happened in a life that is over.
    hurt: bool,
    /// A fault that waits for the next life.
    fault_to_come: Option<Fault>,
    /// What becomes of unsynced changes at the death of the process that a fault has planned.
    fates_at_death: Option<u64>,
}

impl Case {
    /// A case with an empty disk, the store open. Already this first opening may meet `fault`.
    pub(crate) fn new(fault: Option<Fault>, fates_at_death: Option<u64>) -> Result<Self, String> {
        let mut case = Case {
            disk: SimDisk::new(),
            clock: Arc::new(ManualClock::new(START_MS)),
            process: None,
            truth: Reference::new(),
            sender: Sender::default(),
            columnar: Columnar::new(),
            last: None,
            tally: Tally::new(),
            answered_well: true,
            last_error: String::new(),
            hurt: false,
            fault_to_come: fault,
            fates_at_death,
        };
        case.open()?;
        Ok(case)
    }

    /// Whether a fault has happened in any life so far.
    pub(crate) fn is_hurt(&self) -> bool {
        self.hurt || self.process.as_ref().is_some_and(|process| process.life.was_hurt())
    }

    /// Takes a step and checks that all that must hold does.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Write(lot) => self.write(std::slice::from_ref(lot), &[], Cut::None)?,
            Step::Together(lots, parcels) => self.write(lots, parcels, Cut::None)?,
            Step::CutDuring(lots, parcels) => self.write(lots, parcels, Cut::Regular)?,
            Step::CutColumns(parcels) => self.write(&[], parcels, Cut::Columns)?,
            Step::Wide { stamp, series, days } => {
                let row = |day: i64| Planned { series: *series, when: When::Days(-day), what: What::Decimal };
                self.write(&[Lot { stamp: *stamp, rows: (0..*days).map(row).collect() }], &[], Cut::None)?;
            }
            Step::Unacceptable(lot) => self.write_unacceptable(lot)?,
            Step::Cut => self.write(&[], &[], Cut::Regular)?,
            Step::CutUnderPressure => self.write(&[], &[], Cut::UnderPressure)?,
            Step::Tidy => {
                self.tidy()?;
                self.clock.advance(TIDY_MS);
                self.tidy()?;
            }
            Step::Quiet(times) => {
                for _ in 0..*times {
                    self.clock.advance(QUIET_MS);
                    self.write(&[], &[], Cut::Regular)?;
                }
            }
            Step::Advance(by_ms) => self.clock.advance(*by_ms),
            Step::Hold => self.hold()?,
            Step::Kill => return self.restart(None),
            Step::PowerCut(seed) => return self.restart(Some(*seed)),
            Step::Close => return self.close(),
            Step::Trouble(fault) => self.process()?.life.arm(*fault),
            Step::TroubleNext(fault) => self.fault_to_come = Some(*fault),
            Step::Away(away) => self.process()?.life.set_away(*away),
        }
        if self.process()?.life.is_dead() {
            return self.restart(self.fates_at_death);
        }
        self.observe(matches!(
            step,
            Step::Cut
                | Step::CutUnderPressure
                | Step::Tidy
                | Step::Quiet(_)
                | Step::CutDuring(..)
                | Step::CutColumns(_)
        ))
    }

    /// The end of a history: no fault from now on, all rows into blocks, and the next process must find them.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.fault_to_come = None;
        self.process()?.life.disarm();
        self.process()?.life.set_away(false);
        if self.process()?.life.was_hurt() {
            self.recover()?;
            self.restart(None)?;
        }
        self.close()?;
        self.step(&Step::PowerCut(0))
    }

    /// Once calls no longer fail, the store takes rows and cuts again, without another process and after few attempts.
    fn recover(&mut self) -> Result<(), String> {
        let row = Planned { series: 0, when: When::Steps(0), what: What::Decimal };
        let lot = Lot { stamp: 0, rows: vec![row] };
        let works = |case: &mut Self, step: &Step| {
            case.answered_well = true;
            case.step(step).map(|()| case.answered_well)
        };
        for (step, name) in [(Step::Write(lot), "write"), (Step::Cut, "cut")] {
            let mut worked = false;
            for _ in 0..3 {
                worked = worked || works(self, &step)?;
            }
            if !worked {
                return Err(format!("the store does not recover: {name} goes on failing: {}", self.last_error));
            }
        }
        Ok(())
    }

    fn process(&mut self) -> Result<&mut Process, String> {
        self.process.as_mut().ok_or_else(|| "no process".to_owned())
    }

    fn open(&mut self) -> Result<(), String> {
        let life = Life::new(self.disk.clone());
        if let Some(fault) = self.fault_to_come.take() {
            life.arm(fault);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let parts = Parts { files: Arc::new(life.clone()), clock: self.clock.clone() };
        let opened = patiently(&runtime, "open", Store::open(config(), parts))?;
        let hurt = life.was_hurt() || life.is_dead();
        let (held, reader) = (Vec::new(), Reader::default());
        match opened {
            Ok(store) => {
                self.process = Some(Process { store: Some(store), held, reader, life, runtime });
                Ok(())
            }
            // The fault was ours: the next life has none.
            Err(_) if hurt => {
                self.process = Some(Process { store: None, held, reader, life, runtime });
                self.restart(self.fates_at_death)
            }
            Err(error) => Err(format!("the store does not open: {:?}: {error}", error.kind())),
        }
    }

    /// Ends the process and starts the next, which must find what it should.
    fn restart(&mut self, power_cut: Option<u64>) -> Result<(), String> {
        *self.tally.entry(if power_cut.is_some() { "power cuts" } else { "kills" }).or_default() += 1;
        if let Some(process) = self.process.take() {
            *self.tally.entry("deaths by a fault").or_default() += usize::from(process.life.is_dead());
            *self.tally.entry("lives hurt").or_default() += usize::from(process.life.was_hurt());
            process.life.end();
            self.hurt |= process.life.was_hurt();
            let Process { store, held, runtime, .. } = process;
            drop((store, held));
            runtime.shutdown_timeout(PATIENCE);
        }
        if let Some(seed) = power_cut {
            let mut dice = Dice(seed);
            // All is lost, all is kept, or each change has its own fate.
            self.disk.power_cut(|| match (seed % 4, dice.roll(3)) {
                (0, _) => Fate::Lost,
                (1, _) => Fate::Kept,
                (_, 0) => Fate::Lost,
                (_, 1) => Fate::Kept,
                _ => Fate::Torn(dice.roll(96) as usize),
            });
        }
        self.truth.restarted(power_cut.is_some());
        self.columnar.restarted(power_cut.is_some());
        self.last = None;
        self.open()?;
        self.observe(false)
    }

    fn close(&mut self) -> Result<(), String> {
        let process = self.process()?;
        let Some(store) = process.store.clone() else { return Err("no store".into()) };
        self.truth.cut_begins();
        self.columnar.cut_begins();
        let process = self.process()?;
        let closed = patiently(&process.runtime, "close", store.close())?;
        drop(store);
        match closed {
            Ok(()) if !process.life.is_dead() => {
                self.truth.cut_done();
                self.columnar.cut_done();
            }
            Err(error) => blame_away(&process.life, "close", &error)?,
            Ok(()) => {}
        }
        let fates = if self.process()?.life.is_dead() { self.fates_at_death } else { None };
        self.restart(fates)
    }

    fn hold(&mut self) -> Result<(), String> {
        let (writes, parcels) = (self.sender.writes(), self.columnar.writes());
        let process = self.process()?;
        let Some(store) = &process.store else { return Err("no store".into()) };
        let (snapshot, now) = (store.snapshot(), store.snapshot());
        process.life.pause(true);
        let picture = patiently(&process.runtime, "read", process.reader.read(&now))?;
        process.life.pause(false);
        match picture {
            Ok(picture) => {
                let ((seen, _), batches) = (picture.merged()?, self.columnar.batches_of(&picture.seeds())?);
                let sight = Sight { seen, writes, batches, parcels };
                self.process()?.held.push(Held { snapshot, sight });
                Ok(())
            }
            Err(_) if process.life.is_dead() => Ok(()),
            Err(wrong) => Err(wrong),
        }
    }

    /// Reads the store, and the held snapshots if they may have suffered, and compares.
    fn observe(&mut self, read_held: bool) -> Result<(), String> {
        let process = self.process()?;
        let Some(store) = &process.store else { return Err("no store".into()) };
        process.life.pause(true);
        let snapshot = store.snapshot();
        let picture = patiently(&process.runtime, "read", process.reader.read(&snapshot))?;
        let again = |held: &Held| patiently(&process.runtime, "read", Reader::default().read(&held.snapshot))?;
        let held: Vec<_> = process.held.iter().filter(|_| read_held).map(again).collect();
        process.life.pause(false);
        if process.life.is_dead() {
            return Ok(());
        }
        let picture = picture?;
        let (seen, stored) = picture.merged()?;
        check::check_last(&snapshot.last_samples(), &seen, &self.sender.written)?;
        self.truth.observe(&seen)?;
        self.truth.count(&stored)?;
        check::check(&picture, &seen)?;
        let batches = self.columnar.batches_of(&picture.seeds())?;
        self.columnar.observe(&batches)?;
        let evicted = self.process()?.store.as_ref().map_or(0, |store| store.stats().series_evicted);
        for (name, most) in picture.sizes().into_iter().chain([("most series evicted in a life", evicted as usize)]) {
            let entry = self.tally.entry(name).or_default();
            *entry = most.max(*entry);
        }
        for (at, now) in held.into_iter().enumerate() {
            let compared = now.and_then(|now| self.compare_held(at, &now));
            compared.map_err(|wrong| format!("held snapshot {at}: {wrong}"))?;
        }
        self.last = Some(Sight { seen, batches, ..Sight::default() });
        Ok(())
    }

    fn compare_held(&self, at: usize, now: &Picture) -> Result<(), String> {
        let Some(held) = self.process.as_ref().and_then(|process| process.held.get(at)) else { return Ok(()) };
        let ((seen, _), batches) = (now.merged()?, self.columnar.batches_of(&now.seeds())?);
        self.compare(&held.sight, &seen, &batches)
    }

    /// A snapshot shows what was seen when there were so many writes; rows written since may show too.
    fn compare(&self, sight: &Sight, now: &BTreeMap<Key, u64>, batches: &Batches) -> Result<(), String> {
        self.columnar.compare(&sight.batches, sight.parcels, batches)?;
        let Sight { seen, writes, .. } = sight;
        let written_since =
            |key: &Key, bits: u64| self.sender.written.iter().any(|(w, k, b)| w >= writes && k == key && *b == bits);
        for (key, bits) in seen {
            match now.get(key) {
                None => return Err(format!("{key:?} is gone")),
                Some(now) if now != bits && !written_since(key, *now) => {
                    return Err(format!("{key:?} has changed from {bits:#x} to {now:#x}"));
                }
                Some(_) => {}
            }
        }
        let fresh = now.iter().find(|(key, bits)| !seen.contains_key(*key) && !written_since(key, **bits));
        fresh.map_or(Ok(()), |(key, _)| Err(format!("{key:?} came from nowhere")))
    }

    /// What queries saw while a cut ran: all that was there before, and each row once.
    fn compare_passing(
        &mut self,
        pictures: Vec<Result<Picture, String>>,
        (writes, parcels): (usize, usize),
    ) -> Result<(), String> {
        let life = &self.process()?.life;
        let hurt = life.was_hurt() || life.is_away();
        for picture in pictures {
            let picture = match picture {
                Ok(picture) => picture,
                Err(_) if hurt => continue,
                Err(wrong) => return Err(format!("while a cut ran: {wrong}")),
            };
            *self.tally.entry("pictures while a cut ran").or_default() += 1;
            let (seen, stored) = picture.merged()?;
            // The head is live: the index must know what was there when the snapshot was taken, later rows it may not.
            let before = self.last.clone().map(|last| Sight { writes, parcels, ..last });
            let known = before.as_ref().map(|before| before.seen.clone()).unwrap_or_default();
            let mut checked = self.truth.count(&stored).and_then(|()| check::check(&picture, &known));
            checked = checked.and_then(|()| {
                let batches = self.columnar.batches_of(&picture.seeds())?;
                self.columnar.may_be(&batches)?;
                before.map_or(Ok(()), |before| self.compare(&before, &seen, &batches))
            });
            checked.map_err(|wrong| format!("while a cut ran: {wrong}"))?;
        }
        Ok(())
    }

    fn write(&mut self, lots: &[Lot], parcels: &[Parcel], cut: Cut) -> Result<(), String> {
        let now = self.clock.now_ms();
        let planned: Vec<(Option<&str>, Vec<Row>)> =
            lots.iter().map(|lot| (lot.stamp(), self.sender.rows(lot, now))).collect();
        let keyed: Vec<Vec<(Key, u64)>> = planned.iter().map(|(stamp, rows)| keyed(*stamp, rows)).collect();
        let sent: Vec<Vec<Seed>> = parcels.iter().map(|parcel| self.columnar.seeds(parcel, now)).collect();
        self.truth.cut_begins();
        self.columnar.cut_begins();
        let before = (self.sender.writes(), self.columnar.writes());
        let sent_ids = self.columnar.issue(&sent);
        let ids = self.truth.issue_group(&keyed);
        for (id, rows) in ids.iter().zip(keyed) {
            self.sender.written.extend(rows.into_iter().map(|(key, bits)| (*id, key, bits)));
        }
        let process = self.process()?;
        let Some(store) = process.store.clone() else { return Err("no store".into()) };
        let batches = planned.iter().map(|(stamp, rows)| batch(*stamp, rows));
        let writes = futures::future::join_all(batches.map(|batch| store.write(batch)));
        let sending = futures::future::join_all(sent.iter().map(|seeds| send(&store, seeds)));
        let cutting = async {
            match cut {
                Cut::None => Ok(0),
                Cut::Regular => store.cut().await,
                Cut::UnderPressure => store.cut_under_pressure().await,
                Cut::Columns => store.cut_columns().await,
            }
        };
        let reading = pass_by(&store, &mut process.reader, if cut == Cut::None { 0 } else { 3 });
        let all = async { futures::join!(cutting, writes, sending, reading) };
        let (was_cut, answers, sent_answers, pictures) = patiently(&process.runtime, "write or cut", all)?;
        let life = process.life.clone();
        for ((id, answer), (_, rows)) in ids.iter().zip(answers).zip(&planned) {
            match answer {
                Ok(receipt) if receipt.samples == rows.len() => {
                    *self.tally.entry("writes acknowledged").or_default() += 1;
                    self.truth.settle(*id, Outcome::Acked);
                }
                Ok(receipt) => return Err(format!("{receipt:?} for a batch of {} rows", rows.len())),
                Err(error) => {
                    blame(&life, "write", &error)?;
                    *self.tally.entry("writes failed").or_default() += 1;
                    (self.answered_well, self.last_error) = (false, error.to_string());
                    self.truth.settle(*id, outcome_of(&error, &life));
                }
            }
        }
        for (id, answer) in sent_ids.into_iter().zip(sent_answers) {
            self.sent(id, answer, &life)?;
        }
        self.was_cut(cut, was_cut, &store, &life, parcels.is_empty())?;
        self.compare_passing(pictures, before)
    }

    /// Notes what the sender of a batch of logs or spans was told.
    fn sent(&mut self, id: WriteId, answer: Result<(), Error>, life: &Life) -> Result<(), String> {
        let outcome = match answer {
            Ok(()) => {
                *self.tally.entry("batches of logs and spans acknowledged").or_default() += 1;
                Outcome::Acked
            }
            Err(error) => {
                blame(life, "write of logs or spans", &error)?;
                *self.tally.entry("batches of logs and spans failed").or_default() += 1;
                (self.answered_well, self.last_error) = (false, error.to_string());
                outcome_of(&error, life)
            }
        };
        self.columnar.settle(id, outcome);
        Ok(())
    }

    /// Notes what became of a cut. `alone` if no logs or spans were written meanwhile.
    fn was_cut(
        &mut self,
        cut: Cut,
        outcome: Result<u64, Error>,
        store: &Store,
        life: &Life,
        alone: bool,
    ) -> Result<(), String> {
        if life.is_away() && !life.was_hurt() && store.stats().staged_blocks > 0 {
            *self.tally.entry("staged while the bucket was away").or_default() += 1;
        }
        match outcome {
            Ok(moved) if cut != Cut::None && !life.is_dead() => {
                if store.stats().staged_blocks > 0 {
                    return Err("a cut came through and left staged blocks behind".into());
                }
                let name = match cut {
                    Cut::Columns => "cuts of logs and spans alone",
                    Cut::UnderPressure => "cuts under pressure",
                    _ => "cuts",
                };
                *self.tally.entry(name).or_default() += 1;
                let stays = |table: &Table| !store.snapshot().head_columns(*table).is_empty();
                if alone && moved > 0 && [Table::Logs, Table::Spans].iter().any(stays) {
                    *self.tally.entry("cuts that carried logs or spans").or_default() += 1;
                }
                // A cut of logs and spans alone says nothing of the others, nor does one that took nothing say anything.
                if cut != Cut::Columns {
                    self.truth.cut_done();
                    if moved > 0 {
                        self.columnar.cut_done();
                    }
                }
            }
            Ok(_) => {}
            Err(error) => {
                blame_away(life, "cut", &error)?;
                *self.tally.entry("cuts failed").or_default() += 1;
                (self.answered_well, self.last_error) = (false, error.to_string());
            }
        }
        Ok(())
    }

    /// What the store does of its own accord beside cuts. Nothing that can be seen may change.
    fn tidy(&mut self) -> Result<(), String> {
        let process = self.process()?;
        let Some(store) = process.store.clone() else { return Err("no store".into()) };
        let tidying = async { store.checkpoint().await.and(store.expire().await) };
        let name = match patiently(&process.runtime, "tidying", tidying)? {
            Ok(0) => "times tidied up",
            Ok(blocks) => return Err(format!("{blocks} blocks have expired")),
            Err(error) => {
                blame_away(&process.life, "tidying", &error)?;
                "times tidying failed"
            }
        };
        *self.tally.entry(name).or_default() += 1;
        Ok(())
    }

    fn write_unacceptable(&mut self, lot: &Lot) -> Result<(), String> {
        let stamp = lot.stamp();
        let mut rows = self.sender.rows(lot, self.clock.now_ms());
        let Some(row) = rows.last_mut() else { return Ok(()) };
        row.time_ms = if row.series % 2 == 0 { MAX_TIME_MS + 1 } else { MIN_TIME_MS - 1 };
        let id = self.truth.issue(&keyed(stamp, &rows));
        let process = self.process()?;
        let Some(store) = process.store.clone() else { return Err("no store".into()) };
        let answer = patiently(&process.runtime, "write", store.write(batch(stamp, &rows)))?;
        match answer {
            Err(error) if error.kind() == ErrorKind::Invalid => {}
            Err(error) => blame(&process.life, "write of an unacceptable time", &error)?,
            Ok(receipt) => return Err(format!("{receipt:?} for a batch with an unacceptable time")),
        }
        self.truth.settle(id, Outcome::Refused);
        Ok(())
    }
}

/// Writes a batch of logs or of spans, whose rows are all of one table.
async fn send(store: &Store, seeds: &[Seed]) -> Result<(), Error> {
    match seeds.first().map(|seed| seed.table) {
        Some(Table::Spans) => store.write_spans(spans(seeds)).await.map(drop),
        _ => store.write_logs(logs(seeds)).await.map(drop),
    }
}

/// Queries that read the store at moments spread over what else goes on.
async fn pass_by(store: &Store, reader: &mut Reader, times: usize) -> Vec<Result<Picture, String>> {
    let mut pictures = Vec::new();
    for _ in 0..times {
        for _ in 0..PACE {
            tokio::task::yield_now().await;
        }
        let snapshot = store.snapshot();
        pictures.push(reader.read(&snapshot).await);
    }
    pictures
}

fn keyed(stamp: Option<&str>, rows: &[Row]) -> Vec<(Key, u64)> {
    rows.iter().map(|row| ((identity(row.series, stamp), row.time_ms), row.bits)).collect()
}

/// Cuts happen only when a history says so, and nothing is too old.
fn config() -> Config {
    Config {
        url: "/store".into(),
        cut_every: Duration::from_secs(10 * 365 * 86_400),
        retention: Duration::from_secs(9_000 * 366 * 86_400),
        journal_bytes: 8 << 20,
        memory_bytes: 64 << 20,
        ..Config::default()
    }
}

fn outcome_of(error: &Error, life: &Life) -> Outcome {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::TooLarge | ErrorKind::Forbidden => Outcome::Refused,
        // A budget refuses before the journal is touched; a disk that is full may have taken the bytes all the same.
        ErrorKind::Busy if !life.was_hurt() => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

/// An error is acceptable only after a fault.
fn blame(life: &Life, what: &str, error: &Error) -> Result<(), String> {
    match life.was_hurt() || life.is_dead() {
        true => Ok(()),
        false => Err(format!("{what} failed without a fault: {:?}: {error}", error.kind())),
    }
}

/// As `blame`; what needs the bucket may also fail while that is away.
fn blame_away(life: &Life, what: &str, error: &Error) -> Result<(), String> {
    match life.is_away() && error.kind() == ErrorKind::Unavailable {
        true => Ok(()),
        false => blame(life, what, error),
    }
}

fn patiently<T>(runtime: &Runtime, what: &str, work: impl Future<Output = T>) -> Result<T, String> {
    let limited = async { tokio::time::timeout(PATIENCE, work).await };
    runtime.block_on(limited).map_err(|_| format!("{what} hangs"))
}
