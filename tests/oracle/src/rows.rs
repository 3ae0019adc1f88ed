//! What a sender sends: rows drawn from a seed, each of them once, or acknowledged ones again with other values.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::draw::Draw;
use crate::options::Options;
use crate::row::{CUSTOM, Exemplar, Histogram, Kind, Record, Row, Value};
use crate::way::{Request, Way};

const DAY_MS: i64 = 86_400_000;
/// Acknowledged rows that may still be given another value.
const REMEMBERED: usize = 2000;
/// Series of a sender of deltas, if it is to have more: so few that each of its requests has nearly all of them, and the first
/// one after a start looks for all their sums at once.
const DELTA_SERIES: u64 = 8;

/// The rows of one sender. Its series are its own, so what it sends of a series is in order.
#[derive(Debug)]
pub(crate) struct Rows {
    sender: u64,
    way: Way,
    options: Arc<Options>,
    draw: Draw,
    /// Values are made from a count that never repeats, so that no two rows have the same.
    count: u64,
    /// Times too: each row of a sender has one of its own.
    last_time_ms: i64,
    /// Since when its counters count.
    start_ms: i64,
    /// How often it has changed what it says of its metrics.
    helps: u64,
    acknowledged: VecDeque<Row>,
}

impl Rows {
    pub(crate) fn new(sender: u64, options: Arc<Options>) -> Self {
        let draw = Draw::new(options.seed.wrapping_mul(0x9e37_79b9).wrapping_add(sender));
        // 2^40 values a sender before they could meet the next sender's.
        let (count, start_ms) = (sender << 40, now_ms());
        let way = Way::of(sender);
        let acknowledged = VecDeque::new();
        Rows { sender, way, options, draw, count, last_time_ms: 0, start_ms, helps: 0, acknowledged }
    }

    /// The next request: new rows, or acknowledged ones with new values.
    pub(crate) fn request(&mut self) -> Request {
        if self.way.is_columnar() {
            // Of more days than a cut takes, and seldom: each of them becomes a block.
            let is_late = self.options.late && self.draw.one_in(100);
            let records = (0..self.options.samples).map(|_| self.new_record(is_late)).collect();
            return Request { way: self.way, connection: self.sender, rows: Vec::new(), records, help: String::new() };
        }
        let rewrite = self.options.rewrites && !self.acknowledged.is_empty() && self.draw.one_in(4);
        if self.draw.one_in(200) {
            // As if what is measured had begun anew.
            self.start_ms = self.last_time_ms.max(now_ms());
        }
        self.helps += u64::from(self.draw.one_in(100));
        let mut rows: Vec<Row> =
            if rewrite { self.rewritten() } else { (0..self.options.samples).map(|_| self.new_row()).collect() };
        rows.sort_by_key(|row| (row.series, row.time_ms));
        if self.way.is_delta() {
            self.set_starts(&mut rows);
        }
        let help = format!("help_{}_{}", self.sender, self.helps);
        Request { way: self.way, connection: self.sender, rows, records: Vec::new(), help }
    }

    /// Notes what was acknowledged, if it may be sent again with other values. The sum of deltas has but one.
    pub(crate) fn acknowledged(&mut self, request: Request) {
        if self.options.rewrites && !self.way.is_delta() {
            self.acknowledged.extend(request.rows);
            let excess = self.acknowledged.len().saturating_sub(REMEMBERED);
            self.acknowledged.drain(..excess);
        }
    }

    fn rewritten(&mut self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for _ in 0..self.options.samples {
            let at = self.draw.below(self.acknowledged.len() as u64) as usize;
            let old = self.acknowledged[at].clone();
            // One value for a key in one request: which of two would win is nobody's promise.
            if rows.iter().all(|row| (row.series, row.time_ms) != (old.series, old.time_ms)) {
                let value = self.value(old.kind, old.series);
                rows.push(Row { value, exemplar: None, ..old });
            }
        }
        rows
    }

    fn new_row(&mut self) -> Row {
        let most = if self.way.is_delta() { DELTA_SERIES } else { u64::MAX };
        let series = self.draw.below(self.options.series.min(most));
        let kind = self.kind(series);
        let is_late = self.options.late && !self.way.is_delta() && self.draw.one_in(50);
        let time_ms = self.time(is_late);
        // Which start holds for rows out of order is nobody's promise.
        let is_in_order = !self.options.late && !self.options.rewrites;
        let starts = kind != Kind::Gauge && is_in_order && self.way != Way::RemoteWrite1;
        let value = self.value(kind, series);
        let exemplar = (!is_late && self.draw.one_in(10)).then(|| Exemplar {
            value: self.double(),
            trace_id: u128::from(self.draw.next()) << 64 | u128::from(self.draw.next()),
            span_id: self.draw.next() | 1,
            draw: self.draw.below(1000),
        });
        Row { kind, series, time_ms, start_ms: starts.then_some(self.start_ms), value, exemplar }
    }

    fn new_record(&mut self, is_late: bool) -> Record {
        self.count += 1;
        Record { time_ms: self.time(is_late), number: self.count }
    }

    /// A time that no other row of this sender has, of today or of a day past.
    fn time(&mut self, is_late: bool) -> i64 {
        self.last_time_ms = now_ms().max(self.last_time_ms + 1);
        // Whole days back: the time stays this sender's own.
        let days = if is_late { 1 + self.draw.below(40) as i64 } else { 0 };
        self.last_time_ms - DAY_MS * days
    }

    /// The start of a delta is the time of the one before, or where there is none since when its series counts.
    fn set_starts(&self, rows: &mut [Row]) {
        let mut before: Option<(u64, i64)> = None;
        for row in rows {
            let last = before.filter(|(series, _)| *series == row.series).map(|(_, time_ms)| time_ms);
            row.start_ms = Some(last.unwrap_or(self.start_ms));
            before = Some((row.series, row.time_ms));
        }
    }

    fn kind(&self, series: u64) -> Kind {
        match series % 8 {
            0..4 if !self.way.is_delta() => Kind::Gauge,
            0..6 => Kind::Counter,
            _ => Kind::Histogram,
        }
    }

    fn value(&mut self, kind: Kind, series: u64) -> Value {
        match (kind, self.way.is_delta()) {
            (Kind::Histogram, false) => Value::Histogram(self.histogram()),
            (Kind::Histogram, true) => Value::Histogram(self.delta_histogram(series)),
            (_, false) => Value::Number(self.number(series)),
            (_, true) => Value::Number(self.delta(series)),
        }
    }

    /// A value that no other row has: for even series a decimal of three places, for odd ones any double.
    fn number(&mut self, series: u64) -> f64 {
        if series.is_multiple_of(2) {
            self.count += 1;
            return self.count as f64 / 1000.0;
        }
        self.double()
    }

    fn double(&mut self) -> f64 {
        self.count += 1;
        let (sign, exponent) = (self.draw.below(2), 1023 - 30 + self.draw.below(60));
        // The low bits are the count, so that it is unique; the high bits of the fraction are drawn.
        f64::from_bits(sign << 63 | exponent << 52 | self.draw.below(1 << 8) << 44 | self.count & ((1 << 44) - 1))
    }

    /// What was added: whole numbers, and eighths, whose sums are exact in any order.
    fn delta(&mut self, series: u64) -> f64 {
        let drawn = (1 + self.draw.below(1000)) as f64;
        if series.is_multiple_of(2) { drawn } else { drawn / 8.0 }
    }

    /// A histogram of any form that the way has, whose sum no other row has.
    fn histogram(&mut self) -> Histogram {
        let has_hints = matches!(self.way, Way::RemoteWrite1 | Way::RemoteWrite2);
        let is_custom = self.way == Way::RemoteWrite2 && self.draw.one_in(3);
        let (is_float, hint) = (has_hints && self.draw.one_in(3), self.draw.below(4) as u8);
        let sum = self.double();
        let hint = if has_hints { hint } else { 0 };
        if is_custom {
            let bounds: Vec<f64> = (0..1 + self.draw.below(6)).map(|bound| (bound as f64 - 1.5) * 0.3).collect();
            let last = bounds.len() as i64;
            let positive = self.buckets(0, last);
            let (schema, zero_threshold, zero, negative) = (CUSTOM, 0.0, 0, Vec::new());
            return Histogram { hint, schema, zero_threshold, sum, zero, positive, negative, bounds, is_float };
        }
        let schema = self.draw.below(13) as i8 - 4;
        let (positive, negative) = (self.buckets(-9, 9), self.buckets(-9, 9));
        let (zero, zero_threshold) = (self.draw.below(9), 0.5_f64.powi(10 + self.draw.below(20) as i32));
        Histogram { hint, schema, zero_threshold, sum, zero, positive, negative, bounds: Vec::new(), is_float }
    }

    /// What was added to a histogram: the form is that of the series, and sums of eighths are exact.
    fn delta_histogram(&mut self, series: u64) -> Histogram {
        Histogram {
            hint: 0,
            schema: (series % 9) as i8,
            zero_threshold: 0.5_f64.powi(20),
            sum: self.delta(1),
            zero: self.draw.below(9),
            positive: self.buckets(-9, 9),
            negative: self.buckets(-9, 9),
            bounds: Vec::new(),
            is_float: false,
        }
    }

    /// Some buckets of these indices, in runs with gaps between them, each with observations.
    fn buckets(&mut self, first: i64, last: i64) -> Vec<(i64, u64)> {
        let mut buckets = Vec::new();
        for index in first..=last {
            if !self.draw.one_in(3) {
                buckets.push((index, 1 + self.draw.below(300)));
            }
        }
        buckets
    }
}

#[expect(clippy::disallowed_methods, reason = "the witness stands outside and shares no clock")]
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
