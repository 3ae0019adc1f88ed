//! The rules: which call is hit, and by what.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use model::files::faulty::{Fault, Op};

const OPS: [(&str, Op); 13] = [
    ("create", Op::Create),
    ("open", Op::Open),
    ("link", Op::Link),
    ("rename", Op::Rename),
    ("remove", Op::Remove),
    ("create_dir", Op::CreateDir),
    ("list", Op::List),
    ("sync_dir", Op::SyncDir),
    ("write", Op::Write),
    ("read", Op::Read),
    ("allocate", Op::Allocate),
    ("set_len", Op::SetLen),
    ("sync", Op::Sync),
];

// The values of Linux, see errno(3).
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Kill,
    Fail(Fault),
}

/// The calls that a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Any,
    /// Those after which a disk may look otherwise.
    Changes,
    One(Op),
}

/// One rule and how often it matched.
#[derive(Debug)]
struct Rule {
    text: String,
    which: Which,
    part: String,
    hits: Range<u64>,
    after: bool,
    action: Action,
    matched: AtomicU64,
}

/// The word for an operation.
pub(crate) fn name(op: Op) -> &'static str {
    OPS.iter().find(|(_, known)| *known == op).map_or("lock", |(name, _)| name)
}

/// All rules of a process.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// Reads the rules; no text, no rules.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        text.split(';')
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .map(Rule::parse)
            .collect::<Result<_, _>>()
            .map(Rules)
    }

    /// What happens instead of a call.
    pub(crate) fn before(&self, op: Op, path: &Path) -> Fault {
        self.hit(op, path, false).unwrap_or(Fault::None)
    }

    /// What happens after a call that went well.
    pub(crate) fn after(&self, op: Op, path: &Path) {
        self.hit(op, path, true);
    }

    fn hit(&self, op: Op, path: &Path, after: bool) -> Option<Fault> {
        let hits = |rule: &&Rule| rule.after == after && rule.counts(op, path);
        let rule = self.0.iter().find(hits)?;
        eprintln!("fault: {} at {}", rule.text, path.display());
        match rule.action {
            Action::Fail(fault) => Some(fault),
            Action::Kill => {
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                // The signal may take a moment to arrive, and nothing may happen in it.
                loop {
                    std::thread::park();
                }
            }
        }
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not op,part of the path,nth,before|after,kill|eio|enospc|short=BYTES");
        let fields: Vec<&str> = text.split(',').collect();
        let [op, part, nth, when, action] = fields[..] else { return Err(wrong()) };
        let which = match op {
            "any" => Which::Any,
            "change" => Which::Changes,
            name => Which::One(OPS.iter().find(|(known, _)| *known == name).ok_or_else(wrong)?.1),
        };
        let (first, count) = nth.split_once('+').unwrap_or((nth, "1"));
        let (first, count): (u64, u64) = (first.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?);
        let action = match action {
            "kill" => Action::Kill,
            "eio" => Action::Fail(Fault::Error(EIO)),
            "enospc" => Action::Fail(Fault::Error(ENOSPC)),
            other => {
                let bytes = other.strip_prefix("short=").and_then(|bytes| bytes.parse().ok());
                Action::Fail(Fault::Short(bytes.ok_or_else(wrong)?))
            }
        };
        let after = match when {
            "before" => false,
            "after" if action == Action::Kill => true,
            _ => return Err(wrong()),
        };
        let hits = first..first.saturating_add(count);
        Ok(Rule { text: text.into(), which, part: part.into(), hits, after, action, matched: AtomicU64::new(0) })
    }

    /// Counts the call if it matches, and says whether it is one to hit.
    fn counts(&self, op: Op, path: &Path) -> bool {
        let counts = match self.which {
            Which::Any => true,
            Which::Changes => !matches!(op, Op::Open | Op::Read | Op::List | Op::Lock),
            Which::One(wanted) => wanted == op,
        };
        if !counts || !path.to_string_lossy().contains(&self.part) {
            return false;
        }
        self.hits.contains(&(self.matched.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

#[cfg(test)]
mod tests;
