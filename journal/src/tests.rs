//! The journal against a model of it: any order of groups, failures, barriers, drops, kills and power cuts.

use std::collections::{BTreeMap, VecDeque};

use model::files::faulty::Fault;
use model::files::sim::Fate;
use proptest::prelude::*;

use crate::stats::Counters;
use crate::testing::{EIO, ENOSPC, Item, Log, Rig, Told, Trouble, replay};
use crate::writer::{Appender, Command};
use crate::{Error, Journal, Position};

#[path = "../../fuzz/checks/journal.rs"]
mod check;
#[path = "../../fuzz/checks/replay.rs"]
mod seeds;

#[test]
fn the_seeds_of_the_fuzzer_open_or_are_refused() {
    seeds::replay("journal", check::check);
}

#[derive(Debug, Clone)]
enum Step {
    /// Items of these payload lengths, which wait together. 0 is an item with nothing to append.
    Append(Vec<usize>),
    Barrier,
    /// Drop what lies below this percentage of the next position.
    Drop(u64),
    /// Any calls fail from now on.
    Trouble(u32, u32, Fault),
    Heal,
    /// The process dies.
    Kill,
    /// The power goes; the number decides the fate of each change that was not synced.
    PowerCut(u64),
    /// The process ends in good order.
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::Error(EIO)),
        Just(Fault::Error(ENOSPC)),
        (0_usize..3000).prop_map(Fault::Short),
        Just(Fault::Short(100)),
    ];
    let len = prop_oneof![6 => 1_usize..900, 1 => Just(0), 1 => 3000_usize..7000];
    prop_oneof![
        8 => prop::collection::vec(len, 1..7).prop_map(Step::Append),
        1 => Just(Step::Barrier),
        1 => (0_u64..110).prop_map(Step::Drop),
        3 => (0_u32..12, 1_u32..6, fault).prop_map(|(skip, times, fault)| Step::Trouble(skip, times, fault)),
        1 => Just(Step::Heal),
        1 => Just(Step::Kill),
        3 => any::<u64>().prop_map(Step::PowerCut),
        1 => Just(Step::Close),
    ]
}

/// A small generator of numbers, so that a power cut can be replayed from its step.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // Knuth, The Art of Computer Programming, volume 2, 3.3.4: the multiplier of MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn fate(&mut self) -> Fate {
        match self.roll(3) {
            0 => Fate::Lost,
            1 => Fate::Kept,
            _ => Fate::Torn(self.roll(2500) as usize),
        }
    }
}

/// What must hold of a journal, whatever happens to it.
#[derive(Default)]
struct Model {
    submitted: u64,
    /// Payloads that must come back, by sequence.
    durable: BTreeMap<u64, Item>,
    /// What lies below may have been dropped.
    dropped: u64,
}

impl Model {
    fn items(&mut self, lens: &[usize]) -> Vec<Item> {
        let make = |len: &usize| {
            self.submitted += 1;
            let number = self.submitted.to_le_bytes();
            let payload = if *len == 0 { Vec::new() } else { number.iter().copied().cycle().take(len + 8).collect() };
            Item { tag: format!("tag {}", self.submitted).into_bytes(), payload }
        };
        lens.iter().map(make).collect()
    }

    fn hear(&mut self, told: Vec<Told>) {
        for told in told {
            let Told::Durable(items) = told else { continue };
            for (Position(sequence), item) in items {
                if item.payload.is_empty() {
                    assert!(self.durable.last_key_value().is_none_or(|(last, _)| *last < sequence));
                    continue;
                }
                let newest = self.durable.last_key_value().map(|(last, _)| *last);
                assert!(newest.is_none_or(|newest| newest < sequence), "{sequence} is given again after {newest:?}");
                self.durable.insert(sequence, item);
            }
        }
    }

    /// Checks what came back against what must, and takes it over: what was read once must come back again.
    fn check(&mut self, journal: &Journal) {
        let came = replay(journal);
        let mut last_submitted = 0;
        for pair in came.windows(2) {
            assert_eq!(pair[0].0 + 1, pair[1].0, "sequences have no holes");
            assert!(pair[0].1 <= pair[1].1, "generations grow");
        }
        let mut revived = BTreeMap::new();
        for (sequence, generation, tag, payload) in came {
            assert!(generation < journal.generation());
            assert!(sequence < journal.next().0);
            let number = u64::from_le_bytes(*payload.first_chunk().unwrap());
            assert!(number > last_submitted && number <= self.submitted, "in the order of submission, each once");
            last_submitted = number;
            assert_eq!(tag, format!("tag {number}").into_bytes());
            assert!(payload.iter().copied().eq(number.to_le_bytes().iter().copied().cycle().take(payload.len())));
            revived.insert(sequence, Item { tag, payload });
        }
        for (sequence, item) in self.durable.range(self.dropped..) {
            assert_eq!(revived.get(sequence), Some(item), "record {sequence} was durable");
        }
        assert!(self.durable.last_key_value().is_none_or(|(last, _)| *last < journal.next().0));
        self.durable.extend(revived);
    }
}

fn reopen(rig: &Rig) -> Journal {
    match rig.open() {
        Ok(journal) => journal,
        Err(Error::Io { .. }) => {
            // Trouble that was still armed; the next start is on a disk that has recovered.
            rig.heal();
            rig.open().unwrap()
        }
        Err(error) => panic!("{error}"),
    }
}

fn run(steps: Vec<Step>) {
    let (rig, counters, log) = (Rig::new(), Counters::default(), Log::default());
    let mut model = Model::default();
    let mut appender = Appender::new(rig.open().unwrap(), log.clone(), &counters);
    for step in steps.into_iter().chain([Step::Heal, Step::Append(vec![10, 20]), Step::PowerCut(7)]) {
        let mut is_over = true;
        match step {
            Step::Append(lens) => {
                let items = model.items(&lens);
                let submitted = items.len();
                appender.process(items.into_iter().map(Command::Item).collect());
                is_over = false;
                let answered = |told: &Told| match told {
                    Told::Durable(items) => items.len(),
                    Told::Failed(items, _) => items.len(),
                    Told::Begun(..) => 0,
                };
                let told = log.take();
                assert_eq!(told.iter().map(answered).sum::<usize>(), submitted, "each item is answered once");
                model.hear(told);
            }
            Step::Barrier => {
                let (reply, answer) = std::sync::mpsc::sync_channel(1);
                appender.process(VecDeque::from([Command::Barrier(reply)]));
                let (generation, start) = answer.recv().unwrap().unwrap();
                assert_eq!(log.take().pop(), Some(Told::Begun(generation, start)));
                assert!(model.durable.last_key_value().is_none_or(|(last, _)| *last < start.0));
                is_over = false;
            }
            Step::Drop(percent) => {
                let position = model.durable.last_key_value().map_or(0, |(last, _)| (last + 1) * percent / 100);
                let (reply, answer) = std::sync::mpsc::sync_channel(1);
                appender.process(VecDeque::from([Command::DropBefore(Position(position), reply)]));
                let _ = answer.recv().unwrap();
                model.dropped = model.dropped.max(position);
                is_over = false;
            }
            Step::Trouble(skip, times, fault) => {
                *rig.trouble.lock() = Some(Trouble { only: None, skip, times, fault });
                is_over = false;
            }
            Step::Heal => {
                rig.heal();
                is_over = false;
            }
            Step::Kill => rig.disk.kill(),
            Step::PowerCut(seed) => {
                let mut dice = Dice(seed);
                rig.disk.power_cut(|| dice.fate());
            }
            Step::Close => {
                // An error here says that the mark of the end is missing, nothing else.
                let _ = std::mem::replace(&mut appender, {
                    let spare = Rig::new();
                    Appender::new(spare.open().unwrap(), log.clone(), &counters)
                })
                .close();
            }
        }
        if is_over {
            drop(appender);
            let journal = reopen(&rig);
            rig.heal();
            model.check(&journal);
            appender = Appender::new(journal, log.clone(), &counters);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_durable_is_lost_and_nothing_comes_twice(steps in prop::collection::vec(step(), 1..40)) {
        run(steps);
    }
}

/// As many cases as the environment asks for, 512 by default.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(512)
}
