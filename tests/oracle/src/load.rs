//! The load of one sender: over which connection, and what is sent again, until it is told to stop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::draw::Draw;
use crate::log::{Answer, Log};
use crate::options::Options;
use crate::rows::Rows;
use crate::way::{Address, Connection, Request, Way};

/// Between two looks for a server that is away, and after a refusal.
const REST_MS: u64 = 20;

/// One sender.
///
/// Deltas whose answer did not come, or was another than yes, are sent again as they are, as exporters do: the time of each
/// says whether it has been added. Now and then one is given up, and now and then one is sent by somebody who goes away before
/// the answer and sends it again at once. So it is with logs and spans, of which nothing says that they were there before.
/// Nothing else is sent twice.
#[derive(Debug)]
pub(crate) struct Sender {
    way: Way,
    options: Arc<Options>,
    log: Arc<Log>,
    requests: Arc<AtomicU64>,
    rows: Rows,
    draw: Draw,
    /// What is sent again: it is not known whether it was taken.
    unknown: Option<Request>,
}

impl Sender {
    pub(crate) fn new(number: u64, options: Arc<Options>, log: Arc<Log>, requests: Arc<AtomicU64>) -> Self {
        let (rows, draw) = (Rows::new(number, options.clone()), Draw::new(options.seed ^ number << 32));
        Sender { way: Way::of(number), options, log, requests, rows, draw, unknown: None }
    }

    /// Sends until `stop`; connects again whenever the server is gone.
    pub(crate) fn run(mut self, stop: &AtomicBool) {
        let mut connection = None;
        while !stop.load(Ordering::SeqCst) {
            let Some(open) = connection.take() else {
                connection = connect(self.way, &self.options.address_file);
                if connection.is_none() {
                    pause(REST_MS);
                }
                continue;
            };
            let (answer, kept) = self.send(open);
            connection = kept;
            match answer {
                Answer::Refused(_) | Answer::Partial(_) => pause(REST_MS),
                _ if !self.way.is_delta() => pause(self.options.pause_ms),
                _ => {}
            }
        }
    }

    /// Sends the next request. Gives the connection back if it is of use any more.
    fn send(&mut self, mut connection: Connection) -> (Answer, Option<Connection>) {
        let again = self.unknown.take().filter(|_| !self.draw.one_in(8));
        let is_first = again.is_none();
        let request = again.unwrap_or_else(|| self.rows.request());
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        self.log.sending(number, &request);
        if self.way.comes_again() && is_first && self.draw.one_in(16) {
            // Whether it went out or not: nobody knows.
            let _ = connection.hang_up_on(&request);
            self.log.answered(number, Answer::Lost);
            self.unknown = Some(request);
            return (Answer::Lost, None);
        }
        let answer = connection.ask(&request).unwrap_or(Answer::Lost);
        self.log.answered(number, answer);
        match answer {
            Answer::Acknowledged => self.rows.acknowledged(request),
            _ if self.way.comes_again() => self.unknown = Some(request),
            _ => {}
        }
        (answer, Some(connection).filter(|_| answer != Answer::Lost))
    }
}

fn connect(way: Way, address_file: &Path) -> Option<Connection> {
    let address = std::fs::read_to_string(address_file).ok()?;
    way.connect(&Address::parse(&address)?).ok()
}

#[expect(clippy::disallowed_methods, reason = "the witness lives in the real world, with a real server that is away")]
fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
