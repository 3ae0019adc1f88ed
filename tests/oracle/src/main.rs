//! The outside witness of the crash tests.
//!
//! Owns: remote-write load whose every sample is noted in a log before it is sent, and every acknowledgement after it
//! came. Does not own: judging (a reader of the log does), starting or killing the server.
//!
//! The log, one event a line:
//!
//! ```text
//! S request connection series time_ms bits   a sample, about to be sent (series as a number, value as 16 hex digits)
//! A request                                  acknowledged
//! R request status                           answered otherwise: may or may not be stored
//! L request                                  no answer came: may or may not be stored
//! ```
//!
//! Ends when its standard input ends, after the answer to what is in flight.

use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

mod http;
mod load;
mod log;
mod options;
mod protobuf;

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
