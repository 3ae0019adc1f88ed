//! The settings of a store.

use std::time::Duration;

/// The settings of a store. Every field has a default.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the tables are: a folder, or the URL of a bucket.
    pub url: String,
    /// The local folder for journal and staged blocks. Default: `<url>/local` for a folder.
    pub local_dir: Option<String>,
    /// How often the head is cut into blocks.
    pub cut_every: Duration,
    /// How long nobody writes a series until a cut lets go of it in memory; it comes back with its next sample. Sooner when
    /// memory is scarce.
    pub series_idle: Duration,
    /// How long rows are kept; whole days are removed.
    pub retention: Duration,
    /// Logs and spans are cut into blocks sooner, when they take so many bytes of memory.
    pub cut_bytes: u64,
    /// Bytes of memory that rows not yet in a block may take.
    pub memory_bytes: u64,
    /// Bytes of disk that the journal may take.
    pub journal_bytes: u64,
    /// Bytes of the local disk that are kept free for the blocks on their way there: no rows are taken when fewer are.
    pub reserve_bytes: u64,
    /// Bytes of memory that what was read of blocks may take: of 16 parts 7 for samples, 4 for indexes, 3 for footers, 2 for
    /// filters of words and traces.
    pub cache_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            url: "data".into(),
            local_dir: None,
            cut_every: Duration::from_secs(15 * 60),
            series_idle: Duration::from_secs(10 * 60),
            retention: Duration::from_secs(15 * 86_400),
            cut_bytes: 256 << 20,
            memory_bytes: 1 << 30,
            journal_bytes: 8 << 30,
            reserve_bytes: 512 << 20,
            cache_bytes: 512 << 20,
        }
    }
}
