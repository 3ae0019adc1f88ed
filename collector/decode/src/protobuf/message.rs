//! Writes protobuf wire format: the counterpart of [`super::wire`].

/// A protobuf message while it is written. What has its default is left out, as the format wants it.
#[derive(Debug, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    /// A whole number; a negative one takes ten bytes.
    pub(crate) fn number(&mut self, field: u64, number: i64) {
        if number != 0 {
            self.varint(field << 3);
            self.varint(number as u64);
        }
    }

    /// A whole number whose sign stands in the lowest bit.
    pub(crate) fn signed(&mut self, field: u64, number: i64) {
        self.number(field, zigzag(number) as i64);
    }

    /// A double, bit for bit: −0 is not left out.
    pub(crate) fn double(&mut self, field: u64, number: f64) {
        if number.to_bits() != 0 {
            self.present_double(field, number);
        }
    }

    /// A double that is there even when it is zero: one of several fields of which one must be.
    pub(crate) fn present_double(&mut self, field: u64, number: f64) {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&number.to_bits().to_le_bytes());
    }

    /// Doubles one behind the other, packed as the third version of protocol buffers does.
    pub(crate) fn doubles(&mut self, field: u64, numbers: &[f64]) {
        if !numbers.is_empty() {
            self.varint(field << 3 | 2);
            self.varint(size_of_val(numbers) as u64);
            numbers.iter().for_each(|number| self.0.extend_from_slice(&number.to_bits().to_le_bytes()));
        }
    }

    /// A text or bytes.
    pub(crate) fn bytes(&mut self, field: u64, content: &[u8]) {
        if !content.is_empty() {
            self.sized(field, content);
        }
    }

    /// A message, or one of several texts: there even when it is empty.
    pub(crate) fn sized(&mut self, field: u64, content: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(content.len() as u64);
        self.0.extend_from_slice(content);
    }

    /// A number of base 128, the lowest digit first.
    pub(crate) fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

/// The number of a signed one, its sign in the lowest bit.
pub(crate) fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Fields, Value};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut message = Message::default();
        message.number(1, 0);
        message.number(2, -1);
        message.signed(3, i64::MIN);
        message.double(4, 0.0);
        message.double(5, -0.0);
        message.present_double(6, 0.0);
        message.doubles(7, &[]);
        message.doubles(8, &[1.0, 2.0]);
        message.bytes(9, b"");
        message.sized(300, b"");
        let mut fields = Fields::new(&message.0, 0..message.0.len());
        let found: Vec<_> = std::iter::from_fn(|| fields.next().unwrap()).collect();
        let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [2, 3, 5, 6, 8, 300]);
        assert_eq!(found[0].1, Value::Varint(u64::MAX));
        assert_eq!(found[1].1, Value::Varint(u64::MAX));
        assert_eq!((found[2].1.clone(), found[3].1.clone()), (Value::Fixed64(1 << 63), Value::Fixed64(0)));
        assert!(matches!(&found[4].1, Value::Bytes(range) if range.len() == 16));
        assert!(matches!(&found[5].1, Value::Bytes(range) if range.is_empty()));
    }
}
