//! Records an event, after checking that its actor may cause it.

use time::OffsetDateTime;

use super::{Actor, By, CartRef, Event, Origin, demand, sql};
use crate::database::Connection;

/// Writes one row on the connection of the change, so that both are committed or neither.
///
/// # Errors
/// [`NotPermitted`](super::NotPermitted) if the user may no longer make this change.
pub async fn record(connection: &mut Connection, by: &By, cart: Option<&CartRef>, event: &Event) -> sqlx::Result<()> {
    demand(connection, by, event.permission()).await?;
    sql::events::insert(connection, by, cart, event).await
}

/// Writes one row about tokens that a program got in a past minute, each of which it was permitted when it got it. Its key
/// may have ended since, so nothing is demanded here.
pub async fn record_past_uses(
    connection: &mut Connection,
    program: Actor,
    cart: &CartRef,
    times: i64,
    minute: OffsetDateTime,
) -> sqlx::Result<()> {
    let by = By { actor: program, origin: Origin::default() };
    sql::events::insert(connection, &by, Some(cart), &Event::TokenHandedOutAgain { times, minute }).await
}
