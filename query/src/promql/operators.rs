//! The operators of PromQL, one family a file. Each is an [`super::node::Operator`].

pub(super) mod absent;
pub(super) mod aggregate;
pub(super) mod binary;
pub(super) mod count_values;
pub(super) mod elementwise;
pub(super) mod histogram;
pub(super) mod info;
pub(super) mod labels;
pub(super) mod pick;
pub(super) mod quantile;
pub(super) mod scalar;
pub(super) mod sets;
pub(super) mod subquery;
