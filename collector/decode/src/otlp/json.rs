//! OTLP as JSON, turned into the protobuf bytes that say the same, so that there is one translation for both.
//!
//! Read field by field from the text into the bytes, with no tree between. As OTLP asks of readers: 64-bit numbers as text
//! or number, ids in hexadecimal digits, enums by number (and by name), NaN and infinities as text, unknown fields skipped.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/>, "JSON Protobuf Encoding"

mod number;
mod schema;

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::number::Number;
use self::schema::{Field, Kind, Message, logs, metrics, traces};
use crate::{Error, Limits};

/// Bytes of a length, padded: they are left free before the message is written, whose length is known only then.
const LENGTH_BYTES: usize = 5;
/// Messages up to this length are moved to where they need no padding: nearly all are so short.
const SHORT: usize = 0x7f;

/// Which request a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `ExportMetricsServiceRequest`, for [`super::decode`].
    Metrics,
    /// `ExportLogsServiceRequest`, for [`super::logs::decode`].
    Logs,
    /// `ExportTraceServiceRequest`, for [`super::traces::decode`].
    Traces,
}

impl Request {
    fn message(self) -> &'static Message {
        match self {
            Request::Metrics => &metrics::REQUEST,
            Request::Logs => &logs::REQUEST,
            Request::Traces => &traces::REQUEST,
        }
    }
}

/// The protobuf bytes of the request that is JSON in `body`.
///
/// # Errors
/// `Invalid` if it is no JSON, is nested too deep, or a known field has a value of another type; `TooLarge` if the bytes
/// would be over [`Limits::max_decoded_bytes`].
pub fn to_protobuf(request: Request, body: &[u8], limits: &Limits) -> Result<Bytes, Error> {
    let mut writer = Writer { out: Vec::with_capacity(body.len() / 2), limit: limits.max_decoded_bytes };
    let mut text = serde_json::Deserializer::from_slice(body);
    let read = MessageSeed { message: request.message(), writer: &mut writer }
        .deserialize(&mut text)
        .and_then(|()| text.end());
    match read {
        Ok(()) => Ok(writer.out.into()),
        Err(_) if writer.out.len() > writer.limit => {
            let what = format!("the request is over {} bytes when it is no longer JSON", limits.max_decoded_bytes);
            Err(Error::too_large(what))
        }
        Err(error) => Err(Error::invalid(format!("the request is not OTLP as JSON: {error}"))),
    }
}

/// The bytes as they grow.
struct Writer {
    out: Vec<u8>,
    limit: usize,
}

impl Writer {
    fn check<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.out.len() > self.limit { Err(E::custom("too large")) } else { Ok(()) }
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    fn tag(&mut self, field: &Field, wire_type: u8) {
        self.varint(u64::from(field.number << 3 | wire_type));
    }

    fn bytes(&mut self, field: &Field, bytes: &[u8]) {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn fixed(&mut self, field: &Field, bits: u64) {
        self.tag(field, 1);
        self.out.extend_from_slice(&bits.to_le_bytes());
    }

    fn fixed32(&mut self, field: &Field, bits: u32) {
        self.tag(field, 5);
        self.out.extend_from_slice(&bits.to_le_bytes());
    }

    fn number(&mut self, field: &Field, number: u64) {
        self.tag(field, 0);
        self.varint(number);
    }

    /// Leaves room for the length of what comes; gives where it begins.
    fn begin(&mut self, field: &Field) -> usize {
        self.tag(field, 2);
        self.out.extend_from_slice(&[0; LENGTH_BYTES]);
        self.out.len()
    }

    fn end(&mut self, start: usize) {
        let mut length = self.out.len() - start;
        let (last, digits) = (LENGTH_BYTES - 1, start - LENGTH_BYTES);
        if length <= SHORT {
            self.out[digits] = length as u8;
            self.out.copy_within(start.., digits + 1);
            self.out.truncate(digits + 1 + length);
            return;
        }
        for place in 0..LENGTH_BYTES {
            let more = if place < last { 0x80 } else { 0 };
            self.out[digits + place] = (length & 0x7f) as u8 | more;
            length >>= 7;
        }
    }
}

/// Reads an object into the fields of a message.
struct MessageSeed<'w> {
    message: &'static Message,
    writer: &'w mut Writer,
}

impl<'de> DeserializeSeed<'de> for MessageSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MessageSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object, {}", self.message.name)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Fields mostly come in the order of the table.
        let mut next = 0;
        while let Some(place) = map.next_key_seed(FieldName { message: self.message, next })? {
            match place {
                Some(place) => {
                    let field = &self.message.fields[place];
                    map.next_value_seed(FieldSeed { field, writer: self.writer, may_repeat: true })?;
                    next = place + 1;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.writer.check()
    }
}

/// Finds a field by its name, and gives its place; `next` is where it may well be.
struct FieldName {
    message: &'static Message,
    next: usize,
}

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // As bytes: the names that count are ASCII, and no others need to be text.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a field of {}", self.message.name)
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        let fields = self.message.fields;
        match fields.get(self.next) {
            Some(field) if field.is_called(name) => Ok(Some(self.next)),
            _ => Ok(fields.iter().position(|field| field.is_called(name))),
        }
    }
}

/// Reads the value of a field; an array of them if it is repeated.
struct FieldSeed<'w> {
    field: &'static Field,
    writer: &'w mut Writer,
    may_repeat: bool,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.field.kind {
            // As bytes: a line that was cut within a character, or is no UTF-8, must not cost the whole request.
            Kind::Text if !self.field.is_repeated => deserializer.deserialize_option(self),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl FieldSeed<'_> {
    fn wrong<E: serde::de::Error>(&self, what: impl fmt::Display) -> E {
        E::custom(format!("field {} is {what}", self.field.name))
    }

    fn write_number<E: serde::de::Error>(self, number: Number) -> Result<(), E> {
        self.writer.check()?;
        let wrong = |what: String| E::custom(format!("field {} is {what}", self.field.name));
        let field = self.field;
        match field.kind {
            Kind::Double => self.writer.fixed(field, number.double().to_bits()),
            Kind::Fixed => self.writer.fixed(field, number.unsigned().map_err(wrong)?),
            Kind::Fixed32 => {
                let number = number.unsigned().map_err(wrong)?;
                let bits = u32::try_from(number).map_err(|_| wrong(format!("too large: {number}")))?;
                self.writer.fixed32(field, bits);
            }
            Kind::SignedFixed => self.writer.fixed(field, number.signed().map_err(wrong)? as u64),
            Kind::Unsigned | Kind::Enum(_) => self.writer.number(field, number.unsigned().map_err(wrong)?),
            Kind::Signed => self.writer.number(field, number.signed().map_err(wrong)? as u64),
            Kind::ZigZag => {
                let number = number.signed().map_err(wrong)?;
                self.writer.number(field, (number << 1 ^ number >> 63) as u64);
            }
            Kind::Text | Kind::Base64 | Kind::Hex | Kind::Bool | Kind::Message(_) => {
                return Err(self.wrong("a number"));
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if matches!(self.field.kind, Kind::Text) { "a text" } else { "a value" };
        write!(f, "{what} in the field {}", self.field.name)
    }

    /// `null` is an absent field.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_bytes(self)
    }

    fn visit_bytes<E: serde::de::Error>(self, text: &[u8]) -> Result<(), E> {
        self.writer.check()?;
        self.writer.bytes(self.field, text);
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => {
                self.writer.number(self.field, u64::from(value));
                Ok(())
            }
            _ => Err(self.wrong("true or false")),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.write_number(Number::Unsigned(number))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.write_number(Number::Signed(number))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.write_number(Number::Double(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.writer.check()?;
        match self.field.kind {
            Kind::Text => self.writer.bytes(self.field, text.as_bytes()),
            Kind::Hex => {
                self.writer.tag(self.field, 2);
                self.writer.varint(text.len() as u64 / 2);
                if !number::write_hex(text, &mut self.writer.out) {
                    return Err(self.wrong("not made of hexadecimal digits"));
                }
            }
            Kind::Base64 => match number::from_base64(text) {
                Some(bytes) => self.writer.bytes(self.field, &bytes),
                None => return Err(self.wrong("not base64")),
            },
            Kind::Enum(names) if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let Some(number) = names.iter().position(|name| *name == text) else {
                    return Err(self.wrong("a word that is not known"));
                };
                self.writer.number(self.field, number as u64);
            }
            Kind::Bool | Kind::Message(_) => return Err(self.wrong("a text")),
            _ => {
                let Some(number) = Number::parse(text) else { return Err(self.wrong("not a number")) };
                return self.write_number(number);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if !self.field.is_repeated || !self.may_repeat {
            return Err(A::Error::custom(format!("field {} is an array", self.field.name)));
        }
        let (field, writer) = (self.field, self.writer);
        while items.next_element_seed(FieldSeed { field, writer, may_repeat: false })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.field.kind {
            Kind::Message(message) if !self.field.is_repeated || !self.may_repeat => {
                let start = self.writer.begin(self.field);
                MessageSeed { message, writer: self.writer }.visit_map(map)?;
                self.writer.end(start);
                Ok(())
            }
            _ => Err(A::Error::custom(format!("field {} is an object", self.field.name))),
        }
    }
}

#[cfg(test)]
mod tests;
