//! The words and signs of an expression.

use std::fmt::{self, Display};

use crate::ast::{AggregateOp, BinaryOp};
use crate::quote::Quoted;
use crate::span::Span;

/// A word or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// What a word or a sign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// The end of the text.
    End,
    /// A word that is no keyword.
    Identifier,
    /// A word with a colon in it, which is the name of a metric.
    MetricIdentifier,
    Number,
    Duration,
    String,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    /// `=`
    Assign,
    /// `=~`
    RegexMatch,
    /// `!~`
    RegexNotMatch,
    /// `@`
    At,
    Operator(BinaryOp),
    Aggregate(AggregateOp),
    Keyword(Keyword),
    /// A keyword that is also the name of a function, and some also of durations.
    Preprocessor(Preprocessor),
}

/// A word of the language that stands beside operators and selectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Offset,
    Smoothed,
    Anchored,
    By,
    Without,
    On,
    Ignoring,
    GroupLeft,
    GroupRight,
    Fill,
    FillLeft,
    FillRight,
    Bool,
}

/// A word that stands for a time or a duration of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preprocessor {
    Start,
    End,
    Step,
    Range,
    MaxOf,
    MinOf,
}

/// What a word outside of braces is, in whichever case it is written.
pub(crate) fn classify(word: &str) -> TokenKind {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if let Some((_, kind)) = KEYWORDS.iter().find(|(name, _)| is(name)) {
        return *kind;
    }
    if let Some(op) = AggregateOp::ALL.into_iter().find(|op| is(op.as_str())) {
        return TokenKind::Aggregate(op);
    }
    match classify_duration(word) {
        Some(word) => TokenKind::Preprocessor(word),
        None if word.contains(':') => TokenKind::MetricIdentifier,
        None => TokenKind::Identifier,
    }
}

/// The keywords that are neither aggregations nor words of durations.
const KEYWORDS: [(&str, TokenKind); 21] = [
    ("and", TokenKind::Operator(BinaryOp::And)),
    ("or", TokenKind::Operator(BinaryOp::Or)),
    ("unless", TokenKind::Operator(BinaryOp::Unless)),
    ("atan2", TokenKind::Operator(BinaryOp::Atan2)),
    ("offset", TokenKind::Keyword(Keyword::Offset)),
    ("smoothed", TokenKind::Keyword(Keyword::Smoothed)),
    ("anchored", TokenKind::Keyword(Keyword::Anchored)),
    ("by", TokenKind::Keyword(Keyword::By)),
    ("without", TokenKind::Keyword(Keyword::Without)),
    ("on", TokenKind::Keyword(Keyword::On)),
    ("ignoring", TokenKind::Keyword(Keyword::Ignoring)),
    ("group_left", TokenKind::Keyword(Keyword::GroupLeft)),
    ("group_right", TokenKind::Keyword(Keyword::GroupRight)),
    ("fill", TokenKind::Keyword(Keyword::Fill)),
    ("fill_left", TokenKind::Keyword(Keyword::FillLeft)),
    ("fill_right", TokenKind::Keyword(Keyword::FillRight)),
    ("bool", TokenKind::Keyword(Keyword::Bool)),
    ("start", TokenKind::Preprocessor(Preprocessor::Start)),
    ("end", TokenKind::Preprocessor(Preprocessor::End)),
    ("inf", TokenKind::Number),
    ("nan", TokenKind::Number),
];

/// Which word of durations this is.
pub(crate) fn classify_duration(word: &str) -> Option<Preprocessor> {
    const WORDS: [(&str, Preprocessor); 4] = [
        ("step", Preprocessor::Step),
        ("range", Preprocessor::Range),
        ("max_of", Preprocessor::MaxOf),
        ("min_of", Preprocessor::MinOf),
    ];
    WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, word)| *word)
}

impl Token {
    /// The token as errors name it; `text` is the whole text.
    pub(crate) fn describe(self, text: &str) -> impl Display {
        let word = &text[self.span.start as usize..self.span.end as usize];
        Description { kind: self.kind, word }.to_string()
    }
}

struct Description<'a> {
    kind: TokenKind,
    word: &'a str,
}

impl Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The characters of a long word that are shown.
        const SHOWN: usize = 10;

        let word = self.word;
        match self.kind {
            TokenKind::End => return f.write_str("end of input"),
            TokenKind::Identifier => return write!(f, "identifier {}", Quoted(word)),
            TokenKind::MetricIdentifier => return write!(f, "metric identifier {}", Quoted(word)),
            TokenKind::Keyword(_) => return write!(f, "<{word}>"),
            TokenKind::Operator(_) | TokenKind::At | TokenKind::RegexMatch | TokenKind::RegexNotMatch => {
                return write!(f, "<op:{word}>");
            }
            TokenKind::Aggregate(_) => return write!(f, "<aggr:{word}>"),
            TokenKind::Number => f.write_str("number ")?,
            TokenKind::Duration => f.write_str("duration ")?,
            TokenKind::String => f.write_str("string ")?,
            _ => {}
        }
        match word.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{}...", Quoted(&word[..end])),
            None => Quoted(word).fmt(f),
        }
    }
}
