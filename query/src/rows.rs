//! Rows of the tables, read out of record batches.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int8Type, Int32Type, Int64Type};
use model::histogram::{BucketCounts, Counts, ResetHint, Span};
use model::{Error, NativeHistogram};

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    batch.column_by_name(name).ok_or_else(|| Error::internal(format!("no column {name}")))
}

/// A column of numbers.
///
/// # Errors
/// `Internal` if there is none of this name and type.
pub(crate) fn numbers<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a arrow::array::PrimitiveArray<T>, Error> {
    let column = column(batch, name)?.as_primitive_opt::<T>();
    column.ok_or_else(|| Error::internal(format!("column {name} has another type than it is asked for")))
}

/// A column of 64-bit integers.
///
/// # Errors
/// As [`numbers`].
pub(crate) fn longs<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::Int64Array, Error> {
    numbers::<Int64Type>(batch, name)
}

fn listed<T: ArrowPrimitiveType>(batch: &RecordBatch, name: &str, row: usize) -> Result<Vec<T::Native>, Error> {
    let wrong = || Error::internal(format!("column {name} has another type than it is asked for"));
    let list = column(batch, name)?.as_list_opt::<i32>().ok_or_else(wrong)?;
    if list.is_null(row) {
        return Ok(Vec::new());
    }
    Ok(list.value(row).as_primitive_opt::<T>().ok_or_else(wrong)?.values().to_vec())
}

/// A row of `histograms`.
///
/// # Errors
/// `Internal` if the batch lacks a column.
pub(crate) fn histogram(batch: &RecordBatch, row: usize) -> Result<NativeHistogram, Error> {
    let sums = numbers::<Float64Type>(batch, "sum")?;
    let (wholes, floats) = (longs(batch, "count")?, numbers::<Float64Type>(batch, "count_float")?);
    if wholes.is_null(row) && floats.is_null(row) {
        return Ok(NativeHistogram::stale());
    }
    let spans = |side: &str| -> Result<Vec<Span>, Error> {
        let offsets = listed::<Int32Type>(batch, &format!("{side}_offsets"), row)?;
        let lengths = listed::<Int32Type>(batch, &format!("{side}_lengths"), row)?;
        let span = |(offset, length): (i32, i32)| Span { offset, length: length.unsigned_abs() };
        Ok(offsets.into_iter().zip(lengths).map(span).collect())
    };
    let counts = |side: &str| -> Result<Vec<u64>, Error> {
        Ok(listed::<Int64Type>(batch, &format!("{side}_counts"), row)?.into_iter().map(i64::unsigned_abs).collect())
    };
    let weights = |side: &str| listed::<Float64Type>(batch, &format!("{side}_counts_float"), row);
    let counts = if wholes.is_valid(row) {
        Counts::Integer(BucketCounts {
            count: wholes.value(row).unsigned_abs(),
            zero: longs(batch, "zero_count")?.value(row).unsigned_abs(),
            positive: counts("positive")?,
            negative: counts("negative")?,
        })
    } else {
        Counts::Float(BucketCounts {
            count: floats.value(row),
            zero: numbers::<Float64Type>(batch, "zero_count_float")?.value(row),
            positive: weights("positive")?,
            negative: weights("negative")?,
        })
    };
    let starts = longs(batch, "start_time_ms")?;
    let hints = column(batch, "reset_hint")?.as_string_view_opt();
    let hint = hints.map_or("", |hints| hints.value(row));
    Ok(NativeHistogram {
        schema: numbers::<Int8Type>(batch, "schema")?.value(row),
        reset_hint: ResetHint::ALL.into_iter().find(|known| known.as_str() == hint).unwrap_or_default(),
        start_ms: starts.is_valid(row).then(|| starts.value(row)),
        sum: sums.value(row),
        zero_threshold: numbers::<Float64Type>(batch, "zero_threshold")?.value(row),
        custom_bounds: listed::<Float64Type>(batch, "custom_bounds", row)?,
        positive_spans: spans("positive")?,
        negative_spans: spans("negative")?,
        counts,
    })
}
