//! What was emitted, sorted by cluster, resource and time.

use std::collections::HashMap;
use std::ops::Range;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use crate::roster::Roster;
use crate::traffic::place::Place;
use crate::traffic::trace::Trace;
use crate::traffic::{MS_NS, Telemetry};

/// The conventions that attributes are named by.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.45.0";

/// Takes what is emitted in an interval, and leaves out what is heard of nobody.
pub(crate) struct Export<'a> {
    roster: &'a Roster,
    times_ns: Range<i64>,
    spans: Vec<(Place, Span)>,
    lines: Vec<(Place, LogRecord)>,
}

impl<'a> Export<'a> {
    /// One of an interval, in nanoseconds since 1970.
    pub(crate) fn new(roster: &'a Roster, times_ns: Range<i64>) -> Self {
        Export { roster, times_ns, spans: Vec::new(), lines: Vec::new() }
    }

    /// Takes the spans of a trace that ended in the interval, and the lines written in it.
    pub(crate) fn take(&mut self, trace: Trace<'_>) {
        for (place, span) in trace.spans {
            if self.is_heard(&place, span.end_time_unix_nano) {
                self.spans.push((place, span));
            }
        }
        trace.lines.into_iter().for_each(|(place, line)| self.take_line(place, line));
    }

    /// Takes a line if it was written in the interval.
    pub(crate) fn take_line(&mut self, place: Place, line: LogRecord) {
        if self.is_heard(&place, line.time_unix_nano) {
            self.lines.push((place, line));
        }
    }

    fn is_heard(&self, place: &Place, time_unix_nano: u64) -> bool {
        let time_ns = time_unix_nano as i64;
        self.times_ns.contains(&time_ns) && !self.roster.member(place.member).is_silent(time_ns / MS_NS)
    }

    /// What each cluster has emitted, in the order of the roster.
    pub(crate) fn into_telemetry(mut self) -> Vec<Telemetry> {
        self.spans.sort_by_key(|(_, span)| span.end_time_unix_nano);
        self.lines.sort_by_key(|(_, line)| line.time_unix_nano);
        let mut spans = by_cluster(self.roster, self.spans);
        let mut lines = by_cluster(self.roster, self.lines);
        let members = self.roster.members().iter().enumerate();
        let telemetry = members.map(|(index, member)| Telemetry {
            cluster: member.site.name.clone(),
            traces: traces(self.roster, std::mem::take(&mut spans[index])),
            logs: logs(self.roster, std::mem::take(&mut lines[index])),
        });
        telemetry.collect()
    }
}

/// Rows of one emitter.
type Group<T> = (Place, Vec<T>);

/// For each cluster its emitters in the order of their first rows.
fn by_cluster<T>(roster: &Roster, rows: Vec<(Place, T)>) -> Vec<Vec<Group<T>>> {
    let mut groups: Vec<Vec<Group<T>>> = roster.members().iter().map(|_| Vec::new()).collect();
    let mut places = HashMap::new();
    for (place, row) in rows {
        let of_cluster = &mut groups[place.member];
        let at = *places.entry(place.id()).or_insert_with(|| {
            of_cluster.push((place, Vec::new()));
            of_cluster.len() - 1
        });
        of_cluster[at].1.push(row);
    }
    groups
}

fn traces(roster: &Roster, groups: Vec<Group<Span>>) -> ExportTraceServiceRequest {
    let resource_spans = groups.into_iter().map(|(place, spans)| ResourceSpans {
        resource: Some(place.resource(roster)),
        scope_spans: vec![ScopeSpans { scope: Some(scope()), spans, schema_url: SCHEMA.to_owned() }],
        schema_url: SCHEMA.to_owned(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn logs(roster: &Roster, groups: Vec<Group<LogRecord>>) -> ExportLogsServiceRequest {
    let resource_logs = groups.into_iter().map(|(place, log_records)| ResourceLogs {
        resource: Some(place.resource(roster)),
        scope_logs: vec![ScopeLogs { scope: Some(scope()), log_records, schema_url: SCHEMA.to_owned() }],
        schema_url: SCHEMA.to_owned(),
    });
    ExportLogsServiceRequest { resource_logs: resource_logs.collect() }
}

fn scope() -> InstrumentationScope {
    let (name, version) = ("registry.example.com/telemetry".to_owned(), "0.9.1".to_owned());
    InstrumentationScope { name, version, ..InstrumentationScope::default() }
}
