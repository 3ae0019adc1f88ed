//! Credentials that a source asks for. They stand in files, never in the configuration.

use std::path::PathBuf;

use model::Error;
use serde::{Deserialize, Serialize};

/// A user and the file that holds the password (HTTP basic authentication).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The user. This or `username_file` is required.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The file with the user, read as `password_file` is. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_file: Option<PathBuf>,
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
        match (&self.username_file, self.username.is_empty()) {
            (None, true) => Err(Error::invalid("basic_auth: username is empty and there is no username_file")),
            (Some(_), false) => Err(Error::invalid("basic_auth: username and username_file exclude each other")),
            _ if self.username.contains(':') => {
                Err(Error::invalid("basic_auth: username contains a colon, which HTTP cannot carry"))
            }
            _ => Ok(()),
        }
    }
}

impl Authorization {
    /// A bearer token that stands in this file.
    pub fn bearer(credentials_file: PathBuf) -> Self {
        Authorization { scheme: bearer(), credentials_file }
    }

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
