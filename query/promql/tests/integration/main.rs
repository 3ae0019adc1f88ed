//! The language as a whole: what is read, refused and printed.

mod cases;
mod corpus;
mod hostile;
mod reference;
mod round_trip;
