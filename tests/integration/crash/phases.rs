//! Where a kill or a failure can fall, as rules of the faulty server.

/// Operation, part of the path, whether the kill comes before or after it, and from how many calls it is drawn.
type Place = (&'static str, &'static str, &'static str, u64);

/// A stretch of the write path between two steps.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// Where a rule may kill in it. Where the kill fell is measured afterwards (`calls`), a rule only aims.
    places: &'static [Place],
}

pub(crate) const APPEND_TO_SYNC: &str = "append to sync";
pub(crate) const SYNC_TO_ACKNOWLEDGE: &str = "sync to acknowledge";
pub(crate) const CUT_TO_UPLOAD: &str = "cut to upload";
pub(crate) const UPLOAD_TO_COMMIT: &str = "upload to commit";
pub(crate) const COMMIT_TO_DROP: &str = "commit to drop";

/// A segment in use: it is written through the handle that it was made with, under its first name.
const SEGMENT: &str = "/journal/segment.new";

/// The five stretches that every row goes through. A cut comes every second and may have a block for each of 32 days, so
/// that only the first calls of a kind are sure to come soon. Groups are many: late enough, they have deltas among them, whose
/// sums must be found first.
pub(crate) const PHASES: [Phase; 5] = [
    Phase { name: APPEND_TO_SYNC, places: &[("sync", SEGMENT, "before", 150), ("write", SEGMENT, "after", 150)] },
    Phase { name: SYNC_TO_ACKNOWLEDGE, places: &[("sync", SEGMENT, "after", 150)] },
    Phase {
        name: CUT_TO_UPLOAD,
        places: &[
            ("create", "/staged/", "after", 2),
            ("write", "/staged/", "before", 4),
            ("sync", "/staged/", "before", 2),
            ("sync", "/staged/", "after", 2),
            ("create", "/date=", "before", 2),
            ("sync", "/date=", "before", 2),
            ("rename", "/date=", "before", 2),
        ],
    },
    Phase {
        name: UPLOAD_TO_COMMIT,
        places: &[
            ("create", "_delta_log/", "before", 1),
            ("sync", "samples/_delta_log/", "before", 2),
            ("link", "samples/_delta_log/0", "before", 2),
        ],
    },
    Phase {
        name: COMMIT_TO_DROP,
        places: &[
            ("link", "spans/_delta_log/0", "after", 2),
            ("remove", "/staged/", "after", 2),
            ("remove", ".journal", "before", 2),
        ],
    },
];

impl Phase {
    /// A rule that kills within this stretch, and whether it stops the writer in its sync.
    pub(crate) fn rule(&self, random: &mut Random) -> (String, bool) {
        let (op, part, when, spread) = *random.pick(self.places);
        let rule = format!("{op},{part},{},{when},kill", random.between(1, spread));
        (rule, (op, part, when) == ("sync", SEGMENT, "after"))
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
        ("write", "/logs/"),
        ("sync", "/spans/"),
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
