//! One trace while it is made: its spans and the lines that go with it, each with the place that emits it.

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, SpanFlags, Status};

use crate::chance::Chance;
use crate::moment::Names;
use crate::roster::Roster;
use crate::site::Site;
use crate::traffic::MS_NS;
use crate::traffic::arguments::Attributes;
use crate::traffic::failure::Failure;
use crate::traffic::lines::{Line, record};
use crate::traffic::place::Place;

/// A cluster's clock is wrong by so much at most.
pub(crate) const MAX_SKEW_NS: i64 = 2 * MS_NS;
/// W3C's flag of a trace that was sampled.
pub(crate) const SAMPLED: u32 = 1;

/// The identifier of a span.
pub(crate) type SpanId = [u8; 8];

/// A trace.
pub(crate) struct Trace<'a> {
    pub(crate) roster: &'a Roster,
    pub(crate) names: &'a mut Names,
    id: [u8; 16],
    chance: Chance,
    /// Spans that have an identifier.
    numbered: u64,
    pub(crate) spans: Vec<(Place, Span)>,
    pub(crate) lines: Vec<(Place, LogRecord)>,
}

/// What is to be a span. Times are true ones, which the clock of its cluster may not show.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) start_ns: i64,
    pub(crate) end_ns: i64,
    pub(crate) attributes: Attributes,
    pub(crate) links: Vec<Link>,
    /// What went wrong; it is told as an event too if it happened here.
    pub(crate) failure: Option<Failure>,
}

impl<'a> Trace<'a> {
    /// The trace of a request that has this chance.
    pub(crate) fn new(roster: &'a Roster, names: &'a mut Names, chance: Chance) -> Self {
        let id = trace_id(chance);
        Trace { roster, names, id, chance, numbered: 0, spans: Vec::new(), lines: Vec::new() }
    }

    /// The identifier of a further span.
    pub(crate) fn next_id(&mut self) -> SpanId {
        self.numbered += 1;
        span_id(self.chance, self.numbered - 1)
    }

    /// Adds a span.
    pub(crate) fn span(&mut self, place: &Place, work: Work) {
        let site = &self.roster.member(place.member).site;
        let is_remote = work.kind == SpanKind::Server && work.parent.is_some();
        let remote = if is_remote { SpanFlags::ContextIsRemoteMask as u32 } else { 0 };
        let (events, status) = match work.failure {
            None => (Vec::new(), None),
            Some(failure) => {
                let code = StatusCode::Error as i32;
                let events = failure.event(stamp(site, work.end_ns)).into_iter().collect::<Vec<Event>>();
                (events, Some(Status { code, message: failure.message }))
            }
        };
        let span = Span {
            trace_id: self.id.to_vec(),
            span_id: work.id.to_vec(),
            parent_span_id: work.parent.map(|parent| parent.to_vec()).unwrap_or_default(),
            flags: SAMPLED | SpanFlags::ContextHasIsRemoteMask as u32 | remote,
            name: work.name,
            kind: work.kind as i32,
            start_time_unix_nano: stamp(site, work.start_ns),
            end_time_unix_nano: stamp(site, work.end_ns),
            attributes: work.attributes,
            events,
            links: work.links,
            status,
            ..Span::default()
        };
        self.spans.push((place.clone(), span));
    }

    /// Adds a line that was written while a span was at work.
    pub(crate) fn line(&mut self, place: &Place, span: SpanId, line: Line) {
        let site = &self.roster.member(place.member).site;
        let of_trace =
            LogRecord { trace_id: self.id.to_vec(), span_id: span.to_vec(), flags: SAMPLED, ..record(site, line) };
        self.lines.push((place.clone(), of_trace));
    }

    /// Adds a line of a program that does not know of the trace.
    pub(crate) fn line_beside(&mut self, place: &Place, line: Line) {
        let site = &self.roster.member(place.member).site;
        self.lines.push((place.clone(), record(site, line)));
    }
}

/// The identifier of the trace of a request; never zero.
pub(crate) fn trace_id(chance: Chance) -> [u8; 16] {
    let (high, low) = (chance.named("high").number(), chance.named("low").number());
    (u128::from(high) << 64 | u128::from(low)).max(1).to_be_bytes()
}

/// The identifier of a span, by its number in the trace, that of the request itself being 0; never zero.
pub(crate) fn span_id(chance: Chance, number: u64) -> SpanId {
    chance.named("span").of(number).number().max(1).to_be_bytes()
}

/// What the clock of a cluster shows at an instant.
pub(crate) fn stamp(site: &Site, time_ns: i64) -> u64 {
    let skew_ns = site.chance.named("clock").below(2 * MAX_SKEW_NS as u64 + 1) as i64 - MAX_SKEW_NS;
    // `Traffic::between` refuses times that are near the ends.
    u64::try_from(time_ns + skew_ns).unwrap_or_default()
}
