//! SQL of keys, by table.

pub mod keys;
pub mod uses;
