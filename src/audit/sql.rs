//! The audit's SQL: insert and select, nothing else.

mod names;
mod page;

use crate::database::{Connection, Pool};
use uuid::Uuid;

use super::{By, CartRef, Deletion, Event};
pub(super) use names::{find_cart, find_person, list_carts, list_people};
pub(super) use page::list;

/// Writes one row through the connection of the change, so that both are kept or neither.
pub async fn record(connection: &mut Connection, by: &By, cart: Option<&CartRef>, event: &Event) -> sqlx::Result<()> {
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
pub async fn find_deletion(pool: &Pool, cart: Uuid) -> sqlx::Result<Option<Deletion>> {
    sqlx::query_as!(
        Deletion,
        r#"select coalesce(cart_name, '') as "name!", actor_name as by, actor_id as by_id, at from audit_events
           where cart_id = $1 and event = 'cart_deleted' limit 1"#,
        cart
    )
    .fetch_optional(pool)
    .await
}

#[cfg(test)]
mod tests;
