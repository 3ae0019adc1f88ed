//! Takes the compression off a body. These are the only decompressors of request bodies in the product.
//!
//! Owns: how large a body may become, whatever it claims.
//! Does not own: reading it off the wire (the collector stops at [`Limits::max_body_bytes`] there), what is in it.

use std::io::Read;

use bytes::Bytes;

use crate::error::quoted;
use crate::{Error, Limits};

/// How a body is compressed: the word of the `Content-Encoding` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// gzip, RFC 1952, one member or several.
    Gzip,
    /// The snappy block format, which remote write uses; not the framing format.
    Snappy,
    /// Zstandard, RFC 8878, one frame or several.
    Zstd,
}

impl ContentEncoding {
    /// All of them.
    pub const ALL: [ContentEncoding; 4] =
        [ContentEncoding::Identity, ContentEncoding::Gzip, ContentEncoding::Snappy, ContentEncoding::Zstd];

    /// Reads the header's value; an empty or absent one means `identity`.
    ///
    /// # Errors
    /// `Invalid` for any other word and for more than one, so that nothing is unpacked twice.
    pub fn parse(header: &str) -> Result<Self, Error> {
        match header.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(ContentEncoding::Identity),
            "gzip" | "x-gzip" => Ok(ContentEncoding::Gzip),
            "snappy" => Ok(ContentEncoding::Snappy),
            "zstd" => Ok(ContentEncoding::Zstd),
            _ => {
                let given = quoted(header.as_bytes());
                let known = "gzip, zstd, snappy or identity";
                Err(Error::invalid(format!("content encoding {given} is not accepted: send {known}")))
            }
        }
    }
}

/// Gives the body as it was before compression; an uncompressed one is not copied.
///
/// # Errors
/// `TooLarge` if the body is over [`Limits::max_body_bytes`], or would be over [`Limits::max_decoded_bytes`], or is a
/// gzip or zstd body that grew past 1 MiB and 100 times its size; `Invalid` if it is damaged, ends early or goes on after its
/// end.
pub fn decompress(encoding: ContentEncoding, body: &Bytes, limits: &Limits) -> Result<Bytes, Error> {
    if body.len() > limits.max_body_bytes {
        return Err(Error::too_large(format!(
            "the body has {} bytes, the limit is {}",
            body.len(),
            limits.max_body_bytes
        )));
    }
    match encoding {
        ContentEncoding::Identity if body.len() > limits.max_decoded_bytes => Err(over_limit(limits)),
        ContentEncoding::Identity => Ok(body.clone()),
        ContentEncoding::Gzip => gunzip(body, limits).map(Bytes::from),
        ContentEncoding::Snappy => unsnap(body, limits).map(Bytes::from),
        ContentEncoding::Zstd => unzstd(body, limits).map(Bytes::from),
    }
}

fn over_limit(limits: &Limits) -> Error {
    Error::too_large(format!("the body is over {} bytes when decompressed", limits.max_decoded_bytes))
}

/// No snappy body grows more than this: its densest element copies 64 bytes and takes 3.
///
/// Source: "Snappy compressed format description", section 2.2.
const SNAPPY_MAX_GROWTH: usize = 64 / 3 + 1;

fn unsnap(body: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let damaged = |error: snap::Error| Error::invalid(format!("the body is not one block of snappy: {error}"));
    let claimed = snap::raw::decompress_len(body).map_err(damaged)?;
    if claimed > limits.max_decoded_bytes {
        let limit = limits.max_decoded_bytes;
        return Err(Error::too_large(format!("the snappy body claims {claimed} bytes, the limit is {limit}")));
    }
    // Checked before the claim becomes an allocation.
    if claimed > body.len() * SNAPPY_MAX_GROWTH {
        let what = format!("the snappy body of {} bytes claims {claimed}, more than it can hold", body.len());
        return Err(Error::invalid(what));
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(damaged)
}

/// Up to here a gzip or zstd body may grow as much as it likes.
const FREE_BYTES: usize = 1 << 20;
/// Beyond, decoded bytes per compressed byte read so far.
const MAX_RATIO: usize = 100;

fn gunzip(body: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let mut decoded = Vec::new();
    let mut chunk = [0; 16 << 10];
    let mut rest = body;
    loop {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        loop {
            let read = member.read(&mut chunk).map_err(|error| {
                Error::invalid(format!(
                    "the gzip body is damaged at byte {}: {error}",
                    body.len() - member.get_ref().len()
                ))
            })?;
            if read == 0 {
                break;
            }
            let consumed = body.len() - member.get_ref().len();
            let total = decoded.len() + read;
            if total > limits.max_decoded_bytes {
                return Err(over_limit(limits));
            }
            if total > FREE_BYTES.max(consumed.saturating_mul(MAX_RATIO)) {
                let what = format!("the gzip body grows more than {MAX_RATIO} times: {consumed} bytes became {total}");
                return Err(Error::too_large(what));
            }
            decoded.extend_from_slice(&chunk[..read]);
        }
        rest = member.into_inner();
        // Further members are part of the format; anything else fails as the header of one.
        if rest.is_empty() {
            return Ok(decoded);
        }
    }
}

/// The memory a zstd frame may ask for, as a power of two: 8 MiB, which RFC 8878 asks of every reader. A frame of a few
/// bytes may claim 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;

fn unzstd(body: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let damaged = |error: std::io::Error| Error::invalid(format!("the zstd body is damaged: {error}"));
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(damaged)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(damaged)?;
    let mut decoded = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        let read = decoder.read(&mut chunk).map_err(damaged)?;
        if read == 0 {
            return Ok(decoded);
        }
        let total = decoded.len() + read;
        if total > limits.max_decoded_bytes {
            return Err(over_limit(limits));
        }
        if total > FREE_BYTES.max(body.len().saturating_mul(MAX_RATIO)) {
            let what = format!("the zstd body of {} bytes grows more than {MAX_RATIO} times", body.len());
            return Err(Error::too_large(what));
        }
        decoded.extend_from_slice(&chunk[..read]);
    }
}

#[cfg(test)]
mod tests;
