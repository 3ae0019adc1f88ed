//! The functions of SQL here: an allow-list, with those that can grow their input wrapped.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::{TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, Expr, ScalarUDF, WindowUDF};

use super::capped::{Capped, Growth};
use crate::columnar::HasWord;
use crate::scan::label::Label;

/// Functions whose answer has a fixed size, or that become a CASE, which hands an argument through as it is.
const PLAIN: &[&str] = &[
    "abs",
    "acos",
    "acosh",
    "array_dims",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_length",
    "array_max",
    "array_min",
    "array_ndims",
    "array_position",
    "array_sum",
    "array_avg",
    "arrow_typeof",
    "ascii",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bit_length",
    "cardinality",
    "cbrt",
    "ceil",
    "character_length",
    "chr",
    "coalesce",
    "nvl",
    "nvl2",
    "contains",
    "cos",
    "cosh",
    "cot",
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "degrees",
    "empty",
    "ends_with",
    "exp",
    "factorial",
    "find_in_set",
    "floor",
    "from_unixtime",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "make_date",
    "make_time",
    "nanvl",
    "now",
    "octet_length",
    "pi",
    "power",
    "radians",
    "random",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "starts_with",
    "strpos",
    "tan",
    "tanh",
    "to_date",
    "to_hex",
    "to_local_time",
    "to_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    "trunc",
    "uuid",
    "version",
];

/// Functions whose answer holds at most the bytes of all arguments, times the factor.
const COPYING: &[(&str, usize)] = &[
    ("array_any_value", 1),
    ("array_append", 1),
    ("array_concat", 1),
    ("array_distinct", 1),
    ("array_element", 1),
    ("array_except", 1),
    ("array_intersect", 1),
    ("array_pop_back", 1),
    ("array_pop_front", 1),
    ("array_positions", 8),
    ("array_prepend", 1),
    ("array_remove", 1),
    ("array_remove_all", 1),
    ("array_remove_n", 1),
    ("array_reverse", 1),
    ("array_slice", 1),
    ("array_sort", 1),
    ("array_union", 1),
    ("btrim", 1),
    ("concat", 1),
    ("decode", 1),
    ("encode", 2),
    ("flatten", 1),
    ("get_field", 1),
    ("greatest", 1),
    ("initcap", 3),
    ("least", 1),
    ("left", 1),
    ("lower", 3),
    ("ltrim", 1),
    ("make_array", 1),
    ("map_entries", 1),
    ("map_extract", 1),
    ("map_keys", 1),
    ("map_values", 1),
    ("named_struct", 1),
    ("nullif", 1),
    ("overlay", 1),
    ("regexp_match", 2),
    ("reverse", 1),
    ("right", 1),
    ("rtrim", 1),
    ("split_part", 1),
    ("string_to_array", 24),
    ("struct", 1),
    ("substr", 1),
    ("substr_index", 1),
    ("translate", 4),
    ("upper", 3),
];

/// Functions whose answer can be far larger than their arguments, or that work longer than they are long.
const GROWING: &[(&str, Growth)] = &[
    ("array_to_string", Growth::Join),
    ("concat_ws", Growth::Join),
    ("generate_series", Growth::Series),
    ("levenshtein", Growth::Product),
    ("lpad", Growth::Pad),
    ("range", Growth::Series),
    ("regexp_replace", Growth::Replace),
    ("repeat", Growth::Repeat),
    ("replace", Growth::Replace),
    ("rpad", Growth::Pad),
    ("to_char", Growth::Format),
];

/// Rows that `generate_series` and `range` may give as tables.
const MAX_SERIES_ROWS: i128 = 10_000_000;

/// All functions that a query may call.
#[derive(Debug)]
pub(crate) struct Functions {
    scalar: HashMap<String, Arc<ScalarUDF>>,
    concat_operator: Arc<ScalarUDF>,
    label: Arc<ScalarUDF>,
}

impl Functions {
    /// The allow-list over the functions of DataFusion.
    pub(crate) fn new() -> Self {
        let mut scalar = HashMap::new();
        let mut concat = None;
        for function in SessionStateDefaults::default_scalar_functions() {
            let name = function.name();
            let admitted = if PLAIN.contains(&name) {
                Some(Arc::clone(&function))
            } else if let Some((_, factor)) = COPYING.iter().find(|(copying, _)| *copying == name) {
                Some(Capped::wrap(Arc::clone(&function), Growth::Copy(*factor)))
            } else {
                GROWING.iter().find(|(n, _)| *n == name).map(|(_, growth)| Capped::wrap(Arc::clone(&function), *growth))
            };
            if name == "concat" {
                concat = Some(Capped::operator(Arc::clone(&function)));
            }
            if let Some(admitted) = admitted {
                scalar.insert(name.to_owned(), admitted);
            }
        }
        let label = Label::udf();
        scalar.insert(label.name().to_owned(), Arc::clone(&label));
        let has_word = HasWord::udf();
        scalar.insert(has_word.name().to_owned(), has_word);
        let concat_operator = concat.unwrap_or_else(|| Arc::clone(&label));
        Functions { scalar, concat_operator, label }
    }

    /// The scalar functions to register.
    pub(crate) fn scalar(&self) -> Vec<Arc<ScalarUDF>> {
        self.scalar.values().cloned().collect()
    }

    /// The admitted form of a function, by its own name.
    pub(crate) fn admitted(&self, name: &str) -> Option<&Arc<ScalarUDF>> {
        self.scalar.get(name).or_else(|| (self.concat_operator.name() == name).then_some(&self.concat_operator))
    }

    /// What `||` between texts becomes.
    pub(crate) fn concat_operator(&self) -> &Arc<ScalarUDF> {
        &self.concat_operator
    }

    /// What `labels['k']` becomes.
    pub(crate) fn label(&self) -> &Arc<ScalarUDF> {
        &self.label
    }

    /// The aggregates: all of them, since what they hold is counted by the memory pool.
    pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
        SessionStateDefaults::default_aggregate_functions()
    }

    /// The window functions.
    pub(crate) fn windows() -> Vec<Arc<WindowUDF>> {
        SessionStateDefaults::default_window_functions()
    }

    /// The table functions, with a cap on their rows.
    pub(crate) fn tables() -> Vec<TableFunction> {
        let allowed = SessionStateDefaults::default_table_functions()
            .into_iter()
            .filter(|function| matches!(function.name(), "generate_series" | "range"));
        allowed
            .map(|function| {
                let name = function.name().to_owned();
                TableFunction::new(name, Arc::new(CappedSeries(function)))
            })
            .collect()
    }
}

#[derive(Debug)]
struct CappedSeries(Arc<TableFunction>);

impl TableFunctionImpl for CappedSeries {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let whole = |expr: &Expr| match expr {
            Expr::Literal(value, _) => match value.cast_to(&arrow::datatypes::DataType::Int64) {
                Ok(ScalarValue::Int64(Some(value))) => Some(i128::from(value)),
                _ => None,
            },
            Expr::Negative(inner) => match inner.as_ref() {
                Expr::Literal(ScalarValue::Int64(Some(value)), _) => Some(-i128::from(*value)),
                _ => None,
            },
            _ => None,
        };
        let numbers: Option<Vec<i128>> = args.exprs().iter().map(whole).collect();
        if let Some(numbers) = numbers {
            let (start, end, step) = match numbers.as_slice() {
                [end] => (0, *end, 1),
                [start, end] => (*start, *end, 1),
                [start, end, step, ..] => (*start, *end, (*step).abs().max(1)),
                [] => (0, 0, 1),
            };
            if (end - start).abs() / step > MAX_SERIES_ROWS {
                return plan_err!("{} would give more than {MAX_SERIES_ROWS} rows", self.0.name());
            }
        }
        self.0.function().call_with_args(args)
    }
}

#[cfg(test)]
mod tests;
