//! The gate before DataFusion: which texts are planned at all, and what a plan may do.
//!
//! Owns: the caps on text, operators, nesting, common table expressions and lists; which statements and functions there
//! are; the caps on what a function may make out of its input.
//! Does not own: limits of time, memory, rows and concurrency (`run`).
//!
//! DataFusion dies of some texts (a stack that overflows, an allocation that no pool counts), and its planner cannot be
//! interrupted. So a text is weighed by its tokens, in linear time, before any parser or planner sees it.

mod capped;
mod functions;
mod plan;
mod statement;
mod text;

pub(crate) use functions::Functions;
pub(crate) use plan::{admit, literal_bytes};
pub(crate) use statement::parse;
