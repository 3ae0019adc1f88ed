//! `clusters`, `services` and `sources`: what configuration and collectors know of the fleet, as tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use model::{Cluster, SourceStatus};

/// What is known of clusters and sources at the start of a query.
#[derive(Debug, Clone)]
pub(crate) struct Fleet {
    /// The clusters of the configuration.
    pub(crate) clusters: Vec<Cluster>,
    /// The state of each source.
    pub(crate) sources: Vec<SourceStatus>,
    /// The present, in milliseconds.
    pub(crate) now_ms: i64,
    /// A cluster whose last sample is older than this is silent, in milliseconds.
    pub(crate) silent_after_ms: i64,
}

impl Fleet {
    /// One row per cluster that is configured or has sent a sample.
    pub(crate) fn clusters(&self, last: &BTreeMap<Arc<str>, i64>) -> Result<Arc<dyn TableProvider>> {
        let configured: BTreeMap<&str, &Cluster> = self.clusters.iter().map(|c| (c.name.as_str(), c)).collect();
        let names: BTreeSet<&str> = configured.keys().copied().chain(last.keys().map(|name| &**name)).collect();
        let nobody = Cluster::default();
        let attribute = |of: fn(&Cluster) -> &str| {
            texts(names.iter().map(|name| Some(of(configured.get(name).copied().unwrap_or(&nobody)))))
        };
        let state = |name: &&str| match last.get(*name) {
            None => "never",
            Some(last_ms) if self.now_ms.saturating_sub(*last_ms) > self.silent_after_ms => "silent",
            Some(_) => "ok",
        };
        table(vec![
            column("name", false, texts(names.iter().map(|name| Some(*name)))),
            column("region", false, attribute(|c| &c.region)),
            column("zone", false, attribute(|c| &c.zone)),
            column("provider", false, attribute(|c| &c.provider)),
            column("environment", false, attribute(|c| &c.environment)),
            column("residency", false, attribute(|c| &c.residency)),
            column("role", false, attribute(|c| &c.role)),
            column("last_sample", true, times(names.iter().map(|name| last.get(*name).copied()))),
            column("state", false, texts(names.iter().map(|name| Some(state(name))))),
        ])
    }

    /// One row per service whose role in a cluster differs from the cluster's.
    pub(crate) fn services(&self) -> Result<Arc<dyn TableProvider>> {
        let rows = || self.clusters.iter().flat_map(|c| c.services.iter().map(move |(name, role)| (c, name, role)));
        table(vec![
            column("cluster", false, texts(rows().map(|(cluster, _, _)| Some(cluster.name.as_str())))),
            column("service", false, texts(rows().map(|(_, name, _)| Some(name.as_str())))),
            column("role", false, texts(rows().map(|(_, _, role)| Some(role.as_str())))),
        ])
    }

    /// One row per source of telemetry.
    pub(crate) fn sources(&self) -> Result<Arc<dyn TableProvider>> {
        let all = &self.sources;
        let samples: UInt64Array = all.iter().map(|s| Some(s.samples)).collect();
        let durations: Float64Array = all.iter().map(|s| Some(s.duration_seconds)).collect();
        let intervals: Int64Array = all.iter().map(|s| s.interval_ms).collect();
        let missing: Int64Array = all.iter().map(|s| s.missing_ms).collect();
        table(vec![
            column("cluster", false, texts(all.iter().map(|s| Some(s.cluster.as_str())))),
            column("kind", false, texts(all.iter().map(|s| Some(s.kind)))),
            column("job", false, texts(all.iter().map(|s| Some(s.job.as_str())))),
            column("instance", false, texts(all.iter().map(|s| Some(s.instance.as_str())))),
            column("url", false, texts(all.iter().map(|s| Some(s.url.as_str())))),
            column("labels", false, texts(all.iter().map(|s| Some(s.labels.as_str())))),
            column("last_attempt", true, times(all.iter().map(|s| s.last_attempt_ms))),
            column("last_success", true, times(all.iter().map(|s| s.last_success_ms))),
            column("error", true, texts(all.iter().map(|s| s.error.as_deref()))),
            column("samples", false, Arc::new(samples)),
            column("duration_seconds", false, Arc::new(durations)),
            column("interval_ms", true, Arc::new(intervals)),
            column("missing_ms", true, Arc::new(missing)),
        ])
    }
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
}

fn column(name: &str, nullable: bool, values: ArrayRef) -> (Field, ArrayRef) {
    let data_type = match values.data_type() {
        DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        other => other.clone(),
    };
    (Field::new(name, data_type, nullable), values)
}

fn table(columns: Vec<(Field, ArrayRef)>) -> Result<Arc<dyn TableProvider>> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let schema = Arc::new(Schema::new(fields));
    let rows = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![rows]])?))
}
