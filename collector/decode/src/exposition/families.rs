//! What the comments of a page say of its families, as written.
//!
//! A page says mostly what the one before it said. So its texts are only copied, one behind the other: who remembers
//! their [fingerprint](Families::fingerprint) makes [`Metadata`] of them only when they differ.

use model::Batch;
use model::batch::{Kind, Metadata};

use super::plain;

/// Ends each text. What was found to be UTF-8 does not contain it.
const END: u8 = 0xff;

/// What the comments of a page say of its families.
#[derive(Debug, Clone)]
pub struct Families {
    /// For each family its kind, then name, unit and help, each with its end.
    said: Vec<u8>,
    len: usize,
    escapes: Escapes,
}

/// What is escaped in the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// Nothing.
    None,
    /// Backslashes and line feeds, and quotes in names.
    ButQuotesInHelp,
    /// The same, and quotes in help text.
    All,
}

impl Families {
    /// None yet, of a page of so many bytes.
    pub(crate) fn new(escapes: Escapes, page_bytes: usize) -> Self {
        Families { said: Vec::with_capacity(page_bytes / 8), len: 0, escapes }
    }

    /// Adds a family; its texts are UTF-8.
    pub(crate) fn push(&mut self, kind: Kind, texts: [&[u8]; 3]) {
        self.said.push(kind as u8);
        for text in texts {
            self.said.extend_from_slice(text);
            self.said.push(END);
        }
        self.len += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tells whether another page says the same. Only this process can compare with it.
    pub fn fingerprint(&self) -> u128 {
        Batch::hash(&self.said) ^ self.escapes as u128
    }

    /// What is said, with escapes resolved.
    pub fn metadata(&self) -> Vec<Metadata> {
        let mut rest = self.said.as_slice();
        let mut families = Vec::with_capacity(self.len);
        while let Some((kind, texts)) = rest.split_first() {
            let mut texts = texts.splitn(4, |byte| *byte == END);
            let [name, unit, help, behind] = [(); 4].map(|()| texts.next().unwrap_or_default());
            let read = |text: &[u8], quotes: bool| match self.escapes {
                Escapes::None => String::from_utf8_lossy(text).into_owned(),
                _ => plain(text, quotes),
            };
            families.push(Metadata {
                name: read(name, true),
                kind: Kind::from_u8(*kind).unwrap_or_default(),
                unit: read(unit, true),
                help: read(help, self.escapes == Escapes::All),
            });
            rest = behind;
        }
        families
    }
}

#[cfg(test)]
mod tests;
