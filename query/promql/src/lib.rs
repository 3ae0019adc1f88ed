//! PromQL: what an expression says, and what its functions make of samples. Pure: no storage, no runtime, no DataFusion.
//!
//! Owns: the language (lexer, syntax tree, parser, types, printing), and the meaning of functions, operators and aggregations
//! over values that are at hand.
//! Does not own: which series there are and where their samples come from, how a query is planned, run and limited (`query`).
//!
//! The reference is Prometheus 3.14 as it runs, not its source.

pub mod ast;
mod error;
pub mod histogram;
mod json;
mod lexer;
pub mod note;
mod parser;
mod print;
mod quote;
pub mod signature;
pub mod span;
mod token;
mod types;
pub mod value;

pub use error::ParseError;
pub use parser::{MAX_DEPTH, parse, parse_selector};
