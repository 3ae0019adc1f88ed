//! The columns of what happened within spans, and of what they point to.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use model::Error;
use model::spans::{Events, Links};

use super::attributes::AttributeColumn;
use super::ids::Ids;
use super::words::Words;
use crate::tables::{event_fields, link_fields, list_item};

/// Events gathered so far.
#[derive(Default)]
pub(crate) struct EventColumn {
    ends: Vec<i32>,
    times: Vec<i64>,
    names: Vec<i32>,
    pub(crate) attributes: AttributeColumn,
}

impl EventColumn {
    /// Adds the events of a span, by the places of texts and of names of attributes.
    pub(crate) fn push(&mut self, events: &Events, span: usize, texts: &[i32], names: &[i32]) {
        for event in events.of(span) {
            self.times.push(events.time_unix_nano[event]);
            self.names.push(texts[events.name[event] as usize]);
            self.attributes.push(&events.attributes, event, names);
        }
        self.ends.push(self.times.len() as i32);
    }

    /// The column so far; starts the next.
    ///
    /// # Errors
    /// `Internal` if it does not fit together.
    pub(crate) fn take(&mut self, words: &mut Words) -> Result<ArrayRef, Error> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.times))),
            words.column(std::mem::take(&mut self.names))?,
            self.attributes.take()?,
        ];
        lists(&event_fields(), columns, std::mem::take(&mut self.ends))
    }
}

/// Links gathered so far.
#[derive(Default)]
pub(crate) struct LinkColumn {
    ends: Vec<i32>,
    trace_ids: Ids<16>,
    span_ids: Ids<8>,
    states: Vec<i32>,
    pub(crate) attributes: AttributeColumn,
}

impl LinkColumn {
    /// Adds the links of a span, by the places of texts and of names of attributes.
    pub(crate) fn push(&mut self, links: &Links, span: usize, texts: &[i32], names: &[i32]) {
        for link in links.of(span) {
            self.trace_ids.push_any(&links.trace_id[link]);
            self.span_ids.push_any(&links.span_id[link]);
            self.states.push(texts[links.trace_state[link] as usize]);
            self.attributes.push(&links.attributes, link, names);
        }
        self.ends.push(self.states.len() as i32);
    }

    /// The column so far; starts the next.
    ///
    /// # Errors
    /// `Internal` if it does not fit together.
    pub(crate) fn take(&mut self, words: &mut Words) -> Result<ArrayRef, Error> {
        let columns = vec![
            self.trace_ids.take(),
            self.span_ids.take(),
            words.column(std::mem::take(&mut self.states))?,
            self.attributes.take()?,
        ];
        lists(&link_fields(), columns, std::mem::take(&mut self.ends))
    }
}

/// A column of lists of structs; texts of the columns may be dictionaries.
fn lists(fields: &Fields, columns: Vec<ArrayRef>, ends: Vec<i32>) -> Result<ArrayRef, Error> {
    let fault = |e| Error::internal("cannot make a column of lists").with_source(e);
    let gathered = fields.iter().zip(&columns);
    let gathered = gathered.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), false));
    let fields: Fields = gathered.collect();
    let items = StructArray::try_new(fields.clone(), columns, None).map_err(fault)?;
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    offsets.extend(ends);
    let list = ListArray::try_new(
        list_item(DataType::Struct(fields)),
        OffsetBuffer::new(offsets.into()),
        Arc::new(items),
        None,
    );
    Ok(Arc::new(list.map_err(fault)?))
}
