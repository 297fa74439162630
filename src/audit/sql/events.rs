//! Writes an event, and finds those that decide something.

use uuid::Uuid;

use crate::{
    audit::{By, CartDeletion, CartRef, Event},
    database::{Connection, Pool},
};

pub(in crate::audit) async fn insert(
    connection: &mut Connection,
    by: &By,
    cart: Option<&CartRef>,
    event: &Event,
) -> sqlx::Result<()> {
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

/// Whether a rotation is recorded at whose end every secret had this format.
pub async fn was_rotated_to(connection: &mut Connection, format: u8) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from audit_events
            where what = 'people' and event = 'encryption_key_rotated' and (data ->> 'format')::integer >= $1) as "was!""#,
        i32::from(format)
    )
    .fetch_one(connection)
    .await
}
