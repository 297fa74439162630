//! The editor of a cart, in three layers: what is typed, what is drawn, and the handlers. Each uses only those before it.

pub mod form_state;
pub mod submit;
pub mod view;
