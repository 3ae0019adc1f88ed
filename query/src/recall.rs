//! Finds rows again for the collectors.

mod logs;
mod newest;

use std::ops::RangeInclusive;

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, TimestampMillisecondType};
use async_trait::async_trait;
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use model::recall::Newest;
use model::{Logs, Recall, SeriesKey};

use crate::engine::Engine;
use crate::params::Params;

#[async_trait]
impl Recall for Engine {
    async fn recall(
        &self,
        cluster: &str,
        name: &str,
        (label, value): (&str, &str),
        time_ms: RangeInclusive<i64>,
    ) -> Result<Vec<(i64, f64)>, model::Error> {
        let (from_ms, until_ms) = time_ms.into_inner();
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        let time = |ms: i64| ScalarValue::TimestampMillisecond(Some(ms), Some("UTC".into()));
        let params = vec![text(cluster), text(name), text(label), text(value), time(from_ms), time(until_ms)];
        let sql = "SELECT ts, value FROM metrics \
                   WHERE cluster = $1 AND name = $2 AND labels[$3] = $4 AND ts >= $5 AND ts <= $6";
        let failed = |e: crate::Error| model::Error::new(e.kind(), e.to_string()).context("cannot find rows again");
        // What users may ask for is no measure of what has to be known: a row a reading, some days long.
        let rows = self.sql_within(sql, Params::Positional(params), u64::MAX).await.map_err(failed)?;
        let batches: Vec<_> = rows.try_collect().await.map_err(failed)?;
        let mut found = Vec::with_capacity(batches.iter().map(|batch| batch.num_rows()).sum());
        for batch in &batches {
            let times = batch.column(0).as_primitive_opt::<TimestampMillisecondType>();
            let values = batch.column(1).as_primitive_opt::<Float64Type>();
            let (Some(times), Some(values)) = (times, values) else {
                return Err(model::Error::internal("the columns of metrics have other types than they are asked for"));
            };
            found.extend(times.values().iter().copied().zip(values.values().iter().copied()));
        }
        Ok(found)
    }

    async fn newest(&self, series: &[SeriesKey], from_ms: i64) -> Result<Vec<Option<Newest>>, model::Error> {
        newest::find(self, series, from_ms).await
    }

    async fn logs(&self, cluster: &str, time_unix_nano: RangeInclusive<i64>) -> Result<Logs, model::Error> {
        logs::find(self, cluster, time_unix_nano).await
    }
}

#[cfg(test)]
mod tests;
