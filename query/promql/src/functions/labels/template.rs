//! Texts with `$1`, `$name`, `${1}` and `${name}` in them, as Go reads them.

use regex::Captures;

/// A text with places for what groups matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The first of these groups that took part in the match.
    Groups(Vec<usize>),
}

impl Template {
    /// Reads a text, with the names of the groups that it may mean.
    pub(super) fn new(text: &str, groups: &[Option<String>]) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            parts.push(Part::Text(before.to_owned()));
            let (part, behind) = match read_name(after) {
                Some((name, behind)) => (Part::Groups(groups_of(name, groups)), behind),
                // A dollar that names nothing stands for itself, as two of them stand for one.
                None => (Part::Text("$".to_owned()), after.strip_prefix('$').unwrap_or(after)),
            };
            parts.push(part);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Template(parts)
    }

    /// The text with the matches in place. A group that took no part, or that is not there, is empty.
    pub(super) fn expand(&self, found: &Captures<'_>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Groups(groups) => {
                    text.push_str(groups.iter().find_map(|group| found.get(*group)).map_or("", |found| found.as_str()));
                }
            }
        }
        text
    }
}

/// The name behind a dollar, in braces or not, and what follows.
fn read_name(text: &str) -> Option<(&str, &str)> {
    let (inside, is_braced) = text.strip_prefix('{').map_or((text, false), |inside| (inside, true));
    let end = inside.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = if is_braced { rest.strip_prefix('}')? } else { rest };
    Some((name, rest))
}

/// The groups that a name means: one by its number, which has no leading zeros, or all of that name.
fn groups_of(name: &str, groups: &[Option<String>]) -> Vec<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    if let (true, Ok(number)) = (is_number, name.parse::<usize>()) {
        return if number < groups.len() { vec![number] } else { Vec::new() };
    }
    (0..groups.len()).filter(|group| groups[*group].as_deref() == Some(name)).collect()
}
