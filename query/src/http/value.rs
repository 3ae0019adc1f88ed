//! One value of a column as JSON or as a field of CSV.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, MapArray, StructArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use model::ErrorKind;

use crate::error::Error;

/// Writes values of one column.
pub(crate) struct Column<'a> {
    array: &'a ArrayRef,
    text: ArrayFormatter<'a>,
}

fn broken(error: arrow::error::ArrowError) -> Error {
    Error::new(ErrorKind::Internal, format!("a value cannot be written: {error}"))
}

impl<'a> Column<'a> {
    /// A writer for the values of `array`.
    ///
    /// # Errors
    /// `Internal` if there is a type without a text.
    pub(crate) fn new(array: &'a ArrayRef, options: &'a FormatOptions<'a>) -> Result<Self, Error> {
        let text = ArrayFormatter::try_new(array.as_ref(), options).map_err(broken)?;
        Ok(Column { array, text })
    }

    /// Appends the value as JSON: numbers as numbers, NaN and the infinities as the texts `"NaN"`, `"+Inf"` and
    /// `"-Inf"`, times as RFC 3339, lists as arrays, maps and structs as objects.
    pub(crate) fn json(&self, row: usize, into: &mut String) -> Result<(), Error> {
        json(self.array, Some(&self.text), row, into)
    }

    /// Appends the value as a field of CSV. NULL is empty, the empty text is `""`.
    pub(crate) fn csv(&self, row: usize, into: &mut String) -> Result<(), Error> {
        if self.array.is_null(row) || *self.array.data_type() == DataType::Null {
            return Ok(());
        }
        let start = into.len();
        match double(self.array, row) {
            Some(value) => push_double(value, into),
            None if self.array.data_type().is_nested() => json(self.array, Some(&self.text), row, into)?,
            None => self.text.value(row).write(into).map_err(broken)?,
        }
        quote(into, start);
        Ok(())
    }
}

/// Puts quotes around what was appended since `start`, if RFC 4180 asks for them.
pub(crate) fn quote(text: &mut String, start: usize) {
    let field = &text[start..];
    if field.is_empty() || field.contains(['"', ',', '\n', '\r']) {
        let quoted = format!("\"{}\"", field.replace('"', "\"\""));
        text.truncate(start);
        text.push_str(&quoted);
    }
}

/// Appends a JSON text.
pub(crate) fn push_text(value: &str, into: &mut String) {
    // A text always has a JSON form.
    into.push_str(&serde_json::Value::from(value).to_string());
}

fn double(array: &ArrayRef, row: usize) -> Option<f64> {
    match array.data_type() {
        DataType::Float64 => Some(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => Some(f64::from(array.as_primitive::<Float32Type>().value(row))),
        _ => None,
    }
}

/// The shortest digits that give back the very double; the special ones in Prometheus' words.
fn push_double(value: f64, into: &mut String) {
    match value {
        value if value.is_nan() => into.push_str("NaN"),
        f64::INFINITY => into.push_str("+Inf"),
        f64::NEG_INFINITY => into.push_str("-Inf"),
        value => into.push_str(&serde_json::Value::from(value).to_string()),
    }
}

fn json(array: &ArrayRef, text: Option<&ArrayFormatter<'_>>, row: usize, into: &mut String) -> Result<(), Error> {
    if array.is_null(row) {
        into.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::Null => into.push_str("null"),
        DataType::Boolean => into.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Float64 | DataType::Float32 => match double(array, row) {
            Some(value) if value.is_finite() => push_double(value, into),
            value => {
                into.push('"');
                push_double(value.unwrap_or(f64::NAN), into);
                into.push('"');
            }
        },
        DataType::List(_) => list(&array.as_list::<i32>().value(row), into)?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), into)?,
        DataType::FixedSizeList(_, _) => {
            let lists: &FixedSizeListArray = array.as_fixed_size_list();
            list(&lists.value(row), into)?;
        }
        DataType::Map(_, _) => map(array.as_map(), row, into)?,
        DataType::Struct(_) => object(array.as_struct(), row, into)?,
        kind => {
            let is_number = kind.is_integer();
            let mut shown = String::new();
            match text {
                Some(text) => text.value(row).write(&mut shown).map_err(broken)?,
                None => {
                    let options = FormatOptions::new();
                    let text = ArrayFormatter::try_new(array.as_ref(), &options).map_err(broken)?;
                    text.value(row).write(&mut shown).map_err(broken)?;
                }
            }
            if is_number { into.push_str(&shown) } else { push_text(&shown, into) }
        }
    }
    Ok(())
}

fn list(items: &ArrayRef, into: &mut String) -> Result<(), Error> {
    into.push('[');
    for at in 0..items.len() {
        if at > 0 {
            into.push(',');
        }
        json(items, None, at, into)?;
    }
    into.push(']');
    Ok(())
}

fn map(maps: &MapArray, row: usize, into: &mut String) -> Result<(), Error> {
    let entries = maps.value(row);
    let options = FormatOptions::new();
    let keys = ArrayFormatter::try_new(entries.column(0).as_ref(), &options).map_err(broken)?;
    into.push('{');
    for at in 0..entries.len() {
        if at > 0 {
            into.push(',');
        }
        push_text(&keys.value(at).to_string(), into);
        into.push(':');
        json(entries.column(1), None, at, into)?;
    }
    into.push('}');
    Ok(())
}

fn object(structs: &StructArray, row: usize, into: &mut String) -> Result<(), Error> {
    into.push('{');
    for (at, (field, column)) in structs.fields().iter().zip(structs.columns()).enumerate() {
        if at > 0 {
            into.push(',');
        }
        push_text(field.name(), into);
        let _ = into.write_char(':');
        json(column, None, row, into)?;
    }
    into.push('}');
    Ok(())
}
