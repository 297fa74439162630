//! The outbox: queued alerts, their deliveries, and the log of deliveries.

use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{alerts::Alert, database::Connection};

/// A queued alert.
pub(in crate::alerts) struct QueuedAlert {
    /// ID of the delivery; the same for each retry.
    pub id: Uuid,
    pub at: OffsetDateTime,
    pub alert: Json<Alert>,
}

impl QueuedAlert {
    /// Whether this is a notice to a user about a change of their account.
    pub fn is_notice(&self) -> bool {
        matches!(*self.alert, Alert::AccountChanged(_))
    }
}

/// A line of the delivery log.
pub(in crate::alerts) struct DeliveryRecord<'a> {
    pub channel: &'static str,
    pub recipient: &'a str,
    pub outcome: &'a str,
    pub is_delivered: bool,
    /// Whether the message may have arrived.
    pub is_uncertain: bool,
    pub subject: &'a str,
}

/// Queues one delivery per current recipient; nothing if there are none.
pub(in crate::alerts) async fn queue(
    connection: &mut Connection,
    id: Uuid,
    cart: Option<Uuid>,
    data: &serde_json::Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with told as (
             select 'email' as channel, unnest(email_addresses) as address from alert_settings where email_on
             union all
             select 'webhook', null from alert_webhooks where gone_at is null
         ), alert as (
             insert into alerts (id, data) select $1, $3 where exists (select 1 from told) returning id
         )
         insert into alert_deliveries (id, alert_id, channel, address, cart_id)
         select gen_random_uuid(), alert.id, told.channel, told.address, $2 from told cross join alert",
        id,
        cart,
        data,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Queues one delivery for the webhook; nothing if there is no active webhook.
pub(in crate::alerts) async fn queue_for_webhook(
    connection: &mut Connection,
    id: Uuid,
    data: &serde_json::Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with alert as (
             insert into alerts (id, data) select $1, $2 where exists (select 1 from alert_webhooks where gone_at is null) returning id
         )
         insert into alert_deliveries (id, alert_id, channel) select gen_random_uuid(), alert.id, 'webhook' from alert",
        id,
        data,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Queues one delivery to each of these e-mail addresses, independently of the alert settings.
pub(in crate::alerts) async fn queue_mails(
    connection: &mut Connection,
    id: Uuid,
    addresses: &[String],
    data: &serde_json::Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with alert as (insert into alerts (id, data) values ($1, $2) returning id)
         insert into alert_deliveries (id, alert_id, channel, address)
         select gen_random_uuid(), alert.id, 'email', unnest($3::text[]) from alert",
        id,
        data,
        addresses,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Writes a line of the delivery log.
pub(in crate::alerts) async fn insert_line(connection: &mut Connection, line: &DeliveryRecord<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into alert_log (id, channel, recipient, outcome, is_delivered, subject, is_uncertain)
         values ($1, $2, $3, $4, $5, $6, $7)",
        Uuid::now_v7(),
        line.channel,
        line.recipient,
        line.outcome,
        line.is_delivered,
        line.subject,
        line.is_uncertain,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes deliveries that are completed or given up.
pub(in crate::alerts) async fn delete(connection: &mut Connection, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("delete from alert_deliveries where id = any($1)", ids).execute(connection).await.map(drop)
}

/// Number of active carts, for "12 of 40 carts". This is the only cart data that the alerts read.
pub(in crate::alerts) async fn count_carts(connection: &mut Connection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "n!" from carts where is_active"#).fetch_one(connection).await
}

/// Deletes delivered alerts, unused addresses, and old threads and log lines.
pub(in crate::alerts) async fn sweep(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!("delete from alerts a where not exists (select 1 from alert_deliveries d where d.alert_id = a.id)")
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "delete from alert_recipients r where r.next_at < now() - interval '1 day'
         and not exists (select 1 from alert_deliveries d where d.channel = 'email' and d.address = r.address)"
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("delete from alert_threads where at < now() - interval '90 days'").execute(&mut *connection).await?;
    sqlx::query!(
        "delete from alert_log where at < now() - interval '90 days'
         or id not in (select id from alert_log order by at desc, id desc limit 500)"
    )
    .execute(connection)
    .await
    .map(drop)
}
