//! The settings: `CARTWRIGHT_*` variables and the flags of `cartwright serve`. The only place that reads the environment. All
//! of it is checked before the port opens, and every problem is reported at once, each with its variable.

mod database;
mod database_url;
mod flags;
mod keys;
mod outbound;
mod problems;
mod serve;
mod site;

use crate::pasted;

pub use database::Database;
pub use database_url::is_unverified;
pub use flags::{DatabaseFlags, KeyFlags, ReadyFlags, ServeFlags};
pub use problems::{Problem, Problems};
pub use serve::ServeConfig;
pub use site::{DEFAULT_PRODUCT_NAME, PublicUrl};

/// An empty variable is one that is not set: compose files write them that way.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(|value| pasted::trim(value)).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
