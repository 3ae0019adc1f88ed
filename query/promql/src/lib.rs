//! PromQL: what an expression says, and what its functions make of samples. Pure: no storage, no runtime, no DataFusion.
//!
//! Owns: the language (lexer, syntax tree, parser, types, printing), and the meaning of functions, operators and aggregations
//! over values that are at hand.
//! Does not own: which series there are and where their samples come from, how a query is planned, run and limited (`query`).
//!
//! The reference is Prometheus 3.14 as it runs, not its source.

pub mod aggregate;
pub mod binary;
pub mod functions;
pub mod histogram;
pub mod labels;
pub mod matching;
pub mod note;
pub mod number;
pub mod presence;
mod quantile;
mod sorting;
pub mod span;
mod summation;
pub mod value;
