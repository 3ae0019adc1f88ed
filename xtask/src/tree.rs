//! What is in the tree: the crates of the workspace and their source files.

use std::path::{Path, PathBuf};

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The package's name.
    pub(crate) name: String,
    /// Its folder below the root; empty for the root package.
    pub(crate) folder: String,
    /// Names of its direct dependencies, those of tests and build scripts included.
    pub(crate) dependencies: Vec<String>,
}

/// A source file.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Path below the root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl SourceFile {
    /// Whether it holds only tests or benches: a `tests.rs`, or anything in a `tests` or `benches` folder.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.split('/').any(|part| part == "tests" || part == "benches")
    }
}

/// The crates of the workspace whose root manifest is in `root`, that of `root` first.
pub(crate) fn members(root: &Path) -> Result<Vec<Member>, String> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let list = array(&manifest, "members").ok_or("Cargo.toml has no [workspace] members")?;
    let mut members = vec![member(root, "")?];
    for folder in list {
        members.push(member(root, &folder)?);
    }
    Ok(members)
}

fn member(root: &Path, folder: &str) -> Result<Member, String> {
    let text = read(&root.join(folder).join("Cargo.toml"))?;
    let name = value(&text, "package", "name").ok_or_else(|| format!("{folder}/Cargo.toml names no package"))?;
    Ok(Member { name, folder: folder.to_owned(), dependencies: dependencies(&text) })
}

/// The names under every `[…dependencies]` table of a manifest, `[workspace.dependencies]` left out.
pub(crate) fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_i32;
    let mut inside = false;
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or("").trim();
        if depth == 0 && line.starts_with('[') {
            let table = line.trim_matches(['[', ']']);
            inside = table.ends_with("dependencies") && table != "workspace.dependencies";
            continue;
        }
        if inside && depth == 0 {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            if !name.is_empty() {
                names.push(name);
            }
        }
        depth += line.matches(['[', '{']).count() as i32 - line.matches([']', '}']).count() as i32;
    }
    names.sort();
    names.dedup();
    names
}

fn value(manifest: &str, table: &str, key: &str) -> Option<String> {
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == format!("[{table}]");
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            return Some(value.trim().trim_matches('"').to_owned());
        }
    }
    None
}

fn array(manifest: &str, key: &str) -> Option<Vec<String>> {
    let start = manifest.find(&format!("\n{key} = ["))?;
    let body = manifest[start..].split_once('[')?.1.split_once(']')?.0;
    Some(body.split(',').map(|item| item.trim().trim_matches('"').to_owned()).filter(|item| !item.is_empty()).collect())
}

/// Every `.rs` file below `root`, build output and hidden folders left out, ordered by path.
pub(crate) fn rust_files(root: &Path) -> Result<Vec<SourceFile>, String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                files.push(SourceFile { path: below(root, &path), text: read(&path)? });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn below(root: &Path, path: &Path) -> String {
    let rest: PathBuf = path.strip_prefix(root).unwrap_or(path).into();
    rest.to_string_lossy().replace('\\', "/")
}

/// Reads a text file; the error names it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}
