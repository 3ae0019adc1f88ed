//! Sizes of files and functions.

use crate::Finding;
use crate::scan;
use crate::tree::SourceFile;

const FILE_LINES: usize = 500;
const TEST_FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 80;

/// Checks the length of every file and function.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let lines = file.text.lines().count();
        let limit = if file.is_test() { TEST_FILE_LINES } else { FILE_LINES };
        if lines > limit {
            let message = format!("{lines} lines, at most {limit}: split it where its subject splits");
            findings.push(Finding { rule: "file", place: file.path.clone(), message });
        }
        for function in scan::functions(&file.text).into_iter().filter(|f| f.lines > FUNCTION_LINES) {
            let message = format!("line {}: {} lines, at most {FUNCTION_LINES}", function.line, function.lines);
            findings.push(Finding { rule: "function", place: format!("{}#{}", file.path, function.name), message });
        }
    }
    findings
}

/// The median length of the files that are not tests.
pub(crate) fn median(files: &[SourceFile]) -> usize {
    let mut lines: Vec<usize> = files.iter().filter(|f| !f.is_test()).map(|f| f.text.lines().count()).collect();
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or(0)
}
