//! DuckDB on our own Parquet files, in a Python process that answers line by line: `duckdb_answers.py`, since a script named
//! as the package would be imported in its place.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::Fault;
use crate::process::Answered;

/// The process. Killed when dropped.
#[derive(Debug)]
pub(crate) struct DuckDb {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl DuckDb {
    /// Opens the tables of a store with so many threads.
    pub(crate) fn start(store: &Path, tables: &[&str], threads: usize) -> Result<Self, Fault> {
        let venv = std::env::var("FLEETSCOPE_VENV").map(PathBuf::from);
        let venv =
            venv.or_else(|_| std::env::var("HOME").map(|home| Path::new(&home).join(".cache/fleetscope/venv")))?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/duckdb_answers.py");
        let mut command = Command::new(venv.join("bin/python"));
        command.arg(script).arg(store).arg(threads.to_string()).args(tables);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}: run make setup", venv.display()))?;
        let questions = child.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(DuckDb { child, questions, answers })
    }

    pub(crate) fn ask(&mut self, sql: &str) -> Result<Answered<Vec<Value>>, Fault> {
        writeln!(self.questions, "{}", sql.replace('\n', " "))?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        // Python writes NaN and Infinity as they are, which is no JSON.
        let line = line.replace("NaN", "null").replace("-Infinity", "null").replace("Infinity", "null");
        let answer: Value = serde_json::from_str(&line).map_err(|e| format!("DuckDB has failed, see above: {e}"))?;
        let rows = answer["rows"].as_array().ok_or("no rows")?;
        let row = |row: &Value| row.as_array().cloned().ok_or("a row is no list");
        let seconds = |key: &str| answer[key].as_f64().ok_or("no time");
        Ok(Answered {
            rows: rows.iter().map(row).collect::<Result<_, _>>()?,
            cpu: seconds("cpu")?,
            wall: seconds("wall")?,
        })
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
