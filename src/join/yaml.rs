//! Text from outside as a scalar of YAML, and as what a comment or a terminal can show.

/// How much of a text from outside is shown in a comment or a message.
const SHOWN_CHARS: usize = 200;
/// What a reader takes for something else than text where it stands without quotes, in any case of letters.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

/// A scalar that every reader of YAML 1.1 and 1.2 takes for exactly this text, in one line.
///
/// Without quotes only what cannot be anything else: it begins with a letter, as no number or date does, and has no
/// character that means something. Everything else is quoted, and what cannot be seen is written by its number.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_visible(c) => quoted.push(c),
            c if u32::from(c) <= 0xffff => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

fn is_plain(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let mut rest = text.chars();
    let begins = rest.next().is_some_and(|c| c.is_ascii_alphabetic());
    // A colon before a letter is one of a URL, any other would end a key.
    let means_nothing = text.split(':').all(|part| !part.is_empty() && part.chars().all(is_letter));
    begins && means_nothing && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// The text in one line as a terminal or a comment can show it, cut where it is long.
pub(super) fn printable(text: &str) -> String {
    let text = text.trim();
    let mut shown = visible(&text.chars().take(SHOWN_CHARS).collect::<String>());
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// The text without anything that moves a cursor, breaks a line, changes a colour or the direction of writing.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_visible(c) { c } else { '\u{fffd}' }).collect()
}

/// Whether a character stands for itself in a line: none that controls, breaks lines, joins or turns what is beside it.
fn is_visible(c: char) -> bool {
    let is_hidden = matches!(u32::from(c),
        0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xfffb
        | 0xe000..=0xf8ff | 0xe0000..=0x10ffff);
    let is_noncharacter = u32::from(c) & 0xfffe == 0xfffe || matches!(u32::from(c), 0xfdd0..=0xfdef);
    !c.is_control() && !is_hidden && !is_noncharacter
}

#[cfg(test)]
mod tests;
