//! The outside witness of the crash tests.
//!
//! Owns: load over all ways in, whose every row is noted in a log before it is sent, and every acknowledgement after it
//! came. Does not own: judging (a reader of the log does), starting or killing the server.
//!
//! The log, one event a line:
//!
//! ```text
//! S request connection name series time_ms start value       a sample, about to be sent; its value as 16 hex digits
//! H request connection name series time_ms start histogram   a native histogram
//! D request connection name series time_ms start value       a delta: what was added to the sum of its series
//! G request connection name series time_ms start histogram   a delta of a native histogram
//! E request connection name series time_ms - exemplar        value, trace, span and label of an exemplar
//! M request connection name kind help                        what is said of a metric
//! K request connection service time_ms text                  a log row or a span
//! A request                                                  acknowledged
//! P request rows                                             taken, says the answer, but not all of it
//! R request status                                           answered otherwise: may or may not be stored
//! L request                                                  no answer came: may or may not be stored
//! ```
//!
//! A series is a number, and the name that its metric has in the tables; a start is `-` where none was said. A histogram is
//! `hint:schema:zero threshold:sum:count:zero count:positive:negative:bounds`: doubles as 16 hex digits, buckets as
//! `index=count,…` where they have any, counts of a histogram of floats as `x` and 16 hex digits.
//!
//! What the log promises its reader: a row that was acknowledged is stored, once, as it was sent. One that was not may be. Of
//! deltas, which are sent again under another request until they are acknowledged or given up, each is a row too: its time, and
//! the sum of all deltas of its series that are stored up to that time. So one that is lost, or counts twice, is told by every
//! row behind it. Logs and spans have no key, and are sent again too: a request of theirs is stored in whole, once if it was
//! acknowledged, once or not at all if it was not.
//!
//! Ends when its standard input ends, after the answer to what is in flight.

use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

mod draw;
mod hpack;
mod http;
mod http2;
mod load;
mod log;
mod options;
mod protobuf;
mod row;
mod rows;
mod way;

use options::Options;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => Arc::new(options),
        Err(message) => {
            eprintln!("oracle: {message}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let log = match log::Log::create(&options.log) {
        Ok(log) => Arc::new(log),
        Err(error) => {
            eprintln!("oracle: cannot create {}: {error}", options.log.display());
            return ExitCode::FAILURE;
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let requests = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..options.connections)
        .map(|number| {
            let (options, log, stop, requests) = (options.clone(), log.clone(), stop.clone(), requests.clone());
            std::thread::spawn(move || load::Sender::new(number, options, log, requests).run(&stop))
        })
        .collect();
    // Whoever started us says stop by closing our input, also by dying.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    stop.store(true, Ordering::SeqCst);
    let whole = senders.into_iter().all(|sender| sender.join().is_ok());
    if whole && log.is_whole() {
        return ExitCode::SUCCESS;
    }
    eprintln!("oracle: the log is not whole, it proves nothing");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests;
