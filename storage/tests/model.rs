//! The property test of the write path: what DESIGN.md section 5 promises, as an executable model.
//!
//! `reference` says what must hold after any history, knowing nothing of how it is done. `protocol` is the write path of
//! the design in the abstract; its tests show that the design's rules imply the promises and that each rule is needed.
//! `driver` runs the real store through the `histories` on a simulated disk, and compares it with the same reference.
//!
//! `MODEL_SEED` replays the run that a failure names; `PROPTEST_CASES` sets how many histories are drawn.

#[path = "model/check.rs"]
mod check;
#[path = "model/columnar.rs"]
mod columnar;
#[path = "model/columnar_read.rs"]
mod columnar_read;
#[path = "model/driver.rs"]
mod driver;
#[path = "model/histories.rs"]
mod histories;
#[path = "model/life.rs"]
mod life;
#[path = "model/protocol.rs"]
mod protocol;
#[path = "model/protocol_tests.rs"]
mod protocol_tests;
#[path = "model/read.rs"]
mod read;
#[path = "model/reference.rs"]
mod reference;
#[path = "model/sender.rs"]
mod sender;
#[path = "model/series.rs"]
mod series;
