//! Series as the store knows them while it runs, and the cache from a sender's label bytes to them.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use hashbrown::HashMap;
use model::SeriesKey;
use model::batch::Kind;
use parking_lot::RwLock;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::cluster::ClusterState;
use crate::rows::StartRow;
use crate::sign::Sign;

/// What a series takes beside its own fields and texts: counts and padding of its four allocations, its places in the
/// table of its shard, in the cache and in a stretch.
const OVERHEAD_BYTES: usize = 208;

/// One series, shared by all who hold rows of it. The head keeps its entry as long as anybody does.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) key: SeriesKey,
    /// xxh3-64 of the labels.
    pub(crate) id: i64,
    /// Which shard holds its rows, and where.
    pub(crate) shard: u32,
    pub(crate) slot: u32,
    kind: AtomicU8,
    /// The fingerprint of the row of `starts` that it last had; 0 if it had none.
    started: AtomicU64,
    /// What its rows say of the cluster it belongs to.
    pub(crate) sign: Sign,
    pub(crate) cluster: Arc<ClusterState>,
    /// Generation and short id under which the journal last had its definition. Only the writer's thread asks.
    defined: AtomicU64,
    short: AtomicU64,
}

/// A series as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesInfo {
    /// Name, cluster and labels.
    pub key: SeriesKey,
    /// xxh3-64 of the labels.
    pub id: i64,
    /// What it measures.
    pub kind: Kind,
    /// Time of the first sample that came, on the earliest day of the selection, in milliseconds. Rows that came later
    /// may be older, on the same day.
    pub first_time_ms: i64,
}

impl SeriesInfo {
    /// The order of the tables: name, cluster, then series_id, all ascending.
    pub fn table_order(&self, other: &Self) -> std::cmp::Ordering {
        SeriesKey::table_order_by_id((&self.key, self.id), (&other.key, other.id))
    }
}

impl Series {
    pub(crate) fn new(key: SeriesKey, id: i64, shard: u32, slot: u32, cluster: Arc<ClusterState>) -> Self {
        Series {
            sign: Sign::of(&key.name),
            key,
            id,
            shard,
            slot,
            kind: AtomicU8::new(0),
            started: AtomicU64::new(0),
            cluster,
            defined: AtomicU64::new(0),
            short: AtomicU64::new(0),
        }
    }

    /// The order of the tables: name, cluster, then series_id, all ascending.
    pub(crate) fn table_order(&self, other: &Self) -> std::cmp::Ordering {
        SeriesKey::table_order_by_id((&self.key, self.id), (&other.key, other.id))
    }

    /// What the index will know of it.
    pub(crate) fn info(&self, first_time_ms: i64) -> SeriesInfo {
        SeriesInfo { key: self.key.clone(), id: self.id, kind: self.kind(), first_time_ms }
    }

    pub(crate) fn kind(&self) -> Kind {
        Kind::from_u8(self.kind.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Notes what it measures; nobody saying anything does not undo what was said. Returns whether something else was said
    /// before.
    pub(crate) fn set_kind(&self, kind: Kind) -> bool {
        if kind == Kind::Unknown || self.kind() == kind {
            return false;
        }
        self.kind.swap(kind as u8, Ordering::Relaxed) != Kind::Unknown as u8
    }

    /// Whether there is a row of `starts` for this start and day already.
    pub(crate) fn has_start(&self, row: &StartRow) -> bool {
        self.started.load(Ordering::Relaxed) == fingerprint(row)
    }

    /// Notes that there is one.
    pub(crate) fn note_start(&self, row: &StartRow) {
        self.started.store(fingerprint(row), Ordering::Relaxed);
    }

    /// The short id in this generation, if the generation has the definition.
    pub(crate) fn short_id(&self, generation: u64) -> Option<u64> {
        // 0 means never, so generations are kept one higher.
        (self.defined.load(Ordering::Relaxed) == generation + 1).then(|| self.short.load(Ordering::Relaxed))
    }

    pub(crate) fn define(&self, generation: u64, short: u64) {
        self.short.store(short, Ordering::Relaxed);
        self.defined.store(generation + 1, Ordering::Relaxed);
    }

    /// Bytes of memory taken, roughly; slot and postings left aside.
    pub(crate) fn memory_bytes(&self) -> usize {
        let texts = self.key.name.len() + self.key.cluster.len() + self.key.labels.as_bytes().len();
        size_of::<Self>() + texts + OVERHEAD_BYTES
    }
}

/// Of the start and of the day on which it was said, so that the row comes once more each day and outlives the retention.
fn fingerprint(row: &StartRow) -> u64 {
    let day = row.time_ms.div_euclid(model::time::DAY_MS);
    xxh3_64_with_seed(&row.start_ms.to_le_bytes(), day as u64) | 1
}

/// From the hash of a sender's label bytes to the series, without looking at the labels. It remembers series but does not
/// hold them.
#[derive(Debug)]
pub(crate) struct RawCache {
    stripes: Box<[RwLock<Stripe>]>,
}

type Stripe = HashMap<u128, Weak<Series>, BuildHasherDefault<AlreadyHashed>>;

/// So many that going through one keeps nobody waiting for long.
const STRIPES: usize = 256;
/// A stripe that has grown beyond this is emptied: a sender that never repeats itself must not fill the memory.
const STRIPE_LIMIT: usize = 1 << 14;

impl Default for RawCache {
    fn default() -> Self {
        RawCache { stripes: (0..STRIPES).map(|_| RwLock::default()).collect() }
    }
}

impl RawCache {
    fn stripe(&self, hash: u128) -> &RwLock<Stripe> {
        &self.stripes[(hash >> 64) as usize % self.stripes.len()]
    }

    pub(crate) fn get(&self, hash: u128) -> Option<Arc<Series>> {
        self.stripe(hash).read().get(&hash)?.upgrade()
    }

    pub(crate) fn insert(&self, hash: u128, series: &Arc<Series>) {
        let mut stripe = self.stripe(hash).write();
        if stripe.len() >= STRIPE_LIMIT {
            stripe.clear();
        }
        stripe.insert(hash, Arc::downgrade(series));
    }

    /// Forgets the series that are gone, whose memory it keeps from being given back.
    pub(crate) fn sweep(&self) {
        for stripe in &self.stripes {
            let mut stripe = stripe.write();
            stripe.retain(|_, series| series.strong_count() > 0);
            if stripe.len() < stripe.capacity() / 4 {
                let twice = stripe.len() * 2;
                stripe.shrink_to(twice);
            }
        }
    }
}

/// Passes the low half of a 128-bit hash through.
#[derive(Debug, Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}
