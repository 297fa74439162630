//! Version 1 of the API: one file per resource. [`table`] lists every endpoint, and the OpenAPI document is generated from
//! it. Fields and endpoints may be added; none is removed or renamed.

pub mod carts;
pub mod changes;
pub mod checks;
pub mod endpoint;
pub mod key;
pub mod openapi;
pub mod table;
pub mod token;
mod token_problem;
