//! The load of one sender: what it sends, over which connection, until it is told to stop.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::http::Connection;
use crate::log::{Answer, Log, Sample};
use crate::options::Options;
use crate::protobuf;

const DAY_MS: i64 = 86_400_000;
/// Acknowledged samples that may still be given another value.
const REMEMBERED: usize = 2000;

/// One sender. Its series are its own, so what it sends of a series is in order.
#[derive(Debug)]
pub(crate) struct Sender {
    number: u64,
    options: Arc<Options>,
    log: Arc<Log>,
    requests: Arc<AtomicU64>,
    draw: Draw,
    /// Values are made from a count that never repeats, so that no two samples have the same.
    count: u64,
    /// Times too: each sample of a sender has one of its own.
    last_time_ms: i64,
    acknowledged: VecDeque<Sample>,
}

impl Sender {
    pub(crate) fn new(number: u64, options: Arc<Options>, log: Arc<Log>, requests: Arc<AtomicU64>) -> Self {
        let draw = Draw(options.seed.wrapping_mul(0x9e37_79b9).wrapping_add(number));
        // 2^40 values a sender before they could meet the next sender's.
        let count = number << 40;
        Sender { number, options, log, requests, draw, count, last_time_ms: 0, acknowledged: VecDeque::new() }
    }

    /// Sends until `stop`; connects again whenever the server is gone.
    pub(crate) fn run(mut self, stop: &AtomicBool) {
        let mut connection = None;
        while !stop.load(Ordering::SeqCst) {
            let Some(open) = connection.as_mut() else {
                connection = connect(&self.options.address_file);
                if connection.is_none() {
                    pause();
                }
                continue;
            };
            match self.send(open) {
                Answer::Acknowledged => {}
                Answer::Refused(_) => pause(),
                Answer::Lost => connection = None,
            }
        }
    }

    fn send(&mut self, connection: &mut Connection) -> Answer {
        let samples = self.samples();
        let body = protobuf::request(self.number, &samples);
        let request = self.requests.fetch_add(1, Ordering::SeqCst);
        self.log.sending(request, self.number, &samples);
        let answer = match connection.post("/api/v1/write", &body) {
            Ok(200..=299) => Answer::Acknowledged,
            Ok(status) => Answer::Refused(status),
            Err(_) => Answer::Lost,
        };
        self.log.answered(request, answer);
        if answer == Answer::Acknowledged && self.options.rewrites {
            self.acknowledged.extend(samples);
            let excess = self.acknowledged.len().saturating_sub(REMEMBERED);
            self.acknowledged.drain(..excess);
        }
        answer
    }

    /// The samples of the next request: new ones, or acknowledged ones with new values.
    pub(crate) fn samples(&mut self) -> Vec<Sample> {
        let rewrite = self.options.rewrites && !self.acknowledged.is_empty() && self.draw.one_in(4);
        let mut samples: Vec<Sample> =
            if rewrite { self.rewritten() } else { (0..self.options.samples).map(|_| self.new_sample()).collect() };
        samples.sort_by_key(|sample| (sample.series, sample.time_ms));
        samples
    }

    fn rewritten(&mut self) -> Vec<Sample> {
        let mut samples: Vec<Sample> = Vec::new();
        for _ in 0..self.options.samples {
            let at = self.draw.below(self.acknowledged.len() as u64) as usize;
            let old = self.acknowledged[at];
            // One value for a key in one request: which of two would win is nobody's promise.
            if samples.iter().all(|s| (s.series, s.time_ms) != (old.series, old.time_ms)) {
                let value = self.value(old.series);
                samples.push(Sample { value, ..old });
            }
        }
        samples
    }

    fn new_sample(&mut self) -> Sample {
        let series = self.draw.below(self.options.series);
        self.last_time_ms = now_ms().max(self.last_time_ms + 1);
        let mut time_ms = self.last_time_ms;
        if self.options.late && self.draw.one_in(50) {
            // Whole days back: the time stays this sender's own.
            time_ms -= DAY_MS * (1 + self.draw.below(40) as i64);
        }
        Sample { series, time_ms, value: self.value(series) }
    }

    /// A value that no other sample has: for even series a decimal of three places, for odd ones any double.
    fn value(&mut self, series: u64) -> f64 {
        self.count += 1;
        if series.is_multiple_of(2) {
            return self.count as f64 / 1000.0;
        }
        let (sign, exponent) = (self.draw.below(2), 1023 - 30 + self.draw.below(60));
        // The low bits are the count, so that it is unique; the high bits of the fraction are drawn.
        f64::from_bits(sign << 63 | exponent << 52 | self.draw.below(1 << 8) << 44 | self.count & ((1 << 44) - 1))
    }
}

fn connect(address_file: &Path) -> Option<Connection> {
    let address = std::fs::read_to_string(address_file).ok()?;
    Connection::open(address.trim()).ok()
}

#[expect(clippy::disallowed_methods, reason = "the witness lives in the real world, with a real server that is away")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

#[expect(clippy::disallowed_methods, reason = "the witness stands outside and shares no clock")]
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Numbers from a seed.
///
/// Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug)]
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
