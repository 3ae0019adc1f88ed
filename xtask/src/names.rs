//! Names of modules, and the opening words of crates.

use crate::Finding;
use crate::tree::SourceFile;

/// Names that say nothing about what is inside.
const EMPTY_WORDS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

/// Checks file names, and that every crate opens with what it owns and what it does not.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let parts: Vec<&str> = file.path.trim_end_matches(".rs").split('/').collect();
        for part in &parts {
            if EMPTY_WORDS.contains(part) {
                findings.push(finding("name", file, format!("{part} says nothing: name it after what it holds")));
            }
        }
        if parts.last() == Some(&"mod") {
            findings.push(finding("name", file, "write foo.rs beside foo/, not foo/mod.rs".into()));
        }
        if file.path.ends_with("src/lib.rs") && !opens_with_ownership(&file.text) {
            findings.push(finding("owns", file, "the crate must open with 'Owns: …' and 'Does not own: …'".into()));
        }
    }
    findings
}

fn opens_with_ownership(text: &str) -> bool {
    let mut head = text.lines().take_while(|line| line.starts_with("//!"));
    head.any(|line| line.contains("Owns")) && text.contains("oes not own")
}

fn finding(rule: &'static str, file: &SourceFile, message: String) -> Finding {
    Finding { rule, place: file.path.clone(), message }
}
