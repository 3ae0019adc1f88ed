//! Exemplars: observations that point at a trace.
//!
//! ```text
//! Exemplar { time = 2, as_double = 3, span_id = 4, trace_id = 5, as_int = 6, filtered_attributes = 7 }
//! ```

use std::fmt::Write;
use std::ops::Range;

use model::batch::Exemplar;

use super::values::{self, Attribute, Form};
use super::{Decoder, Fault};
use crate::protobuf::wire::{Fields, Value};

impl Decoder<'_> {
    /// Takes the exemplars, fields `field` of the point at `range`; each belongs to the series that `series_of` its value.
    ///
    /// One without a time has that of the point.
    pub(super) fn exemplars(
        &mut self,
        range: Range<usize>,
        field: u64,
        time_ms: i64,
        series_of: impl Fn(f64) -> u32,
    ) -> Result<(), Fault> {
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match value {
                Value::Bytes(range) if number == field => {
                    let mut exemplar = self.exemplar(range, time_ms)?;
                    exemplar.series = series_of(exemplar.value);
                    self.batch.exemplars.push(exemplar);
                }
                _ if number == field => return Err(Fault::wrong_type("a data point", number)),
                _ => {}
            }
        }
        Ok(())
    }

    fn exemplar(&mut self, range: Range<usize>, time_ms: i64) -> Result<Exemplar, Fault> {
        self.count_rows(1)?;
        let (mut time, mut value, mut ids) = (0, None, [0..0, 0..0]);
        let mut exemplar = Exemplar { series: 0, time_ms, value: 0.0, labels: Vec::new() };
        let mut attributes = Vec::new();
        let mut fields = Fields::new(self.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (2, Value::Fixed64(nanos)) => time = nanos,
                (3, Value::Fixed64(bits)) => value = Some(f64::from_bits(bits)),
                (6, Value::Fixed64(bits)) => value = Some(bits as i64 as f64),
                (4, Value::Bytes(range)) => ids[1] = range,
                (5, Value::Bytes(range)) => ids[0] = range,
                (7, Value::Bytes(range)) => {
                    self.count_rows(1)?;
                    attributes.push(Attribute::read(self.body, range)?);
                }
                (2..=7, _) => return Err(Fault::wrong_type("Exemplar", number)),
                _ => {}
            }
        }
        exemplar.value = value.ok_or_else(|| Fault::Refused("an exemplar has no value".to_owned()))?;
        if time != 0 {
            exemplar.time_ms = (time / 1_000_000) as i64;
            if exemplar.time_ms > self.latest_ms {
                return Err(Fault::Refused(format!(
                    "an exemplar is too far in the future, at {} ms",
                    exemplar.time_ms
                )));
            }
        }
        for ((name, length), id) in [("trace_id", 16), ("span_id", 8)].into_iter().zip(ids) {
            if let Some(id) = self.hex(id, length, name)? {
                exemplar.labels.push((name.to_owned(), id));
            }
        }
        self.exemplar_labels(&mut exemplar, &attributes)?;
        Ok(exemplar)
    }

    /// An id in hexadecimal digits; none if it is all zero, which says that there is none.
    fn hex(&self, id: Range<usize>, length: usize, what: &str) -> Result<Option<String>, Fault> {
        let bytes = &self.body[id];
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if bytes.len() != length {
            return Err(Fault::Refused(format!("the {what} of an exemplar has {} bytes, not {length}", bytes.len())));
        }
        let mut digits = String::with_capacity(2 * length);
        for byte in bytes {
            let _ = write!(digits, "{byte:02x}");
        }
        Ok(Some(digits))
    }

    fn exemplar_labels(&self, exemplar: &mut Exemplar, attributes: &[Attribute]) -> Result<(), Fault> {
        if attributes.len() + exemplar.labels.len() > self.limits.max_labels {
            return Err(Fault::Refused(format!("an exemplar has more than {} labels", self.limits.max_labels)));
        }
        for attribute in attributes {
            let key = attribute.key(self.body)?;
            if key.len() > self.limits.max_name_bytes {
                let limit = self.limits.max_name_bytes;
                return Err(Fault::Refused(format!("an attribute key has {} bytes, the limit is {limit}", key.len())));
            }
            let mut value = String::new();
            values::write(self.body, attribute.value.clone(), &Form::label(self.limits), &mut value)?;
            if !exemplar.labels.iter().any(|(name, _)| name == key) {
                exemplar.labels.push((key.to_owned(), value));
            }
        }
        Ok(())
    }
}
