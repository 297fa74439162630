//! The only place that knows how we are served.

pub mod admin;
pub mod assets;
pub mod fields;
pub mod filters;
pub mod shell;
pub mod sign_in;
