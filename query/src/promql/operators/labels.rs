//! Functions that change labels and leave values: `label_replace`, `label_join`.

use std::fmt;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryReservation;
use model::labels::NAME_LABEL;
use promql::functions::labels::{LabelJoin, LabelReplace};
use promql::labels::Labels;

use super::super::labels::LabelSet;
use super::super::node::{Batches, Operator, each};

/// A change of labels.
#[derive(Debug)]
pub(crate) enum Relabel {
    Replace(LabelReplace),
    Join(LabelJoin),
}

impl Relabel {
    fn apply(&self, labels: &Labels) -> Option<Labels> {
        match self {
            Relabel::Replace(replace) => replace.apply(labels),
            Relabel::Join(join) => Some(join.apply(labels)),
        }
    }

    fn target(&self) -> &str {
        match self {
            Relabel::Replace(replace) => replace.target(),
            Relabel::Join(join) => join.target(),
        }
    }
}

impl fmt::Display for Relabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if matches!(self, Relabel::Replace(_)) { "label_replace" } else { "label_join" };
        write!(f, "{name} into {}", self.target())
    }
}

impl Operator for Relabel {
    fn name(&self) -> &'static str {
        "RelabelExec"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn run(self: Arc<Self>, inputs: Vec<Option<Batches>>, _memory: MemoryReservation) -> Batches {
        each(inputs, Vec::new(), move |mut batch, _| {
            for (labels, drops_name) in batch.labels.iter_mut().zip(&mut batch.drops_name) {
                let Some(changed) = self.apply(&Labels::from(&*labels)) else { continue };
                *labels = LabelSet::from(&changed);
                // A name that was asked for stays.
                *drops_name &= self.target() != NAME_LABEL;
            }
            Ok(batch)
        })
    }
}
