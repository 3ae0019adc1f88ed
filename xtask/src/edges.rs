//! The edges between crates, as docs/ARCHITECTURE.md draws them.

use std::path::Path;

use crate::Finding;
use crate::tree::{self, Member};

/// Which crates of ours a crate may depend on: `root → {query → {storage, promql, decode}, collector → decode} → {journal, model}`, and
/// root → decode.
const EDGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("journal", &["model"]),
    ("decode", &["model"]),
    ("collector", &["decode", "model"]),
    ("fleet", &["decode", "model"]),
    ("storage", &["journal", "model"]),
    ("promql", &["model"]),
    ("query", &["decode", "model", "promql", "storage"]),
    ("fleetscope", &["collector", "decode", "fleet", "model", "query", "storage"]),
    ("faulty-server", &["fleetscope", "model"]),
    ("oracle", &[]),
    ("xtask", &[]),
];

/// Outside crates that only some of ours may name, by prefix, and those that may.
const RESERVED: &[(&str, &[&str])] = &[
    ("datafusion", &["query"]),
    ("deltalake", &["storage"]),
    ("axum", &["collector", "fleetscope", "query"]),
    ("hyper", &["fleetscope", "oracle"]),
    ("reqwest", &["collector", "fleetscope"]),
];

/// Crates that must stay free of the asynchronous runtime, so that they build and fuzz in seconds.
const NO_RUNTIME: &[&str] = &["decode", "fleet", "oracle", "promql", "xtask"];

/// Checks every crate's direct dependencies and that each outside one is explained in docs/dependencies.md.
pub(crate) fn check(root: &Path, members: &[Member]) -> Result<Vec<Finding>, String> {
    let explained = tree::read(&root.join("docs/dependencies.md"))?;
    let mut findings = Vec::new();
    for member in members {
        findings.extend(edges_of(member, members));
        for name in outside(member, members) {
            if !explained.contains(&format!("`{name}`")) {
                let message = format!("dependency {name} is not explained in docs/dependencies.md");
                findings.push(finding("dependency", member, message));
            }
        }
    }
    Ok(findings)
}

fn outside<'a>(member: &'a Member, members: &'a [Member]) -> impl Iterator<Item = &'a String> {
    member.dependencies.iter().filter(|name| members.iter().all(|other| other.name != **name))
}

/// What is wrong with the edges of one crate.
pub(crate) fn edges_of(member: &Member, members: &[Member]) -> Vec<Finding> {
    let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == member.name) else {
        let message = format!("crate {} has no line in xtask/src/edges.rs: say what it may depend on", member.name);
        return vec![finding("edge", member, message)];
    };
    let mut findings = Vec::new();
    for name in &member.dependencies {
        let ours = members.iter().any(|other| other.name == *name);
        if ours && !allowed.contains(&name.as_str()) {
            findings.push(finding("edge", member, format!("{} must not depend on {name}", member.name)));
        }
        let reserved = RESERVED.iter().find(|(prefix, _)| name.starts_with(prefix));
        if !ours && reserved.is_some_and(|(_, may)| !may.contains(&member.name.as_str())) {
            findings.push(finding("edge", member, format!("{} must not depend on {name}", member.name)));
        }
        if name.starts_with("tokio") && NO_RUNTIME.contains(&member.name.as_str()) {
            findings.push(finding("edge", member, format!("{} must not depend on {name}", member.name)));
        }
    }
    findings
}

fn finding(rule: &'static str, member: &Member, message: String) -> Finding {
    let separator = if member.folder.is_empty() { "" } else { "/" };
    Finding { rule, place: format!("{}{separator}Cargo.toml", member.folder), message }
}
