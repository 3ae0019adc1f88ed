//! The messages of OTLP requests, as tables: names of fields in JSON, their numbers and types in protobuf.
//!
//! Here are those that all signals have in common.
//!
//! Source: `opentelemetry/proto/{resource,common}/v1/*.proto`

pub(super) mod logs;
pub(super) mod metrics;
pub(super) mod traces;

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// Its name, for messages to people.
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// A field of a message. One that is repeated is an array in JSON.
#[derive(Debug)]
pub(super) struct Field {
    /// As in the `.proto` file.
    pub(super) name: &'static str,
    /// As JSON has it; readers take both.
    json_name: JsonName,
    pub(super) number: u8,
    pub(super) kind: Kind,
    pub(super) is_repeated: bool,
}

impl Field {
    /// Whether the field is called so in JSON.
    #[inline]
    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        self.json_name.as_bytes() == name || self.name.as_bytes() == name
    }
}

/// A name of a `.proto` file in `lowerCamelCase`: each letter after a `_` is upper case, and the `_` is left out.
#[derive(Debug)]
struct JsonName {
    letters: [u8; 32],
    length: usize,
}

impl JsonName {
    const fn new(name: &str) -> Self {
        let (name, mut letters, mut length, mut at) = (name.as_bytes(), [0; 32], 0, 0);
        while at < name.len() {
            let is_after = name[at] == b'_';
            at += is_after as usize;
            letters[length] = if is_after { name[at].to_ascii_uppercase() } else { name[at] };
            (length, at) = (length + 1, at + 1);
        }
        JsonName { letters, length }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Base64,
    Hex,
    Bool,
    /// `fixed64`.
    Fixed,
    /// `fixed32`.
    Fixed32,
    /// `sfixed64`.
    SignedFixed,
    Double,
    /// `uint32` and `uint64`.
    Unsigned,
    /// `int64`.
    Signed,
    /// `sint32`.
    ZigZag,
    /// An enum, by the names of its numbers.
    Enum(&'static [&'static str]),
    Message(&'static Message),
}

const fn one(number: u8, name: &'static str, kind: Kind) -> Field {
    Field { name, json_name: JsonName::new(name), number, kind, is_repeated: false }
}

const fn many(number: u8, name: &'static str, kind: Kind) -> Field {
    Field { name, json_name: JsonName::new(name), number, kind, is_repeated: true }
}

use Kind::{Base64, Bool, Double, Signed, Text};

static RESOURCE: Message = Message { name: "Resource", fields: &[many(1, "attributes", Kind::Message(&KEY_VALUE))] };

static SCOPE: Message = Message {
    name: "InstrumentationScope",
    fields: &[one(1, "name", Text), one(2, "version", Text), many(3, "attributes", Kind::Message(&KEY_VALUE))],
};

static KEY_VALUE: Message =
    Message { name: "KeyValue", fields: &[one(1, "key", Text), one(2, "value", Kind::Message(&ANY_VALUE))] };

static ANY_VALUE: Message = Message {
    name: "AnyValue",
    fields: &[
        one(1, "string_value", Text),
        one(2, "bool_value", Bool),
        one(3, "int_value", Signed),
        one(4, "double_value", Double),
        one(5, "array_value", Kind::Message(&ARRAY)),
        one(6, "kvlist_value", Kind::Message(&MAP)),
        one(7, "bytes_value", Base64),
    ],
};

static ARRAY: Message = Message { name: "ArrayValue", fields: &[many(1, "values", Kind::Message(&ANY_VALUE))] };

static MAP: Message = Message { name: "KeyValueList", fields: &[many(1, "values", Kind::Message(&KEY_VALUE))] };
