//! SQL for leases and results of webhook deliveries.

use crate::database::{Connection, Pool};
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{super::Alert, deliveries::QueuedAlert};

/// A delivery leased by this process.
pub(in crate::alerts) struct LeasedCall {
    pub waiting: QueuedAlert,
    pub leased_until: OffsetDateTime,
    /// Including this attempt.
    pub attempts: i32,
    pub age_seconds: f64,
}

/// Leases due deliveries, oldest first; of each cart only the oldest.
pub(in crate::alerts) async fn lease_calls(pool: &Pool, limit: i64, seconds: f64) -> sqlx::Result<Vec<LeasedCall>> {
    let rows = sqlx::query!(
        r#"with due as (
             select d.id from alert_deliveries d
             where d.channel = 'webhook' and d.due_at <= now() and (d.leased_until is null or d.leased_until < now())
               and not exists (
                   select 1 from alert_deliveries e
                   where e.channel = 'webhook' and e.cart_id = d.cart_id and e.place < d.place)
             order by d.due_at, d.place limit $1 for update skip locked
         )
         update alert_deliveries d set leased_until = now() + make_interval(secs => $2), attempts = d.attempts + 1
         from due, alerts a where d.id = due.id and a.id = d.alert_id
         returning d.id, a.at, a.data as "alert: Json<Alert>", d.leased_until as "leased_until!", d.attempts,
             extract(epoch from now() - d.created_at)::float8 as "age_seconds!""#,
        limit,
        seconds,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| LeasedCall {
            waiting: QueuedAlert { id: row.id, at: row.at, alert: row.alert },
            leased_until: row.leased_until,
            attempts: row.attempts,
            age_seconds: row.age_seconds,
        })
        .collect())
}

/// Ends the lease and schedules a retry, if this process still holds the lease.
pub(in crate::alerts) async fn retry_call(
    connection: &mut Connection,
    id: Uuid,
    leased_until: OffsetDateTime,
    seconds: f64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update alert_deliveries set leased_until = null, due_at = now() + make_interval(secs => $3)
         where id = $1 and leased_until = $2",
        id,
        leased_until,
        seconds,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Marks the webhook as failing. Returns whether this is the first failure since a success.
pub(in crate::alerts) async fn begin_failing(connection: &mut Connection) -> sqlx::Result<bool> {
    let begun =
        sqlx::query!("update alert_webhooks set failing_since = now() where failing_since is null").execute(connection);
    Ok(begun.await?.rows_affected() > 0)
}

pub(in crate::alerts) async fn end_failing(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!("update alert_webhooks set failing_since = null where failing_since is not null")
        .execute(connection)
        .await
        .map(drop)
}

/// Turns the webhook off, if it is still this one.
pub(in crate::alerts) async fn turn_off(connection: &mut Connection, id: Uuid) -> sqlx::Result<bool> {
    let off = sqlx::query!("update alert_webhooks set gone_at = now() where id = $1 and gone_at is null", id);
    Ok(off.execute(connection).await?.rows_affected() > 0)
}
