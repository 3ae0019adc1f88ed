//! Where a kill or a failure can fall, as rules of the faulty server.

/// A stretch of the write path between two steps.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// Operation, part of the path, and whether the kill comes before or after it.
    place: (&'static str, &'static str, &'static str),
    /// The call that is hit is drawn from 1 to here, past the calls of a start.
    skip: u64,
    spread: u64,
}

/// The five stretches that every row goes through.
pub(crate) const PHASES: [Phase; 5] = [
    Phase { name: "append to sync", place: ("sync", "/journal/", "before"), skip: 5, spread: 100 },
    Phase { name: "sync to acknowledge", place: ("sync", "/journal/", "after"), skip: 5, spread: 100 },
    Phase { name: "cut to upload", place: ("create", "/staged/", "before"), skip: 0, spread: 4 },
    Phase { name: "upload to commit", place: ("link", "_delta_log/0", "before"), skip: 0, spread: 4 },
    Phase { name: "commit to drop", place: ("link", "samples/_delta_log/0", "after"), skip: 0, spread: 3 },
];

impl Phase {
    /// A rule that kills within this stretch.
    pub(crate) fn rule(&self, random: &mut Random) -> String {
        let (op, part, when) = self.place;
        format!("{op},{part},{},{when},kill", self.skip + random.between(1, self.spread))
    }
}

/// What can fail, and how.
#[derive(Debug)]
pub(crate) struct Failing {
    places: &'static [(&'static str, &'static str)],
    actions: &'static [&'static str],
}

/// Failures of the disk anywhere under the store.
pub(crate) const FAILING: Failing = Failing {
    places: &[
        ("write", "/journal/"),
        ("sync", "/journal/"),
        ("allocate", "/journal/"),
        ("create", "/journal/"),
        ("sync_dir", "/journal"),
        ("remove", "/journal/"),
        ("create", "/staged/"),
        ("write", "/staged/"),
        ("sync", "/staged/"),
        ("write", "/samples/"),
        ("sync", "/samples/"),
        ("link", "_delta_log/0"),
        ("sync_dir", "_delta_log"),
        ("write", "/series/"),
        ("rename", "/store/"),
        ("any", "/store/"),
    ],
    actions: &["eio", "enospc", "short=1", "short=100"],
};

impl Failing {
    /// A rule that fails one to three calls.
    pub(crate) fn rule(&self, random: &mut Random) -> String {
        let (op, part) = *random.pick(self.places);
        let action = if op == "write" { *random.pick(self.actions) } else { *random.pick(&self.actions[..2]) };
        // The first calls belong to the start, which may fail with a message; what counts is the work.
        let first = random.between(3, if op == "write" || op == "sync" || op == "any" { 60 } else { 6 });
        format!("{op},{part},{first}+{},before,{action}", random.between(1, 3))
    }
}

/// Numbers from a seed.
///
/// Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Both ends included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[(self.next() % from.len() as u64) as usize]
    }
}
