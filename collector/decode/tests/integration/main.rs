//! Tests of the crate from outside: behaviour as text, properties, damaged and hostile bodies.

mod cases;
mod damaged;
mod prometheus;
mod reference;
mod round_trip;
mod samples;
