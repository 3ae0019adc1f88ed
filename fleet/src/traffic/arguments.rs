//! Attributes as OTLP has them.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};

/// Attributes of a span, an event, a line or a resource.
pub(crate) type Attributes = Vec<KeyValue>;

/// A text as a value.
pub(crate) fn value(text: impl Into<String>) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(text.into())) }
}

/// An attribute that is a text.
pub(crate) fn text(key: &str, text: impl Into<String>) -> KeyValue {
    of(key, value(text))
}

/// An attribute that is a whole number.
pub(crate) fn number(key: &str, number: i64) -> KeyValue {
    of(key, AnyValue { value: Some(Value::IntValue(number)) })
}

/// An attribute that is a number with decimals.
pub(crate) fn decimal(key: &str, number: f64) -> KeyValue {
    of(key, AnyValue { value: Some(Value::DoubleValue(number)) })
}

/// An attribute that is a list of texts.
pub(crate) fn list(key: &str, texts: impl IntoIterator<Item = String>) -> KeyValue {
    let values = texts.into_iter().map(value).collect();
    of(key, AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) })
}

fn of(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}
