//! SQL of the audit log: insert and select only.

mod chain;
mod months;
mod names;
mod page;

use crate::database::{Connection, Pool};
use uuid::Uuid;

use super::{ABSOLUTE_MINUTES, By, CartDeletion, CartRef, Event, IDLE_MINUTES, demand};
pub(super) use chain::*;
pub(super) use months::*;
pub(super) use names::{find_cart, find_person, list_carts, list_people};
pub(super) use page::list;

/// Writes one row on the connection of the change, so that both are committed or neither.
///
/// # Errors
/// [`NotPermitted`](super::NotPermitted) if the user may no longer make this change.
pub async fn record(connection: &mut Connection, by: &By, cart: Option<&CartRef>, event: &Event) -> sqlx::Result<()> {
    demand(connection, by, event.permission()).await?;
    let (name, data) = event.parts();
    sqlx::query!(
        "insert into audit_events
            (id, actor_kind, actor_id, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent, what, actor_email)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
        by.actor.email(),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Whether an account is enabled and has the role, and, if a session is given, whether that session is live. Both rows
/// stay locked until the transaction ends. The account is locked first, as in all code that changes a user and their
/// sessions. A session dated in the future counts as ended, because it means that the database clock was set back.
pub(super) async fn lock_live(
    connection: &mut Connection,
    user: Uuid,
    session: Option<&[u8]>,
    needs_administrator: bool,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        with account as materialized (
            select id from users
            where id = $1 and disabled_at is null and (role = 'administrator' or not $3)
            for share
        ), session as materialized (
            select id_hash from sessions
            where id_hash = $2 and user_id = (select id from account)
                and created_at > now() - make_interval(mins => $5) and created_at <= now() + interval '1 minute'
                and last_seen_at > now() - make_interval(mins => $4) and last_seen_at <= now() + interval '1 minute'
            for share
        )
        select case when $2::bytea is null then exists (select from account) else exists (select from session) end as "is_live!"
        "#,
        user,
        session,
        needs_administrator,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES
    )
    .fetch_one(connection)
    .await
}

/// Returns the recorded deletion of a cart; `None` if it was not deleted.
pub async fn find_deletion(pool: &Pool, cart: Uuid) -> sqlx::Result<Option<CartDeletion>> {
    sqlx::query_as!(
        CartDeletion,
        r#"select coalesce(cart_name, '') as "name!", actor_name as by, actor_id as by_id, at from audit_events
           where cart_id = $1 and event = 'cart_deleted' limit 1"#,
        cart
    )
    .fetch_optional(pool)
    .await
}

#[cfg(test)]
mod tests;
