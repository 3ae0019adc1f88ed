//! PromQL: what an expression says, and what its functions make of samples. Pure: no storage, no runtime, no DataFusion.
//!
//! Owns: the language (lexer, syntax tree, parser, types, printing), and the meaning of functions, operators and aggregations
//! over values that are at hand.
//! Does not own: which series there are and where their samples come from, how a query is planned, run and limited (`query`).
//!
//! The reference is Prometheus 3.14 as it runs, not its source.
//!
//! # What is where, in the order of reading
//!
//! | | |
//! |---|---|
//! | [`ast`], [`span`] | the tree of an expression, and where in the text each part of it stands |
//! | `lexer`, `token`, `parser`, `types`, [`signature`] | from a text to a tree whose types fit: [`parse`] |
//! | `print`, `json` | from a tree to a text that reads back as the same, and to what an API shows of it |
//! | [`value`], [`histogram`], [`labels`], [`presence`] | what there is to calculate with: samples, windows of them, rows of steps |
//! | [`functions`] | what functions make of a number, a window, a histogram or labels; one family is one file |
//! | [`binary`], [`matching`] | what operators make of two values, and which elements of two vectors meet |
//! | [`aggregate`] | what aggregations make of a group |
//! | [`note`] | the warnings and infos that all of these leave |
//! | [`number`], `quote` | numbers and texts in the letters of Prometheus |
//! | `summation`, `quantile`, `go_sort` | the arithmetic that functions and aggregations share |
//!
//! # Where the language is not that of Prometheus
//!
//! | Prometheus | here |
//! |---|---|
//! | asks for a number before the colon of `[step():1m]` | reads it |
//! | takes escapes that say bytes which are no UTF-8: `"\xff"` | refuses them, labels are UTF-8 |
//! | takes `NaN` as a duration, for minus 292 years | refuses it |
//! | tells in Go's words what is wrong with a regular expression | in others; what is left of differences is told in [`model::go_regex`] |
//! | nests as deep as there is memory | as deep as [`MAX_DEPTH`] |
//! | prints `a offset +(5m) + b`, `a offset (5m) @ 3 + b`, `a offset --5m + 3`, `Inf ^ 2`, `1s1ms` and `info(a, {})` such that it reads something else or nothing back | prints what it reads back |
//! | fails to show the tree of `a + fill (Inf) b` | shows it, with a string |
//! | tells an unknown function | tells the names that are alike too |
//! | tells that a subquery is of a range vector once all is read | at once |

pub mod aggregate;
pub mod ast;
pub mod binary;
mod error;
pub mod functions;
mod go_sort;
pub mod histogram;
mod json;
pub mod labels;
mod lexer;
pub mod matching;
pub mod note;
pub mod number;
mod parser;
pub mod presence;
mod print;
mod quantile;
mod quote;
pub mod signature;
pub mod span;
mod summation;
mod token;
mod types;
pub mod value;

pub use error::ParseError;
pub use parser::{MAX_DEPTH, parse, parse_selector};
