//! Records an event, after checking that its actor may cause it.

use super::{By, CartRef, Event, demand, sql};
use crate::database::Connection;

/// Writes one row on the connection of the change, so that both are committed or neither.
///
/// # Errors
/// [`NotPermitted`](super::NotPermitted) if the user may no longer make this change.
pub async fn record(connection: &mut Connection, by: &By, cart: Option<&CartRef>, event: &Event) -> sqlx::Result<()> {
    demand(connection, by, event.permission()).await?;
    sql::events::insert(connection, by, cart, event).await
}
