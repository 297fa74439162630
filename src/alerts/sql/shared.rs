//! SQL for alerts about single carts when many carts share one problem of this server.

use crate::database::Connection;
use uuid::Uuid;

/// Delays the alerts about a cart that this transaction has queued.
pub(in crate::alerts) async fn hold(connection: &mut Connection, cart: Uuid, seconds: f64) -> sqlx::Result<()> {
    sqlx::query!(
        "update alert_deliveries set due_at = now() + make_interval(secs => $2) where cart_id = $1 and created_at = now()",
        cart,
        seconds,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes queued deliveries about single carts that fail with one of these classes, except deliveries in progress.
pub(in crate::alerts) async fn withdraw(connection: &mut Connection, classes: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from alert_deliveries d using alerts a
         where a.id = d.alert_id and a.data ->> 'type' = 'cart.needs-attention' and a.data ->> 'class' = any($1)
           and a.at > now() - interval '1 hour' and (d.leased_until is null or d.leased_until < now())",
        classes,
    )
    .execute(connection)
    .await
    .map(drop)
}
