//! The columns of `logs`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use model::texts::Texts as Bodies;
use model::{Error, Logs};

use super::BlockColumns;
use super::attributes::AttributeColumn;
use super::ids::Ids;
use super::resources::{OriginPlaces, Origins};
use super::words::{Words, strings};
use crate::Table;
use crate::block::columns::{Columns, Texts};

/// Log rows gathered so far.
#[derive(Default)]
pub(crate) struct LogColumns {
    origins: Origins,
    times: Vec<i64>,
    observed: Vec<i64>,
    severity_numbers: Vec<i32>,
    severity_words: Words,
    severity_texts: Vec<i32>,
    bodies: Bodies,
    trace_ids: Ids<16>,
    span_ids: Ids<8>,
    flags: Vec<i32>,
    attributes: AttributeColumn,
}

/// See [`BlockColumns::Places`].
pub(crate) struct Places {
    origins: OriginPlaces,
    severity_texts: Vec<i32>,
    names: Vec<i32>,
}

impl BlockColumns<Logs> for LogColumns {
    type Places = Places;

    fn adopt(&mut self, rows: &Logs) -> Places {
        Places {
            origins: self.origins.adopt(&rows.resources, &rows.scopes),
            severity_texts: self.severity_words.places_of(&rows.severity_texts),
            names: self.attributes.adopt(&rows.attributes),
        }
    }

    fn push(&mut self, rows: &Logs, row: usize, places: &Places) {
        self.origins.push(rows.resource[row], rows.scope[row], &places.origins);
        self.times.push(rows.time_unix_nano[row]);
        self.observed.push(rows.observed_time_unix_nano[row]);
        self.severity_numbers.push(i32::from(rows.severity_number[row]));
        self.severity_texts.push(places.severity_texts[rows.severity_text[row] as usize]);
        self.bodies.push(rows.body.get(row));
        self.trace_ids.push(&rows.trace_id[row]);
        self.span_ids.push(&rows.span_id[row]);
        self.flags.push(rows.flags[row].cast_signed());
        self.attributes.push(&rows.attributes, row, &places.names);
    }
}

impl Columns for LogColumns {
    const TABLE: Table = Table::Logs;

    fn rows(&self) -> usize {
        self.origins.rows()
    }

    fn text_bytes(&self) -> usize {
        self.bodies.all().len() + self.attributes.text_bytes()
    }

    fn keys(&mut self) -> [&mut Texts; 2] {
        self.origins.keys()
    }

    fn take(&mut self) -> Result<Vec<ArrayRef>, Error> {
        let origins = self.origins.take()?;
        let [namespace, pod, container, node] = origins.columns;
        Ok(vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.times))),
            Arc::new(Int64Array::from(std::mem::take(&mut self.observed))),
            namespace,
            pod,
            container,
            node,
            Arc::new(Int32Array::from(std::mem::take(&mut self.severity_numbers))),
            self.severity_words.column(std::mem::take(&mut self.severity_texts))?,
            strings(&std::mem::take(&mut self.bodies)),
            self.trace_ids.take(),
            self.span_ids.take(),
            Arc::new(Int32Array::from(std::mem::take(&mut self.flags))),
            origins.scope_name,
            origins.scope_version,
            origins.resource,
            self.attributes.take()?,
        ])
    }
}
