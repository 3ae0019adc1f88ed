//! Where in the text of an expression something is.

/// A range of bytes in the text of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last one.
    pub end: u32,
}

impl Span {
    /// From one byte up to another, that one not included.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start: start as u32, end: end as u32 }
    }

    /// From the beginning of this one to the end of another.
    pub fn to(self, last: Span) -> Self {
        Span { start: self.start, end: last.end }
    }

    /// Line and column of its beginning, both from 1 on; columns count bytes, as Prometheus counts them.
    pub fn position(self, text: &str) -> (usize, usize) {
        let before = &text.as_bytes()[..text.len().min(self.start as usize)];
        let line = before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        (line + 1, column + 1)
    }
}
