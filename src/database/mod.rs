//! How we reach Postgres.

#[cfg(feature = "embedded")]
pub mod embedded;
