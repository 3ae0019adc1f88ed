//! Credentials that a source asks for. They stand in files, never in the configuration.

use std::path::PathBuf;

use model::Error;
use serde::{Deserialize, Serialize};

/// A user and the file that holds the password (HTTP basic authentication).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The user. Required.
    pub username: String,
    /// The file with the password, read anew at each attempt; white space around it is not part of it. Required.
    pub password_file: PathBuf,
}

/// A scheme and the file that holds what follows it in the `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// The scheme. Default `Bearer`.
    #[serde(rename = "type", default = "bearer")]
    pub scheme: String,
    /// The file with the credential, read anew at each attempt; white space around it is not part of it. Required.
    pub credentials_file: PathBuf,
}

impl BasicAuth {
    pub(super) fn validate(&self) -> Result<(), Error> {
        if self.username.is_empty() || self.username.contains(':') {
            return Err(Error::invalid("basic_auth: username is empty or contains a colon, which HTTP cannot carry"));
        }
        Ok(())
    }
}

impl Authorization {
    pub(super) fn validate(&self) -> Result<(), Error> {
        let is_token = !self.scheme.is_empty() && self.scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_token {
            return Err(Error::invalid(format!("authorization: type {:?} is not a scheme like Bearer", self.scheme)));
        }
        if self.scheme.eq_ignore_ascii_case("basic") {
            return Err(Error::invalid("authorization: type Basic is written as basic_auth"));
        }
        Ok(())
    }
}

fn bearer() -> String {
    "Bearer".to_owned()
}
