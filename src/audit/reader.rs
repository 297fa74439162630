//! Reads the audit log for the activity pages: filters, keyset pages in both directions, and the users and carts that
//! the filters offer. The cost does not depend on the number of rows.

use crate::database::Pool;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CartRef, Event, What, sql};

/// Rows per page.
pub const PAGE: i64 = 50;
/// Maximum number of carts and of users offered by a filter.
pub const CHOICES_MAX: i64 = 100;

/// Which rows to list. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub cart: Option<Uuid>,
    /// A user's ID, or the kind of another actor: `system`, `operator` or `stranger`.
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
    /// `person`, `system`, `operator`, `stranger`, or a kind that a newer version added.
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

/// Lists one page.
pub async fn list(pool: &Pool, filter: &AuditFilter, from: AuditCursor) -> sqlx::Result<AuditPage> {
    let mut connection = pool.acquire().await?;
    let mut rows = sql::list(&mut connection, filter, from, PAGE + 1).await?;
    drop(connection);
    let more = rows.len() > usize::try_from(PAGE).expect("a page is small");
    if more {
        rows.pop();
    }
    let backwards = matches!(from, AuditCursor::NewerThan(_));
    if backwards {
        rows.reverse();
    }
    let has_newer = if backwards { more } else { from != AuditCursor::Newest };
    let has_older = backwards || more;
    Ok(AuditPage {
        newer: rows.first().filter(|_| has_newer).map(|row| AuditCursor::NewerThan(row.id)),
        older: rows.last().filter(|_| has_older).map(|row| AuditCursor::OlderThan(row.id)),
        rows,
    })
}

/// Returns the next rows of an export, following `after`, newest first.
pub async fn batch(
    pool: &Pool,
    filter: &AuditFilter,
    after: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<AuditRecord>> {
    let mut connection = pool.acquire().await?;
    sql::list(&mut connection, filter, after.map_or(AuditCursor::Newest, AuditCursor::OlderThan), limit).await
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

/// Returns the users and carts that the filters offer. The current selection is always among them.
pub async fn offer(pool: &Pool, filter: &AuditFilter) -> sqlx::Result<FilterChoices> {
    let mut people = sql::list_people(pool, CHOICES_MAX).await?;
    let mut carts = sql::list_carts(pool, CHOICES_MAX + 1).await?;
    // Strangers cause only failed sign-ins.
    people.retain(|one| filter.with_failed_sign_ins || one.kind != "stranger");
    let limit = usize::try_from(CHOICES_MAX).expect("an offer is small");
    let has_more_carts = carts.len() > limit;
    carts.truncate(limit);
    if let Some(id) = filter.cart.filter(|id| carts.iter().all(|cart| cart.id != *id))
        && let Some(chosen) = sql::find_cart(pool, id).await?
    {
        carts.push(chosen);
    }
    if let Some(key) =
        filter.person.as_deref().filter(|key| !filter.is_of_strangers() && people.iter().all(|one| one.key != *key))
        && let Some(chosen) = sql::find_person(pool, key).await?
    {
        people.push(chosen);
    }
    people.sort_by_key(|one| (one.kind != "person", one.name.to_lowercase()));
    carts.sort_by_key(|cart| cart.name.to_lowercase());
    Ok(FilterChoices { people, carts, has_more_carts })
}
