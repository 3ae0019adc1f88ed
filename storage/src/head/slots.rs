//! The slots of a shard: one a series, by number. A number is given anew once its series is gone.

use std::ops::{Index, IndexMut, Range};
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::histograms::HistogramRun;
use super::run::Run;
use super::runs::{PackedRun, Runs};
use crate::series::Series;

/// The list is not made shorter below this, in slots.
const KEPT_CAPACITY: usize = 1024;

/// A series and its rows.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(super) series: Arc<Series>,
    pub(super) samples: Runs<Run>,
    /// Native histograms, of a series that has some.
    pub(super) histograms: Option<Box<Runs<HistogramRun>>>,
    /// The round (see `evict`) in which it was made or last written.
    pub(super) written: u32,
}

impl Slot {
    pub(super) fn new(series: Arc<Series>, round: u32) -> Self {
        Slot { series, samples: Runs::default(), histograms: None, written: round }
    }

    /// The byte behind which the next sample will be written; 0 if there is none.
    pub(super) fn last_byte(&self) -> u8 {
        self.samples.live.last_byte()
    }

    /// Whether nobody can see a row of it.
    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.histograms.as_ref().is_none_or(|all| all.is_empty())
    }

    /// Whether there are rows that a cut could take.
    pub(super) fn has_live_rows(&self) -> bool {
        !self.samples.live.is_empty() || self.histograms.as_ref().is_some_and(|all| !all.live.is_empty())
    }
}

/// All slots of a shard, the vacant ones among them.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Option<Slot>>,
    /// The numbers below the length that no series has.
    vacant: RoaringBitmap,
}

impl Slots {
    /// The number that the next series gets: the smallest, so that the end empties.
    pub(super) fn next(&self) -> u32 {
        self.vacant.min().unwrap_or(self.slots.len() as u32)
    }

    /// Puts a series where [`Slots::next`] says.
    pub(super) fn fill(&mut self, slot: Slot) {
        match self.vacant.min() {
            Some(number) => {
                self.vacant.remove(number);
                self.slots[number as usize] = Some(slot);
            }
            None => self.slots.push(Some(slot)),
        }
    }

    /// The slot of a number, if a series has it.
    pub(super) fn get(&self, number: usize) -> Option<&Slot> {
        self.slots.get(number)?.as_ref()
    }

    /// Takes a series out; its number is free from now on.
    pub(super) fn take(&mut self, number: usize) -> Option<Slot> {
        let slot = self.slots.get_mut(number)?.take()?;
        self.vacant.insert(number as u32);
        Some(slot)
    }

    /// Puts back what [`Slots::take`] took.
    pub(super) fn put_back(&mut self, number: usize, slot: Slot) {
        self.vacant.remove(number as u32);
        self.slots[number] = Some(slot);
    }

    /// Gives the vacant end back.
    pub(super) fn trim(&mut self) {
        let len = self.slots.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.slots.truncate(len);
        self.vacant.remove_range(len as u32..);
        if self.slots.len() < self.slots.capacity() / 4 {
            self.slots.shrink_to(KEPT_CAPACITY.max(self.slots.len() * 2));
        }
    }

    /// How many numbers there are, vacant ones among them.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slots that a series has.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    /// Those of a range of numbers, to change them.
    pub(super) fn range_mut(&mut self, range: Range<usize>) -> impl Iterator<Item = &mut Slot> {
        self.slots[range].iter_mut().flatten()
    }

    /// Bytes of memory taken, what the series themselves take left aside.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<Option<Slot>>()
    }
}

impl Index<u32> for Slots {
    type Output = Slot;

    fn index(&self, number: u32) -> &Slot {
        self.slots[number as usize].as_ref().unwrap_or_else(|| vacant(number))
    }
}

impl IndexMut<u32> for Slots {
    fn index_mut(&mut self, number: u32) -> &mut Slot {
        self.slots[number as usize].as_mut().unwrap_or_else(|| vacant(number))
    }
}

/// Who holds a series holds its slot: to go on here would be to lose rows.
fn vacant(number: u32) -> ! {
    panic!("slot {number} of the head is vacant, but there are rows for it")
}
