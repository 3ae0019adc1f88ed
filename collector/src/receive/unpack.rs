//! Takes the compression off a body, within room that is taken before.

use bytes::Bytes;
use decode::Limits;
use decode::body::{ContentEncoding, decompress};
use model::{Error, ErrorKind};

use super::budget::Share;

/// Room that is taken for what a body may become, in multiples of it: most become less.
const USUAL_GROWTH: usize = 16;
/// Room that is taken for any body.
const LEAST_BYTES: usize = 16 << 10;

/// The body as it was before compression. But for snappy no format tells the size in a way that can be trusted, so what is usual
/// is tried before what is allowed.
///
/// # Errors
/// `Busy` if there is no room, `TooLarge` or `Invalid` as [`decompress`] says.
pub(super) fn unpack(
    encoding: ContentEncoding,
    wire: &Bytes,
    limits: &Limits,
    share: &mut Share,
) -> Result<Bytes, Error> {
    let max = limits.max_decoded_bytes;
    let usual = match encoding {
        ContentEncoding::Identity => {
            return decompress(encoding, wire, limits).map_err(|error| how_to_mend(error, share));
        }
        ContentEncoding::Snappy => snappy_claim(wire),
        _ => wire.len() * USUAL_GROWTH + LEAST_BYTES,
    };
    for room in [usual.min(max), max] {
        share.grow_to(wire.len() + room)?;
        let within = Limits { max_decoded_bytes: room, ..limits.clone() };
        match decompress(encoding, wire, &within) {
            Err(error) if error.kind() == ErrorKind::TooLarge && room < max => {}
            done => return done.map_err(|error| how_to_mend(error, share)),
        }
    }
    Err(Error::internal("a body was neither unpacked nor refused"))
}

/// The error, and of a body that is too large what its sender can do.
fn how_to_mend(error: decode::Error, share: &Share) -> Error {
    match error.kind() {
        ErrorKind::TooLarge => {
            let (what, section) = (error.message(), share.section());
            let text = format!("{what}: send it in parts, or see decoded_size_limit of {section} and of its cluster");
            Error::new(ErrorKind::TooLarge, text)
        }
        _ => error.into(),
    }
}

/// The length that a snappy block says it has when decompressed: a little-endian base-128 number at its start. One that lies is
/// refused by the decompressor without allocating what it claims.
///
/// Source: "Snappy compressed format description", section 1.
pub(super) fn snappy_claim(wire: &[u8]) -> usize {
    let digits = wire.iter().take(5).enumerate();
    let mut claim = 0u64;
    for (place, byte) in digits {
        claim |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
    }
    usize::try_from(claim).unwrap_or(usize::MAX)
}
