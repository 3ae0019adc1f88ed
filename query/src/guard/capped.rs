//! Wraps a function so that it can never make more than a cap out of its input.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// One value that a function makes.
const MAX_VALUE_BYTES: usize = 1 << 20;
/// One value made of constants alone: it is repeated for each row.
const MAX_CONSTANT_BYTES: usize = 64 << 10;
/// All values that a function makes of one batch.
const MAX_BATCH_BYTES: usize = 64 << 20;
/// Steps of a function whose work is the product of the lengths of its arguments, per batch.
const MAX_STEPS: usize = 1 << 28;
/// Elements of one series.
const MAX_ELEMENTS: usize = 100_000;

/// How large the answer of a function may get, told from its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Growth {
    /// The bytes of all arguments, times a factor.
    Copy(usize),
    /// The arguments, with the separator between all pieces.
    Join,
    /// The first argument as often as the second says.
    Repeat,
    /// As many letters as the second argument says.
    Pad,
    /// The first argument with the third wherever the second is found.
    Replace,
    /// A list of numbers from one argument to another.
    Series,
    /// A format, each letter of which may become a word.
    Format,
    /// A number, after as many steps as the product of the lengths of the arguments.
    Product,
}

/// A function with caps on its answer. It hides the simplifications of the function within, which would bring that
/// function back without its caps.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Capped {
    inner: Arc<ScalarUDF>,
    growth: Growth,
    /// Whether a NULL among the arguments makes the answer NULL, as the operator `||` does and `concat` does not.
    strict: bool,
    name: String,
}

impl Capped {
    /// The function under its own name.
    pub(crate) fn wrap(inner: Arc<ScalarUDF>, growth: Growth) -> Arc<ScalarUDF> {
        let name = inner.name().to_owned();
        Arc::new(ScalarUDF::new_from_impl(Capped { inner, growth, strict: false, name }))
    }

    /// `concat` as the operator `||`.
    pub(crate) fn operator(concat: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
        let name = "concat_operator".to_owned();
        Arc::new(ScalarUDF::new_from_impl(Capped { inner: concat, growth: Growth::Copy(1), strict: true, name }))
    }

    /// The answer for arguments whose bytes are known to stay below the caps of a batch.
    fn invoke(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let made = self.inner.invoke_with_args(args)?;
        let (bytes, longest) = match &made {
            ColumnarValue::Array(array) => (array_bytes(array), longest(array)),
            ColumnarValue::Scalar(scalar) => (scalar_bytes(scalar), scalar_bytes(scalar)),
        };
        if longest > MAX_VALUE_BYTES || bytes > 4 * MAX_BATCH_BYTES {
            return exec_err!("{} makes a value of {longest} bytes, the limit is {MAX_VALUE_BYTES}", self.name);
        }
        Ok(made)
    }

    /// Evaluates slices of the rows, each of which stays below the cap whatever the data; the sum is checked too.
    fn invoke_sliced(&self, args: &ScalarFunctionArgs, worst: &[usize]) -> Result<ColumnarValue> {
        let mut parts: Vec<ArrayRef> = Vec::new();
        let (mut start, mut total) = (0, 0);
        while start < worst.len() {
            let (mut end, mut bytes) = (start, 0usize);
            while end < worst.len() && (end == start || bytes.saturating_add(worst[end]) <= MAX_BATCH_BYTES) {
                bytes = bytes.saturating_add(worst[end]);
                end += 1;
            }
            let rows = end - start;
            let cut = |arg: &ColumnarValue| match arg {
                ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(start, rows)),
                scalar => scalar.clone(),
            };
            let slice = ScalarFunctionArgs {
                args: args.args.iter().map(cut).collect(),
                arg_fields: args.arg_fields.clone(),
                number_rows: rows,
                return_field: Arc::clone(&args.return_field),
                config_options: Arc::clone(&args.config_options),
            };
            let part = self.invoke(slice)?.into_array(rows)?;
            total += array_bytes(&part);
            if total > MAX_BATCH_BYTES {
                return exec_err!("{} makes more than {MAX_BATCH_BYTES} bytes of one batch", self.name);
            }
            parts.push(part);
            start = end;
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&parts)?))
    }
}

impl ScalarUDFImpl for Capped {
    fn name(&self) -> &str {
        &self.name
    }

    fn aliases(&self) -> &[String] {
        if self.strict { &[] } else { self.inner.aliases() }
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        if self.strict && args.args.iter().any(|arg| matches!(arg, ColumnarValue::Scalar(s) if s.is_null())) {
            let null = ScalarValue::try_from(args.return_field.data_type())?;
            return Ok(ColumnarValue::Scalar(null));
        }
        let rows = if constant { 1 } else { args.number_rows };
        if rows == 0 {
            let none = arrow::array::new_empty_array(args.return_field.data_type());
            return Ok(ColumnarValue::Array(none));
        }
        let worst = worst_bytes(self.growth, &args.args, rows)?;
        let limit = match (self.growth, constant) {
            (Growth::Product, _) => MAX_STEPS,
            // What is replaced is estimated for the worst of texts; what really comes is checked afterwards.
            (Growth::Replace | Growth::Format, _) => 16 * MAX_VALUE_BYTES,
            (Growth::Copy(factor), _) => factor.max(1) * MAX_VALUE_BYTES,
            _ => MAX_VALUE_BYTES,
        };
        if let Some(bytes) = worst.iter().copied().find(|bytes| *bytes > limit) {
            return exec_err!("{} would make {bytes} bytes of one value, the limit is {MAX_VALUE_BYTES}", self.name);
        }
        let total = worst.iter().fold(0usize, |sum, bytes| sum.saturating_add(*bytes));
        if self.growth == Growth::Product && total > MAX_STEPS {
            return exec_err!("{} would take {total} steps for one batch, the limit is {MAX_STEPS}", self.name);
        }
        let nulls = if self.strict { strict_nulls(&args.args, rows)? } else { None };
        let made = if total <= MAX_BATCH_BYTES || constant || self.growth == Growth::Product {
            self.invoke(args)?
        } else {
            self.invoke_sliced(&args, &worst)?
        };
        if let ColumnarValue::Scalar(scalar) = &made
            && scalar_bytes(scalar) > MAX_CONSTANT_BYTES
        {
            return exec_err!("{} makes a constant of more than {MAX_CONSTANT_BYTES} bytes", self.name);
        }
        match nulls {
            Some(nulls) => {
                let made = made.into_array(rows)?;
                let null = new_null_array(made.data_type(), 1);
                let kept = arrow::compute::kernels::zip::zip(&nulls, &arrow::array::Scalar::new(null), &made)?;
                Ok(ColumnarValue::Array(kept))
            }
            None => Ok(made),
        }
    }
}

/// Where any argument is NULL, if one is.
fn strict_nulls(args: &[ColumnarValue], rows: usize) -> Result<Option<arrow::array::BooleanArray>> {
    let mut nulls: Option<Vec<bool>> = None;
    for arg in args {
        let ColumnarValue::Array(array) = arg else { continue };
        if array.len() != rows {
            return internal_err!("arguments of different lengths");
        }
        let Some(found) = array.logical_nulls() else { continue };
        let nulls = nulls.get_or_insert_with(|| vec![false; rows]);
        for (null, valid) in nulls.iter_mut().zip(found.iter()) {
            *null |= !valid;
        }
    }
    Ok(nulls.map(Into::into))
}

/// For each row the most bytes (or elements, or steps) that the function may make of it.
fn worst_bytes(growth: Growth, args: &[ColumnarValue], rows: usize) -> Result<Vec<usize>> {
    let lengths = args.iter().map(|arg| lengths(arg, rows)).collect::<Result<Vec<_>>>()?;
    let numbers = |at: usize| args.get(at).map(|arg| integers(arg, rows)).transpose();
    let of = |at: usize, row: usize| lengths.get(at).map_or(0, |lengths| lengths[row]);
    let all = |row: usize| lengths.iter().fold(0usize, |sum, lengths| sum.saturating_add(lengths[row]));
    let counts = match growth {
        Growth::Repeat | Growth::Pad => numbers(1)?.unwrap_or_else(|| vec![None; rows]),
        _ => Vec::new(),
    };
    let count = |row: usize| usize::try_from(counts.get(row).copied().flatten().unwrap_or(0)).unwrap_or(0);
    Ok(match growth {
        Growth::Copy(factor) => (0..rows).map(|row| all(row).saturating_mul(factor)).collect(),
        Growth::Join => {
            let separator = |row| of(0, row).max(of(1, row)).saturating_add(1);
            (0..rows)
                .map(|row| match args.first().map(ColumnarValue::data_type) {
                    // A list has at most as many pieces as bytes; its delimiter is the second argument.
                    Some(list) if list.is_nested() => {
                        of(0, row).saturating_add(of(0, row).saturating_mul(of(1, row).saturating_add(of(2, row))))
                    }
                    _ => all(row).saturating_add(separator(row).saturating_mul(args.len())),
                })
                .collect()
        }
        Growth::Repeat => (0..rows).map(|row| of(0, row).saturating_mul(count(row))).collect(),
        Growth::Pad => (0..rows).map(|row| count(row).saturating_mul(4)).collect(),
        Growth::Replace => (0..rows)
            .map(|row| {
                let places = of(0, row).saturating_add(1);
                // Each `$1` of a replacement may bring the whole text again.
                places.saturating_add(places.saturating_mul(of(2, row)).saturating_mul(2))
            })
            .collect(),
        Growth::Format => (0..rows).map(|row| of(1, row).saturating_mul(32)).collect(),
        Growth::Product => (0..rows).map(|row| of(0, row).saturating_mul(of(1, row))).collect(),
        Growth::Series => series_bytes(args, rows)?,
    })
}

fn series_bytes(args: &[ColumnarValue], rows: usize) -> Result<Vec<usize>> {
    if args.iter().any(|arg| !arg.data_type().is_integer() && !arg.data_type().is_null()) {
        return exec_err!("a series inside a row must be of integers; use it as a table for times");
    }
    let numbers = args.iter().map(|arg| integers(arg, rows)).collect::<Result<Vec<_>>>()?;
    let at = |arg: usize, row: usize| numbers.get(arg).and_then(|n| n[row]).map(i128::from);
    (0..rows)
        .map(|row| {
            let (start, end) = if args.len() == 1 { (Some(0), at(0, row)) } else { (at(0, row), at(1, row)) };
            let step = at(2, row).unwrap_or(1).abs().max(1);
            let elements = start.zip(end).map_or(0, |(start, end)| (end - start).abs() / step + 1);
            match usize::try_from(elements) {
                Ok(elements) if elements <= MAX_ELEMENTS => Ok(elements * 8),
                _ => exec_err!("a series of more than {MAX_ELEMENTS} elements in one row"),
            }
        })
        .collect()
}

/// The bytes of each value of an argument.
fn lengths(arg: &ColumnarValue, rows: usize) -> Result<Vec<usize>> {
    let array = match arg {
        ColumnarValue::Scalar(scalar) => return Ok(vec![scalar_bytes(scalar); rows]),
        ColumnarValue::Array(array) => array,
    };
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().offsets().lengths().collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().offsets().lengths().collect(),
        DataType::Utf8View => array.as_string_view().lengths().map(|length| length as usize).collect(),
        DataType::Binary => array.as_binary::<i32>().offsets().lengths().collect(),
        DataType::BinaryView => array.as_binary_view().lengths().map(|length| length as usize).collect(),
        other => match other.primitive_width() {
            Some(width) => vec![width; rows],
            // Nested values: the mean is enough for the sum, and no row may pass the cap of a batch anyway.
            None => vec![array_bytes(array).div_ceil(array.len().max(1)); rows],
        },
    })
}

fn integers(arg: &ColumnarValue, rows: usize) -> Result<Vec<Option<i64>>> {
    match arg {
        ColumnarValue::Scalar(scalar) => match scalar.cast_to(&DataType::Int64)? {
            ScalarValue::Int64(value) => Ok(vec![value; rows]),
            _ => Ok(vec![None; rows]),
        },
        ColumnarValue::Array(array) => {
            let longs = cast(array, &DataType::Int64)?;
            Ok(longs.as_primitive::<Int64Type>().iter().collect())
        }
    }
}

fn longest(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().offsets().lengths().max().unwrap_or(0),
        DataType::LargeUtf8 => array.as_string::<i64>().offsets().lengths().max().unwrap_or(0),
        DataType::Utf8View => array.as_string_view().lengths().max().unwrap_or(0) as usize,
        _ => 0,
    }
}

fn array_bytes(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8View => array.as_string_view().lengths().map(|length| 16 + length as usize).sum(),
        DataType::BinaryView => array.as_binary_view().lengths().map(|length| 16 + length as usize).sum(),
        _ => array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size()),
    }
}

/// The bytes of a constant.
pub(crate) fn scalar_bytes(scalar: &ScalarValue) -> usize {
    match scalar.try_as_str() {
        Some(text) => text.map_or(0, str::len),
        None => match scalar {
            ScalarValue::Binary(bytes) | ScalarValue::BinaryView(bytes) | ScalarValue::LargeBinary(bytes) => {
                bytes.as_ref().map_or(0, Vec::len)
            }
            ScalarValue::List(list) => array_bytes(list.values()),
            other => other.data_type().primitive_width().unwrap_or_else(|| other.size()),
        },
    }
}
