//! Where a kill fell, read from the log of what the file layer had done until then (`tests/faults/src/calls.rs`).
//!
//! A kill falls into a stretch of the way from append to acknowledgement, and into one of the way from cut to drop: the
//! two go on beside each other. Whatever the log does not prove counts nowhere.

use super::phases::{APPEND_TO_SYNC, COMMIT_TO_DROP, CUT_TO_UPLOAD, SYNC_TO_ACKNOWLEDGE, UPLOAD_TO_COMMIT};

/// Bytes of the mark that ends a segment; a group of records is longer.
const END_MARK_BYTES: usize = 32;

/// What had become of the last group of records.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Group {
    #[default]
    None,
    Written,
    Synced,
}

/// What had been done when the log ended.
#[derive(Debug, Default)]
struct Done {
    group: Group,
    /// The segment that was made last is in use.
    has_name: bool,
    /// A barrier was set and nothing staged yet: groups may be rows that the cut leaves behind, which nobody waits for.
    carrying: bool,
    /// Blocks of the cut on its way that were begun on the local disk.
    staged: usize,
    /// Blocks that have their name in a table.
    uploaded: usize,
    /// The samples are committed, their generation not yet dropped.
    committed: bool,
}

/// The phases into which the end of a log falls. `in_sync` says that the writer was stopped before it could return from
/// its last sync; without that, a synced group may have been acknowledged already.
pub(crate) fn phases_at_end(log: &str, in_sync: bool) -> Vec<&'static str> {
    let mut done = Done::default();
    // A line that was not finished tells of a call that was not made.
    for line in log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let mut fields = line.splitn(4, ' ');
        if let [Some(edge), Some(op), Some(bytes), Some(path)] = [(); 4].map(|()| fields.next()) {
            done.note(edge == "E", op, bytes.parse().unwrap(), path);
        }
    }
    done.phases(in_sync)
}

impl Done {
    fn note(&mut self, ended: bool, op: &str, bytes: usize, path: &str) {
        let is_block = path.ends_with(".parquet");
        // A segment is written through the handle that it was made with, which knows its first name only.
        let is_made = path.ends_with("/journal/segment.new");
        let is_segment = is_made || path.ends_with(".journal");
        match op {
            "create" if is_made => self.has_name = false,
            "rename" if is_segment && ended => self.has_name = true,
            // The header of a segment that is made; or a start that writes the last group of the life before once more.
            "write" if is_segment && !(is_made && self.has_name) => {}
            "write" if is_segment && bytes > END_MARK_BYTES => {
                // The next group begins when the one before was answered.
                self.group = if ended { Group::Written } else { Group::None };
            }
            "write" if is_segment && ended => self.carrying = self.group != Group::None,
            "sync" if is_made && ended && self.group == Group::Written => self.group = Group::Synced,
            "create" if path.contains("/staged/") && is_block && ended => {
                if self.committed || self.uploaded > 0 {
                    self.begin_cut();
                }
                self.carrying = false;
                self.staged += 1;
            }
            "rename" | "link" if path.contains("/date=") && is_block && ended => self.uploaded += 1,
            "link" if path.contains("/samples/_delta_log/0") && ended => self.committed = true,
            "remove" if is_segment && ended && self.committed => self.begin_cut(),
            _ => {}
        }
    }

    fn begin_cut(&mut self) {
        (self.staged, self.uploaded, self.committed) = (0, 0, false);
    }

    fn phases(&self, in_sync: bool) -> Vec<&'static str> {
        let mut phases = Vec::new();
        match self.group {
            Group::Written if !self.carrying => phases.push(APPEND_TO_SYNC),
            Group::Synced if !self.carrying && in_sync => phases.push(SYNC_TO_ACKNOWLEDGE),
            _ => {}
        }
        if self.committed {
            phases.push(COMMIT_TO_DROP);
        } else if self.uploaded > 0 && self.uploaded >= self.staged {
            phases.push(UPLOAD_TO_COMMIT);
        } else if self.staged > 0 {
            phases.push(CUT_TO_UPLOAD);
        }
        phases
    }
}

#[test]
fn a_log_of_calls_says_where_a_kill_fell() {
    let log = "\
        E write 900 /s/local/journal/1.journal\nE write 32 /s/local/journal/1.journal\n\
        E sync 0 /s/local/journal/1.journal\nE create 0 /s/local/staged/a.parquet\nE create 0 /s/local/staged/b.parquet\n\
        B write 900 /s/local/journal/segment.new\nE write 900 /s/local/journal/segment.new\n\
        E sync 0 /s/local/journal/segment.new\n\
        E rename 0 /s/series/date=2026-11-22/a.parquet\nE rename 0 /s/samples/date=2026-11-22/b.parquet\n\
        E link 0 /s/series/_delta_log/00000000000000000001.json\n\
        E link 0 /s/samples/_delta_log/00000000000000000001.json\nB write 700 /s/local/journal/segment.new\n\
        E write 700 /s/local/journal/segment.new\nE remove 0 /s/local/journal/1.journal\n";
    let made = "B create 0 /s/local/journal/segment.new\nE write 64 /s/local/journal/segment.new\n\
        E sync 0 /s/local/journal/segment.new\nE rename 0 /s/local/journal/2.journal\n";
    assert_eq!(phases_at_end(made, true).len(), 0, "a segment that is made holds no rows");
    let after = |lines: usize| [made].into_iter().chain(log.split_inclusive('\n').take(lines)).collect::<String>();
    let none: [&str; 0] = [];
    let beginning = after(3) + "E write 900 /s/local/journal/segment.new\n";
    assert_eq!(phases_at_end(&beginning, false), [APPEND_TO_SYNC]);
    let written = |bytes: usize| format!("E write {bytes} /s/local/journal/segment.new\n");
    let barrier = [made, &written(900), &written(32), made, &written(700)].concat();
    assert_eq!(phases_at_end(&barrier, true), none, "rows that a cut leaves behind");
    for (lines, expected) in [
        (3, &none[..]),
        (4, &[CUT_TO_UPLOAD]),
        (6, &[CUT_TO_UPLOAD]),
        (7, &[APPEND_TO_SYNC, CUT_TO_UPLOAD]),
        (8, &[SYNC_TO_ACKNOWLEDGE, CUT_TO_UPLOAD]),
        (9, &[SYNC_TO_ACKNOWLEDGE, CUT_TO_UPLOAD]),
        (10, &[SYNC_TO_ACKNOWLEDGE, UPLOAD_TO_COMMIT]),
        (11, &[SYNC_TO_ACKNOWLEDGE, UPLOAD_TO_COMMIT]),
        (12, &[SYNC_TO_ACKNOWLEDGE, COMMIT_TO_DROP]),
        (13, &[COMMIT_TO_DROP]),
        (14, &[APPEND_TO_SYNC, COMMIT_TO_DROP]),
        (15, &[APPEND_TO_SYNC]),
    ] {
        assert_eq!(phases_at_end(&after(lines), true), expected, "after {lines} lines");
    }
    assert_eq!(phases_at_end(&after(8), false), [CUT_TO_UPLOAD]);
    assert_eq!(phases_at_end("E write 900 /s/local/journal/1.jour", false), none);
}
