//! The activity as it is read: filters, keyset pages in both directions, and who and which carts there are to choose from.
//! Nothing here depends on how many rows there are.

use crate::database::Pool;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CartRef, Event, What, sql};

/// Rows on one page.
pub const PAGE: i64 = 50;
/// Carts and people that a filter offers.
pub const OFFERED: i64 = 100;

/// Which rows are wanted. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub cart: Option<Uuid>,
    /// A person's id, or the kind of an actor that is none: `system`, `operator`, `stranger`.
    pub person: Option<String>,
    pub what: Option<What>,
    pub from: Option<OffsetDateTime>,
    /// The first moment that no longer counts.
    pub until: Option<OffsetDateTime>,
    /// Failed sign-ins too, which are for administrators alone.
    pub with_failed_sign_ins: bool,
}

impl Filter {
    /// Whether it asks for strangers alone, of whom there are failed sign-ins and nothing else.
    fn is_of_strangers(&self) -> bool {
        self.person.as_deref() == Some("stranger")
    }

    /// Whether nothing that it may show can match.
    pub(super) fn is_empty(&self) -> bool {
        self.is_of_strangers() && !self.with_failed_sign_ins
    }
}

/// Where a page begins or ends: the id of a row, which never goes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    #[default]
    Newest,
    OlderThan(Uuid),
    NewerThan(Uuid),
}

/// A row as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub id: Uuid,
    pub at: OffsetDateTime,
    /// `person`, `system`, `operator`, `stranger`, or what a newer version added.
    pub actor_kind: String,
    /// As they were called then.
    pub actor_name: String,
    /// Their address then; none for who is no person, and in old rows.
    pub actor_email: Option<String>,
    pub event: Happened,
    /// As it was called then.
    pub cart: Option<CartRef>,
    pub request_id: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// An event, or what is left of one that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    Known(Event<String>),
    Unknown { name: String, data: Value },
}

impl Happened {
    pub(super) fn of(name: String, data: Value) -> Self {
        match Event::from_parts(&name, &data) {
            Some(event) => Self::Known(event),
            None => Self::Unknown { name, data },
        }
    }
}

/// One page, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub rows: Vec<Recorded>,
    pub newer: Option<From>,
    pub older: Option<From>,
}

/// One page of what happened.
pub async fn list(pool: &Pool, filter: &Filter, from: From) -> sqlx::Result<Listed> {
    let mut connection = pool.acquire().await?;
    let mut rows = sql::list(&mut connection, filter, from, PAGE + 1).await?;
    drop(connection);
    let more = rows.len() > usize::try_from(PAGE).expect("a page is small");
    if more {
        rows.pop();
    }
    let backwards = matches!(from, From::NewerThan(_));
    if backwards {
        rows.reverse();
    }
    let has_newer = if backwards { more } else { from != From::Newest };
    let has_older = backwards || more;
    Ok(Listed {
        newer: rows.first().filter(|_| has_newer).map(|row| From::NewerThan(row.id)),
        older: rows.last().filter(|_| has_older).map(|row| From::OlderThan(row.id)),
        rows,
    })
}

/// The next rows of a download, newest first, behind `after`.
pub async fn batch(pool: &Pool, filter: &Filter, after: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Recorded>> {
    let mut connection = pool.acquire().await?;
    sql::list(&mut connection, filter, after.map_or(From::Newest, From::OlderThan), limit).await
}

/// Who ever did something, by the key of [`Filter::person`], as they were called last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorRef {
    pub key: String,
    pub kind: String,
    pub name: String,
    pub email: Option<String>,
}

/// What the filters offer, each in the order of its names, at most 100.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    pub people: Vec<ActorRef>,
    /// Deleted ones too; the newest carts if there are more.
    pub carts: Vec<CartRef>,
    /// Whether there are carts that are not offered.
    pub has_more_carts: bool,
}

/// People and carts to choose from; what is chosen already is always among them.
pub async fn offer(pool: &Pool, filter: &Filter) -> sqlx::Result<Offer> {
    let mut people = sql::list_people(pool, OFFERED).await?;
    let mut carts = sql::list_carts(pool, OFFERED + 1).await?;
    // Strangers do nothing but fail to sign in.
    people.retain(|one| filter.with_failed_sign_ins || one.kind != "stranger");
    let limit = usize::try_from(OFFERED).expect("an offer is small");
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
    Ok(Offer { people, carts, has_more_carts })
}
