//! Where a kill fell, read from the log of what the file layer had done until then (`tests/faults/src/calls.rs`).
//!
//! A kill falls into a stretch of the way from append to acknowledgement, and into one of the way from cut to drop: the
//! two go on beside each other. Whatever the log does not prove counts nowhere.

use std::collections::BTreeSet;

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

/// How far a cut is on its way into the tables.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Cut {
    #[default]
    None,
    /// Blocks were begun on the local disk, and no more.
    Staged,
    /// One of them has its name in a table.
    Uploading,
    /// Blocks that an earlier life has staged have their names, which may be all of them.
    Adopted,
    /// Commits have begun.
    Uploaded,
    /// All tables of a cut that has samples have theirs; the generation is not yet dropped.
    Committed,
}

/// What had been done when the log ended.
#[derive(Debug, Default)]
struct Done {
    group: Group,
    /// The segment that was made last is in use.
    has_name: bool,
    /// A barrier was set and nothing staged yet: groups may be rows that the cut leaves behind, which nobody waits for.
    carrying: bool,
    cut: Cut,
    /// Files of the blocks that were staged in this life and have no name in a table yet.
    staged: BTreeSet<String>,
    /// The tables that were given blocks and no commit yet.
    uncommitted: BTreeSet<String>,
    /// Samples were committed in the cut under way. One without them, of logs and spans alone, drops nothing.
    has_samples: bool,
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
                self.carrying = false;
                self.cut = Cut::Staged;
                self.staged.insert(file(path));
            }
            "rename" | "link" if path.contains("/date=") && is_block && ended => {
                let is_ours = self.staged.remove(&file(path));
                self.cut = if is_ours { Cut::Uploading } else { Cut::Adopted };
                self.uncommitted.insert(table(path, "/date="));
            }
            "link" if path.contains("/_delta_log/0") && ended => self.committed(&table(path, "/_delta_log/")),
            // All that is done to a log of a table while there is something to be committed belongs to a commit of it.
            _ if path.contains("/_delta_log/") && matches!(self.cut, Cut::Uploading | Cut::Adopted) => {
                self.cut = Cut::Uploaded;
            }
            "remove" if is_segment && ended && self.cut == Cut::Committed => self.cut = Cut::None,
            _ => {}
        }
    }

    fn committed(&mut self, table: &str) {
        self.has_samples |= table == "samples";
        let is_last = self.uncommitted.remove(table) && self.uncommitted.is_empty();
        self.cut = match self.cut {
            _ if is_last && std::mem::take(&mut self.has_samples) => Cut::Committed,
            _ if is_last => Cut::None,
            Cut::Uploading | Cut::Adopted => Cut::Uploaded,
            other => other,
        };
    }

    fn phases(&self, in_sync: bool) -> Vec<&'static str> {
        let mut phases = Vec::new();
        match self.group {
            Group::Written if !self.carrying => phases.push(APPEND_TO_SYNC),
            Group::Synced if !self.carrying && in_sync => phases.push(SYNC_TO_ACKNOWLEDGE),
            _ => {}
        }
        match self.cut {
            Cut::Committed => phases.push(COMMIT_TO_DROP),
            Cut::Uploaded => phases.push(UPLOAD_TO_COMMIT),
            Cut::Uploading if self.staged.is_empty() => phases.push(UPLOAD_TO_COMMIT),
            Cut::Staged | Cut::Uploading => phases.push(CUT_TO_UPLOAD),
            Cut::Adopted | Cut::None => {}
        }
        phases
    }
}

/// The name of a block's file, which it keeps from the staging folder on.
fn file(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The table that a path is of: the folder before `mark`.
fn table(path: &str, mark: &str) -> String {
    path.split(mark).next().and_then(|folder| folder.rsplit('/').next()).unwrap_or_default().to_owned()
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
    // What an earlier life has staged is delivered first.
    let adopted = after(5) + "E rename 0 /s/samples/date=2026-11-22/c.parquet\n";
    assert_eq!(phases_at_end(&adopted, false), none, "whether there is more of it cannot be known");
    let committing = adopted + "B create 0 /s/series/_delta_log/00000000000000000002.json.tmp\n";
    assert_eq!(phases_at_end(&committing, false), [UPLOAD_TO_COMMIT]);
    assert_eq!(phases_at_end("E write 900 /s/local/journal/1.jour", false), none);
    // Spans are committed after samples; without samples nothing is dropped.
    let delivered = |table: &str| {
        let block = format!("E create 0 /s/local/staged/{table}.parquet\n");
        let upload = format!("E rename 0 /s/{table}/date=2026-11-22/{table}.parquet\n");
        (block + &upload, format!("E link 0 /s/{table}/_delta_log/00000000000000000001.json\n"))
    };
    let ((samples, samples_commit), (spans, spans_commit)) = (delivered("samples"), delivered("spans"));
    let with_samples = [samples, spans.clone(), samples_commit].concat();
    assert_eq!(phases_at_end(&with_samples, false), [UPLOAD_TO_COMMIT]);
    assert_eq!(phases_at_end(&(with_samples + &spans_commit), false), [COMMIT_TO_DROP]);
    assert_eq!(phases_at_end(&(spans + &spans_commit), false), none);
}
