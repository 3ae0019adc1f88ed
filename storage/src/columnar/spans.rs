//! Spans in a record of the journal.

use model::shared::Shared;
use model::spans::{Events, Links};
use model::{Error, Resource, Spans};

use super::Columnar;
use super::code::{
    put_attributes, put_dictionary, put_ends, put_ids, put_numbers, put_resources, put_signeds, put_times,
    take_attributes, take_dictionary, take_ends, take_ids, take_numbers, take_resources, take_signeds, take_times,
};
use crate::codec::{Reader, put_varint};
use crate::record::VERSION_OF_SPANS;
use crate::tables::Table;

impl Columnar for Spans {
    const TABLE: Table = Table::Spans;
    const VERSION: u8 = VERSION_OF_SPANS;

    fn times(&self) -> &[i64] {
        &self.start_time_unix_nano
    }

    fn resources(&self) -> (&Shared<Resource>, &[u32]) {
        (&self.resources, &self.resource)
    }

    fn traces(&self) -> &[[u8; 16]] {
        &self.trace_id
    }

    fn line(&self, _row: usize) -> Option<&str> {
        None
    }

    fn take_max_clusters(&mut self) -> Option<u64> {
        self.max_clusters.take()
    }

    fn of_resources(self, is_kept: &[bool]) -> Self {
        Spans::of_resources(self, is_kept)
    }

    fn append(&mut self, other: &Self, rows: impl Iterator<Item = usize>) {
        Spans::append(self, other, rows);
    }

    fn memory_bytes(&self) -> usize {
        Spans::memory_bytes(self)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_resources(out, &self.resources, &self.scopes);
        put_dictionary(out, self.texts.texts());
        put_varint(out, self.len() as u64);
        let columns = [&self.resource, &self.scope, &self.name, &self.trace_state, &self.status_message, &self.flags];
        for column in columns {
            put_numbers(out, column.iter().copied());
        }
        for column in [&self.kind, &self.status_code] {
            put_numbers(out, column.iter().map(|number| u32::from(*number)));
        }
        put_times(out, &self.start_time_unix_nano);
        put_signeds(out, &self.duration_nano);
        put_ids(out, &self.trace_id);
        put_ids(out, &self.span_id);
        put_ids(out, &self.parent_span_id);
        put_attributes(out, &self.attributes);

        put_ends(out, &self.events.ends);
        put_times(out, &self.events.time_unix_nano);
        put_numbers(out, self.events.name.iter().copied());
        put_attributes(out, &self.events.attributes);

        put_ends(out, &self.links.ends);
        put_ids(out, &self.links.trace_id);
        put_ids(out, &self.links.span_id);
        put_numbers(out, self.links.trace_state.iter().copied());
        put_attributes(out, &self.links.attributes);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (resources, scopes) = take_resources(reader)?;
        let texts = take_dictionary(reader)?;
        let rows = reader.count()?;
        let resource = take_numbers(reader, rows, resources.len())?;
        let scope = take_numbers(reader, rows, scopes.len())?;
        let known = texts.texts().len();
        let name = take_numbers(reader, rows, known)?;
        let trace_state = take_numbers(reader, rows, known)?;
        let status_message = take_numbers(reader, rows, known)?;
        let flags = take_numbers(reader, rows, usize::MAX)?;
        let mut bytes = || -> Result<Vec<u8>, Error> {
            Ok(take_numbers(reader, rows, 256)?.into_iter().map(|number| number as u8).collect())
        };
        let (kind, status_code) = (bytes()?, bytes()?);
        Ok(Spans {
            max_clusters: None,
            resources,
            scopes,
            resource,
            scope,
            start_time_unix_nano: take_times(reader, rows)?,
            duration_nano: take_signeds(reader, rows)?,
            trace_id: take_ids(reader, rows)?,
            span_id: take_ids(reader, rows)?,
            parent_span_id: take_ids(reader, rows)?,
            trace_state,
            flags,
            name,
            kind,
            status_code,
            status_message,
            texts,
            attributes: take_attributes(reader, rows)?,
            events: take_events(reader, rows, known)?,
            links: take_links(reader, rows, known)?,
        })
    }
}

fn take_events(reader: &mut Reader<'_>, rows: usize, texts: usize) -> Result<Events, Error> {
    let ends = take_ends(reader, rows)?;
    let count = ends.last().map_or(0, |end| *end as usize);
    Ok(Events {
        ends,
        time_unix_nano: take_times(reader, count)?,
        name: take_numbers(reader, count, texts)?,
        attributes: take_attributes(reader, count)?,
    })
}

fn take_links(reader: &mut Reader<'_>, rows: usize, texts: usize) -> Result<Links, Error> {
    let ends = take_ends(reader, rows)?;
    let count = ends.last().map_or(0, |end| *end as usize);
    Ok(Links {
        ends,
        trace_id: take_ids(reader, count)?,
        span_id: take_ids(reader, count)?,
        trace_state: take_numbers(reader, count, texts)?,
        attributes: take_attributes(reader, count)?,
    })
}
