//! The seeds of the fuzz target, and drawn changes of them, as plain tests.
