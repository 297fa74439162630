//! Writes alerts and notices into the outbox, on the connection of the change, so that both are committed or neither.

use uuid::Uuid;

use super::{AccountNotice, Alert, StatusChange, sql};
use crate::database::Connection;

/// Queues the alert of a change on the connection of the change, so that both are committed or neither. Queues nothing
/// if the change raises no alert or there are no recipients.
pub async fn queue(work: &mut Connection, change: &StatusChange) -> sqlx::Result<()> {
    match change.clone().alert() {
        Some(alert) => queue_alert(work, &alert).await,
        None => Ok(()),
    }
}

/// Like `queue`, for any alert.
pub async fn queue_alert(work: &mut Connection, alert: &Alert) -> sqlx::Result<()> {
    let data = serde_json::to_value(alert).expect("alerts are plain data");
    sql::deliveries::queue(work, Uuid::now_v7(), alert.cart(), &data).await
}

/// Like `queue_alert`, for the webhook only.
pub async fn queue_for_webhook(work: &mut Connection, alert: &Alert) -> sqlx::Result<()> {
    let data = serde_json::to_value(alert).expect("alerts are plain data");
    sql::deliveries::queue_for_webhook(work, Uuid::now_v7(), &data).await
}

/// Queues one e-mail to each address on the connection of the change, so that both are committed or neither. Without a
/// mail server, the e-mail expires unsent after a day.
pub async fn queue_notice(work: &mut Connection, addresses: &[&str], notice: AccountNotice) -> sqlx::Result<()> {
    let data = serde_json::to_value(Alert::AccountChanged(notice)).expect("notices are plain data");
    let addresses: Vec<String> = addresses.iter().map(|address| (*address).to_owned()).collect();
    sql::deliveries::queue_mails(work, Uuid::now_v7(), &addresses, &data).await
}
