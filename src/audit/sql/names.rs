//! Users and carts that the audit log names, including deleted ones.

use uuid::Uuid;

use crate::{
    audit::{ActorRef, CartRef},
    database::Pool,
};

/// All actors with their latest name. Uses a loose index scan: it visits one index entry per actor, not every row.
pub(in crate::audit) async fn list_people(pool: &Pool, limit: i64) -> sqlx::Result<Vec<ActorRef>> {
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
        select people.key as "key!", newest.actor_kind as "kind!", newest.actor_name as "name!",
            newest.actor_email as email
        from (select key from people where key is not null limit $1) people
        cross join lateral (
            select actor_kind, actor_name, actor_email from audit_events
            where coalesce(actor_id::text, actor_kind) = people.key order by at desc, id desc limit 1
        ) newest
        "#,
        limit
    )
    .fetch_all(pool)
    .await
}

/// All carts with events, newest first, including deleted ones, each with its latest name.
pub(in crate::audit) async fn list_carts(pool: &Pool, limit: i64) -> sqlx::Result<Vec<CartRef>> {
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

/// A cart with its latest name.
pub(in crate::audit) async fn find_cart(pool: &Pool, id: Uuid) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        r#"select cart_id as "id!", coalesce(cart_name, '') as "name!" from audit_events
           where cart_id = $1 order by at desc, id desc limit 1"#,
        id
    )
    .fetch_optional(pool)
    .await
}

/// An actor with the latest name.
pub(in crate::audit) async fn find_person(pool: &Pool, key: &str) -> sqlx::Result<Option<ActorRef>> {
    sqlx::query_as!(
        ActorRef,
        r#"select coalesce(actor_id::text, actor_kind) as "key!", actor_kind as kind, actor_name as name,
               actor_email as email from audit_events
           where coalesce(actor_id::text, actor_kind) = $1 order by at desc, id desc limit 1"#,
        key
    )
    .fetch_optional(pool)
    .await
}
