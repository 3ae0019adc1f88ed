//! The rules of the tree that no compiler checks: `cargo run -p xtask -- check`.
//!
//! Owns: the layout's rules as code (edges between crates, sizes, names, documented dependencies) and their exceptions.
//! Does not own: formatting (rustfmt), lints (clippy), behaviour (the tests).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod allow;
mod edges;
mod names;
mod scan;
mod sizes;
mod tree;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The rule's short name, as the allow-list uses it.
    rule: &'static str,
    /// The place: a path below the root of the workspace, for a function `path#name`.
    place: String,
    /// What is wrong and how to mend it.
    message: String,
}

const USAGE: &str = "usage: cargo run -p xtask -- check

check   edges between crates, sizes of files and functions, names of modules, documented dependencies;
        exceptions, each with its reason, are in xtask/allow.txt";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("check"), None) => match check(&root()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                eprintln!("{message}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn root() -> PathBuf {
    // Asked when it runs, not when it is built: checkouts may share a build folder, and so this binary.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    own.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn check(root: &Path) -> Result<(), String> {
    let members = tree::members(root)?;
    let files = tree::rust_files(root)?;
    let mut findings = edges::check(root, &members)?;
    findings.extend(names::check(&files));
    findings.extend(sizes::check(&files));
    let list = root.join("xtask/allow.txt");
    let text = std::fs::read_to_string(&list).map_err(|e| format!("cannot read {}: {e}", list.display()))?;
    let mut findings = allow::apply(&allow::parse(&text)?, findings);
    findings.sort();
    println!("{} files, median {} lines without tests", files.len(), sizes::median(&files));
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(|f| format!("{}: {}: {}", f.rule, f.place, f.message)).collect();
    Err(lines.join("\n"))
}

#[cfg(test)]
mod tests;
