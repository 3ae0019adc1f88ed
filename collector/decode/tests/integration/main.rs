//! Tests of the crate from outside: behaviour as text, properties, damaged and hostile bodies.

mod bombs;
mod cases;
mod corpus;
mod damaged;
mod prometheus;
mod reference;
mod round_trip;
mod samples;
