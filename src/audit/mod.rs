//! Audit log: who did what, to which cart, before and after; never a secret. Events are written in the transaction of
//! the change, so that no change happens without its event. Append-only by grants and by triggers. Only the activity
//! pages read it.
//!
//! Knows nothing about carts: IDs and names are passed as values.

mod actor;
mod chain;
pub(crate) mod event;
mod event_group;
mod fresh;
mod months;
mod permission;
mod reader;
mod recording;
mod refusal;
mod sql;

pub use actor::{ABSOLUTE_MINUTES, Actor, Authority, By, IDLE_MINUTES, Origin};
pub use chain::{
    ChainFault, ChainHead, ChainHeadError, ChainReport, claim_head_report, find_chain_head, link_new_rows, verify,
};
pub use event::{Change, Event};
pub use event_group::What;
pub use fresh::{Confirmation, Fresh, WriteScope};
pub use months::{ActivityKeep, DroppedMonth, drop_old_months, make_months};
pub use permission::{NotPermitted, RequiredRole, demand, is_not_permitted};
pub use reader::{
    ActorRef, AuditCursor, AuditEvent, AuditFilter, AuditPage, AuditRecord, FilterChoices, batch, list, offer,
};
pub use recording::{record, record_past_uses};
pub use refusal::record_refusal;
pub use sql::events::{find_deletion, was_rotated_to};

/// The cart of an event, with its name at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartRef {
    pub id: uuid::Uuid,
    pub name: String,
}

/// The recorded deletion of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartDeletion {
    pub name: String,
    pub by: String,
    /// The account of the user; `None` for other actors.
    pub by_id: Option<uuid::Uuid>,
    pub at: time::OffsetDateTime,
}
