//! The system's cache of files, as far as it can be emptied without root.

use std::fs::{self, File};
use std::path::Path;

use rustix::fs::{Advice, fadvise};

use crate::Fault;

/// Tells the system that no file below a folder is needed in memory. What a process has mapped stays there, so that nobody
/// may have them open.
pub(crate) fn drop(folder: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            drop(&path)?;
        } else if path.is_file() {
            let file = File::open(&path)?;
            // Only what is on the disk can go.
            file.sync_all()?;
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}
