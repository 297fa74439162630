//! SQL of users, sessions and one-time links.

pub(super) mod links;
pub(super) mod sessions;
pub(super) mod users;
