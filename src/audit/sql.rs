//! The audit's SQL: insert only.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{By, CartRef, Deletion, Event};

/// Writes one row through the connection of the change, so that both are kept or neither.
pub async fn record(connection: &mut PgConnection, by: &By, cart: Option<&CartRef>, event: &Event) -> sqlx::Result<()> {
    let (name, data) = event.parts();
    sqlx::query!(
        "insert into audit_events (id, actor_kind, actor_id, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
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
