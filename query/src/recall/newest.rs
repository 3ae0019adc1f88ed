//! The newest row of each of some series.
//!
//! Asked of the rows as they are kept, by `series_id`: the table `metrics` would describe each series of the same name.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use arrow::datatypes::Float64Type;
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use model::recall::{Newest, NewestValue};
use model::{Error, SeriesKey};

use crate::engine::Engine;
use crate::params::Params;
use crate::rows::{self, longs, numbers};

/// Ids in one question.
const IDS_AT_ONCE: usize = 500;

/// Finds them.
pub(super) async fn find(engine: &Engine, series: &[SeriesKey], from_ms: i64) -> Result<Vec<Option<Newest>>, Error> {
    let mut by_name: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (place, key) in series.iter().enumerate() {
        by_name.entry((&key.cluster, &key.name)).or_default().push(place);
    }
    let mut found = vec![None; series.len()];
    for (of, places) in by_name {
        for places in places.chunks(IDS_AT_ONCE) {
            let ids: Vec<i64> = places.iter().map(|place| series[*place].labels.series_id()).collect();
            let mut newest = Question { engine, of, ids: &ids, from_ms }.newest().await?;
            for (place, id) in places.iter().zip(&ids) {
                found[*place] = newest.remove(id);
            }
        }
    }
    Ok(found)
}

/// Series of one name and cluster.
struct Question<'a> {
    engine: &'a Engine,
    of: (&'a str, &'a str),
    ids: &'a [i64],
    from_ms: i64,
}

impl Question<'_> {
    async fn newest(&self) -> Result<HashMap<i64, Newest>, Error> {
        let mut found = HashMap::new();
        let value = "coalesce(value, mantissa / power(10e0, scale))";
        for batch in self.newest_rows("samples", &format!("{value} IS NOT NULL"), &format!("{value} AS number")).await?
        {
            let (ids, times) = (longs(&batch, "series_id")?, longs(&batch, "time_ms")?);
            let numbers = numbers::<Float64Type>(&batch, "number")?;
            for row in 0..batch.num_rows() {
                let value = NewestValue::Number(numbers.value(row));
                let newest = Newest { time_ms: times.value(row), start_ms: None, value };
                found.insert(ids.value(row), newest);
            }
        }
        for batch in self.newest_rows("histograms", "count IS NOT NULL", "samples.*").await? {
            let (ids, times) = (longs(&batch, "series_id")?, longs(&batch, "time_ms")?);
            for row in 0..batch.num_rows() {
                let histogram = rows::histogram(&batch, row)?;
                let (time_ms, start_ms) = (times.value(row), histogram.start_ms);
                let value = NewestValue::Histogram(Box::new(histogram));
                let is_newer = |known: &Newest| known.time_ms >= time_ms;
                if !found.get(&ids.value(row)).is_some_and(is_newer) {
                    found.insert(ids.value(row), Newest { time_ms, start_ms, value });
                }
            }
        }
        if !found.is_empty() {
            let conditions = self.conditions();
            let sql =
                format!("SELECT series_id, max(start_time_ms) AS start FROM starts WHERE {conditions} GROUP BY 1");
            for batch in self.ask(&sql).await? {
                let (ids, starts) = (longs(&batch, "series_id")?, longs(&batch, "start")?);
                for row in 0..batch.num_rows() {
                    if let Some(newest) = found.get_mut(&ids.value(row)) {
                        newest.start_ms = newest.start_ms.or(Some(starts.value(row)));
                    }
                }
            }
        }
        Ok(found)
    }

    /// The rows of a table that have the newest time of their series among those which fulfil `holds`.
    async fn newest_rows(&self, table: &str, holds: &str, columns: &str) -> Result<Vec<RecordBatch>, Error> {
        let conditions = self.conditions();
        let sql = format!(
            "WITH samples AS (SELECT * FROM {table} WHERE {conditions} AND {holds}), \
             newest AS (SELECT series_id AS id, max(time_ms) AS newest_ms FROM samples GROUP BY 1) \
             SELECT series_id, time_ms, {columns} FROM samples JOIN newest ON series_id = id AND time_ms = newest_ms"
        );
        // `samples.*` names both columns once more.
        self.ask(&sql.replace("series_id, time_ms, samples.*", "samples.*")).await
    }

    fn conditions(&self) -> String {
        let ids = self.ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        format!("cluster = $1 AND name = $2 AND time_ms >= $3 AND series_id IN ({ids})")
    }

    async fn ask(&self, sql: &str) -> Result<Vec<RecordBatch>, Error> {
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        let params = vec![text(self.of.0), text(self.of.1), ScalarValue::Int64(Some(self.from_ms))];
        let failed = |e: crate::Error| Error::new(e.kind(), e.to_string()).context("cannot find rows again");
        let rows = self.engine.sql_within(sql, Params::Positional(params), u64::MAX).await.map_err(failed)?;
        rows.try_collect().await.map_err(failed)
    }
}
