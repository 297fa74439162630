//! The audit's SQL: insert and select, nothing else. Each filter of the activity is a statement of its own, so that Postgres
//! plans each with its index; one statement with optional conditions would read the whole past for a rare person.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ActorRef, By, CartRef, Deletion, Event, Filter, From, Happened, Recorded};

/// Writes one row through the connection of the change, so that both are kept or neither.
pub async fn record(connection: &mut PgConnection, by: &By, cart: Option<&CartRef>, event: &Event) -> sqlx::Result<()> {
    let (name, data) = event.parts();
    sqlx::query!(
        "insert into audit_events (id, actor_kind, actor_id, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent, what)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        Uuid::now_v7(),
        by.actor.kind(),
        by.actor.id(),
        by.actor.name(),
        name,
        cart.map(|cart| cart.id),
        cart.map(|cart| cart.name.as_str()),
        data,
        by.origin.request_id,
        by.origin.ip,
        by.origin.user_agent,
        event.what().as_str(),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The end of a cart, if it has one.
pub async fn find_deletion(pool: &PgPool, cart: Uuid) -> sqlx::Result<Option<Deletion>> {
    sqlx::query_as!(
        Deletion,
        r#"select coalesce(cart_name, '') as "name!", actor_name as by, at from audit_events
           where cart_id = $1 and event = 'cart_deleted' limit 1"#,
        cart
    )
    .fetch_optional(pool)
    .await
}

struct Row {
    id: Uuid,
    at: OffsetDateTime,
    actor_kind: String,
    actor_name: String,
    event: String,
    cart_id: Option<Uuid>,
    cart_name: Option<String>,
    data: serde_json::Value,
    request_id: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

impl Row {
    fn into_recorded(self) -> Recorded {
        Recorded {
            id: self.id,
            at: self.at,
            actor_kind: self.actor_kind,
            actor_name: self.actor_name,
            event: Happened::of(self.event, self.data),
            cart: self.cart_id.map(|id| CartRef { id, name: self.cart_name.unwrap_or_default() }),
            request_id: self.request_id,
            ip: self.ip,
            user_agent: self.user_agent,
        }
    }
}

/// The two directions of one filter. $1 and $2 are the span of time, $3 and $4 the row that the page begins behind, $5 the limit.
macro_rules! select_page {
    ($pool:expr, $page:expr, $filter:literal $(, $value:expr)*) => {
        if $page.is_backwards {
            sqlx::query_as!(
                Row,
                "select id, at, actor_kind, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent from audit_events
                 where at >= $1 and at < $2 and (at, id) > ($3, $4)" + $filter + " order by at, id limit $5",
                $page.from, $page.until, $page.at, $page.id, $page.limit $(, $value)*
            )
            .fetch_all($pool)
            .await
        } else {
            sqlx::query_as!(
                Row,
                "select id, at, actor_kind, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent from audit_events
                 where at >= $1 and at < $2 and (at, id) < ($3, $4)" + $filter + " order by at desc, id desc limit $5",
                $page.from, $page.until, $page.at, $page.id, $page.limit $(, $value)*
            )
            .fetch_all($pool)
            .await
        }
    };
}

struct Page {
    is_backwards: bool,
    from: OffsetDateTime,
    until: OffsetDateTime,
    at: OffsetDateTime,
    id: Uuid,
    limit: i64,
}

/// Before and after everything that was ever recorded.
const FIRST: OffsetDateTime = time::macros::datetime!(0001-01-01 00:00 UTC);
const LAST: OffsetDateTime = time::macros::datetime!(9999-12-31 00:00 UTC);

/// Rows of a filter: newest first, or oldest first where the page stands before a row.
pub(super) async fn list(pool: &PgPool, filter: &Filter, from: From, limit: i64) -> sqlx::Result<Vec<Recorded>> {
    let (is_backwards, cursor) = match from {
        From::Newest => (false, None),
        From::OlderThan(id) => (false, Some(id)),
        From::NewerThan(id) => (true, Some(id)),
    };
    let (at, id) = match cursor {
        Some(id) => {
            match sqlx::query_scalar!("select at from audit_events where id = $1", id).fetch_optional(pool).await? {
                Some(at) => (at, id),
                None => return Ok(Vec::new()),
            }
        }
        None => (LAST, Uuid::max()),
    };
    let (from, until) = (filter.from.unwrap_or(FIRST), filter.until.unwrap_or(LAST));
    let page = Page { is_backwards, from, until, at, id, limit };
    let rows = match (filter.cart, filter.person.as_deref(), filter.what.map(super::What::as_str)) {
        (None, None, None) => select_page!(pool, page, ""),
        (None, None, Some(what)) => select_page!(pool, page, " and what = $6", what),
        (None, Some(person), None) => {
            select_page!(pool, page, " and coalesce(actor_id::text, actor_kind) = $6", person)
        }
        (None, Some(person), Some(what)) => {
            select_page!(pool, page, " and coalesce(actor_id::text, actor_kind) = $6 and what = $7", person, what)
        }
        (Some(cart), None, None) => select_page!(pool, page, " and cart_id = $6", cart),
        (Some(cart), None, Some(what)) => select_page!(pool, page, " and cart_id = $6 and what = $7", cart, what),
        (Some(cart), Some(person), None) => {
            select_page!(pool, page, " and cart_id = $6 and coalesce(actor_id::text, actor_kind) = $7", cart, person)
        }
        (Some(cart), Some(person), Some(what)) => {
            select_page!(
                pool,
                page,
                " and cart_id = $6 and coalesce(actor_id::text, actor_kind) = $7 and what = $8",
                cart,
                person,
                what
            )
        }
    }?;
    Ok(rows.into_iter().map(Row::into_recorded).collect())
}

/// Everybody who ever did something, with their newest name: from one to the next through the index, never through the rows.
pub(super) async fn list_people(pool: &PgPool, limit: i64) -> sqlx::Result<Vec<ActorRef>> {
    sqlx::query_as!(
        ActorRef,
        r#"
        with recursive people (key) as (
            (select coalesce(actor_id::text, actor_kind) from audit_events order by coalesce(actor_id::text, actor_kind) limit 1)
            union all
            select (select coalesce(actor_id::text, actor_kind) from audit_events
                    where coalesce(actor_id::text, actor_kind) > people.key order by coalesce(actor_id::text, actor_kind) limit 1)
            from people where people.key is not null
        )
        select people.key as "key!", newest.actor_kind as "kind!", newest.actor_name as "name!"
        from (select key from people where key is not null limit $1) people
        cross join lateral (
            select actor_kind, actor_name from audit_events
            where coalesce(actor_id::text, actor_kind) = people.key order by at desc, id desc limit 1
        ) newest
        "#,
        limit
    )
    .fetch_all(pool)
    .await
}

/// The carts that something happened to, newest first, deleted ones too, each with its newest name.
pub(super) async fn list_carts(pool: &PgPool, limit: i64) -> sqlx::Result<Vec<CartRef>> {
    sqlx::query_as!(
        CartRef,
        r#"
        with recursive carts (id) as (
            (select cart_id from audit_events where cart_id is not null order by cart_id desc limit 1)
            union all
            select (select cart_id from audit_events where cart_id is not null and cart_id < carts.id order by cart_id desc limit 1)
            from carts where carts.id is not null
        )
        select carts.id as "id!", newest.cart_name as "name!"
        from (select id from carts where id is not null limit $1) carts
        cross join lateral (
            select coalesce(cart_name, '') as cart_name from audit_events
            where cart_id = carts.id order by at desc, id desc limit 1
        ) newest
        "#,
        limit
    )
    .fetch_all(pool)
    .await
}

/// A cart as it was called last.
pub(super) async fn find_cart(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        r#"select cart_id as "id!", coalesce(cart_name, '') as "name!" from audit_events
           where cart_id = $1 order by at desc, id desc limit 1"#,
        id
    )
    .fetch_optional(pool)
    .await
}

/// Somebody as they were called last.
pub(super) async fn find_person(pool: &PgPool, key: &str) -> sqlx::Result<Option<ActorRef>> {
    sqlx::query_as!(
        ActorRef,
        r#"select coalesce(actor_id::text, actor_kind) as "key!", actor_kind as kind, actor_name as name from audit_events
           where coalesce(actor_id::text, actor_kind) = $1 order by at desc, id desc limit 1"#,
        key
    )
    .fetch_optional(pool)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Change;

    #[sqlx::test]
    async fn rows_are_kept_and_nobody_changes_them(pool: PgPool) {
        let mut connection = pool.acquire().await.expect("connection");
        let changes = vec![Change { field: "Website Name", before: "Old".into(), after: "New".into() }];
        let cart = CartRef { id: Uuid::now_v7(), name: "New".into() };
        record(&mut connection, &By::operator(), Some(&cart), &Event::CartChanged { changes }).await.expect("recorded");
        let (event, data): (String, serde_json::Value) =
            sqlx::query_as("select event, data from audit_events").fetch_one(&pool).await.expect("row");
        assert_eq!(event, "cart_changed");
        assert_eq!(data["changes"][0]["before"], "Old");
        for change in ["update audit_events set event = 'x'", "delete from audit_events", "truncate audit_events"] {
            assert!(sqlx::query(change).execute(&pool).await.is_err(), "{change}");
        }
    }
}
