//! Templates of replacements: text with references to the groups of an expression, as Go's `Regexp.Expand` reads them.

use model::Error;
use regex::{Captures, Regex};

/// A template whose references are resolved: `$1`, `${1}`, `$name`, `${name}`, and `$$` for a dollar.
///
/// A name is the longest run of letters, digits and underscores, so `$1x` asks for a group `1x`; one that no group has
/// stands for nothing. A dollar that begins no reference stands for itself.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The groups that have the name or number; the first that took part in the match counts.
    Groups(Vec<usize>),
}

impl Template {
    /// Reads a template for an expression with these groups, each with its name if it has one; the whole match is the
    /// first.
    ///
    /// # Errors
    /// `Internal` if the expression for names does not compile.
    pub(super) fn new(template: &str, groups: &[Option<String>]) -> Result<Self, Error> {
        let mut reader = Reader { pieces: Vec::new(), names: None };
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            reader.text(before);
            rest = if let Some(after) = after.strip_prefix('$') {
                reader.text("$");
                after
            } else if let Some((name, after)) = reader.reference(after)? {
                reader.groups(name, groups);
                after
            } else {
                reader.text("$");
                after
            };
        }
        reader.text(rest);
        Ok(Template(reader.pieces))
    }

    /// Writes the text with what the groups matched to the end of `out`.
    pub(super) fn expand(&self, captures: &Captures<'_>, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Groups(groups) => {
                    let first = groups.iter().find_map(|group| captures.get(*group));
                    out.push_str(first.map_or("", |found| found.as_str()));
                }
            }
        }
    }
}

struct Reader {
    pieces: Vec<Piece>,
    /// What a name looks like where it is not plain ASCII.
    names: Option<Regex>,
}

impl Reader {
    fn text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn groups(&mut self, name: &str, groups: &[Option<String>]) {
        let found = match number(name) {
            Some(number) => (number < groups.len()).then_some(number).into_iter().collect(),
            None => (0..groups.len()).filter(|group| groups[*group].as_deref() == Some(name)).collect(),
        };
        self.pieces.push(Piece::Groups(found));
    }

    /// The name after a dollar, and what follows; nothing if it is malformed.
    fn reference<'a>(&mut self, text: &'a str) -> Result<Option<(&'a str, &'a str)>, Error> {
        let (text, is_braced) = text.strip_prefix('{').map_or((text, false), |text| (text, true));
        let (name, rest) = text.split_at(self.name_length(text)?);
        let rest = if is_braced { rest.strip_prefix('}') } else { Some(rest) };
        Ok(rest.filter(|_| !name.is_empty()).map(|rest| (name, rest)))
    }

    fn name_length(&mut self, text: &str) -> Result<usize, Error> {
        let ascii = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        if text[ascii..].chars().next().is_none_or(|c| c.is_ascii()) {
            return Ok(ascii);
        }
        let names = match self.names.take() {
            Some(names) => names,
            None => Regex::new(r"\A[\p{L}\p{Nd}_]*").map_err(|e| {
                Error::internal("the expression for names in templates does not compile").with_source(e)
            })?,
        };
        let length = names.find(text).map_or(0, |name| name.end());
        self.names = Some(names);
        Ok(length)
    }
}

/// A number as Go reads it here: no leading zeros, and not so large that no group could have it.
fn number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    if is_number { name.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
