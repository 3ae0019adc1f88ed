//! The allow-list: exceptions to the rules, each with its reason.

use crate::Finding;

/// One exception: `rule place: reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exception {
    rule: String,
    place: String,
}

/// Reads the list. A line is empty, begins with `#`, or reads `rule place: reason`.
pub(crate) fn parse(text: &str) -> Result<Vec<Exception>, String> {
    let mut exceptions = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts = line.split_once(": ").and_then(|(head, reason)| {
            let (rule, place) = head.split_once(' ')?;
            (!reason.trim().is_empty()).then_some((rule, place.trim()))
        });
        let Some((rule, place)) = parts else {
            return Err(format!("xtask/allow.txt:{}: write 'rule place: reason'", number + 1));
        };
        exceptions.push(Exception { rule: rule.to_owned(), place: place.to_owned() });
    }
    Ok(exceptions)
}

/// Leaves out what is excepted; an exception that excepts nothing is a finding itself, so that the list only shrinks.
pub(crate) fn apply(exceptions: &[Exception], findings: Vec<Finding>) -> Vec<Finding> {
    let covers = |e: &Exception, f: &Finding| e.rule == f.rule && e.place == f.place;
    let idle = exceptions.iter().filter(|e| findings.iter().all(|f| !covers(e, f)));
    let stale: Vec<Finding> = idle
        .map(|e| Finding {
            rule: "allow",
            place: "xtask/allow.txt".into(),
            message: format!("{} {} excepts nothing any more: remove the line", e.rule, e.place),
        })
        .collect();
    let left = findings.into_iter().filter(|f| exceptions.iter().all(|e| !covers(e, f)));
    left.chain(stale).collect()
}
