//! What happened: who did what, to which cart, before and after, never a secret. Written in the transaction of the change, so
//! that a change without its row does not happen; append-only by grant and by trigger. Read by the pages of the activity alone.
//!
//! Knows no carts: ids and names travel as values.

mod actor;
mod chain;
pub(crate) mod event;
mod fresh;
mod months;
mod permission;
mod reading;
mod refusal;
mod sql;
mod what;

pub use actor::{Actor, Authority, By, Origin};
pub use chain::{
    ChainFault, ChainHead, ChainHeadError, ChainReport, claim_head_report, find_chain_head, link_new_rows, verify,
};
pub use event::{Change, Event};
pub use fresh::Fresh;
pub use months::{ActivityKeep, DroppedMonth, drop_old_months, make_months};
pub use permission::{ABSOLUTE_MINUTES, IDLE_MINUTES, NotPermitted, Permission, demand, is_not_permitted};
pub use reading::{ActorRef, Filter, From, Happened, Listed, Offer, Recorded, batch, list, offer};
pub use refusal::record_refusal;
pub use sql::{find_deletion, record};
pub use what::What;

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
    /// Their account; `None` for who is no person.
    pub by_id: Option<uuid::Uuid>,
    pub at: time::OffsetDateTime,
}
