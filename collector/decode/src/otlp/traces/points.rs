//! What belongs to a span: events within it, links from it.
//!
//! ```text
//! Event { time_unix_nano = 1: fixed64, name = 2, attributes = 3, dropped_attributes_count = 4 }
//! Link { trace_id = 1, span_id = 2, trace_state = 3, attributes = 4, dropped_attributes_count = 5, flags = 6: fixed32 }
//! ```

use std::ops::Range;

use super::{Decoder, id};
use crate::otlp::Fault;
use crate::otlp::values::Form;
use crate::protobuf::wire::{Fields, Value};

impl Decoder<'_> {
    /// Adds the events of the span at hand. One without a time has that of the start of its span.
    pub(super) fn events(&mut self, start_unix_nano: i64) -> Result<(), Fault> {
        for index in 0..self.events.len() {
            self.event(self.events[index].clone(), start_unix_nano)?;
        }
        Ok(())
    }

    fn event(&mut self, range: Range<usize>, start_unix_nano: i64) -> Result<(), Fault> {
        let body = self.envelope.body;
        let (mut time, mut name, mut read) = (0, 0..0, 0);
        let mut fields = Fields::new(body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Fixed64(nanos)) => time = nanos,
                (2, Value::Bytes(range)) => name = range,
                (3, Value::Bytes(range)) => {
                    self.attributes.push(range, &mut read, &mut self.spans.events.attributes)?
                }
                (1..=3, _) => return Err(Fault::wrong_type("Event", number)),
                _ => {}
            }
        }
        let time = if time == 0 { start_unix_nano } else { self.envelope.time(time, "the time of an event")? };
        let name = Form { what: "the name of an event", ..self.attributes.form }.text(&body[name])?;
        self.spans.push_event(time, &name);
        Ok(())
    }

    /// Adds the link at `range` to the span at hand. It may lead to no span, and say something all the same.
    pub(super) fn link(&mut self, range: Range<usize>) -> Result<(), Fault> {
        self.envelope.count_rows(1)?;
        let body = self.envelope.body;
        let (mut trace_id, mut span_id, mut trace_state, mut read) = (0..0, 0..0, 0..0, 0);
        let mut fields = Fields::new(body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => trace_id = range,
                (2, Value::Bytes(range)) => span_id = range,
                (3, Value::Bytes(range)) => trace_state = range,
                (4, Value::Bytes(range)) => self.attributes.push(range, &mut read, &mut self.spans.links.attributes)?,
                (1..=4, _) => return Err(Fault::wrong_type("Link", number)),
                _ => {}
            }
        }
        let trace_id = id(&body[trace_id], "the trace_id of a link")?;
        let span_id = id(&body[span_id], "the span_id of a link")?;
        let trace_state =
            Form { what: "the trace_state of a link", ..self.attributes.form }.text(&body[trace_state])?;
        self.spans.push_link(trace_id, span_id, &trace_state);
        Ok(())
    }
}
