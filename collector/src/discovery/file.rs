//! Lists of targets in files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::source::SourceId;
use model::worker::Stop;
use tokio::time::Instant;

use super::group::{Group, read_json, read_yaml};
use super::{Board, Parts};
use crate::config::{FileSdConfig, ScrapeConfig};

/// The [`SourceId::kind`] of files.
const KIND: &str = "file_sd";
/// How often it is looked whether a file has changed: a look is a system call a file.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// No list is longer, and a wrong path must not be read into memory whole.
const MAX_FILE_BYTES: u64 = 64 << 20;
const LABEL: &str = "__meta_filepath";

/// What tells whether a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// A file, as it was last read.
#[derive(Debug, Clone)]
struct Known {
    stamp: Stamp,
    /// What it held when it could last be read.
    groups: Arc<Vec<Group>>,
}

/// The files of one `file_sd_configs` entry.
#[derive(Debug)]
pub(super) struct FileList {
    patterns: Vec<String>,
    refresh_interval: Duration,
    cluster: String,
    job: String,
    parts: Parts,
    known: BTreeMap<PathBuf, Known>,
}

impl FileList {
    pub(super) fn new(config: &ScrapeConfig, list: &FileSdConfig, parts: &Parts) -> Self {
        FileList {
            patterns: list.files.clone(),
            refresh_interval: list.refresh_interval,
            cluster: config.cluster.clone(),
            job: config.job_name.clone(),
            parts: parts.clone(),
            known: BTreeMap::new(),
        }
    }

    /// Reads the files when they change, and now and then although they have not, until told to stop.
    pub(super) async fn read_on(mut self, name: String, board: Board, stop: Stop) {
        let (mut is_first, mut read_all_at) = (true, Instant::now());
        loop {
            let is_due = Instant::now() >= read_all_at;
            if is_due {
                read_all_at = Instant::now() + self.refresh_interval;
            }
            self = self.look(is_due).await;
            let groups = self.known.iter().map(|(path, known)| (path.display().to_string(), known.groups.clone()));
            board.write(&name, groups);
            if std::mem::take(&mut is_first) {
                board.note_read();
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY.min(self.refresh_interval)) => {}
                () = stop.stopped() => break,
            }
        }
        for path in self.known.keys() {
            self.parts.sources.remove(&self.id(path));
        }
    }

    /// Looks at all files away from the runtime, for a disk may hang.
    async fn look(mut self, read_all: bool) -> Self {
        let looked = tokio::task::spawn_blocking(move || {
            self.look_now(read_all);
            self
        });
        match looked.await {
            Ok(list) => list,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    fn look_now(&mut self, read_all: bool) {
        let mut paths: Vec<PathBuf> = self.patterns.iter().flat_map(|pattern| matching(pattern)).collect();
        paths.sort();
        paths.dedup();
        let gone: Vec<PathBuf> = self.known.keys().filter(|known| !paths.contains(known)).cloned().collect();
        for path in gone {
            self.known.remove(&path);
            self.parts.sources.remove(&self.id(&path));
        }
        for path in paths {
            let stamp = stamp(&path);
            let before = self.known.get(&path);
            if !read_all && before.is_some_and(|known| known.stamp == stamp) {
                continue;
            }
            let read = read(&path);
            let is_read = read.is_ok();
            self.parts.tell(&self.id(&path), None, &read);
            let groups = match read {
                Ok(groups) => Arc::new(groups),
                Err(_) => before.map(|known| known.groups.clone()).unwrap_or_default(),
            };
            // One that cannot be read may be half written: it is looked at again although it seems the same.
            let stamp = if is_read { stamp } else { Stamp { modified: None, bytes: u64::MAX } };
            self.known.insert(path, Known { stamp, groups });
        }
    }

    fn id(&self, path: &Path) -> SourceId {
        SourceId {
            kind: KIND,
            cluster: self.cluster.clone(),
            job: self.job.clone(),
            instance: path.display().to_string(),
            url: String::new(),
            labels: String::new(),
        }
    }
}

/// The files that a pattern names; one without a `*` names itself, there or not.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let (folder, name) = pattern.rsplit_once('/').map_or((".", pattern), |(folder, name)| (folder, name));
    let Some((start, end)) = name.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let folder = if folder.is_empty() { "/" } else { folder };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_meant = |name: &String| {
        // A hidden file is not meant by a star, as in a shell.
        let hidden = start.is_empty() && name.starts_with('.');
        !hidden && name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
    };
    let prefix = pattern.strip_suffix(name).unwrap_or_default();
    names.filter(is_meant).map(|name| PathBuf::from(format!("{prefix}{name}"))).collect()
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok();
    let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
    Stamp { modified, bytes: metadata.map_or(0, |metadata| metadata.len()) }
}

fn read(path: &Path) -> Result<Vec<Group>, String> {
    let shown = path.display().to_string();
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text));
    match read {
        Err(e) => return Err(format!("{shown} cannot be read: {e}")),
        Ok(bytes) if bytes as u64 > MAX_FILE_BYTES => {
            return Err(format!("{shown} is larger than {MAX_FILE_BYTES} bytes"));
        }
        Ok(_) => {}
    }
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let groups = if is_json { read_json(&text, LABEL, &shown) } else { read_yaml(&text, LABEL, &shown) };
    groups.map_err(|e| format!("{shown} is no list of targets: {e}"))
}

#[cfg(test)]
mod tests;
