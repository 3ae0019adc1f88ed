//! Whose a token is.
//!
//! Owns: the hashes of the tokens that are accepted, the files they stand in and the looking for changes of these.
//! Does not own: what a holder may do with his token, where tokens come from (`config`).

mod file;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use model::worker::{Stop, Worker};
use parking_lot::RwLock;
use tokio::time::Instant;

use self::file::TokenFile;
pub(crate) use self::file::read;
use crate::config::TokenConfig;
use crate::token::{Token, TokenHash};

/// How often it is looked whether a file has changed: a look is a system call a file.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who holds which tokens. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Arc<RwLock<Table>>);

/// What a reload replaces as a whole.
#[derive(Debug, Clone, Default)]
struct Table {
    /// Tells this table from the one that the next reload puts in its place.
    generation: u64,
    fixed: Vec<(TokenHash, Arc<str>)>,
    files: Vec<TokenFile>,
    /// What the two say together.
    holders: HashMap<TokenHash, Arc<str>>,
}

impl Keyring {
    /// A ring with the tokens of these holders. Files that cannot be read are logged, and count once they can be.
    pub fn new<'a>(holders: impl IntoIterator<Item = (&'a str, &'a [TokenConfig])>) -> Self {
        let ring = Keyring::default();
        ring.replace(holders);
        ring
    }

    /// Goes over to the tokens of other holders; a file that is unreadable just now keeps what it held. Reads files.
    pub fn replace<'a>(&self, holders: impl IntoIterator<Item = (&'a str, &'a [TokenConfig])>) {
        let (mut table, now) = (Table::default(), Instant::now());
        for (holder, tokens) in holders {
            let holder: Arc<str> = Arc::from(holder);
            for token in tokens {
                match token {
                    TokenConfig::Sha256(hash) => table.fixed.push((*hash, holder.clone())),
                    TokenConfig::File(path) => table.files.push(self.file(path, &holder)),
                }
            }
        }
        table.files.iter_mut().for_each(|file| {
            file.look(now);
        });
        table.settle();
        let mut current = self.0.write();
        table.generation = current.generation + 1;
        *current = table;
    }

    /// The file as it is known already, or not yet.
    fn file(&self, path: &PathBuf, holder: &Arc<str>) -> TokenFile {
        let current = self.0.read();
        let known = current.files.iter().find(|file| file.path == *path && file.holder == *holder);
        known.cloned().unwrap_or_else(|| TokenFile::new(path.clone(), holder.clone()))
    }

    /// Whether nobody has a token, not even one in a file that cannot be read.
    pub fn is_empty(&self) -> bool {
        let table = self.0.read();
        table.fixed.is_empty() && table.files.is_empty()
    }

    /// Who holds the token that a request shows; nobody if it shows none that is known.
    pub fn holder(&self, headers: &HeaderMap) -> Option<Arc<str>> {
        let hash = Token::of_request(headers)?.hash();
        self.0.read().holders.get(&hash).cloned()
    }

    /// How many files of each holder cannot be used as they are.
    pub fn failing_files(&self) -> BTreeMap<Arc<str>, u64> {
        let mut failing = BTreeMap::new();
        for file in &self.0.read().files {
            *failing.entry(file.holder.clone()).or_default() += u64::from(file.fault.is_some());
        }
        failing
    }

    /// Begins to look for changes of the files.
    pub fn watch(&self, name: &str) -> Worker {
        let ring = self.clone();
        Worker::task(name, |stop| async move { ring.look_on(stop).await })
    }

    async fn look_on(&self, stop: Stop) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.stopped() => return,
            }
            let ring = self.clone();
            if self.0.read().files.is_empty() {
                continue;
            }
            // Away from the runtime, for a disk may hang.
            if tokio::task::spawn_blocking(move || ring.look(Instant::now())).await.is_err() {
                tracing::error!("looking at the files of tokens broke off");
            }
        }
    }

    fn look(&self, now: Instant) {
        let mut table = self.0.read().clone();
        let has_changed = table.files.iter_mut().fold(false, |changed, file| file.look(now) | changed);
        if has_changed {
            table.settle();
        }
        // What was seen of files counts at the next look, whatever it came to.
        let mut current = self.0.write();
        // A reload in between has looked itself.
        if current.generation == table.generation {
            *current = table;
        }
    }
}

impl Table {
    /// Works out who holds which token. One that two hold would not tell who sends, so nobody holds it.
    fn settle(&mut self) {
        let of_files = self.files.iter().flat_map(|file| file.hashes.iter().map(|hash| (*hash, file.holder.clone())));
        let mut holders: HashMap<TokenHash, Arc<str>> = HashMap::new();
        let mut shared = Vec::new();
        for (hash, holder) in self.fixed.iter().cloned().chain(of_files) {
            match holders.get(&hash) {
                Some(other) if *other != holder => {
                    tracing::error!(%hash, one = &**other, another = &*holder, "two have the same token, it is refused");
                    shared.push(hash);
                }
                _ => drop(holders.insert(hash, holder)),
            }
        }
        shared.iter().for_each(|hash| drop(holders.remove(hash)));
        self.holders = holders;
    }
}

#[cfg(test)]
mod tests;
