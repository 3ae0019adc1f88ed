//! `labels['k']` in SQL: a function that a scan of series can answer without building any map.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, MapArray, StringArray, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ExpressionPlacement, GetFieldAccess, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

/// The name of the function, as plans and EXPLAIN show it.
pub(crate) const NAME: &str = "label";

/// `label(labels, 'k')`: the value of one label, NULL where a series lacks it.
///
/// It asks the optimizer to be moved towards the scan, where `SeriesColumnsExec` takes it over and repeats a value that
/// was looked up once per series. Where that fails it still answers, from the map.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    signature: Signature,
}

impl Label {
    /// The function, ready to be registered.
    pub(crate) fn udf() -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(Label { signature: Signature::any(2, Volatility::Immutable) }))
    }
}

/// Whether a type is the type of `labels`.
fn is_labels(data_type: &DataType) -> bool {
    let DataType::Map(entries, _) = data_type else { return false };
    let DataType::Struct(fields) = entries.data_type() else { return false };
    fields.len() == 2 && fields.iter().all(|field| *field.data_type() == DataType::Utf8)
}

impl ScalarUDFImpl for Label {
    fn name(&self) -> &str {
        NAME
    }

    /// `labels['k']`, as it was written; with the table before it only where it is not the obvious one.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [Expr::Column(labels), Expr::Literal(key, _)] = args else {
            let args: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
            return Ok(format!("{NAME}({})", args.join(",")));
        };
        let table = match &labels.relation {
            Some(table) if !matches!(table.table(), "metrics" | "series" | "logs" | "spans") => {
                format!("{}.", table.table())
            }
            _ => String::new(),
        };
        Ok(format!("{table}{}['{}']", labels.name, key.try_as_str().flatten().unwrap_or_default()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [map, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8] if is_labels(map) => {
                Ok(DataType::Utf8View)
            }
            _ => plan_err!("label takes a column of labels and the name of one: label(labels, 'job')"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [map, ColumnarValue::Scalar(key)] = args.args.as_slice() else {
            return exec_err!("the name of a label must be a literal text");
        };
        let Some(Some(key)) = key.try_as_str() else {
            return exec_err!("the name of a label must be a literal text");
        };
        let map = map.to_array(args.number_rows)?;
        let map = map
            .as_any()
            .downcast_ref::<MapArray>()
            .ok_or_else(|| DataFusionError::Internal("labels are not a map".into()))?;
        Ok(ColumnarValue::Array(look_up(map, key)?))
    }

    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        match args {
            [ExpressionPlacement::Column | ExpressionPlacement::MoveTowardsLeafNodes, ExpressionPlacement::Literal] => {
                ExpressionPlacement::MoveTowardsLeafNodes
            }
            _ => ExpressionPlacement::KeepInPlace,
        }
    }
}

fn look_up(map: &MapArray, key: &str) -> Result<ArrayRef> {
    let text = |array: &ArrayRef| {
        array
            .as_any()
            .downcast_ref::<StringArray>()
            .cloned()
            .ok_or_else(|| DataFusionError::Internal("labels are not texts".into()))
    };
    let (keys, values) = (text(map.keys())?, text(map.values())?);
    let offsets = map.value_offsets();
    let mut found = StringViewBuilder::with_capacity(map.len());
    for row in 0..map.len() {
        let mut entries = offsets[row] as usize..offsets[row + 1] as usize;
        match entries.find(|entry| map.is_valid(row) && keys.value(*entry) == key && values.is_valid(*entry)) {
            Some(entry) => found.append_value(values.value(entry)),
            None => found.append_null(),
        }
    }
    Ok(Arc::new(found.finish()))
}

/// Reads `labels['k']` and `labels.k` on a labels column as [`Label`].
#[derive(Debug)]
pub(crate) struct LabelPlanner(pub(crate) Arc<ScalarUDF>);

impl ExprPlanner for LabelPlanner {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let GetFieldAccess::NamedStructField { name } = &access.field_access else {
            return Ok(PlannerResult::Original(access));
        };
        let Some(Some(key)) = name.try_as_str() else { return Ok(PlannerResult::Original(access)) };
        if !is_labels(&access.expr.get_type(schema)?) {
            return Ok(PlannerResult::Original(access));
        }
        let key = Expr::Literal(ScalarValue::Utf8(Some(key.to_owned())), None);
        let call = ScalarFunction::new_udf(Arc::clone(&self.0), vec![access.expr, key]);
        // The column keeps the name that the user wrote.
        let call = Expr::ScalarFunction(call);
        Ok(PlannerResult::Planned(call))
    }
}

/// The column of labels, if an expression is `labels['key']` on one.
pub(crate) fn label_column(expr: &Expr) -> Option<&Column> {
    let Expr::ScalarFunction(call) = expr else { return None };
    match (call.name(), call.args.as_slice()) {
        (NAME, [Expr::Column(labels), Expr::Literal(..)]) => Some(labels),
        _ => None,
    }
}

/// The key, if an expression is `labels['key']` on the column `labels`.
pub(crate) fn label_of(expr: &Expr, column: &str) -> Option<String> {
    let Expr::ScalarFunction(call) = expr else { return None };
    match (call.name(), call.args.as_slice()) {
        (NAME | "get_field", [Expr::Column(labels), Expr::Literal(key, _)]) if labels.name == column => {
            key.try_as_str().flatten().map(str::to_owned)
        }
        _ => None,
    }
}
