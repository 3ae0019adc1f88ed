//! What is asked without an expression: the samples of some series, as they are kept.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_plan::ExecutionPlan;
use model::Cluster;
use model::time::{MAX_TIME_MS, MIN_TIME_MS};
use promql::ast::Matcher;
use storage::Selection;

use super::limits::Touched;
use super::scan::{Ground, RawExec};
use super::selection::matchers;
use crate::config::Config;
use crate::source::Source;

/// What the questions of one request share: the time they may take, and the samples they may read.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    deadline: Instant,
    touched: Arc<Touched>,
}

impl Asked {
    /// A request that comes in now.
    pub(crate) fn now(config: &Config) -> Self {
        Asked { deadline: Instant::now() + config.timeout, touched: Arc::new(Touched::new(config.max_samples)) }
    }
}

/// A question for all samples of the series that fulfil some conditions.
#[derive(Debug)]
pub(crate) struct RawQuestion {
    selection: Selection,
    asked: Asked,
    /// Whether only the labels are wanted.
    is_about_labels: bool,
    /// Bytes of the conditions.
    pub(crate) text_bytes: usize,
}

impl RawQuestion {
    /// Samples within a range of time, both ends included, staleness markers among them.
    pub(crate) fn new(written: &[Matcher], time_ms: &RangeInclusive<i64>, asked: &Asked) -> Self {
        // No row has another time, and what lies further apart cannot be calculated with.
        let time_ms = (*time_ms.start()).max(MIN_TIME_MS)..=(*time_ms.end()).min(MAX_TIME_MS);
        RawQuestion {
            selection: Selection { matchers: matchers(written), time_ms },
            asked: asked.clone(),
            is_about_labels: false,
            text_bytes: written.iter().map(|matcher| matcher.label.len() + matcher.value.len()).sum(),
        }
    }

    /// Of the series only the labels, without their samples.
    pub(crate) fn about_labels(self) -> Self {
        RawQuestion { is_about_labels: true, ..self }
    }

    /// Whether the range of time holds no instant.
    pub(crate) fn is_empty(&self) -> bool {
        self.selection.time_ms.is_empty()
    }

    /// How long it may take.
    pub(crate) fn time_left(&self) -> Duration {
        self.asked.deadline.saturating_duration_since(Instant::now())
    }

    /// Plans it.
    ///
    /// # Errors
    /// Those of the snapshot, and `TooLarge` or `Busy` if the memory does not suffice; carried through DataFusion.
    pub(crate) async fn plan(
        &self,
        source: Arc<Source>,
        memory: Arc<dyn MemoryPool>,
        clusters: &[Cluster],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (touched, clusters) = (Arc::clone(&self.asked.touched), clusters.into());
        let ground = Ground { touched, clusters, ..Ground::plain(source, memory) };
        RawExec::plan(ground, &self.selection, self.is_about_labels).await
    }
}
