//! accounts/mod
