//! The bytes of one record. `docs/formats/journal.md` has the layout; the two must agree.

use std::ops::Range;

use uuid::Uuid;

/// Bytes of a record's header before its tag.
pub(crate) const HEADER_BYTES: usize = 32;
/// Records begin at multiples of this many bytes.
pub(crate) const ALIGNMENT: usize = 8;
/// The longest tag of a record, in bytes.
pub const MAX_TAG_BYTES: usize = 255;
/// The longest payload of a record, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 30;

const KIND_RECORD: u8 = 1;
const KIND_END: u8 = 2;

/// The segment a record lies in. It is part of every checksum, with the record's offset, so that bytes of another
/// place (a journal inside a payload, say) are never taken for a record of this one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place(u32);

impl Place {
    pub(crate) fn new(uuid: Uuid, generation: u64, segment: u64) -> Self {
        let crc = crc32c::crc32c(uuid.as_bytes());
        Place(crc32c::crc32c_append(crc32c::crc32c_append(crc, &generation.to_le_bytes()), &segment.to_le_bytes()))
    }

    /// Over offset, payload length, sequence, tag length, tag and payload.
    fn payload_crc(self, offset: u64, sequence: u64, tag: &[u8], payload: &[u8]) -> u32 {
        let mut fixed = [0; 21];
        fixed[..8].copy_from_slice(&offset.to_le_bytes());
        fixed[8..12].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        fixed[12..20].copy_from_slice(&sequence.to_le_bytes());
        fixed[20] = tag.len() as u8;
        let crc = crc32c::crc32c_append(crc32c::crc32c_append(self.0, &fixed), tag);
        crc32c::crc32c_append(crc, payload)
    }

    /// Over offset, the header behind this checksum's own field, and the tag.
    fn header_crc(self, offset: u64, header: &[u8], tag: &[u8]) -> u32 {
        let crc = crc32c::crc32c_append(crc32c::crc32c_append(self.0, &offset.to_le_bytes()), header);
        crc32c::crc32c_append(crc, tag)
    }
}

/// A record whose header decodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it ends in the segment, padding included.
    pub(crate) end: usize,
    pub(crate) sequence: u64,
    /// The sequence of the first record of its group: all below it were durable before this one was written.
    pub(crate) group: u64,
    pub(crate) tag: Range<usize>,
    pub(crate) payload: Range<usize>,
    /// Whether the payload decodes too.
    pub(crate) whole: bool,
}

/// What decodes at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parsed {
    Record(Found),
    /// The mark of a segment that was closed in good order; all records below `next` were durable before it.
    End {
        next: u64,
    },
}

/// Bytes a record takes, padding included.
pub(crate) fn size(tag_bytes: usize, payload_bytes: usize) -> usize {
    (HEADER_BYTES + tag_bytes + payload_bytes).next_multiple_of(ALIGNMENT)
}

/// Appends the record that will lie at `offset` of the segment `place` to `into`, whose length is a multiple of
/// [`ALIGNMENT`]. Tag and payload must be within their limits.
pub(crate) fn append(
    into: &mut Vec<u8>,
    place: Place,
    offset: u64,
    (sequence, group): (u64, u64),
    tag: &[u8],
    payload: &[u8],
) {
    let payload_crc = place.payload_crc(offset, sequence, tag, payload);
    into.reserve(size(tag.len(), payload.len()));
    let header = header(place, offset, (KIND_RECORD, sequence, group), tag, (payload.len() as u32, payload_crc));
    into.extend_from_slice(&header);
    into.extend_from_slice(tag);
    into.extend_from_slice(payload);
    into.resize(into.len().next_multiple_of(ALIGNMENT), 0);
}

/// The mark that ends a segment at `offset`; `next` is the sequence after its last record.
pub(crate) fn end_mark(place: Place, offset: u64, next: u64) -> [u8; HEADER_BYTES] {
    header(place, offset, (KIND_END, next, next), &[], (0, 0))
}

fn header(
    place: Place,
    offset: u64,
    (kind, sequence, group): (u8, u64, u64),
    tag: &[u8],
    (payload_len, payload_crc): (u32, u32),
) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[4..8].copy_from_slice(&payload_len.to_le_bytes());
    header[8..16].copy_from_slice(&sequence.to_le_bytes());
    header[16..24].copy_from_slice(&group.to_le_bytes());
    header[24..28].copy_from_slice(&payload_crc.to_le_bytes());
    header[28] = kind;
    header[29] = tag.len() as u8;
    let crc = place.header_crc(offset, &header[4..], tag);
    header[..4].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Decodes what lies at `offset` of a segment's bytes, if its header does.
pub(crate) fn parse(bytes: &[u8], offset: usize, place: Place) -> Option<Parsed> {
    let header: &[u8; HEADER_BYTES] = bytes.get(offset..)?.first_chunk()?;
    let [crc, payload_len, rest @ ..] = header.as_chunks::<4>().0 else { return None };
    let [.., payload_crc, [kind, tag_len, zero @ ..]] = rest else { return None };
    let payload_len = u32::from_le_bytes(*payload_len) as usize;
    let tag_len = usize::from(*tag_len);
    // Cheap refusals first: a scan for the next record asks at every eighth byte.
    if *zero != [0, 0] || !matches!(*kind, KIND_RECORD | KIND_END) || payload_len > MAX_PAYLOAD_BYTES {
        return None;
    }
    let tag = offset + HEADER_BYTES..offset + HEADER_BYTES + tag_len;
    let tag_bytes = bytes.get(tag.clone())?;
    if place.header_crc(offset as u64, &header[4..], tag_bytes) != u32::from_le_bytes(*crc) {
        return None;
    }
    let sequence = u64::from_le_bytes(*header[8..].first_chunk()?);
    let group = u64::from_le_bytes(*header[16..].first_chunk()?);
    match *kind {
        KIND_RECORD if payload_len > 0 && group <= sequence => {}
        KIND_END if payload_len == 0 && tag_len == 0 && group == sequence => {
            return Some(Parsed::End { next: sequence });
        }
        _ => return None,
    }
    let payload = tag.end..tag.end + payload_len;
    let whole = bytes.get(payload.clone()).is_some_and(|payload| {
        place.payload_crc(offset as u64, sequence, tag_bytes, payload) == u32::from_le_bytes(*payload_crc)
    });
    let end = offset + size(tag_len, payload_len);
    Some(Parsed::Record(Found { end, sequence, group, tag, payload, whole }))
}

#[cfg(test)]
mod tests;
