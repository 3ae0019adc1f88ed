//! What can go wrong with a journal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::ErrorKind;

use crate::damage::Damage;

/// When a caller that was refused for want of room should come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A failure of the journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file operation failed.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done, as a participle.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Another process, or another part of this one, has the journal open.
    #[error("the journal {} is open elsewhere, one process at a time may use it", dir.display())]
    Locked {
        /// The journal's directory.
        dir: PathBuf,
    },
    /// Records that were durable cannot be read.
    #[error("{0}; to keep what still decodes and move the rest aside, start once with --set-aside-damaged")]
    Damaged(Damage),
    /// The file with the journal's UUID is missing or damaged.
    #[error(
        "{} {what}; restore it from a backup, or start once with --set-aside-damaged to take the uuid from the segments",
        path.display()
    )]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file in the directory is no segment of this journal, or not of a version this program reads.
    #[error("{} {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and how to mend it.
        what: String,
    },
    /// The configuration cannot work.
    #[error("journal configuration: {0}")]
    Config(String),
    /// The journal has reached its size cap.
    #[error("the journal is full, {bytes} of {max_bytes} bytes, it empties as blocks are committed")]
    Full {
        /// Bytes on disk.
        bytes: u64,
        /// The cap.
        max_bytes: u64,
    },
    /// More items wait for the writer than it takes.
    #[error("the journal's queue is full, {waiting} items wait")]
    QueueFull {
        /// Items that were submitted and not yet answered.
        waiting: u64,
    },
    /// A record is larger than the format can hold.
    #[error("a record of {tag_bytes} bytes of tag and {payload_bytes} of payload is larger than the journal takes")]
    TooLarge {
        /// Bytes of its tag; at most [`crate::MAX_TAG_BYTES`] are taken.
        tag_bytes: usize,
        /// Bytes of its payload; at most [`crate::MAX_PAYLOAD_BYTES`] are taken.
        payload_bytes: usize,
    },
    /// The writer has stopped.
    #[error("the journal's writer has stopped")]
    Stopped,
    /// The owner of a replay refused a record.
    #[error(transparent)]
    Owner(#[from] model::Error),
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { doing, path, source }
    }

    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Io { .. } if self.is_disk_full() => ErrorKind::Busy,
            Error::Io { .. } | Error::Locked { .. } | Error::Stopped => ErrorKind::Unavailable,
            Error::Damaged(_) | Error::Identity { .. } | Error::Foreign { .. } => ErrorKind::Corrupt,
            Error::Config(_) => ErrorKind::Invalid,
            Error::Full { .. } | Error::QueueFull { .. } => ErrorKind::Busy,
            Error::TooLarge { .. } => ErrorKind::TooLarge,
            Error::Owner(error) => error.kind(),
        }
    }

    /// Whether a file operation found no room on the disk, or none in the quota.
    pub fn is_disk_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Error::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    /// When the same request may succeed, if that can be said.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Owner(error) => error.retry_after(),
            _ => matches!(self.kind(), ErrorKind::Busy).then_some(RETRY_AFTER),
        }
    }
}

impl From<Error> for model::Error {
    fn from(error: Error) -> Self {
        if let Error::Owner(error) = error {
            return error;
        }
        let made = model::Error::new(error.kind(), error.to_string());
        match error.retry_after() {
            Some(after) => made.with_retry_after(after),
            None => made,
        }
    }
}
