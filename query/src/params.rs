//! The parameters of a query, as JSON gives them.

use std::collections::HashMap;

use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::common::{ParamValues, ScalarValue};
use model::ErrorKind;
use serde_json::Value;

use crate::error::Error;

/// Bytes of one parameter.
const MAX_BYTES: usize = 16 << 10;
/// Number of parameters.
const MAX_COUNT: usize = 1_000;

/// The parameters of a query: none, `$1` and so on by position, or `$name` by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Params {
    /// The query has none.
    #[default]
    None,
    /// Values of `$1`, `$2`, …
    Positional(Vec<ScalarValue>),
    /// Values of `$name`.
    Named(HashMap<String, ScalarValue>),
}

impl Params {
    /// Reads a JSON array (by position) or object (by name) of texts, numbers, booleans and null.
    ///
    /// # Errors
    /// `Invalid` if there is anything else, `TooLarge` if there are too many or one is too long.
    pub fn from_json(value: Value) -> Result<Self, Error> {
        match value {
            Value::Null => Ok(Params::None),
            Value::Array(values) => {
                capped(values.len())?;
                let numbered = values.into_iter().enumerate();
                let read = numbered.map(|(at, value)| scalar(value, || format!("${}", at + 1)));
                Ok(Params::Positional(read.collect::<Result<_, _>>()?))
            }
            Value::Object(values) => {
                capped(values.len())?;
                let read = values.into_iter().map(|(name, value)| {
                    let read = scalar(value, || format!("${name}"))?;
                    Ok((name.strip_prefix('$').unwrap_or(&name).to_owned(), read))
                });
                Ok(Params::Named(read.collect::<Result<_, Error>>()?))
            }
            _ => Err(Error::new(ErrorKind::Invalid, "params must be an array or an object")),
        }
    }

    /// The same for DataFusion; `None` if there are none.
    pub(crate) fn values(&self) -> Option<ParamValues> {
        let value = |value: &ScalarValue| ScalarAndMetadata::new(value.clone(), None);
        match self {
            Params::None => None,
            Params::Positional(values) => Some(ParamValues::List(values.iter().map(value).collect())),
            Params::Named(values) => {
                Some(ParamValues::Map(values.iter().map(|(name, v)| (name.clone(), value(v))).collect()))
            }
        }
    }
}

fn capped(count: usize) -> Result<(), Error> {
    if count > MAX_COUNT {
        let what = format!("the query has {count} parameters, the limit is {MAX_COUNT}");
        return Err(Error::new(ErrorKind::TooLarge, what));
    }
    Ok(())
}

fn scalar(value: Value, name: impl Fn() -> String) -> Result<ScalarValue, Error> {
    match value {
        Value::Null => Ok(ScalarValue::Null),
        Value::Bool(value) => Ok(ScalarValue::Boolean(Some(value))),
        Value::String(text) if text.len() > MAX_BYTES => {
            let what = format!("parameter {} has {} bytes, the limit is {MAX_BYTES}", name(), text.len());
            Err(Error::new(ErrorKind::TooLarge, what))
        }
        Value::String(text) => Ok(ScalarValue::Utf8(Some(text))),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(ScalarValue::Int64(Some(whole))),
            (None, Some(double)) => Ok(ScalarValue::Float64(Some(double))),
            _ => Err(Error::new(ErrorKind::Invalid, format!("parameter {} is not a number we can hold", name()))),
        },
        Value::Array(_) | Value::Object(_) => {
            let what = format!("parameter {} must be a text, a number, a boolean or null", name());
            Err(Error::new(ErrorKind::Invalid, what))
        }
    }
}
