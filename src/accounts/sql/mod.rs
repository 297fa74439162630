//! SQL of users, sessions and one-time links.

mod links;
mod sessions;
mod users;

pub(super) use links::*;
pub(super) use sessions::*;
pub(super) use users::*;
