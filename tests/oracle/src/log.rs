//! The log: what was sent and what was answered. `main.rs` has its form.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::row::Value;
use crate::way::Request;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All of it was taken.
    Acknowledged,
    /// It was taken, says the answer, but not all of it; and everything the witness sends is good.
    Partial(u64),
    /// Any other status.
    Refused(u32),
    /// None came.
    Lost,
}

/// A log that is handed to the operating system line by line: it outlives any process, not a power cut of its disk.
#[derive(Debug)]
pub(crate) struct Log {
    file: Mutex<File>,
    broken: AtomicBool,
}

impl Log {
    /// Begins a new log.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Log { file: Mutex::new(File::create(path)?), broken: AtomicBool::new(false) })
    }

    /// Notes a request that is about to be sent.
    pub(crate) fn sending(&self, number: u64, request: &Request) {
        let Request { way, connection, rows, records, help } = request;
        let mut text = String::new();
        for row in rows {
            let letter = match (&row.value, way.is_delta()) {
                (Value::Number(_), false) => 'S',
                (Value::Histogram(_), false) => 'H',
                (Value::Number(_), true) => 'D',
                (Value::Histogram(_), true) => 'G',
            };
            let start = row.start_ms.map_or("-".to_owned(), |start| start.to_string());
            let series = format!("{} {} {}", way.name(row.kind), row.series, row.time_ms);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{letter} {number} {connection} {series} {start} {}", row.value);
            if let Some(exemplar) = &row.exemplar {
                let _ = writeln!(text, "E {number} {connection} {series} - {exemplar}");
            }
        }
        for record in records {
            let _ = writeln!(text, "K {number} {connection} {} {} {}", way.service(), record.time_ms, record.text());
        }
        for kind in request.kinds() {
            let _ = writeln!(text, "M {number} {connection} {} {} {help}", way.name(kind), kind.word());
        }
        self.write(&text);
    }

    /// Notes what became of a request.
    pub(crate) fn answered(&self, number: u64, answer: Answer) {
        self.write(&match answer {
            Answer::Acknowledged => format!("A {number}\n"),
            Answer::Partial(taken) => format!("P {number} {taken}\n"),
            Answer::Refused(status) => format!("R {number} {status}\n"),
            Answer::Lost => format!("L {number}\n"),
        });
    }

    /// Whether every line was taken.
    pub(crate) fn is_whole(&self) -> bool {
        !self.broken.load(Ordering::SeqCst)
    }

    fn write(&self, text: &str) {
        let written =
            self.file.lock().map_err(|_| ()).and_then(|mut file| file.write_all(text.as_bytes()).map_err(|_| ()));
        if written.is_err() {
            self.broken.store(true, Ordering::SeqCst);
        }
    }
}
