//! PromQL: what an expression says, and what its functions make of samples. Pure: no storage, no runtime, no DataFusion.
//!
//! Owns: the language (lexer, syntax tree, parser, types, printing), and the meaning of functions, operators and aggregations
//! over values that are at hand.
//! Does not own: which series there are and where their samples come from, how a query is planned, run and limited (`query`).
//!
//! The reference is Prometheus 3.14 as it runs, not its source.

pub mod aggregate;
pub mod ast;
pub mod binary;
mod error;
pub mod functions;
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
mod sorting;
pub mod span;
mod summation;
mod token;
mod types;
pub mod value;

pub use error::ParseError;
pub use parser::{MAX_DEPTH, parse};
