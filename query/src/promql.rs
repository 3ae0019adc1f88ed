//! PromQL inside DataFusion: an expression becomes plan nodes that hand step batches to each other.
//!
//! Owns: how an expression is planned (`planner`), the operators, the scan of series, what becomes the answer, the function
//! of SQL (`table`).
//! Does not own: the language and the meaning of its functions (the crate `promql`), where and how long a query runs
//! (`engine`, `run`), the HTTP API (`http::prometheus`).

mod answer;
mod batch;
mod cells;
mod evaluate;
mod histogram_json;
pub(crate) mod labels;
mod limits;
pub(crate) mod missing;
mod node;
mod once;
mod operators;
mod planner;
mod question;
mod ranges;
mod raw;
mod remarks;
mod replicas;
mod scalars;
mod scan;
pub(crate) mod selection;
mod steps;
mod table;
mod tiles;

pub(crate) use answer::{Answer, AnswerValue, Point, Stats};
pub(crate) use histogram_json::push_histogram;
pub(crate) use planner::plan;
pub(crate) use question::{Failure, MAX_STEPS, Query, Question};
pub(crate) use ranges::{RangeRow, rows};
pub(crate) use raw::{Asked, RawQuestion};
pub use remarks::Annotations;
pub(crate) use scan::synthetic_series;
pub(crate) use table::{Footing, PromqlFunction, TABLE_FUNCTION};
