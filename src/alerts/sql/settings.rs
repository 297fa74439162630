//! SQL of the settings page: the settings row, the webhook and the delivery log.

use crate::database::{Connection, Pool};
use time::OffsetDateTime;
use uuid::Uuid;

pub(in crate::alerts) struct SettingsRow {
    pub email_on: bool,
    pub email_addresses: Vec<String>,
    pub version: i64,
}

/// The webhook with its sealed address and secret, and the host for which both are sealed, read together.
pub(in crate::alerts) struct WebhookRow {
    pub id: Uuid,
    pub host: String,
    pub sealed_address: Vec<u8>,
    pub shown_address: String,
    pub secret: Vec<u8>,
    pub secret_ending: String,
    pub gone_at: Option<OffsetDateTime>,
    pub failing_since: Option<OffsetDateTime>,
}

pub(in crate::alerts) async fn find(pool: &Pool) -> sqlx::Result<SettingsRow> {
    sqlx::query_as!(SettingsRow, "select email_on, email_addresses, version from alert_settings").fetch_one(pool).await
}

/// Reads and locks the settings until the transaction ends.
pub(in crate::alerts) async fn lock(connection: &mut Connection) -> sqlx::Result<SettingsRow> {
    sqlx::query_as!(SettingsRow, "select email_on, email_addresses, version from alert_settings for update")
        .fetch_one(connection)
        .await
}

pub(in crate::alerts) async fn find_webhook(connection: &mut Connection) -> sqlx::Result<Option<WebhookRow>> {
    sqlx::query_as!(
        WebhookRow,
        r#"select id, host, sealed_address as "sealed_address!", shown_address as "shown_address!", secret, secret_ending,
             gone_at, failing_since
           from alert_webhooks where sealed_address is not null"#
    )
    .fetch_optional(connection)
    .await
}

pub(in crate::alerts) async fn update(
    connection: &mut Connection,
    email_on: bool,
    email_addresses: &[String],
    by: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update alert_settings set email_on = $1, email_addresses = $2, version = version + 1, changed_at = now(), changed_by = $3",
        email_on,
        email_addresses,
        by,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// A webhook to store.
pub(in crate::alerts) struct NewWebhook<'a> {
    pub id: Uuid,
    pub host: &'a str,
    pub sealed_address: &'a [u8],
    pub shown_address: &'a str,
    pub secret: &'a [u8],
    pub secret_ending: &'a str,
}

/// Replaces the only webhook, or stores the first one.
pub(in crate::alerts) async fn replace_webhook(
    connection: &mut Connection,
    webhook: &NewWebhook<'_>,
) -> sqlx::Result<()> {
    delete_webhook(connection).await?;
    sqlx::query!(
        "insert into alert_webhooks (id, host, sealed_address, shown_address, secret, secret_ending)
         values ($1, $2, $3, $4, $5, $6)",
        webhook.id,
        webhook.host,
        webhook.sealed_address,
        webhook.shown_address,
        webhook.secret,
        webhook.secret_ending,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Sets a new address on the same host. Also turns the webhook on again after a 410.
pub(in crate::alerts) async fn update_webhook_address(
    connection: &mut Connection,
    sealed: &[u8],
    shown: &str,
) -> sqlx::Result<()> {
    sqlx::query!("update alert_webhooks set sealed_address = $1, shown_address = $2, gone_at = null", sealed, shown)
        .execute(connection)
        .await
        .map(drop)
}

/// Turns the webhook on again after a 410.
pub(in crate::alerts) async fn turn_on_webhook(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!("update alert_webhooks set gone_at = null where gone_at is not null")
        .execute(connection)
        .await
        .map(drop)
}

/// A webhook address that an earlier version stored as plain text.
pub(in crate::alerts) struct PlainAddress {
    pub id: Uuid,
    pub host: String,
    pub address: String,
}

/// Finds and locks the address that an earlier version stored as plain text.
pub(in crate::alerts) async fn lock_plain_address(connection: &mut Connection) -> sqlx::Result<Option<PlainAddress>> {
    sqlx::query_as!(
        PlainAddress,
        r#"select id, host, address as "address!" from alert_webhooks where address is not null for update"#
    )
    .fetch_optional(connection)
    .await
}

/// Replaces the plain text by its sealed form.
pub(in crate::alerts) async fn seal_plain_address(
    connection: &mut Connection,
    id: Uuid,
    sealed: &[u8],
    shown: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update alert_webhooks set address = null, sealed_address = $2, shown_address = $3 where id = $1",
        id,
        sealed,
        shown
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(in crate::alerts) async fn delete_webhook(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!("delete from alert_webhooks").execute(connection).await.map(drop)
}

/// Deletes queued deliveries to a channel or an address that no longer receives alerts. Keeps notices to users about
/// their account.
pub(in crate::alerts) async fn delete_unwanted(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from alert_deliveries d where
         (d.channel = 'webhook' and not exists (select 1 from alert_webhooks w where w.gone_at is null))
         or (d.channel = 'email' and not exists
             (select 1 from alert_settings s where s.email_on and d.address = any(s.email_addresses))
             and not exists (select 1 from alerts a where a.id = d.alert_id and a.data ->> 'type' = 'account.changed'))"
    )
    .execute(connection)
    .await
    .map(drop)
}

/// A line of the delivery log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedDelivery {
    pub at: OffsetDateTime,
    /// `email` or `webhook`.
    pub channel: String,
    pub recipient: String,
    pub outcome: String,
    pub is_delivered: bool,
    /// Whether the message may have arrived.
    pub is_uncertain: bool,
    pub subject: String,
}

/// The newest lines of the delivery log.
pub(in crate::alerts) async fn list_log(pool: &Pool, limit: i64) -> sqlx::Result<Vec<LoggedDelivery>> {
    sqlx::query_as!(
        LoggedDelivery,
        "select at, channel, recipient, outcome, is_delivered, is_uncertain, subject from alert_log order by at desc, id desc limit $1",
        limit,
    )
    .fetch_all(pool)
    .await
}

/// When the webhook is called next; `None` if no delivery is queued.
pub(in crate::alerts) async fn find_next_call(pool: &Pool) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select min(due_at) from alert_deliveries where channel = 'webhook'").fetch_one(pool).await
}
