//! Writing blocks of `metadata`: what senders say of metric families.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Int64Array, StringBuilder};
use model::Error;
use model::batch::Metadata;

use crate::Table;
use crate::block::file::File;
use crate::block::meta::BlockMeta;
use crate::block::samples::Texts;

/// Rows that are gathered before they are encoded.
const BATCH_ROWS: usize = 8 << 10;
/// Bytes of help text that are gathered before they are encoded.
const BATCH_BYTES: usize = 8 << 20;

/// Writes one block of `metadata`.
pub struct MetadataWriter<W: Write + Send> {
    file: File<W>,
    meta: BlockMeta,
    last: Option<(Arc<str>, Arc<str>)>,
    rows: Rows,
}

impl<W: Write + Send> MetadataWriter<W> {
    /// Starts a block.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn new(sink: W) -> Result<Self, Error> {
        let file = File::new(sink, Table::Metadata)?;
        Ok(MetadataWriter { file, meta: BlockMeta::default(), last: None, rows: Rows::default() })
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
        let rows = &mut self.rows;
        rows.names.push(&key.0, 1);
        rows.clusters.push(&key.1, 1);
        rows.kinds.append_value(family.kind.as_str());
        rows.units.append_value(&family.unit);
        rows.helps.append_value(&family.help);
        rows.times_ms.push(time_ms);
        self.meta.add(1, &key.0, &key.1, time_ms, time_ms);
        self.last = Some(key);
        if rows.times_ms.len() >= BATCH_ROWS || rows.helps.values_slice().len() >= BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Writes what is left and the footer.
    ///
    /// # Errors
    /// `Unavailable` if the sink fails.
    pub fn finish(mut self) -> Result<BlockMeta, Error> {
        self.write()?;
        self.file.finish(self.meta)
    }

    fn write(&mut self) -> Result<(), Error> {
        let rows = &mut self.rows;
        self.file.write(vec![
            rows.names.take()?,
            rows.clusters.take()?,
            Arc::new(rows.kinds.finish()),
            Arc::new(rows.units.finish()),
            Arc::new(rows.helps.finish()),
            Arc::new(Int64Array::from(std::mem::take(&mut rows.times_ms))),
        ])
    }
}

/// Rows not yet encoded, column by column.
#[derive(Default)]
struct Rows {
    names: Texts,
    clusters: Texts,
    kinds: StringBuilder,
    units: StringBuilder,
    helps: StringBuilder,
    times_ms: Vec<i64>,
}

#[cfg(test)]
mod tests;
