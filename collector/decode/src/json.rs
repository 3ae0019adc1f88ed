//! JSON, read in place and in order, one value after the other, with no tree between.
//!
//! For the bodies in which most bytes are log lines: whoever reads looks at the fields he knows and steps over the others,
//! and knows of each value the bytes it is written with. `serde_json` is for all other JSON: it gives no bytes, and one
//! wrong value ends its reading, where here the next row goes on.
//!
//! Taken is what RFC 8259 allows, and control characters in texts as they are, which log lines have: their writers often
//! escape quotes only. Values are nested [`MAX_DEPTH`] deep at most.

mod text;

pub(crate) use self::text::Text;
use crate::error::Fault;

/// How deep values may be nested.
pub(crate) const MAX_DEPTH: u32 = 64;

/// What a value is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    Text,
    Number,
    Bool,
    Null,
}

impl Kind {
    /// The word in messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Object => "an object",
            Kind::Array => "an array",
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Bool => "true or false",
            Kind::Null => "null",
        }
    }
}

/// Reads a text of JSON from its start to its end.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the start of `text`.
    pub(crate) fn new(text: &'a str) -> Self {
        Reader { text, at: 0 }
    }

    /// The byte that is read next.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text from where it stands on.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Steps over bytes that are known to be values and what stands between them.
    #[inline]
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// What was read since byte `start`.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// What the next value is.
    #[inline]
    pub(crate) fn kind(&mut self) -> Result<Kind, Box<Fault>> {
        match self.token() {
            Some(b'"') => Ok(Kind::Text),
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            _ => Err(self.expected("a value")),
        }
    }

    /// Steps into an object.
    #[inline]
    pub(crate) fn enter_object(&mut self) -> Result<(), Box<Fault>> {
        self.take(b'{', "an object")
    }

    /// The next key of the object that was entered, its value being next; `None` once the object has ended.
    #[inline]
    pub(crate) fn next_key(&mut self, is_first: &mut bool) -> Result<Option<Text<'a>>, Box<Fault>> {
        match self.token() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !*is_first => self.at += 1,
            Some(b'"') if *is_first => {}
            _ => return Err(self.expected(if *is_first { "a key or '}'" } else { "',' or '}'" })),
        }
        *is_first = false;
        if self.token() != Some(b'"') {
            return Err(self.expected("a key"));
        }
        let key = self.text()?;
        self.take(b':', "':'")?;
        Ok(Some(key))
    }

    /// Steps into an array.
    #[inline]
    pub(crate) fn enter_array(&mut self) -> Result<(), Box<Fault>> {
        self.take(b'[', "an array")
    }

    /// Whether another value of the array that was entered is next; if not, the array has ended.
    #[inline]
    pub(crate) fn next_item(&mut self, is_first: &mut bool) -> Result<bool, Box<Fault>> {
        match self.token() {
            Some(b']') => {
                self.at += 1;
                return Ok(false);
            }
            Some(b',') if !*is_first => {
                self.at += 1;
                if self.token() == Some(b']') {
                    return Err(self.expected("a value"));
                }
            }
            Some(_) if *is_first => {}
            _ => return Err(self.expected("',' or ']'")),
        }
        *is_first = false;
        Ok(true)
    }

    /// The text that is next.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<Text<'a>, Box<Fault>> {
        self.take(b'"', "a text")?;
        let (text, end) = Text::read(self.text, self.at)?;
        self.at = end;
        Ok(text)
    }

    /// The number that is next, as it is written.
    pub(crate) fn number(&mut self) -> Result<&'a str, Box<Fault>> {
        self.token();
        let start = self.at;
        self.skip_if(b'-');
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.skip_if(b'.') {
            self.digits()?;
        }
        if self.skip_if(b'e') || self.skip_if(b'E') {
            if !self.skip_if(b'+') {
                self.skip_if(b'-');
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    /// `true`, `false` or `null`, whichever is next, as it is written.
    pub(crate) fn word(&mut self) -> Result<&'a str, Box<Fault>> {
        self.token();
        let rest = &self.text[self.at..];
        let Some(word) = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(*word)) else {
            return Err(self.expected("true, false or null"));
        };
        self.at += word.len();
        Ok(&rest[..word.len()])
    }

    /// Steps over the next value, whatever it is; gives the bytes it is written with.
    pub(crate) fn skip(&mut self) -> Result<&'a str, Box<Fault>> {
        self.token();
        let start = self.at;
        // One bit for each value that is open: whether it is an object.
        let (mut objects, mut depth) = (0u64, 0);
        // Whether an object or array was entered and nothing of it was read.
        let mut is_first = false;
        loop {
            if depth > 0 {
                let is_open = if objects & 1 != 0 {
                    self.next_key(&mut is_first)?.is_some()
                } else {
                    self.next_item(&mut is_first)?
                };
                if !is_open {
                    (objects, depth, is_first) = (objects >> 1, depth - 1, false);
                    if depth == 0 {
                        return Ok(self.since(start));
                    }
                    continue;
                }
            }
            match self.kind()? {
                Kind::Text => drop(self.text()?),
                Kind::Number => drop(self.number()?),
                Kind::Bool | Kind::Null => drop(self.word()?),
                Kind::Object | Kind::Array if depth == MAX_DEPTH => return Err(self.too_deep()),
                kind @ (Kind::Object | Kind::Array) => {
                    self.at += 1;
                    objects = objects << 1 | u64::from(kind == Kind::Object);
                    (depth, is_first) = (depth + 1, true);
                }
            }
            if depth == 0 {
                return Ok(self.since(start));
            }
        }
    }

    /// Checks that nothing but blanks is left.
    pub(crate) fn end(&mut self) -> Result<(), Box<Fault>> {
        match self.token() {
            None => Ok(()),
            Some(_) => Err(self.expected("nothing more")),
        }
    }

    /// The fault that values are nested too deep here.
    #[cold]
    pub(crate) fn too_deep(&self) -> Box<Fault> {
        Fault::invalid(self.at, format!("values are nested more than {MAX_DEPTH} deep"))
    }

    /// The fault that something else stands here.
    #[cold]
    pub(crate) fn expected(&self, what: &str) -> Box<Fault> {
        let found = match self.text[self.at..].chars().next() {
            Some(found) => format!("{found:?}"),
            None => "the end".to_owned(),
        };
        Fault::invalid(self.at, format!("expected {what}, got {found}"))
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no blank.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                byte => return byte,
            }
        }
    }

    #[inline]
    fn take(&mut self, wanted: u8, what: &str) -> Result<(), Box<Fault>> {
        if self.token() != Some(wanted) {
            return Err(self.expected(what));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn skip_if(&mut self, wanted: u8) -> bool {
        let is_there = self.byte() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn digits(&mut self) -> Result<(), Box<Fault>> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += digits;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
