//! What the operating system knows of this process, under the names that Prometheus' client libraries use.

use std::fmt::Write;

/// Appends CPU time, memory and open files; on a system without `/proc`, nothing.
pub(super) fn render(out: &mut String) {
    let mut metric = |name: &str, kind: &str, help: &str, value: f64| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    };
    if let Some(stat) = std::fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(Stat::parse) {
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as f64;
        metric("process_cpu_seconds_total", "counter", "CPU time of the process.", stat.cpu_ticks as f64 / ticks);
        metric("process_resident_memory_bytes", "gauge", "Resident memory.", stat.resident_pages as f64 * page);
        metric("process_virtual_memory_bytes", "gauge", "Virtual memory.", stat.virtual_bytes as f64);
        metric("process_threads", "gauge", "Threads.", stat.threads as f64);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        metric("process_open_fds", "gauge", "Open file descriptors.", files.count() as f64);
    }
}

/// The fields of `/proc/self/stat` that are shown.
///
/// Source: `man 5 proc`, fields 14, 15, 20, 23 and 24.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    cpu_ticks: u64,
    threads: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    pub(super) fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses and may hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Stat {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}
