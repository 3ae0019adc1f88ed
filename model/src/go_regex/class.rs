//! Classes of characters: sets in brackets, `\d` and its like, `\pN` and `\p{Name}`.

use std::fmt::Write;
use std::ops::RangeInclusive;

use regex::Regex;

use super::beginning;
use super::escape::read_escape;
use crate::Error;

/// The class of all characters, and that of none.
const EVERYTHING: &str = r"[\x{0}-\x{10FFFF}]";
pub(super) const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// Code points that no UTF-8 holds.
const SURROGATES: RangeInclusive<u32> = 0xd800..=0xdfff;

const NAMED: &[(&str, &str)] = &[
    ("alnum", "0-9A-Za-z"),
    ("alpha", "A-Za-z"),
    ("ascii", r"\x{0}-\x{7F}"),
    ("blank", r"\t\x{20}"),
    ("cntrl", r"\x{0}-\x{1F}\x{7F}"),
    ("digit", "0-9"),
    ("graph", r"\x{21}-\x{7E}"),
    ("lower", "a-z"),
    ("print", r"\x{20}-\x{7E}"),
    ("punct", r"\x{21}-\x{2F}\x{3A}-\x{40}\x{5B}-\x{60}\x{7B}-\x{7E}"),
    ("space", r"\x{9}-\x{D}\x{20}"),
    ("upper", "A-Z"),
    ("word", "0-9A-Z_a-z"),
    ("xdigit", "0-9A-Fa-f"),
];

/// Reads a set in brackets at the beginning of `text`, and gives what follows.
///
/// # Errors
/// `Invalid` if it is not one.
pub(super) fn read_class(text: &str) -> Result<(String, &str), Error> {
    let (mut rest, is_negated) = match text[1..].strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (&text[1..], false),
    };
    let (mut items, mut is_first) = (String::new(), true);
    while is_first || !rest.starts_with(']') {
        rest = read_item(text, rest, &mut items)?;
        // A bracket closes the set unless it is the first in it.
        is_first = false;
    }
    let class = match (items.is_empty(), is_negated) {
        // Of characters that no text holds.
        (true, false) => NOTHING.to_owned(),
        (true, true) => EVERYTHING.to_owned(),
        (false, false) => format!("[{items}]"),
        (false, true) => format!("[^{items}]"),
    };
    Ok((class, &rest[1..]))
}

/// Takes one class, character or range from the beginning of `text`, which is inside of `class`.
fn read_item<'a>(class: &str, text: &'a str, items: &mut String) -> Result<&'a str, Error> {
    if let Some((item, rest)) = read_named_class(text)? {
        items.push_str(&item);
        return Ok(rest);
    }
    if let Some((item, rest)) = read_unicode_class(text)? {
        items.push_str(&item);
        return Ok(rest);
    }
    if let Some((item, rest)) = perl_class(text) {
        items.push_str(item);
        return Ok(rest);
    }
    let (first, rest) = read_character(class, text)?;
    let range = rest.strip_prefix('-').filter(|after| !after.is_empty() && !after.starts_with(']'));
    let (last, rest) = match range {
        Some(after) => read_character(class, after)?,
        None => (first, rest),
    };
    if last < first {
        let range = &text[..text.len() - rest.len()];
        return Err(Error::invalid(format!("the range {range} ends before it begins")));
    }
    // A range that begins or ends among the surrogates has its other part beside them.
    let first = if SURROGATES.contains(&first) { SURROGATES.end() + 1 } else { first };
    let last = if SURROGATES.contains(&last) { SURROGATES.start() - 1 } else { last };
    if first <= last {
        // Writing to a string cannot fail.
        let _ = write!(items, r"\x{{{first:X}}}-\x{{{last:X}}}");
    }
    Ok(rest)
}

fn read_character<'a>(class: &str, text: &'a str) -> Result<(u32, &'a str), Error> {
    match text.chars().next() {
        None => Err(Error::invalid(format!("missing closing ] of {}", beginning(class)))),
        Some('\\') => read_escape(text),
        Some(c) => Ok((u32::from(c), &text[c.len_utf8()..])),
    }
}

/// Reads `[:name:]`. Without the closing part it is no class but plain characters.
fn read_named_class(text: &str) -> Result<Option<(String, &str)>, Error> {
    let Some((name, rest)) = text.strip_prefix("[:").and_then(|text| text.split_once(":]")) else { return Ok(None) };
    let (word, negation) = name.strip_prefix('^').map_or((name, ""), |word| (word, "^"));
    let Some((_, items)) = NAMED.iter().find(|(known, _)| *known == word) else {
        return Err(Error::invalid(format!("unknown class [:{}:]", beginning(name))));
    };
    Ok(Some((format!("[{negation}{items}]"), rest)))
}

/// Finds `\d`, `\D`, `\s`, `\S`, `\w` or `\W` at the beginning of `text`.
pub(super) fn perl_class(text: &str) -> Option<(&'static str, &str)> {
    let class = match text.as_bytes().get(..2)? {
        br"\d" => "[0-9]",
        br"\D" => "[^0-9]",
        br"\s" => r"[\t\n\x{C}\r\x{20}]",
        br"\S" => r"[^\t\n\x{C}\r\x{20}]",
        br"\w" => "[0-9A-Z_a-z]",
        br"\W" => "[^0-9A-Z_a-z]",
        _ => return None,
    };
    Some((class, &text[2..]))
}

/// Reads `\pN`, `\p{Name}`, `\p{^Name}` or one of them with `\P` at the beginning of `text`, if there is one.
///
/// # Errors
/// `Invalid` if there is no class of that name.
pub(super) fn read_unicode_class(text: &str) -> Result<Option<(String, &str)>, Error> {
    let (inside, is_negated) = match (text.strip_prefix(r"\p"), text.strip_prefix(r"\P")) {
        (Some(inside), _) => (inside, false),
        (_, Some(inside)) => (inside, true),
        _ => return Ok(None),
    };
    let (name, rest) = match inside.strip_prefix('{') {
        Some(braced) => braced
            .split_once('}')
            .ok_or_else(|| Error::invalid(format!("missing closing }} of {}", beginning(text))))?,
        None => inside.split_at(inside.chars().next().map_or(0, char::len_utf8)),
    };
    let (name, is_negated) = name.strip_prefix('^').map_or((name, is_negated), |name| (name, !is_negated));
    let unknown = || Error::invalid(format!("unknown class {}", &text[..text.len() - rest.len()]));
    Ok(Some((unicode_class(name, is_negated).ok_or_else(unknown)?, rest)))
}

/// The class of a name: everything, a category, or a script.
fn unicode_class(name: &str, is_negated: bool) -> Option<String> {
    let name: String = name.to_ascii_lowercase().chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    // The engine would take `is` before any name.
    if !name.bytes().all(|b| b.is_ascii_lowercase()) || name.starts_with("is") {
        return None;
    }
    let property = match name.as_str() {
        // The engine does not know it, since it is in no text.
        "cs" | "surrogate" => return Some(if is_negated { EVERYTHING } else { NOTHING }.to_owned()),
        "any" | "assigned" | "ascii" => name,
        _ => {
            let mut candidates = [format!("gc={name}"), format!("sc={name}")].into_iter();
            candidates.find(|property| Regex::new(&format!(r"\p{{{property}}}")).is_ok())?
        }
    };
    Some(format!(r"\{}{{{property}}}", if is_negated { 'P' } else { 'p' }))
}
