//! Takes a streamed answer apart, as its bytes come.
//!
//! Owns: length, checksum and completeness of each frame.
//! Does not own: reading off the wire, what is in a frame ([`super::decode_chunks`]).
//!
//! ```text
//! frame = length of the payload (base-128 number) · CRC-32C of the payload (4 bytes, big endian) · payload
//! ```
//!
//! Source: `STREAMED_XOR_CHUNKS` in Prometheus' `remote.proto`

use bytes::Bytes;

use crate::{Error, Limits};

/// The bytes that a length takes at most.
const MAX_LENGTH_BYTES: usize = 10;
const CHECKSUM_BYTES: usize = 4;
/// How much of a text in place of a frame is quoted: an error of Prometheus, not a page of a proxy.
const MAX_TEXT_BYTES: usize = 200;

/// A streamed answer on its way in.
///
/// Servers put one series, or a part of one, into a frame. The payloads of several frames, one behind the other, are a
/// message of the same type, so [`Frames::take`] gives all that have come whole: a batch of many series, not of one.
///
/// A server that fails halfway writes its error, as text, where the next frame would be. The message of the error that
/// this becomes here quotes it.
#[derive(Debug)]
pub struct Frames {
    max_frame_bytes: usize,
    /// Length and checksum of the frame at hand, as far as they have come.
    head: Vec<u8>,
    /// What they say, once they are whole.
    announced: Option<Announced>,
    /// Whole payloads, and behind them what has come of the one at hand.
    payloads: Vec<u8>,
    /// How many bytes of `payloads` are whole ones.
    whole_bytes: usize,
    /// How many frames have come whole.
    whole_frames: u64,
}

#[derive(Debug, Clone, Copy)]
struct Announced {
    bytes: usize,
    checksum: u32,
}

impl Frames {
    /// An answer of which nothing has come. A frame counts as a body against [`Limits::max_body_bytes`].
    pub fn new(limits: &Limits) -> Self {
        Frames {
            max_frame_bytes: limits.max_body_bytes,
            head: Vec::new(),
            announced: None,
            payloads: Vec::new(),
            whole_bytes: 0,
            whole_frames: 0,
        }
    }

    /// Takes the next bytes of the stream. Memory grows with what came, not with what a length announces.
    ///
    /// # Errors
    /// `TooLarge` if a frame is over the limit, `Unavailable` if its checksum is wrong or its length is none. The stream
    /// is of no use from there on; what [`Frames::take`] gives is.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while let Some((first, rest)) = bytes.split_first() {
            let Some(announced) = self.announced else {
                self.head.push(*first);
                bytes = rest;
                self.announced = self.read_head()?;
                if self.announced.is_some_and(|announced| announced.bytes == 0) {
                    self.close(bytes)?;
                }
                continue;
            };
            let missing = self.whole_bytes + announced.bytes - self.payloads.len();
            let (payload, rest) = bytes.split_at(missing.min(bytes.len()));
            self.payloads.extend_from_slice(payload);
            bytes = rest;
            if payload.len() == missing {
                self.close(bytes)?;
            }
        }
        Ok(())
    }

    /// How many bytes [`Frames::take`] would give.
    pub fn whole_bytes(&self) -> usize {
        self.whole_bytes
    }

    /// The payloads of the frames that have come whole since the last call, one behind the other.
    pub fn take(&mut self) -> Bytes {
        let rest = self.payloads.split_off(self.whole_bytes);
        self.whole_bytes = 0;
        Bytes::from(std::mem::replace(&mut self.payloads, rest))
    }

    /// Says that the stream has ended, and gives what [`Frames::take`] would.
    ///
    /// # Errors
    /// `Unavailable` if it has ended in a frame: the server or the network broke off.
    pub fn finish(mut self) -> Result<Bytes, Error> {
        if self.head.is_empty() { Ok(self.take()) } else { Err(self.damaged("the stream ends in it", &[])) }
    }

    /// What the head announces, if it is whole.
    fn read_head(&self) -> Result<Option<Announced>, Error> {
        let Some(last) = self.head.iter().position(|byte| *byte < 0x80) else {
            return if self.head.len() < MAX_LENGTH_BYTES {
                Ok(None)
            } else {
                Err(self.damaged("it has no length", &[]))
            };
        };
        let (digits, checksum) = self.head.split_at(last + 1);
        // A tenth digit has one bit that counts.
        if digits.len() == MAX_LENGTH_BYTES && digits[last] > 1 {
            return Err(self.damaged("it has no length", &[]));
        }
        let bytes = digits.iter().rev().fold(0u64, |length, digit| length << 7 | u64::from(digit & 0x7f));
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= self.max_frame_bytes).ok_or_else(|| {
            let max = self.max_frame_bytes;
            Error::too_large(format!("{} announces {bytes} bytes, the limit is {max}", self.place()))
        })?;
        let checksum = <[u8; CHECKSUM_BYTES]>::try_from(checksum).ok().map(u32::from_be_bytes);
        Ok(checksum.map(|checksum| Announced { bytes, checksum }))
    }

    /// Checks the payload of the frame at hand, which is complete, and counts it as whole; `rest` comes behind it.
    fn close(&mut self, rest: &[u8]) -> Result<(), Error> {
        let found = crc32c::crc32c(&self.payloads[self.whole_bytes..]);
        match self.announced {
            Some(Announced { checksum, .. }) if checksum != found => {
                let what = format!("its checksum is {checksum:08x}, that of its payload {found:08x}");
                Err(self.damaged(&what, rest))
            }
            _ => {
                self.announced = None;
                self.head.clear();
                self.whole_bytes = self.payloads.len();
                self.whole_frames += 1;
                Ok(())
            }
        }
    }

    #[cold]
    fn damaged(&self, what: &str, rest: &[u8]) -> Error {
        let message = format!("{} is damaged: {what}{}", self.place(), self.text(rest));
        Error::new(model::ErrorKind::Unavailable, message)
    }

    fn place(&self) -> String {
        format!("frame {} of the answer", self.whole_frames + 1)
    }

    /// The frame at hand and the rest, where they read like the error of a server that failed halfway.
    fn text(&self, rest: &[u8]) -> String {
        let frame = self.head.iter().chain(&self.payloads[self.whole_bytes..]).chain(rest);
        let frame: Vec<u8> = frame.copied().take(MAX_TEXT_BYTES).collect();
        match std::str::from_utf8(&frame) {
            Ok(text) if frame.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) => {
                format!(", it reads {:?}", text.trim_end())
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
