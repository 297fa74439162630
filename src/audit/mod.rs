//! What happened: who did what, to which cart, before and after, never a secret. Written in the transaction of the change, so
//! that a change without its row does not happen; append-only by trigger.
//!
//! Knows no carts: ids and names travel as values.

mod actor;
mod event;
mod sql;

pub use actor::{Actor, By, Origin};
pub use event::{Change, Event};
pub use sql::{find_deletion, record};

/// The cart that an event is about, as it was called then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartRef {
    pub id: uuid::Uuid,
    pub name: String,
}

/// What is left of a deleted cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    pub name: String,
    pub by: String,
    pub at: time::OffsetDateTime,
}
