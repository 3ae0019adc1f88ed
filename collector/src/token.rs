//! Tokens: the secrets by which senders and readers are known, and their hashes, by which tokens are known to us.
//!
//! Owns: how a token is made, hashed and taken out of a request. Does not own: whose it is ([`crate::Keyring`]).
//!
//! A token that we make is 256 random bits, so one round of SHA-256 hides it for good: there is nothing to guess that salt
//! or repetition would slow down, as there is with a password that a person has chosen.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::Error;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What our tokens begin with, so that whoever looks for leaked secrets knows one.
const PREFIX: &str = "fst_";
/// The random bytes of a new token.
const RANDOM_BYTES: usize = 32;
/// The characters of a token of ours: six bits each, after the prefix.
const OWN_BYTES: usize = PREFIX.len() + (RANDOM_BYTES * 8).div_ceil(6);
/// A shorter one can be guessed, or is the part of a file that is being written.
const MIN_BYTES: usize = 16;
/// No header carries a longer one.
const MAX_BYTES: usize = 4 << 10;

/// A secret. Shown nowhere but where [`Token::reveal`] is called.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one, of the system's random bytes.
    ///
    /// # Errors
    /// `Internal` if the system has none.
    pub fn new() -> Result<Self, Error> {
        let mut random = [0; RANDOM_BYTES];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::internal("the system gives no random bytes"))?;
        Ok(Token(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))))
    }

    /// Takes a text that is to be one; white space around it is not part of it.
    ///
    /// # Errors
    /// `Invalid` if it is too short or too long, if it is a part of one of ours, or no header can carry it. The message does
    /// not hold the text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() < MIN_BYTES {
            return Err(Error::invalid(format!("a token of less than {MIN_BYTES} characters can be guessed")));
        }
        if text.starts_with(PREFIX) && text.len() != OWN_BYTES {
            let bytes = text.len();
            return Err(Error::invalid(format!(
                "a token that begins with {PREFIX} has {OWN_BYTES} characters, this one has {bytes}: it is not whole"
            )));
        }
        if text.len() > MAX_BYTES {
            return Err(Error::invalid(format!("no header carries a token of more than {MAX_BYTES} characters")));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid("a token holds a character that no header carries: white space, or not ASCII"));
        }
        Ok(Token(text.to_owned()))
    }

    /// The one that a request shows: its bearer token, the password of basic authentication, whoever the user is, or the secret
    /// of an API key as clients of Elasticsearch show it, whatever its id is.
    pub fn of_request(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (all.next(), all.next()) else { return None };
        let (scheme, credential) = value.to_str().ok()?.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Token::parse(credential).ok();
        }
        if !scheme.eq_ignore_ascii_case("basic") && !scheme.eq_ignore_ascii_case("apikey") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(credential.trim()).ok()?).ok()?;
        Token::parse(pair.split_once(':')?.1).ok()
    }

    /// What it is known by.
    pub fn hash(&self) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        TokenHash(hash)
    }

    /// The secret itself, for the one who asked for it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// The SHA-256 of a token. Whoever has it does not have the token.
///
/// Hashes are compared and looked up as any number is: how long that takes tells of the hash, never of the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// `Invalid` for anything else. It may be the token itself, put here by mistake, so the message does not hold it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid("sha256 is not a hash of 64 hexadecimal digits; fleetscope token hash makes one of a token")
        };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).ok_or_else(wrong);
            // Two hexadecimal digits are a byte.
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Ok(TokenHash(hash))
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

impl Serialize for TokenHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TokenHash::parse(&String::deserialize(deserializer)?).map_err(|e| D::Error::custom(e.message()))
    }
}

#[cfg(test)]
mod tests;
