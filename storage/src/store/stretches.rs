//! From the hashes of series that come one behind the other to these series.
//!
//! A sender has the series of a target in one order, request for request, but does not cut its requests at the same places.
//! So a batch is cut where the hash of a series says: wherever a request begins, the stretches within are those of the
//! request before. One look-up then finds a stretch of about sixteen series, and none of them is touched.

use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashMap;
use model::batch::RawSeries;
use parking_lot::RwLock;

use crate::head::Head;
use crate::series::AlreadyHashed;
use crate::stretch::Stretch;

/// A stretch ends behind a series of whose hash these bits are zero.
const END_BITS: u128 = 0xf;
/// And with this many series at the latest.
const MAX_SERIES: usize = 64;
/// So many that going through one keeps nobody waiting for long.
const STRIPES: usize = 64;
/// A stripe that has grown beyond this is emptied: a sender that never repeats itself must not fill the memory.
const STRIPE_LIMIT: usize = 1 << 12;

/// Finds stretches. As long as one is here its series stay in memory, idle or not.
#[derive(Debug)]
pub(super) struct Stretches {
    stripes: Box<[RwLock<Stripe>]>,
}

type Stripe = HashMap<u128, Found, BuildHasherDefault<AlreadyHashed>>;

/// What is known of a key.
#[derive(Debug)]
struct Found {
    /// The stretch; `None` if its series came once.
    stretch: Option<Arc<Stretch>>,
    /// The state of the head's count when its series were told what they measure.
    kind_changes: u64,
    /// The round (see `head::evict`) in which it was last looked for.
    round: AtomicU32,
}

/// A part of a batch.
#[derive(Debug)]
pub(super) struct Piece {
    /// The places of its series.
    pub(super) places: Range<usize>,
    /// What it is found by, made of the hashes of its series; `None` if the batch began or ended within. Each step of making
    /// it is a bijection of the step before and of the next hash, so that two pieces have the same key as seldom as two
    /// series have the same hash.
    key: Option<u128>,
}

/// Cuts the series of a batch into pieces.
pub(super) fn pieces(series: &[RawSeries], salt: u128) -> impl Iterator<Item = Piece> {
    let mut start = 0;
    // Where the batch begins a stretch may have begun long before.
    let mut begins = false;
    std::iter::from_fn(move || {
        let rest = series.get(start..).filter(|rest| !rest.is_empty())?;
        let (mut key, mut count, mut ends) = (salt, 0, false);
        for raw in rest.iter().take(MAX_SERIES) {
            key = (key ^ raw.hash ^ raw.kind as u128)
                .rotate_left(25)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            count += 1;
            ends = raw.hash & END_BITS == 0;
            if ends {
                break;
            }
        }
        ends |= begins && count == MAX_SERIES;
        let piece = Piece { places: start..start + count, key: (begins && ends).then_some(key) };
        (start, begins) = (start + count, ends);
        Some(piece)
    })
}

impl Default for Stretches {
    fn default() -> Self {
        Stretches { stripes: (0..STRIPES).map(|_| RwLock::default()).collect() }
    }
}

impl Stretches {
    fn stripe(&self, key: u128) -> &RwLock<Stripe> {
        &self.stripes[(key >> 64) as usize % self.stripes.len()]
    }

    /// The stretch of a piece of a batch, whose series all measure what the batch says.
    pub(super) fn get(&self, piece: &Piece, head: &Head) -> Option<Arc<Stretch>> {
        let (key, round) = (piece.key?, head.round());
        let stripe = self.stripe(key).read();
        let found = stripe.get(&key).filter(|found| found.kind_changes == head.kind_changes())?;
        let stretch = found.stretch.clone()?;
        // Most are looked for many times a round, and a write takes the line from all others.
        if found.round.load(Ordering::Relaxed) != round {
            found.round.store(round, Ordering::Relaxed);
        }
        Some(stretch)
    }

    /// Keeps the stretch of a piece of a batch if it is not the first time that the piece comes.
    /// `kind_changes` is the head's count from before its series were looked up.
    pub(super) fn note(&self, piece: &Piece, head: &Head, kind_changes: u64, stretch: &Arc<Stretch>) {
        let Some(key) = piece.key else { return };
        let mut stripe = self.stripe(key).write();
        if stripe.len() >= STRIPE_LIMIT {
            stripe.clear();
        }
        let stretch = stripe.contains_key(&key).then(|| stretch.clone());
        stripe.insert(key, Found { stretch, kind_changes, round: AtomicU32::new(head.round()) });
    }

    /// Lets go of the stretches that were last looked for before a round.
    pub(super) fn release(&self, before: u32) {
        for stripe in &self.stripes {
            let mut stripe = stripe.write();
            stripe.retain(|_, found| found.stretch.is_some() && found.round.load(Ordering::Relaxed) >= before);
            if stripe.len() < stripe.capacity() / 4 {
                let twice = stripe.len() * 2;
                stripe.shrink_to(twice);
            }
        }
    }
}

#[cfg(test)]
mod tests;
