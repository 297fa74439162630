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
    ($connection:expr, $page:expr, $filter:literal $(, $value:expr)*) => {
        if $page.is_backwards {
            sqlx::query_as!(
                Row,
                "select id, at, actor_kind, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent from audit_events
                 where at >= $1 and at < $2 and (at, id) > ($3, $4)" + $filter + " order by at, id limit $5",
                $page.from, $page.until, $page.at, $page.id, $page.limit $(, $value)*
            )
            .fetch_all(&mut *$connection)
            .await
        } else {
            sqlx::query_as!(
                Row,
                "select id, at, actor_kind, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent from audit_events
                 where at >= $1 and at < $2 and (at, id) < ($3, $4)" + $filter + " order by at desc, id desc limit $5",
                $page.from, $page.until, $page.at, $page.id, $page.limit $(, $value)*
            )
            .fetch_all(&mut *$connection)
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
pub(super) async fn list(
    connection: &mut PgConnection,
    filter: &Filter,
    from: From,
    limit: i64,
) -> sqlx::Result<Vec<Recorded>> {
    let (is_backwards, cursor) = match from {
        From::Newest => (false, None),
        From::OlderThan(id) => (false, Some(id)),
        From::NewerThan(id) => (true, Some(id)),
    };
    let (at, id) = match cursor {
        Some(id) => match find_moment(connection, id).await? {
            Some(at) => (at, id),
            None => return Ok(Vec::new()),
        },
        None => (LAST, Uuid::max()),
    };
    let (from, until) = (filter.from.unwrap_or(FIRST), filter.until.unwrap_or(LAST));
    let page = Page { is_backwards, from, until, at, id, limit };
    let rows = match (filter.cart, filter.person.as_deref(), filter.what.map(super::What::as_str)) {
        (None, None, None) => select_page!(connection, page, ""),
        (None, None, Some(what)) => select_page!(connection, page, " and what = $6", what),
        (None, Some(person), None) => {
            select_page!(connection, page, " and coalesce(actor_id::text, actor_kind) = $6", person)
        }
        (None, Some(person), Some(what)) => {
            select_page!(connection, page, " and coalesce(actor_id::text, actor_kind) = $6 and what = $7", person, what)
        }
        (Some(cart), None, None) => select_page!(connection, page, " and cart_id = $6", cart),
        (Some(cart), None, Some(what)) => select_page!(connection, page, " and cart_id = $6 and what = $7", cart, what),
        (Some(cart), Some(person), None) => {
            select_page!(
                connection,
                page,
                " and cart_id = $6 and coalesce(actor_id::text, actor_kind) = $7",
                cart,
                person
            )
        }
        (Some(cart), Some(person), Some(what)) => {
            select_page!(
                connection,
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

async fn find_moment(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select at from audit_events where id = $1", id).fetch_optional(connection).await
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
    use crate::audit::{Change, What};

    /// Why Postgres refused a statement.
    async fn refusal(pool: &PgPool, statement: &'static str) -> String {
        let refused = sqlx::query(statement).execute(pool).await.expect_err(statement);
        refused.as_database_error().and_then(sqlx::error::DatabaseError::code).expect("a code").into_owned()
    }

    const CHANGES: [&str; 3] =
        ["update audit_events set event = 'x'", "delete from audit_events", "truncate audit_events"];

    #[sqlx::test]
    async fn rows_are_kept_and_nobody_changes_them(pool: PgPool) {
        let mut connection = pool.acquire().await.expect("connection");
        let changes = vec![Change { field: "Website Name", before: "Old".into(), after: "New".into() }];
        let cart = CartRef { id: Uuid::now_v7(), name: "New".into() };
        record(&mut connection, &By::operator(), Some(&cart), &Event::CartChanged { changes }).await.expect("recorded");
        let (event, data, what): (String, serde_json::Value, String) =
            sqlx::query_as("select event, data, what from audit_events").fetch_one(&pool).await.expect("row");
        assert_eq!((event.as_str(), what.as_str()), ("cart_changed", "carts"));
        assert_eq!(data["changes"][0]["before"], "Old");
        for change in CHANGES {
            assert_eq!(refusal(&pool, change).await, "42501", "our role may not: {change}");
        }
        // The second lock alone: with the right given back, the trigger still refuses everybody.
        sqlx::query("grant update, delete, truncate on audit_events to current_user")
            .execute(&pool)
            .await
            .expect("granted");
        for change in CHANGES {
            assert_eq!(refusal(&pool, change).await, "23001", "nobody may: {change}");
        }
    }

    /// 20,000 rows: one cart and one person of which nearly everything tells, and ten oldest rows of another cart, person, group.
    async fn long_past(pool: &PgPool) -> (Uuid, Uuid) {
        let (often, rarely) = (Uuid::from_u128(1), Uuid::from_u128(2));
        sqlx::query(
            "insert into audit_events (id, at, actor_kind, actor_id, actor_name, event, cart_id, cart_name, what)
             select gen_random_uuid(), now() - n * interval '1 minute', 'person',
                case when n > 19990 or n % 5000 = 0 then $2 else $1 end, 'Somebody', 'cart_turned_on',
                case when n > 19990 or n % 4999 = 0 then $2 else $1 end, 'Cart',
                case when n > 19990 then 'integration' when n % 3000 = 0 then 'carts' else 'tests' end
             from generate_series(1, 20000) n",
        )
        .bind(often)
        .bind(rarely)
        .execute(pool)
        .await
        .expect("rows");
        sqlx::query("analyze audit_events").execute(pool).await.expect("analyzed");
        (often, rarely)
    }

    /// Rows that this session has read so far, by the database's own count.
    async fn read_so_far(connection: &mut PgConnection) -> i64 {
        let read = "select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
                    from pg_stat_xact_user_tables where relname = 'audit_events'";
        sqlx::query_scalar(read).fetch_one(connection).await.expect("counted")
    }

    /// The rows of a page, and how many were read for it.
    async fn read_by(pool: &PgPool, filter: &Filter, from: From) -> (usize, i64) {
        let mut transaction = pool.begin().await.expect("begun");
        let before = read_so_far(&mut transaction).await;
        let rows = list(&mut transaction, filter, from, 51).await.expect("a page");
        (rows.len(), read_so_far(&mut transaction).await - before)
    }

    #[sqlx::test]
    async fn a_page_reads_its_own_rows_however_long_the_past_is(pool: PgPool) {
        let (often, rarely) = long_past(&pool).await;
        let middle: Uuid = sqlx::query_scalar("select id from audit_events order by at limit 1 offset 10000")
            .fetch_one(&pool)
            .await
            .expect("a row");
        let some = |id: Uuid| [None, Some(id)];
        let mut filters = vec![Filter { what: Some(What::Integration), ..Filter::default() }];
        for cart in [some(often), some(rarely)].concat() {
            for person in [some(often), some(rarely)].concat() {
                for what in [None, Some(What::Carts), Some(What::Integration)] {
                    // All three at once go by two of them: no index for each triple.
                    if cart.is_none() || person.is_none() || what.is_none() {
                        let person = person.map(|id| id.to_string());
                        filters.push(Filter { cart, person, what, ..Filter::default() });
                    }
                }
            }
        }
        for filter in &filters {
            for from in [From::Newest, From::OlderThan(middle), From::NewerThan(middle)] {
                let (rows, read) = read_by(&pool, filter, from).await;
                assert!(
                    (rows..=60).contains(&usize::try_from(read).expect("more and more")),
                    "{rows} rows by reading {read}: {filter:?} {from:?}"
                );
            }
        }
        assert_eq!(read_by(&pool, &filters[0], From::Newest).await.0, 10);
    }

    #[sqlx::test]
    async fn the_filters_offer_everybody_and_every_cart_without_reading_the_past(pool: PgPool) {
        long_past(&pool).await;
        let (people, carts) =
            (list_people(&pool, 100).await.expect("people"), list_carts(&pool, 100).await.expect("carts"));
        assert_eq!((people.len(), carts.len()), (2, 2), "{people:?} {carts:?}");
        assert_eq!(carts[0].id, Uuid::from_u128(2), "the newest first");
        for (offered, kept) in
            [(list_people(&pool, 1).await.expect("one").len(), 1), (list_carts(&pool, 1).await.expect("one").len(), 1)]
        {
            assert_eq!(offered, kept);
        }
    }
}
