//! Points that are a number, or a few: gauges, sums, summaries.
//!
//! ```text
//! NumberDataPoint { start = 2, time = 3, as_double = 4, exemplars = 5, as_int = 6, attributes = 7, flags = 8 }
//! SummaryDataPoint { start = 2, time = 3, count = 4, sum = 5, quantile_values = 6, attributes = 7, flags = 8 }
//! ValueAtQuantile { quantile = 1: double, value = 2: double }
//! ```

use std::fmt::Write;
use std::ops::Range;

use super::{Decoder, Fault, When};
use crate::protobuf::wire::{Fields, Value};

impl Decoder<'_> {
    /// Takes the `NumberDataPoint` at `range`.
    pub(super) fn number_point(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let before = self.before();
        self.count_rows(1)?;
        self.labels.begin_point();
        let (mut start, mut time, mut flags, mut value, mut has_exemplars) = (0, 0, 0, None, false);
        let mut fields = Fields::new(self.body, range.clone());
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (7, Value::Bytes(range)) => self.attribute(range)?,
                (2, Value::Fixed64(nanos)) => start = nanos,
                (3, Value::Fixed64(nanos)) => time = nanos,
                (4, Value::Fixed64(bits)) => value = Some(f64::from_bits(bits)),
                (6, Value::Fixed64(bits)) => value = Some(bits as i64 as f64),
                (5, Value::Bytes(_)) => has_exemplars = true,
                (8, Value::Varint(bits)) => flags = bits,
                (2..=8, _) => return Err(Fault::wrong_type("NumberDataPoint", number)),
                _ => {}
            }
        }
        let when = When::new(start, time, flags)?;
        if value.is_none() && !when.is_stale {
            return Err(Fault::Refused("a data point has no value".to_owned()));
        }
        self.check_finite(value, &when)?;
        let text = self.text.len();
        self.first_series("")?;
        let series = self.end_series(text, self.metric.kind)?;
        self.sample(series, &when, when.value(value.unwrap_or(0.0)));
        if has_exemplars {
            self.exemplars(range, 5, when.time_ms, |_| series)?;
        }
        self.end_point(before, &when)
    }

    /// Takes the `SummaryDataPoint` at `range`.
    pub(super) fn summary_point(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let before = self.before();
        self.labels.begin_point();
        let (mut start, mut time, mut flags, mut count, mut sum) = (0, 0, 0, 0, 0.0);
        self.quantiles.clear();
        let mut fields = Fields::new(self.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (7, Value::Bytes(range)) => self.attribute(range)?,
                (2, Value::Fixed64(nanos)) => start = nanos,
                (3, Value::Fixed64(nanos)) => time = nanos,
                (4, Value::Fixed64(number)) => count = number,
                (5, Value::Fixed64(bits)) => sum = f64::from_bits(bits),
                (6, Value::Bytes(range)) => {
                    self.count_rows(1)?;
                    let quantile = self.quantile(range)?;
                    self.quantiles.push(quantile);
                }
                (8, Value::Varint(bits)) => flags = bits,
                (2..=8, _) => return Err(Fault::wrong_type("SummaryDataPoint", number)),
                _ => {}
            }
        }
        self.count_rows(2)?;
        let when = When::new(start, time, flags)?;
        let kind = self.metric.kind;
        let text = self.text.len();
        let labels = self.first_series("_sum")?;
        let series = self.end_series(text, kind)?;
        self.sample(series, &when, when.value(sum));
        let text = self.text.len();
        self.further_series("_count", &labels, None);
        let series = self.end_series(text, kind)?;
        self.sample(series, &when, when.value(count as f64));
        self.write_quantiles(&labels, &when)?;
        self.end_point(before, &when)
    }

    fn write_quantiles(&mut self, labels: &Range<usize>, when: &When) -> Result<(), Fault> {
        // Taken out and put back, so that the memory is kept.
        let mut number = std::mem::take(&mut self.number);
        for place in 0..self.quantiles.len() {
            let (quantile, value) = self.quantiles[place];
            number.clear();
            // Writing to a string cannot fail.
            let _ = write!(number, "{quantile}");
            let text = self.text.len();
            self.further_series("", labels, Some(("quantile", &number)));
            let series = self.end_series(text, self.metric.kind)?;
            self.sample(series, when, when.value(value));
        }
        self.number = number;
        Ok(())
    }

    fn quantile(&self, range: Range<usize>) -> Result<(f64, f64), Fault> {
        let (mut quantile, mut value) = (0.0, 0.0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Value::Fixed64(bits)) => quantile = f64::from_bits(bits),
                (2, Value::Fixed64(bits)) => value = f64::from_bits(bits),
                (1 | 2, _) => return Err(Fault::wrong_type("ValueAtQuantile", number)),
                _ => {}
            }
        }
        if (0.0..=1.0).contains(&quantile) {
            return Ok((quantile, value));
        }
        Err(Fault::Refused(format!("a summary has the quantile {quantile}, there are 0 to 1")))
    }
}
