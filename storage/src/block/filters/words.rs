//! The words of a line, as the filters know them.

/// Whether a byte is part of a word: letters, digits and the underscore of ASCII, and whatever is no ASCII.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The words of a text: the longest runs of letters, digits and underscores, in whatever case they are written.
pub fn words(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| !is_of_word(*byte)).filter(|word| !word.is_empty())
}

/// The words that a text has in any case if it contains `part`: those that `part` shows from their beginning to their end.
/// `starts` and `ends` say whether the text begins and ends where `part` does.
pub fn whole_words(part: &str, starts: bool, ends: bool) -> impl Iterator<Item = &[u8]> {
    let mut bytes = part.as_bytes();
    if !starts {
        // What it begins with may be the end of a longer word.
        let first = bytes.iter().position(|byte| !is_of_word(*byte)).unwrap_or(bytes.len());
        bytes = &bytes[first..];
    }
    if !ends {
        let last = bytes.iter().rposition(|byte| !is_of_word(*byte)).map_or(0, |last| last + 1);
        bytes = &bytes[..last];
    }
    bytes.split(|byte| !is_of_word(*byte)).filter(|word| !word.is_empty())
}

/// Finds a word in texts.
#[derive(Debug)]
pub struct Finder<'w> {
    word: memchr::memmem::Finder<'w>,
}

impl<'w> Finder<'w> {
    /// Of one word.
    pub fn new(word: &'w str) -> Self {
        Finder { word: memchr::memmem::Finder::new(word) }
    }

    /// Whether the word is one of the words of a text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.word.find_iter(text).any(|at| self.is_whole(text, at))
    }

    /// Where bytes next show the word, within a longer one or by itself.
    pub fn next(&self, bytes: &[u8]) -> Option<usize> {
        self.word.find(bytes)
    }

    /// Whether the word, which begins at `at` of a text, ends in it and is no part of a longer one.
    pub fn is_whole(&self, text: &[u8], at: usize) -> bool {
        let end = at + self.word.needle().len();
        let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| !is_of_word(*byte));
        end <= text.len() && is_end(text[..at].last()) && is_end(text.get(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(words: impl Iterator<Item = &'a [u8]>) -> Vec<&'a str> {
        words.map(|word| std::str::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn words_are_runs_of_letters_digits_and_underscores() {
        assert_eq!(texts(words("GET /a_b?x=1.5 «größe» 200ms")), ["GET", "a_b", "x", "1", "5", "«größe»", "200ms"]);
        assert_eq!(texts(words(" .,")), [""; 0]);
    }

    #[test]
    fn a_part_tells_of_the_words_that_it_shows_whole() {
        assert_eq!(texts(whole_words("foo bar baz", false, false)), ["bar"]);
        assert_eq!(texts(whole_words("foo bar baz", true, false)), ["foo", "bar"]);
        assert_eq!(texts(whole_words("foo bar baz", false, true)), ["bar", "baz"]);
        assert_eq!(texts(whole_words(" foo ", false, false)), ["foo"]);
        assert_eq!(texts(whole_words("foo", false, false)), [""; 0]);
        assert_eq!(texts(whole_words("foo", true, true)), ["foo"]);
        assert_eq!(texts(whole_words("", false, false)), [""; 0]);
    }

    #[test]
    fn a_word_is_found_only_whole() {
        let has_word = |text: &str, word| Finder::new(word).is_in(text.as_bytes());
        assert!(has_word("error: disk full", "error") && has_word("error: disk full", "full"));
        assert!(!has_word("terrors", "error") && !has_word("errors, error_code", "error"));
        assert!(has_word("errors, error", "error"));
    }
}
