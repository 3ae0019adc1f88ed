//! Columns of trace and span ids.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};

/// Ids of `N` bytes, some of which may not be there.
#[derive(Default)]
pub(crate) struct Ids<const N: usize>(BinaryBuilder);

impl<const N: usize> Ids<N> {
    /// Adds an id; one of zeros is none.
    pub(crate) fn push(&mut self, id: &[u8; N]) {
        if *id == [0; N] { self.0.append_null() } else { self.0.append_value(id) }
    }

    /// Adds an id, whatever it is.
    pub(crate) fn push_any(&mut self, id: &[u8; N]) {
        self.0.append_value(id);
    }

    /// The column so far; starts the next.
    pub(crate) fn take(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}
