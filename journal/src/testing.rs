//! What the tests of this crate share: a group that notes what it is told, and a disk on which calls fail on demand.

use std::path::Path;
use std::sync::Arc;

use model::files::FilesRef;
use model::files::faulty::{Fault, Faulty, Op};
use model::files::sim::SimDisk;
use parking_lot::Mutex;

use crate::{Config, Error, Group, Journal, OnDamage, Position, RecordBuilder};

pub(crate) const EIO: i32 = 5;
pub(crate) const ENOSPC: i32 = 28;

/// An item that is appended as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) tag: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn item(tag: &str, payload: &[u8]) -> Item {
    Item { tag: tag.into(), payload: payload.to_vec() }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Durable(Vec<(Position, Item)>),
    Failed(Vec<Item>, String),
    Begun(u64, Position),
}

/// What a group was told, in order, and the generations it encoded for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) told: Arc<Mutex<Vec<Told>>>,
    pub(crate) encoded_for: Arc<Mutex<Vec<u64>>>,
}

impl Log {
    pub(crate) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.told.lock())
    }

    pub(crate) fn durable_items(&self) -> Vec<(Position, Item)> {
        let durable = |told| if let Told::Durable(items) = told { items } else { Vec::new() };
        self.take().into_iter().flat_map(durable).collect()
    }
}

impl Group for Log {
    type Item = Item;

    fn encode(&mut self, item: &Item, generation: u64, record: &mut RecordBuilder) {
        record.tag.extend_from_slice(&item.tag);
        record.payload.extend_from_slice(&item.payload);
        self.encoded_for.lock().push(generation);
    }

    fn durable(&mut self, items: Vec<(Position, Item)>) {
        self.told.lock().push(Told::Durable(items));
    }

    fn failed(&mut self, items: Vec<Item>, error: &Error) {
        self.told.lock().push(Told::Failed(items, error.to_string()));
    }

    fn begun(&mut self, generation: u64, start: Position) {
        self.told.lock().push(Told::Begun(generation, start));
    }
}

/// Fails calls: after `skip` more calls that `matches`, the next `times` get `fault`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trouble {
    pub(crate) only: Option<Op>,
    pub(crate) skip: u32,
    pub(crate) times: u32,
    pub(crate) fault: Fault,
}

/// A simulated disk behind a layer that fails calls on demand.
#[derive(Debug, Clone)]
pub(crate) struct Rig {
    pub(crate) disk: SimDisk,
    pub(crate) files: FilesRef,
    pub(crate) trouble: Arc<Mutex<Option<Trouble>>>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::on(SimDisk::new())
    }

    pub(crate) fn on(disk: SimDisk) -> Self {
        let trouble: Arc<Mutex<Option<Trouble>>> = Arc::default();
        let of_plan = Arc::clone(&trouble);
        let plan = move |_, op, _: &Path| match &mut *of_plan.lock() {
            Some(trouble) if trouble.times > 0 && trouble.only.is_none_or(|only| only == op) => {
                if trouble.skip > 0 {
                    trouble.skip -= 1;
                    return Fault::None;
                }
                trouble.times -= 1;
                trouble.fault
            }
            _ => Fault::None,
        };
        let files = Arc::new(Faulty::new(Arc::new(disk.clone()), Arc::new(plan)));
        Rig { disk, files, trouble }
    }

    pub(crate) fn fail(&self, only: Op, fault: Fault) {
        *self.trouble.lock() = Some(Trouble { only: Some(only), skip: 0, times: u32::MAX, fault });
    }

    pub(crate) fn heal(&self) {
        *self.trouble.lock() = None;
    }

    pub(crate) fn open(&self) -> Result<Journal, Error> {
        Journal::open(Arc::clone(&self.files), config(), OnDamage::Stop)
    }
}

/// Small segments, so that a few records fill one.
pub(crate) fn config() -> Config {
    Config { dir: "/data/journal".into(), segment_bytes: 4096, max_bytes: 1 << 20 }
}

/// A record as it came back: sequence, generation, tag, payload.
pub(crate) type Replayed = (u64, u64, Vec<u8>, Vec<u8>);

pub(crate) fn replay(journal: &Journal) -> Vec<Replayed> {
    let mut all = Vec::new();
    let mut each = |record: crate::Record<'_>| {
        all.push((record.sequence.0, record.generation, record.tag.to_vec(), record.payload.to_vec()));
        Ok(())
    };
    journal.replay(Position(0), &mut each).unwrap();
    all
}
