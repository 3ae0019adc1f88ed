//! Log rows of a cluster and a stretch of time.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, AsArray, MapArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampNanosecondType};
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use model::logs::Log;
use model::resource::Scope;
use model::{Error, Logs, Resource};

use crate::engine::Engine;
use crate::params::Params;

/// Finds them.
pub(super) async fn find(engine: &Engine, cluster: &str, time_unix_nano: RangeInclusive<i64>) -> Result<Logs, Error> {
    let (from, until) = time_unix_nano.into_inner();
    let time = |unix_nano: i64| ScalarValue::TimestampNanosecond(Some(unix_nano), Some("UTC".into()));
    let params = vec![ScalarValue::Utf8(Some(cluster.to_owned())), time(from), time(until)];
    let sql = "SELECT ts, body, trace_id, span_id, resource, attributes FROM logs \
               WHERE cluster = $1 AND ts >= $2 AND ts <= $3";
    let failed = |e: crate::Error| Error::new(e.kind(), e.to_string()).context("cannot find log rows again");
    let mut rows = engine.sql_within(sql, Params::Positional(params), u64::MAX).await.map_err(failed)?;
    let mut logs = Logs::default();
    logs.scopes.place(&Scope::default().into());
    while let Some(batch) = rows.try_next().await.map_err(failed)? {
        append(&mut logs, &batch)?;
    }
    Ok(logs)
}

fn append(logs: &mut Logs, batch: &RecordBatch) -> Result<(), Error> {
    let wrong = || Error::internal("the columns of logs have other types than they are asked for");
    let times = batch.column(0).as_primitive_opt::<TimestampNanosecondType>().ok_or_else(wrong)?;
    let [bodies, trace_ids, span_ids] = [1, 2, 3].map(|place| texts(batch.column(place)));
    let (bodies, trace_ids, span_ids) = (bodies?, trace_ids?, span_ids?);
    let [resources, attributes] = [4, 5].map(|place| batch.column(place).as_map_opt().ok_or_else(wrong));
    let (resources, attributes) = (Pairs::of(resources?)?, Pairs::of(attributes?)?);
    for row in 0..batch.num_rows() {
        let resource = logs.resources.place(&Arc::new(Resource::new(resources.row(row))));
        attributes.row(row).for_each(|(name, value)| logs.attributes.push(name, value));
        logs.push(&Log {
            resource,
            time_unix_nano: times.value(row),
            body: bodies.value(row),
            trace_id: id(&trace_ids, row)?,
            span_id: id(&span_ids, row)?,
            ..Log::default()
        });
    }
    Ok(())
}

/// A column of texts, however it is packed.
fn texts(column: &dyn Array) -> Result<StringArray, Error> {
    let column = cast(column, &DataType::Utf8).map_err(|e| Error::internal("a column is no text").with_source(e))?;
    column.as_string_opt::<i32>().cloned().ok_or_else(|| Error::internal("a column is no text"))
}

/// The bytes of an id in hexadecimal digits; all zero if there is none.
fn id<const BYTES: usize>(texts: &StringArray, row: usize) -> Result<[u8; BYTES], Error> {
    let mut id = [0; BYTES];
    let text = if texts.is_null(row) { "" } else { texts.value(row) };
    for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).unwrap_or("?");
        *byte = u8::from_str_radix(digits, 16).map_err(|_| Error::internal("an id is not hexadecimal digits"))?;
    }
    Ok(id)
}

/// A column of attributes.
struct Pairs<'a> {
    map: &'a MapArray,
    names: StringArray,
    values: StringArray,
}

impl<'a> Pairs<'a> {
    fn of(map: &'a MapArray) -> Result<Self, Error> {
        Ok(Pairs { map, names: texts(map.keys())?, values: texts(map.values())? })
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (&str, &str)> {
        let offsets = self.map.value_offsets();
        // Offsets of a map are places in its entries.
        let places = offsets[row] as usize..offsets[row + 1] as usize;
        places.map(|place| (self.names.value(place), self.values.value(place)))
    }
}
