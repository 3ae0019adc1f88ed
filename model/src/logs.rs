//! Log rows on their way from a decoder into a store, column by column.

use std::sync::Arc;

use crate::attributes::Attributes;
use crate::resource::{Resource, Scope};
use crate::shared::Shared;
use crate::texts::{Dictionary, Texts};

/// Rows of logs, column by column; all columns have the same number of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logs {
    /// What the rows come from, by the places that `resource` names.
    pub resources: Shared<Resource>,
    /// What made the rows, by the places that `scope` names.
    pub scopes: Shared<Scope>,
    /// Of each row the place of its resource.
    pub resource: Vec<u32>,
    /// Of each row the place of its scope.
    pub scope: Vec<u32>,
    /// When it happened, in nanoseconds since the Unix epoch.
    pub time_unix_nano: Vec<i64>,
    /// When it was first seen by a collector, in nanoseconds since the Unix epoch.
    pub observed_time_unix_nano: Vec<i64>,
    /// 1 (TRACE) to 24 (FATAL4) as in OpenTelemetry; 0 if unknown.
    pub severity_number: Vec<u8>,
    /// Of each row the place of its severity's text, as it was sent.
    pub severity_text: Vec<u32>,
    /// The texts that `severity_text` names.
    pub severity_texts: Dictionary,
    /// The lines; a body that is no text is JSON.
    pub body: Texts,
    /// All zero if there is none.
    pub trace_id: Vec<[u8; 16]>,
    /// All zero if there is none.
    pub span_id: Vec<[u8; 8]>,
    /// W3C trace flags in the lowest byte.
    pub flags: Vec<u32>,
    /// What else is said of each row.
    pub attributes: Attributes,
    /// Clusters that the store may know once these rows have brought their own: for rows that say themselves which cluster
    /// they are of. Those of a further one are left out. `None`: no limit.
    pub max_clusters: Option<u64>,
}

/// One row of logs, its attributes aside.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Log<'a> {
    /// See [`Logs::resource`], as all below.
    pub resource: u32,
    /// The place of its scope.
    pub scope: u32,
    /// When it happened, in nanoseconds since the Unix epoch.
    pub time_unix_nano: i64,
    /// When it was first seen.
    pub observed_time_unix_nano: i64,
    /// 0 to 24.
    pub severity_number: u8,
    /// The severity as it was sent.
    pub severity_text: &'a str,
    /// The line.
    pub body: &'a str,
    /// All zero if there is none.
    pub trace_id: [u8; 16],
    /// All zero if there is none.
    pub span_id: [u8; 8],
    /// W3C trace flags.
    pub flags: u32,
}

impl Logs {
    /// Adds a row; its attributes were pushed to `attributes` before.
    pub fn push(&mut self, row: &Log<'_>) {
        self.push_columns(row);
        self.attributes.end_row();
    }

    /// Adds a row whose attributes have ended.
    fn push_columns(&mut self, row: &Log<'_>) {
        self.resource.push(row.resource);
        self.scope.push(row.scope);
        self.time_unix_nano.push(row.time_unix_nano);
        self.observed_time_unix_nano.push(row.observed_time_unix_nano);
        self.severity_number.push(row.severity_number);
        let text = self.severity_texts.place_near(row.severity_text, self.severity_text.last().copied());
        self.severity_text.push(text);
        self.body.push(row.body);
        self.trace_id.push(row.trace_id);
        self.span_id.push(row.span_id);
        self.flags.push(row.flags);
    }

    /// A row, its attributes aside.
    pub fn row(&self, row: usize) -> Log<'_> {
        Log {
            resource: self.resource[row],
            scope: self.scope[row],
            time_unix_nano: self.time_unix_nano[row],
            observed_time_unix_nano: self.observed_time_unix_nano[row],
            severity_number: self.severity_number[row],
            severity_text: self.severity_texts.get(self.severity_text[row]),
            body: self.body.get(row),
            trace_id: self.trace_id[row],
            span_id: self.span_id[row],
            flags: self.flags[row],
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.resource.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.resource.is_empty()
    }

    /// Decides the cluster of every row.
    pub fn stamped(self, cluster: &Arc<str>) -> Self {
        self.stamped_where(cluster, &|_| true)
    }

    /// Decides the cluster of the rows whose resource is meant.
    pub fn stamped_where(mut self, cluster: &Arc<str>, is_meant: &dyn Fn(&Resource) -> bool) -> Self {
        crate::resource::stamp(&mut self.resources, &mut self.resource, cluster, is_meant);
        self
    }

    /// The rows of the resources that are kept, by place; the others go, and their resources with them.
    pub fn of_resources(mut self, is_kept: &[bool]) -> Self {
        let kept = crate::resource::keep(&mut self.resources, &mut self.resource, is_kept);
        let mut rest = Logs { max_clusters: self.max_clusters, ..Logs::default() };
        rest.append(&self, kept.into_iter());
        rest
    }

    /// Adds rows of another batch, by their places there.
    pub fn append(&mut self, other: &Logs, rows: impl Iterator<Item = usize>) {
        let resources = self.resources.places_of(&other.resources);
        let scopes = self.scopes.places_of(&other.scopes);
        let names = self.attributes.adopt(&other.attributes);
        for row in rows {
            let log = other.row(row);
            self.attributes.push_row(&other.attributes, row, &names);
            self.push_columns(&Log {
                resource: resources[log.resource as usize],
                scope: scopes[log.scope as usize],
                ..log
            });
        }
    }

    /// Bytes of memory taken, roughly.
    pub fn memory_bytes(&self) -> usize {
        let resources: usize = self.resources.iter().map(|resource| resource.memory_bytes()).sum();
        let row = 3 * size_of::<u32>() + 2 * size_of::<i64>() + 1 + 16 + 8 + size_of::<u32>();
        resources
            + self.resource.capacity() * row
            + self.severity_texts.memory_bytes()
            + self.body.memory_bytes()
            + self.attributes.memory_bytes()
    }
}

#[cfg(test)]
mod tests;
