//! The log: what was sent and what was answered.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// One sample as it is logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub(crate) series: u64,
    pub(crate) time_ms: i64,
    pub(crate) value: f64,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 2xx.
    Acknowledged,
    /// Any other status.
    Refused(u16),
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

    /// Notes samples that are about to be sent.
    pub(crate) fn sending(&self, request: u64, connection: u64, samples: &[Sample]) {
        let line =
            |s: &Sample| format!("S {request} {connection} {} {} {:016x}\n", s.series, s.time_ms, s.value.to_bits());
        self.write(&samples.iter().map(line).collect::<String>());
    }

    /// Notes what became of a request.
    pub(crate) fn answered(&self, request: u64, answer: Answer) {
        self.write(&match answer {
            Answer::Acknowledged => format!("A {request}\n"),
            Answer::Refused(status) => format!("R {request} {status}\n"),
            Answer::Lost => format!("L {request}\n"),
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
