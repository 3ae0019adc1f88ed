//! The name and the header of a segment file. `docs/formats/journal.md` has the layout; the two must agree.

use uuid::Uuid;

/// Bytes of a segment's header; its first record begins here.
pub(crate) const HEADER_BYTES: u64 = 64;
/// The version of the format this program writes, and the only one there is.
pub(crate) const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"fsjournl";
const EXTENSION: &str = ".journal";

/// What the name of a segment file says. The order is that of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) generation: u64,
    /// Grows by one over the whole life of the journal.
    pub(crate) number: u64,
    /// The sequence of its first record. When a name appears, all records below were durable, and none at or above
    /// that lies in an earlier segment will ever be acknowledged.
    pub(crate) first: u64,
}

impl Name {
    pub(crate) fn file(self) -> String {
        format!("{:016x}-{:016x}-{:016x}{EXTENSION}", self.generation, self.number, self.first)
    }

    /// Reads a file's name. `None` if it is no segment's, an error's text if it only looks like one.
    pub(crate) fn parse(file: &str) -> Option<Result<Self, &'static str>> {
        let stem = file.strip_suffix(EXTENSION)?;
        let mut parts = stem.split('-').map(|part| {
            let is_ours = part.len() == 16 && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            is_ours.then(|| u64::from_str_radix(part, 16).ok()).flatten()
        });
        let (generation, number, first) = (parts.next(), parts.next(), parts.next());
        Some(match (generation.flatten(), number.flatten(), first.flatten(), parts.next()) {
            (Some(generation), Some(number), Some(first), None) => Ok(Name { generation, number, first }),
            _ => Err("is no name of a segment, give it back its own name or move it out of the directory"),
        })
    }
}

/// The first bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) uuid: Uuid,
    pub(crate) name: Name,
    /// The length the file was made with. Only a segment that was closed is shorter.
    pub(crate) allocated: u64,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES as usize] {
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..32].copy_from_slice(self.uuid.as_bytes());
        bytes[32..40].copy_from_slice(&self.name.generation.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.name.number.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.name.first.to_le_bytes());
        bytes[56..].copy_from_slice(&self.allocated.to_le_bytes());
        let crc = checksum(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header of a segment, of whatever version. `None` if it does not decode.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_BYTES as usize] = bytes.first_chunk()?;
        let crc = u32::from_le_bytes(*bytes[12..].first_chunk()?);
        if !bytes.starts_with(MAGIC) || checksum(bytes) != crc {
            return None;
        }
        let number = |at: usize| bytes[at..].first_chunk().copied().map(u64::from_le_bytes);
        Some(Header {
            version: u32::from_le_bytes(*bytes[8..].first_chunk()?),
            uuid: Uuid::from_bytes(*bytes[16..].first_chunk()?),
            name: Name { generation: number(32)?, number: number(40)?, first: number(48)? },
            allocated: number(56)?,
        })
    }
}

/// Over the header without the checksum's own four bytes.
fn checksum(header: &[u8; HEADER_BYTES as usize]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&header[..12]), &header[16..])
}

#[cfg(test)]
mod tests;
