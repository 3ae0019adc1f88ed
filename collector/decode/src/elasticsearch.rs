//! Documents that are pushed to Elasticsearch as rows of logs.
//!
//! Owns: the format of bulk requests ([`bulk`]), which field of a document becomes which column, which documents are refused
//! and why.
//! Does not own: compression ([`crate::body`]), headers and answers (`collector`), which columns fields of a resource become
//! ([`model::Resource`]).
//!
//! docs/logs.md has what becomes of each field.

pub mod bulk;
mod document;
mod fields;
mod resource;
mod time;
