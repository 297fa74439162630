//! vault/mod
