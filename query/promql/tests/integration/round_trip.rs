//! Drawn trees are printed and read back.
