//! What the applications of a fleet emit of the requests they serve: spans and log lines, as OTLP has them.
//!
//! Owns: which requests are traced, what becomes of each, and what is emitted of it where.
//! Does not own: how many requests there are, how long they take and how many fail (the metrics' own sources: `course`,
//! `latency`, the handlers of `systems/application`), sending anything (the binary).
//!
//! A request is a function of (deployment, second, number in it), so that it is the same in whatever interval it is met. Of
//! each that comes to a deployment a fixed part is drawn (`request.rs`); it goes to a pod that serves at that instant, takes long
//! as often as the pod's metrics say, and fails as often (`serving.rs`). Who calls waits for whom he calls, in whichever cluster
//! that is (`calls.rs`).

mod arguments;
mod background;
mod calls;
mod exemplars;
mod export;
mod failure;
mod ingress;
mod jobs;
mod lines;
mod outgoing;
mod place;
mod request;
mod serving;
mod trace;

use std::sync::Arc;

use model::Error;
use model::time::MS_NANOS as MS_NS;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::moment::Names;
use crate::roster::Roster;

pub(crate) use exemplars::{Exemplars, exemplars};
use export::Export;
use trace::{MAX_SKEW_NS, Trace};

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000 * MS_NS;
/// No request takes longer, whatever it waits for.
const LONGEST_MS: i64 = 15_000;

/// The requests of a fleet, as they were when it was last changed what happens to it.
#[derive(Debug)]
pub struct Traffic {
    roster: Arc<Roster>,
    names: Names,
}

/// What one cluster emitted in an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// The cluster's name.
    pub cluster: String,
    /// Spans, in the order in which they ended.
    pub traces: ExportTraceServiceRequest,
    /// Log lines, in order of time.
    pub logs: ExportLogsServiceRequest,
}

impl Telemetry {
    /// What there is to send over OTLP/HTTP: paths, and bodies of the type `application/x-protobuf`.
    pub fn requests(&self) -> Vec<(&'static str, Vec<u8>)> {
        let (mut requests, Telemetry { traces, logs, .. }) = (Vec::with_capacity(2), self);
        if !traces.resource_spans.is_empty() {
            requests.push(("/v1/traces", traces.encode_to_vec()));
        }
        if !logs.resource_logs.is_empty() {
            requests.push(("/v1/logs", logs.encode_to_vec()));
        }
        requests
    }
}

impl Traffic {
    pub(crate) fn new(roster: Arc<Roster>) -> Self {
        Traffic { roster, names: Names::default() }
    }

    /// What each cluster emitted in `from_ms..to_ms`: the spans that ended then and the lines written then, by its own clock.
    ///
    /// Nothing is emitted of a cluster while it is silent. Intervals that follow one another give each span and each line once.
    ///
    /// # Errors
    /// `Invalid` if the interval is not between the years 1970 and 2262, beyond which there are no nanoseconds.
    pub fn between(&mut self, from_ms: i64, to_ms: i64) -> Result<Vec<Telemetry>, Error> {
        let most_ms = i64::MAX / MS_NS - 2 * LONGEST_MS;
        if from_ms < LONGEST_MS || to_ms > most_ms {
            let what =
                format!("traces and logs of {from_ms} to {to_ms} ms: times must be {LONGEST_MS} to {most_ms} ms");
            return Err(Error::invalid(what));
        }
        let mut export = Export::new(&self.roster, from_ms * MS_NS..to_ms * MS_NS);
        let skew_ms = MAX_SKEW_NS / MS_NS + 1;
        let seconds = (from_ms - LONGEST_MS).div_euclid(1000)..(to_ms + skew_ms).div_euclid(1000) + 1;
        for (index, member) in self.roster.members().iter().enumerate() {
            for (workload, _) in member.site.applications() {
                for request in request::requests(&self.roster, index, workload, seconds.clone()) {
                    let mut trace = Trace::new(&self.roster, &mut self.names, request.chance);
                    serving::serve(&mut trace, &request, None);
                    export.take(trace);
                }
            }
        }
        background::emit(&self.roster, &mut self.names, from_ms..to_ms, &mut export);
        self.names.forget(from_ms - LONGEST_MS);
        Ok(export.into_telemetry())
    }
}
