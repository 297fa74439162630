//! practice/mod
