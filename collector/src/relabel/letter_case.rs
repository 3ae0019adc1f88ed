//! Lower and upper case as Go has them: each character by itself becomes one character.
//!
//! The standard library of Rust maps in full instead, where one character may become several (`ß` to `SS`) and a
//! sigma at the end of a word is another one. Where the two differ is written out below. Letters that Unicode took in
//! lately have a case in the one that knows them.

/// Each character in lower case.
pub(super) fn lowercase(text: &str) -> String {
    // Only U+0130, the I with a dot, becomes two characters in full: an i and a combining dot.
    text.chars().filter_map(|c| c.to_lowercase().next()).collect()
}

/// Each character in upper case.
pub(super) fn uppercase(text: &str) -> String {
    text.chars().map(uppercase_of).collect()
}

fn uppercase_of(c: char) -> char {
    let mut full = c.to_uppercase();
    match (full.next(), full.next()) {
        (Some(upper), None) => upper,
        // In full the iota below becomes a letter of its own; alone such a character has a title case, which is its upper
        // case too.
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => offset(c, 8),
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => offset(c, 9),
            _ => c,
        },
    }
}

fn offset(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

#[cfg(test)]
mod tests;
