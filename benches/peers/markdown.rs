//! What a part has found, as Markdown: for the terminal, and for a document whose section it is.

use std::fmt::{self, Display};

use model::Clock;
use model::time::Date;

use crate::Fault;

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new<const N: usize>(columns: [&str; N]) -> Self {
        Table { rows: vec![columns.map(str::to_owned).to_vec()] }
    }

    /// Adds a row, which has as many cells as there are columns.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, cells) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", cells.join(" | "))?;
            if place == 0 {
                writeln!(f, "|{}", "---|".repeat(cells.len()))?;
            }
        }
        Ok(())
    }
}

/// When and where a part ran, in a line.
pub(crate) fn origin() -> Result<String, Fault> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism()?;
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let memory_gb = memory.ok_or("no MemTotal")?.parse::<f64>()? / (1 << 20) as f64;
    let today = Date::of_ms(model::SystemClock.now_ms());
    let build = if cfg!(debug_assertions) { "**a debug build, whose figures say nothing**" } else { "release build" };
    Ok(format!("{today}, {cores} cores of {model}, {memory_gb:.0} GB of memory, {build}:"))
}
