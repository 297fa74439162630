//! Reads the audit log for the activity pages: filters, keyset pages in both directions, and the users and carts that
//! the filters offer. The cost does not depend on the number of rows. `queries` has the reads.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CartRef, Event, What};

mod queries;

pub use queries::{batch, list, offer};

/// Rows per page.
pub const PAGE: i64 = 50;
/// Maximum number of carts and of users offered by a filter.
pub const CHOICES_MAX: i64 = 100;

/// Which rows to list. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub cart: Option<Uuid>,
    /// The ID of a user or of a program's key, or the kind of another actor: `system`, `operator` or `stranger`.
    pub person: Option<String>,
    pub what: Option<What>,
    pub from: Option<OffsetDateTime>,
    /// Exclusive end of the time range.
    pub until: Option<OffsetDateTime>,
    /// Whether to include failed sign-ins, which only administrators may see.
    pub with_failed_sign_ins: bool,
}

impl AuditFilter {
    /// Whether the filter selects strangers only. Their only events are failed sign-ins.
    fn is_of_strangers(&self) -> bool {
        self.person.as_deref() == Some("stranger")
    }

    /// Whether no visible row can match.
    pub(super) fn is_empty(&self) -> bool {
        self.is_of_strangers() && !self.with_failed_sign_ins
    }
}

/// A page boundary: the ID of a row. The page is empty if the row's month was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditCursor {
    #[default]
    Newest,
    OlderThan(Uuid),
    NewerThan(Uuid),
}

/// A stored row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    pub id: Uuid,
    pub at: OffsetDateTime,
    /// `person`, `program`, `system`, `operator`, `stranger`, or a kind that a newer version added.
    pub actor_kind: String,
    /// The actor's name when the event was recorded.
    pub actor_name: String,
    /// The actor's address when the event was recorded; `None` if the actor is not a user, and in old rows.
    pub actor_email: Option<String>,
    pub event: AuditEvent,
    /// The cart, with its name when the event was recorded.
    pub cart: Option<CartRef>,
    pub request_id: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// An event, or the raw data of an event that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditEvent {
    Known(Event<String>),
    Unknown { name: String, data: Value },
}

impl AuditEvent {
    pub(super) fn of(name: String, data: Value) -> Self {
        match Event::from_parts(&name, &data) {
            Some(event) => Self::Known(event),
            None => Self::Unknown { name, data },
        }
    }
}

/// One page, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    pub rows: Vec<AuditRecord>,
    pub newer: Option<AuditCursor>,
    pub older: Option<AuditCursor>,
}

/// An actor, identified by the key of [`AuditFilter::person`], with the latest name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorRef {
    pub key: String,
    pub kind: String,
    pub name: String,
    pub email: Option<String>,
}

/// The options of the filters, each list sorted by name and limited to 100.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterChoices {
    pub people: Vec<ActorRef>,
    /// Includes deleted carts; only the newest carts if there are more.
    pub carts: Vec<CartRef>,
    /// Whether there are more carts than the list contains.
    pub has_more_carts: bool,
}
