//! Spans on their way from a decoder into a store, column by column.

use std::sync::Arc;

use crate::attributes::Attributes;
use crate::resource::{Resource, Scope};
use crate::shared::Shared;
use crate::texts::Dictionary;

/// Spans, column by column; all columns have the same number of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spans {
    /// What the spans come from, by the places that `resource` names.
    pub resources: Shared<Resource>,
    /// What made the spans, by the places that `scope` names.
    pub scopes: Shared<Scope>,
    /// Of each span the place of its resource.
    pub resource: Vec<u32>,
    /// Of each span the place of its scope.
    pub scope: Vec<u32>,
    /// The trace; never all zero.
    pub trace_id: Vec<[u8; 16]>,
    /// The span within the trace; never all zero.
    pub span_id: Vec<[u8; 8]>,
    /// All zero if there is none.
    pub parent_span_id: Vec<[u8; 8]>,
    /// W3C `tracestate`, by place in `texts`.
    pub trace_state: Vec<u32>,
    /// W3C trace flags in the lowest byte, above them whether the parent is remote.
    pub flags: Vec<u32>,
    /// The name, by place in `texts`.
    pub name: Vec<u32>,
    /// 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: Vec<u8>,
    /// In nanoseconds since the Unix epoch.
    pub start_time_unix_nano: Vec<i64>,
    /// In nanoseconds; below zero for a span that says that it ended before it started.
    pub duration_nano: Vec<i64>,
    /// 0 unset, 1 ok, 2 error.
    pub status_code: Vec<u8>,
    /// What is said of the status, by place in `texts`.
    pub status_message: Vec<u32>,
    /// Names, states and messages.
    pub texts: Dictionary,
    /// What else is said of each span.
    pub attributes: Attributes,
    /// What happened within each span.
    pub events: Events,
    /// What each span points to.
    pub links: Links,
    /// Clusters that the store may know once these spans have brought their own: for spans that say themselves which cluster
    /// they are of. Those of a further one are left out. `None`: no limit.
    pub max_clusters: Option<u64>,
}

/// One span, its attributes, events and links aside.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Span<'a> {
    /// See [`Spans::resource`], as all below.
    pub resource: u32,
    /// The place of its scope.
    pub scope: u32,
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span within the trace.
    pub span_id: [u8; 8],
    /// All zero if there is none.
    pub parent_span_id: [u8; 8],
    /// W3C `tracestate`.
    pub trace_state: &'a str,
    /// W3C trace flags.
    pub flags: u32,
    /// The name.
    pub name: &'a str,
    /// 0 to 5.
    pub kind: u8,
    /// In nanoseconds since the Unix epoch.
    pub start_time_unix_nano: i64,
    /// In nanoseconds.
    pub duration_nano: i64,
    /// 0 to 2.
    pub status_code: u8,
    /// What is said of the status.
    pub status_message: &'a str,
}

/// Events of spans.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events {
    /// Where the events of each span end.
    pub ends: Vec<u32>,
    /// In nanoseconds since the Unix epoch.
    pub time_unix_nano: Vec<i64>,
    /// By place in [`Spans::texts`].
    pub name: Vec<u32>,
    /// What is said of each event.
    pub attributes: Attributes,
}

/// Links of spans.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Links {
    /// Where the links of each span end.
    pub ends: Vec<u32>,
    /// The trace of the other span.
    pub trace_id: Vec<[u8; 16]>,
    /// The other span.
    pub span_id: Vec<[u8; 8]>,
    /// By place in [`Spans::texts`].
    pub trace_state: Vec<u32>,
    /// What is said of each link.
    pub attributes: Attributes,
}

/// The part of `ends` before the end of `row`: where what belongs to it is.
fn range(ends: &[u32], row: usize) -> std::ops::Range<usize> {
    row.checked_sub(1).map_or(0, |before| ends[before]) as usize..ends[row] as usize
}

impl Events {
    /// Where the events of a span are.
    pub fn of(&self, span: usize) -> std::ops::Range<usize> {
        range(&self.ends, span)
    }
}

impl Links {
    /// Where the links of a span are.
    pub fn of(&self, span: usize) -> std::ops::Range<usize> {
        range(&self.ends, span)
    }
}

impl Spans {
    /// Adds an event to the span at hand; its attributes were pushed to those of `events` before.
    pub fn push_event(&mut self, time_unix_nano: i64, name: &str) {
        self.events.time_unix_nano.push(time_unix_nano);
        let name = self.texts.place_near(name, self.events.name.last().copied());
        self.events.name.push(name);
        self.events.attributes.end_row();
    }

    /// Adds a link to the span at hand; its attributes were pushed to those of `links` before.
    pub fn push_link(&mut self, trace_id: [u8; 16], span_id: [u8; 8], trace_state: &str) {
        self.links.trace_id.push(trace_id);
        self.links.span_id.push(span_id);
        let state = self.texts.place_near(trace_state, self.links.trace_state.last().copied());
        self.links.trace_state.push(state);
        self.links.attributes.end_row();
    }

    /// Adds a span; its attributes, events and links were pushed before.
    pub fn push(&mut self, span: &Span<'_>) {
        self.push_columns(span);
        self.attributes.end_row();
    }

    /// Takes back the attributes, events and links of the span at hand.
    pub fn cancel(&mut self) {
        self.attributes.cancel();
        let events = self.events.ends.last().copied().unwrap_or(0) as usize;
        self.events.time_unix_nano.truncate(events);
        self.events.name.truncate(events);
        self.events.attributes.truncate(events);
        let links = self.links.ends.last().copied().unwrap_or(0) as usize;
        self.links.trace_id.truncate(links);
        self.links.span_id.truncate(links);
        self.links.trace_state.truncate(links);
        self.links.attributes.truncate(links);
    }

    /// Adds a span whose attributes have ended.
    fn push_columns(&mut self, span: &Span<'_>) {
        self.resource.push(span.resource);
        self.scope.push(span.scope);
        self.trace_id.push(span.trace_id);
        self.span_id.push(span.span_id);
        self.parent_span_id.push(span.parent_span_id);
        let near = |places: &[u32]| places.last().copied();
        let state = self.texts.place_near(span.trace_state, near(&self.trace_state));
        self.trace_state.push(state);
        self.flags.push(span.flags);
        let name = self.texts.place_near(span.name, near(&self.name));
        self.name.push(name);
        self.kind.push(span.kind);
        self.start_time_unix_nano.push(span.start_time_unix_nano);
        self.duration_nano.push(span.duration_nano);
        self.status_code.push(span.status_code);
        let message = self.texts.place_near(span.status_message, near(&self.status_message));
        self.status_message.push(message);
        self.events.ends.push(self.events.time_unix_nano.len() as u32);
        self.links.ends.push(self.links.trace_id.len() as u32);
    }

    /// A span, its attributes, events and links aside.
    pub fn row(&self, row: usize) -> Span<'_> {
        Span {
            resource: self.resource[row],
            scope: self.scope[row],
            trace_id: self.trace_id[row],
            span_id: self.span_id[row],
            parent_span_id: self.parent_span_id[row],
            trace_state: self.texts.get(self.trace_state[row]),
            flags: self.flags[row],
            name: self.texts.get(self.name[row]),
            kind: self.kind[row],
            start_time_unix_nano: self.start_time_unix_nano[row],
            duration_nano: self.duration_nano[row],
            status_code: self.status_code[row],
            status_message: self.texts.get(self.status_message[row]),
        }
    }

    /// How many spans there are.
    pub fn len(&self) -> usize {
        self.resource.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.resource.is_empty()
    }

    /// Decides the cluster of every span.
    pub fn stamped(self, cluster: &Arc<str>) -> Self {
        self.stamped_where(cluster, &|_| true)
    }

    /// Decides the cluster of the spans whose resource is meant.
    pub fn stamped_where(mut self, cluster: &Arc<str>, is_meant: &dyn Fn(&Resource) -> bool) -> Self {
        crate::resource::stamp(&mut self.resources, &mut self.resource, cluster, is_meant);
        self
    }

    /// The spans of the resources that are kept, by place; the others go, and their resources with them.
    pub fn of_resources(mut self, is_kept: &[bool]) -> Self {
        let kept = crate::resource::keep(&mut self.resources, &mut self.resource, is_kept);
        let mut rest = Spans { max_clusters: self.max_clusters, ..Spans::default() };
        rest.append(&self, kept.into_iter());
        rest
    }

    /// Adds spans of another batch, by their places there.
    pub fn append(&mut self, other: &Spans, rows: impl Iterator<Item = usize>) {
        let resources = self.resources.places_of(&other.resources);
        let scopes = self.scopes.places_of(&other.scopes);
        let names = self.attributes.adopt(&other.attributes);
        let event_names = self.events.attributes.adopt(&other.events.attributes);
        let link_names = self.links.attributes.adopt(&other.links.attributes);
        for row in rows {
            for event in other.events.of(row) {
                self.events.time_unix_nano.push(other.events.time_unix_nano[event]);
                let name = self.texts.place(other.texts.get(other.events.name[event]));
                self.events.name.push(name);
                self.events.attributes.push_row(&other.events.attributes, event, &event_names);
            }
            for link in other.links.of(row) {
                self.links.trace_id.push(other.links.trace_id[link]);
                self.links.span_id.push(other.links.span_id[link]);
                let state = self.texts.place(other.texts.get(other.links.trace_state[link]));
                self.links.trace_state.push(state);
                self.links.attributes.push_row(&other.links.attributes, link, &link_names);
            }
            let span = other.row(row);
            self.attributes.push_row(&other.attributes, row, &names);
            let (resource, scope) = (resources[span.resource as usize], scopes[span.scope as usize]);
            self.push_columns(&Span { resource, scope, ..span });
        }
    }

    /// Bytes of memory taken, roughly.
    pub fn memory_bytes(&self) -> usize {
        let resources: usize = self.resources.iter().map(|resource| resource.memory_bytes()).sum();
        let row = 9 * size_of::<u32>() + 2 * size_of::<i64>() + 2 + 32;
        let events = self.events.time_unix_nano.capacity() * 12 + self.events.attributes.memory_bytes();
        let links = self.links.trace_id.capacity() * 28 + self.links.attributes.memory_bytes();
        resources
            + self.resource.capacity() * row
            + self.texts.memory_bytes()
            + self.attributes.memory_bytes()
            + events
            + links
    }
}

#[cfg(test)]
mod tests;
