//! The only place that knows how we are served.

pub mod admin;
pub mod assets;
pub mod error;
pub mod fields;
pub mod filters;
pub mod help;
#[cfg(test)]
pub(crate) mod samples;
pub mod set_up;
pub mod shell;
pub mod sign_in;
