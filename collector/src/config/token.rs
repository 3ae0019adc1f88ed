//! Where a token stands: as its hash in the configuration, or in a file. Never as itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use model::Error;
use serde::{Deserialize, Serialize};

use crate::keyring::read;
use crate::token::TokenHash;

/// One token that is accepted, or a file of such: `{sha256: …}` or `{file: …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum TokenConfig {
    /// The SHA-256 of the token, in hexadecimal digits, as `fleetscope token new` prints it.
    Sha256(TokenHash),
    /// A file with a token on each line. Looked at every second, so that tokens rotate without a restart: write the new one
    /// beside the old, give it to the senders, take the old one out. What cannot be read leaves the last good content in
    /// force.
    File(PathBuf),
}

impl TokenConfig {
    /// The hashes of the tokens that it stands for. Reads a file.
    ///
    /// # Errors
    /// `Invalid` if the file cannot be used; the message names it and holds nothing of it.
    pub fn hashes(&self) -> Result<Vec<TokenHash>, Error> {
        match self {
            TokenConfig::Sha256(hash) => Ok(vec![*hash]),
            TokenConfig::File(path) => read(path).map_err(Error::invalid),
        }
    }
}

/// Who was met with which tokens, to see that none has two holders.
#[derive(Debug, Default)]
pub struct Holders {
    hashes: HashMap<TokenHash, Arc<str>>,
    files: HashMap<PathBuf, Arc<str>>,
}

impl Holders {
    /// Adds the tokens of one holder.
    ///
    /// # Errors
    /// `Invalid` if another one has one of them; the message names both.
    pub fn add(&mut self, holder: &str, tokens: &[TokenConfig]) -> Result<(), Error> {
        let holder: Arc<str> = Arc::from(holder);
        for token in tokens {
            let (other, what) = match token {
                TokenConfig::Sha256(hash) => {
                    (self.hashes.insert(*hash, holder.clone()), format!("the token with the hash {hash}"))
                }
                TokenConfig::File(path) => {
                    (self.files.insert(path.clone(), holder.clone()), format!("the file {}", path.display()))
                }
            };
            if let Some(other) = other.filter(|other| *other != holder) {
                let text = format!("{what} is of {other} and of {holder}: whose it is would not be known");
                return Err(Error::invalid(text));
            }
        }
        Ok(())
    }
}
