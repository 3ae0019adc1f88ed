//! A file of tokens, one on each line.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::token::{Token, TokenHash};

/// No list of tokens is longer, and a wrong path must not be read into memory whole.
const MAX_FILE_BYTES: u64 = 64 << 10;

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
    stamp: Option<Stamp>,
}

impl TokenFile {
    /// A file that has not been looked at.
    pub(super) fn new(path: PathBuf, holder: Arc<str>) -> Self {
        TokenFile { path, holder, hashes: Vec::new(), fault: None, stamp: None }
    }

    /// Reads the file if it is another one than last time, and says what came of it. Whether anything has changed.
    pub(super) fn look(&mut self) -> bool {
        let stamp = std::fs::metadata(&self.path).ok().map(|metadata| Stamp::of(&metadata));
        if stamp.is_some() && stamp == self.stamp {
            return false;
        }
        self.stamp = stamp;
        let (file, holder) = (self.path.display(), &*self.holder);
        match read(&self.path) {
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
