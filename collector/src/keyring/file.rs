//! A file of tokens, one on each line.
//!
//! Owns: which of its contents count. Another file in its place counts at once: whoever moves one there has written it whole.
//! One that is written over where it stands may be half done, so it counts once it has been the same for a while, and until
//! then what it held before does.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::token::{Token, TokenHash};

/// No list of tokens is longer, and a wrong path must not be read into memory whole.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// A file that is written over where it stands counts once it has been the same for so long: by the next look but one.
const SETTLED_AFTER: Duration = Duration::from_millis(900);

/// What tells whether a file has changed, or another one has taken its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// That of the file at a path, if there is one.
    fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
    }

    /// Whether it is of the same file, whatever is in it.
    fn is_same_file(&self, other: &Stamp) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    fn of(metadata: &Metadata) -> Self {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file of tokens as it was last read.
#[derive(Debug, Clone)]
pub(super) struct TokenFile {
    pub(super) path: PathBuf,
    /// Whose tokens they are.
    pub(super) holder: Arc<str>,
    /// The tokens of its last good content.
    pub(super) hashes: Vec<TokenHash>,
    /// Why it cannot be used as it is; then the last good content counts.
    pub(super) fault: Option<String>,
    /// Of what was last read.
    stamp: Option<Stamp>,
    /// Of what may be half written, and when it was first seen.
    unsettled: Option<(Stamp, Instant)>,
}

impl TokenFile {
    /// A file that has not been looked at.
    pub(super) fn new(path: PathBuf, holder: Arc<str>) -> Self {
        TokenFile { path, holder, hashes: Vec::new(), fault: None, stamp: None, unsettled: None }
    }

    /// Reads the file if it is another one than last time, and says what came of it. Whether anything has changed.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        let stamp = Stamp::at(&self.path);
        if stamp.is_some() && stamp == self.stamp {
            self.unsettled = None;
            return false;
        }
        if stamp.is_some_and(|stamp| self.may_be_half_written(stamp, now)) {
            return false;
        }
        let read = read(&self.path);
        // Written to while it was read: there is more to come.
        if Stamp::at(&self.path) != stamp && !self.hashes.is_empty() {
            return false;
        }
        (self.stamp, self.unsettled) = (stamp, None);
        self.take(read)
    }

    /// Whether somebody may be writing the file that was read last. What it held before must not be nothing: else half is better.
    fn may_be_half_written(&mut self, stamp: Stamp, now: Instant) -> bool {
        if self.hashes.is_empty() || !self.stamp.is_some_and(|last| last.is_same_file(&stamp)) {
            return false;
        }
        match self.unsettled {
            Some((seen, since)) if seen == stamp => now.duration_since(since) < SETTLED_AFTER,
            _ => {
                self.unsettled = Some((stamp, now));
                true
            }
        }
    }

    /// Goes over to what was read, and says what came of it. Whether anything has changed.
    fn take(&mut self, read: Result<Vec<TokenHash>, String>) -> bool {
        let (file, holder) = (self.path.display(), &*self.holder);
        match read {
            Ok(hashes) => {
                let has_changed = hashes != self.hashes || self.fault.is_some();
                tracing::info!(%file, holder, tokens = hashes.len(), "file of tokens read");
                (self.hashes, self.fault) = (hashes, None);
                has_changed
            }
            Err(fault) if self.fault.as_ref() == Some(&fault) => false,
            Err(fault) => {
                let kept = self.hashes.len();
                tracing::error!(
                    holder,
                    fault,
                    kept,
                    "a file of tokens cannot be used, those that it held before count"
                );
                self.fault = Some(fault);
                true
            }
        }
    }
}

/// The hashes of the tokens in a file, or why there are none; that names the line and holds nothing of it.
pub(crate) fn read(path: &Path) -> Result<Vec<TokenHash>, String> {
    let shown = path.display();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text));
    match read {
        Err(e) => return Err(format!("the file of tokens {shown} cannot be read: {e}")),
        Ok(bytes) if bytes as u64 > MAX_FILE_BYTES => {
            return Err(format!("the file of tokens {shown} is larger than {MAX_FILE_BYTES} bytes"));
        }
        Ok(_) => {}
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let hashes = lines.map(|(at, line)| match Token::parse(line) {
        Ok(token) => Ok(token.hash()),
        Err(e) => Err(format!("the file of tokens {shown}, line {}: {}", at + 1, e.message())),
    });
    let hashes = hashes.collect::<Result<Vec<_>, _>>()?;
    if hashes.is_empty() {
        return Err(format!("the file of tokens {shown} is empty"));
    }
    Ok(hashes)
}
