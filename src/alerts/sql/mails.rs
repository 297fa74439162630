//! SQL for leases and results of e-mail delivery. An address is leased together with all of its queued alerts, so that
//! alerts about many carts form one message.

use crate::database::{Connection, Pool};
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{super::Alert, deliveries::QueuedAlert};

/// An address leased by this process.
pub(in crate::alerts) struct LeasedAddress {
    pub address: String,
    pub leased_until: OffsetDateTime,
    /// Including this attempt.
    pub attempts: i32,
}

/// Leases addresses with an alert that has waited at least `settle` seconds for others.
pub(in crate::alerts) async fn lease_addresses(
    pool: &Pool,
    limit: i64,
    settle: f64,
    seconds: f64,
) -> sqlx::Result<Vec<LeasedAddress>> {
    let mut connection = pool.acquire().await?;
    sqlx::query!(
        "insert into alert_recipients (address)
         select distinct d.address from alert_deliveries d where d.channel = 'email'
           and not exists (select 1 from alert_recipients r where r.address = d.address)
         on conflict (address) do nothing"
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_as!(
        LeasedAddress,
        r#"update alert_recipients set leased_until = now() + make_interval(secs => $3), attempts = attempts + 1
           where address in (
               select r.address from alert_recipients r
               where r.next_at <= now() and (r.leased_until is null or r.leased_until < now())
                 and exists (select 1 from alert_deliveries d where d.channel = 'email' and d.address = r.address
                     and d.due_at <= now() and d.created_at <= now() - make_interval(secs => $2))
               order by r.next_at limit $1 for update skip locked)
           returning address, leased_until as "leased_until!", attempts"#,
        limit,
        settle,
        seconds,
    )
    .fetch_all(&mut *connection)
    .await
}

/// The queued alerts of an address, oldest first.
pub(in crate::alerts) async fn list_waiting(pool: &Pool, address: &str, limit: i64) -> sqlx::Result<Vec<QueuedAlert>> {
    sqlx::query_as!(
        QueuedAlert,
        r#"select d.id, a.at, a.data as "alert: Json<Alert>"
           from alert_deliveries d join alerts a on a.id = d.alert_id
           where d.channel = 'email' and d.address = $1 and d.due_at <= now() order by d.place limit $2"#,
        address,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Ends the lease. `resets_attempts` is set after a success.
pub(in crate::alerts) async fn release_address(
    connection: &mut Connection,
    leased: &LeasedAddress,
    seconds: f64,
    resets_attempts: bool,
) -> sqlx::Result<bool> {
    let released = sqlx::query!(
        "update alert_recipients set leased_until = null, next_at = now() + make_interval(secs => $3),
         attempts = case when $4 then 0 else attempts end
         where address = $1 and leased_until = $2",
        leased.address,
        leased.leased_until,
        seconds,
        resets_attempts,
    );
    Ok(released.execute(connection).await?.rows_affected() > 0)
}

/// Defers those of these messages that were not deferred before. Returns how many were deferred.
pub(in crate::alerts) async fn defer_once(
    connection: &mut Connection,
    ids: &[Uuid],
    seconds: f64,
) -> sqlx::Result<u64> {
    let deferred = sqlx::query!(
        "update alert_deliveries set due_at = now() + make_interval(secs => $2), attempts = attempts + 1
         where id = any($1) and attempts = 0",
        ids,
        seconds,
    );
    Ok(deferred.execute(connection).await?.rows_affected())
}

/// Deletes deferred messages to an address about the carts of these newer messages, because an outdated message must
/// not arrive after a newer one.
pub(in crate::alerts) async fn delete_superseded(
    connection: &mut Connection,
    address: &str,
    ids: &[Uuid],
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from alert_deliveries d where d.channel = 'email' and d.address = $1 and d.attempts > 0 and d.due_at > now()
           and exists (select 1 from alert_deliveries n where n.id = any($2) and n.cart_id = d.cart_id)",
        address,
        ids,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Returns those of these messages that have waited for at least `seconds`.
pub(in crate::alerts) async fn list_expired(
    connection: &mut Connection,
    ids: &[Uuid],
    seconds: f64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from alert_deliveries where id = any($1) and created_at <= now() - make_interval(secs => $2)",
        ids,
        seconds,
    )
    .fetch_all(connection)
    .await
}

/// Deletes account notices that have waited for at least `seconds`. Without a mail server nobody expects them.
pub(in crate::alerts) async fn delete_expired_notices(connection: &mut Connection, seconds: f64) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from alert_deliveries d using alerts a
         where a.id = d.alert_id and a.data ->> 'type' = 'account.changed'
           and d.created_at <= now() - make_interval(secs => $1)",
        seconds,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes e-mails that have waited for at least `seconds`. Returns their addresses.
pub(in crate::alerts) async fn delete_expired_mails(
    connection: &mut Connection,
    seconds: f64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"with gone as (
               delete from alert_deliveries where channel = 'email' and created_at <= now() - make_interval(secs => $1)
               returning address)
           select distinct address as "address!" from gone order by 1"#,
        seconds,
    )
    .fetch_all(connection)
    .await
}

/// The message ID of the message that reported the cart's problem to this address.
pub(in crate::alerts) async fn find_thread(pool: &Pool, cart: Uuid, address: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select message_id from alert_threads where cart_id = $1 and address = $2", cart, address)
        .fetch_optional(pool)
        .await
}

/// Stores a thread for each of these carts that has none. Later messages reply to the thread's first message.
pub(in crate::alerts) async fn insert_threads(
    connection: &mut Connection,
    carts: &[Uuid],
    address: &str,
    message_id: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into alert_threads (cart_id, address, message_id) select unnest($1::uuid[]), $2, $3
         on conflict (cart_id, address) do nothing",
        carts,
        address,
        message_id,
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(in crate::alerts) async fn delete_threads(
    connection: &mut Connection,
    carts: &[Uuid],
    address: &str,
) -> sqlx::Result<()> {
    sqlx::query!("delete from alert_threads where cart_id = any($1) and address = $2", carts, address)
        .execute(connection)
        .await
        .map(drop)
}
