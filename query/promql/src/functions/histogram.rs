//! Functions over one histogram, native or classic.

pub mod classic;
pub mod fraction;
pub mod moments;
pub mod quantile;
