//! The only place that knows how we are served.

pub mod admin;
pub mod assets;
pub mod error;
pub mod fields;
pub mod filters;
pub mod form;
mod gate;
pub mod guard;
mod headers;
pub mod help;
mod local_path;
mod page;
mod probes;
#[cfg(test)]
pub(crate) mod samples;
pub mod server;
pub mod session;
pub mod set_up;
pub mod shell;
pub mod sign_in;
mod stream;
mod trace;
