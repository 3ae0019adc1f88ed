//! Writing blocks of `metadata`: what senders say of metric families.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder};
use model::Error;
use model::batch::Metadata;

use crate::Table;
use crate::block::columns::{Columns, Texts};
use crate::block::file::File;
use crate::block::meta::BlockMeta;

/// Writes one block of `metadata`.
pub struct MetadataWriter<W: Write + Send> {
    file: File<W, MetadataColumns>,
    last: Option<(Arc<str>, Arc<str>)>,
}

impl<W: Write + Send> MetadataWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        Ok(MetadataWriter { file: File::new(sink)?, last: None })
    }

    /// Writes what was said of a family of a cluster, and when.
    ///
    /// # Errors
    /// `Internal` if name and cluster are below those of the row before, `Unavailable` if the sink fails.
    pub fn push(&mut self, cluster: &Arc<str>, family: &Metadata, time_ms: i64) -> Result<(), Error> {
        let key: (Arc<str>, Arc<str>) = (family.name.as_str().into(), cluster.clone());
        if self.last.as_ref().is_some_and(|last| *last > key) {
            return Err(Error::internal(format!("metadata of {} is below the row before it", family.name)));
        }
        self.file.columns.push(&key.0, cluster, family, time_ms);
        self.file.meta.add(1, [&key.0, cluster], time_ms, time_ms);
        self.last = Some(key);
        self.file.write_if_full()
    }

    /// Writes what is left and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn finish(self) -> Result<BlockMeta, Error> {
        self.file.finish()
    }
}

/// The columns of `metadata`.
#[derive(Default)]
pub(crate) struct MetadataColumns {
    names: Texts,
    clusters: Texts,
    kinds: StringBuilder,
    units: StringBuilder,
    helps: StringBuilder,
    times_ms: Vec<i64>,
}

impl MetadataColumns {
    /// Adds a row; `name` is the family's.
    pub(crate) fn push(&mut self, name: &Arc<str>, cluster: &Arc<str>, family: &Metadata, time_ms: i64) {
        self.names.push(name, 1);
        self.clusters.push(cluster, 1);
        self.kinds.append_value(family.kind.as_str());
        self.units.append_value(&family.unit);
        self.helps.append_value(&family.help);
        self.times_ms.push(time_ms);
    }
}

impl Columns for MetadataColumns {
    const TABLE: Table = Table::Metadata;

    fn rows(&self) -> usize {
        self.times_ms.len()
    }

    fn text_bytes(&self) -> usize {
        self.helps.values_slice().len()
    }

    fn keys(&mut self) -> [&mut Texts; 2] {
        [&mut self.names, &mut self.clusters]
    }

    fn take(&mut self) -> Result<Vec<ArrayRef>, Error> {
        Ok(vec![
            Arc::new(self.kinds.finish()),
            Arc::new(self.units.finish()),
            Arc::new(self.helps.finish()),
            Arc::new(Int64Array::from(std::mem::take(&mut self.times_ms))),
        ])
    }
}

#[cfg(test)]
mod tests;
