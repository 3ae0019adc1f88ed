//! The columns of `spans`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use model::{Error, Spans};

use super::BlockColumns;
use super::attributes::AttributeColumn;
use super::events::{EventColumn, LinkColumn};
use super::ids::Ids;
use super::resources::{OriginPlaces, Origins};
use super::words::Words;
use crate::Table;
use crate::block::columns::{Columns, Texts};

/// Spans gathered so far.
#[derive(Default)]
pub(crate) struct SpanColumns {
    origins: Origins,
    starts: Vec<i64>,
    durations: Vec<i64>,
    words: Words,
    names: Vec<i32>,
    kinds: Vec<i32>,
    trace_ids: Ids<16>,
    span_ids: Ids<8>,
    parent_span_ids: Ids<8>,
    trace_states: Vec<i32>,
    flags: Vec<i32>,
    status_codes: Vec<i32>,
    status_messages: Vec<i32>,
    attributes: AttributeColumn,
    events: EventColumn,
    links: LinkColumn,
}

/// See [`BlockColumns::Places`].
pub(crate) struct Places {
    origins: OriginPlaces,
    texts: Vec<i32>,
    names: Vec<i32>,
    event_names: Vec<i32>,
    link_names: Vec<i32>,
}

impl BlockColumns<Spans> for SpanColumns {
    type Places = Places;

    fn adopt(&mut self, rows: &Spans) -> Places {
        Places {
            origins: self.origins.adopt(&rows.resources, &rows.scopes),
            texts: self.words.places_of(&rows.texts),
            names: self.attributes.adopt(&rows.attributes),
            event_names: self.events.attributes.adopt(&rows.events.attributes),
            link_names: self.links.attributes.adopt(&rows.links.attributes),
        }
    }

    fn push(&mut self, rows: &Spans, row: usize, places: &Places) {
        let text = |place: u32| places.texts[place as usize];
        self.origins.push(rows.resource[row], rows.scope[row], &places.origins);
        self.starts.push(rows.start_time_unix_nano[row]);
        self.durations.push(rows.duration_nano[row]);
        self.names.push(text(rows.name[row]));
        self.kinds.push(i32::from(rows.kind[row]));
        self.trace_ids.push_any(&rows.trace_id[row]);
        self.span_ids.push_any(&rows.span_id[row]);
        self.parent_span_ids.push(&rows.parent_span_id[row]);
        self.trace_states.push(text(rows.trace_state[row]));
        self.flags.push(rows.flags[row].cast_signed());
        self.status_codes.push(i32::from(rows.status_code[row]));
        self.status_messages.push(text(rows.status_message[row]));
        self.attributes.push(&rows.attributes, row, &places.names);
        self.events.push(&rows.events, row, &places.texts, &places.event_names);
        self.links.push(&rows.links, row, &places.texts, &places.link_names);
    }
}

impl Columns for SpanColumns {
    const TABLE: Table = Table::Spans;

    fn rows(&self) -> usize {
        self.origins.rows()
    }

    fn text_bytes(&self) -> usize {
        self.attributes.text_bytes() + self.events.attributes.text_bytes() + self.links.attributes.text_bytes()
    }

    fn keys(&mut self) -> [&mut Texts; 2] {
        self.origins.keys()
    }

    fn take(&mut self) -> Result<Vec<ArrayRef>, Error> {
        let origins = self.origins.take()?;
        let [namespace, pod, container, node] = origins.columns;
        let words = &mut self.words;
        Ok(vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.starts))),
            Arc::new(Int64Array::from(std::mem::take(&mut self.durations))),
            namespace,
            pod,
            container,
            node,
            words.column(std::mem::take(&mut self.names))?,
            Arc::new(Int32Array::from(std::mem::take(&mut self.kinds))),
            self.trace_ids.take(),
            self.span_ids.take(),
            self.parent_span_ids.take(),
            words.column(std::mem::take(&mut self.trace_states))?,
            Arc::new(Int32Array::from(std::mem::take(&mut self.flags))),
            Arc::new(Int32Array::from(std::mem::take(&mut self.status_codes))),
            words.column(std::mem::take(&mut self.status_messages))?,
            origins.scope_name,
            origins.scope_version,
            origins.resource,
            self.attributes.take()?,
            self.events.take(words)?,
            self.links.take(words)?,
        ])
    }
}
