//! The wire format of protocol buffers, as far as the ways need it.

/// A field that is a message, a text or bytes.
pub(crate) fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    tag(out, number, 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A field that is a message, which `fill` writes.
pub(crate) fn message(out: &mut Vec<u8>, number: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = Vec::new();
    fill(&mut bytes);
    field(out, number, &bytes);
}

/// A field that is a number of any length.
pub(crate) fn number(out: &mut Vec<u8>, number: u8, value: u64) {
    tag(out, number, 0);
    varint(out, value);
}

/// A field of eight bytes.
pub(crate) fn fixed(out: &mut Vec<u8>, number: u8, bits: u64) {
    tag(out, number, 1);
    out.extend_from_slice(&bits.to_le_bytes());
}

/// A field that is a double.
pub(crate) fn double(out: &mut Vec<u8>, number: u8, value: f64) {
    fixed(out, number, value.to_bits());
}

/// A number with a sign, as `sint32` and `sint64` write it.
pub(crate) fn signed(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn tag(out: &mut Vec<u8>, number: u8, wire_type: u64) {
    varint(out, u64::from(number) << 3 | wire_type);
}

pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a number and moves on behind it.
pub(crate) fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if *first < 0x80 {
            return Some(value);
        }
    }
    None
}
