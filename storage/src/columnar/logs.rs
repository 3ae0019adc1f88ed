//! Logs in a record of the journal.

use model::shared::Shared;
use model::{Error, Logs, Resource};

use super::Columnar;
use super::code::{
    put_attributes, put_dictionary, put_ids, put_numbers, put_resources, put_texts, put_times, take_attributes,
    take_dictionary, take_ids, take_numbers, take_resources, take_texts, take_times,
};
use crate::codec::{Reader, put_varint};
use crate::record::VERSION_OF_LOGS;
use crate::tables::Table;

impl Columnar for Logs {
    const TABLE: Table = Table::Logs;
    const VERSION: u8 = VERSION_OF_LOGS;

    fn times(&self) -> &[i64] {
        &self.time_unix_nano
    }

    fn resources(&self) -> (&Shared<Resource>, &[u32]) {
        (&self.resources, &self.resource)
    }

    fn traces(&self) -> &[[u8; 16]] {
        &self.trace_id
    }

    fn line(&self, row: usize) -> Option<&str> {
        Some(self.body.get(row))
    }

    fn take_max_clusters(&mut self) -> Option<u64> {
        self.max_clusters.take()
    }

    fn of_resources(self, is_kept: &[bool]) -> Self {
        Logs::of_resources(self, is_kept)
    }

    fn append(&mut self, other: &Self, rows: impl Iterator<Item = usize>) {
        Logs::append(self, other, rows);
    }

    fn memory_bytes(&self) -> usize {
        Logs::memory_bytes(self)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_resources(out, &self.resources, &self.scopes);
        put_dictionary(out, self.severity_texts.texts());
        put_varint(out, self.len() as u64);
        for column in [&self.resource, &self.scope, &self.severity_text, &self.flags] {
            put_numbers(out, column.iter().copied());
        }
        put_numbers(out, self.severity_number.iter().map(|number| u32::from(*number)));
        put_times(out, &self.time_unix_nano);
        put_times(out, &self.observed_time_unix_nano);
        put_texts(out, &self.body);
        put_ids(out, &self.trace_id);
        put_ids(out, &self.span_id);
        put_attributes(out, &self.attributes);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (resources, scopes) = take_resources(reader)?;
        let severity_texts = take_dictionary(reader)?;
        let rows = reader.count()?;
        let resource = take_numbers(reader, rows, resources.len())?;
        let scope = take_numbers(reader, rows, scopes.len())?;
        let severity_text = take_numbers(reader, rows, severity_texts.texts().len())?;
        let flags = take_numbers(reader, rows, usize::MAX)?;
        let severity_number = take_numbers(reader, rows, 256)?.into_iter().map(|number| number as u8).collect();
        Ok(Logs {
            max_clusters: None,
            resources,
            scopes,
            resource,
            scope,
            time_unix_nano: take_times(reader, rows)?,
            observed_time_unix_nano: take_times(reader, rows)?,
            severity_number,
            severity_text,
            severity_texts,
            body: take_texts(reader, rows)?,
            trace_id: take_ids(reader, rows)?,
            span_id: take_ids(reader, rows)?,
            flags,
            attributes: take_attributes(reader, rows)?,
        })
    }
}
