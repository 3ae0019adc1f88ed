//! Where a token stands: as its hash in the configuration, or in a file. Never as itself.

use std::collections::HashMap;
use std::path::PathBuf;

use model::Error;
use serde::{Deserialize, Serialize};

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

/// Checks that no token, and no file of such, has two holders; `holders` are their names and tokens.
///
/// # Errors
/// `Invalid`; the message names both.
pub fn check_holders<'a>(holders: impl IntoIterator<Item = (&'a str, &'a [TokenConfig])>) -> Result<(), Error> {
    let (mut hashes, mut files) = (HashMap::new(), HashMap::new());
    for (holder, tokens) in holders {
        for token in tokens {
            let (other, what) = match token {
                TokenConfig::Sha256(hash) => (hashes.insert(hash, holder), format!("the token with the hash {hash}")),
                TokenConfig::File(path) => (files.insert(path, holder), format!("the file {}", path.display())),
            };
            if let Some(other) = other {
                return Err(Error::invalid(format!(
                    "{what} is a token of {other} and of {holder}: who sends would not be known"
                )));
            }
        }
    }
    Ok(())
}
