//! History of checks: days, problems, the time of the last pass.

use time::OffsetDateTime;

use crate::{
    carts::{
        CartId,
        health::{HealthDay, HealthHistory, PastCheck, PastProblem, StoreFacts},
    },
    causes::Class,
    database::Connection,
    vault::Fingerprints,
};

/// Deletes days and ended problems older than 90 days, and ended problems beyond the latest 200.
pub(super) async fn delete_old(connection: &mut Connection, id: CartId) -> sqlx::Result<()> {
    sqlx::query!(
        "with days as (delete from cart_days where cart_id = $1 and day <= (now() at time zone 'UTC')::date - 90)
         delete from cart_problems where cart_id = $1 and ended_at is not null and (ended_at < now() - interval '90 days'
            or began_at <= (select began_at from cart_problems where cart_id = $1 order by began_at desc offset 200 limit 1))",
        id.0
    )
    .execute(connection)
    .await
    .map(drop)
}

/// A problem that has ended.
pub(in crate::carts) struct EndedProblem {
    pub began_at: OffsetDateTime,
    pub class: Class,
    pub title: String,
}

pub(in crate::carts) async fn end_problem(
    connection: &mut Connection,
    id: CartId,
    ended_by: Option<&str>,
) -> sqlx::Result<Option<EndedProblem>> {
    let row = sqlx::query!(
        "update cart_problems set ended_at = now(), ended_by = $2 where cart_id = $1 and ended_at is null
         returning began_at, class, title",
        id.0,
        ended_by
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(EndedProblem { began_at: row.began_at, class: Class::from_stored(&row.class)?, title: row.title })
    }))
}

/// Opens a problem. A problem that began at the same moment, before the cart was turned off and on again, continues.
pub(in crate::carts) async fn insert_problem(
    connection: &mut Connection,
    id: CartId,
    began_at: OffsetDateTime,
    class: Class,
    title: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into cart_problems (cart_id, began_at, class, title) values ($1, $2, $3, $4)
         on conflict (cart_id, began_at) do update set ended_at = null, ended_by = null, class = excluded.class, title = excluded.title",
        id.0,
        began_at,
        class.as_str(),
        title
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The health history without days and problems.
pub(in crate::carts) async fn find(connection: &mut Connection, id: CartId) -> sqlx::Result<Option<HealthHistory>> {
    let row = sqlx::query!(
        "select next_check_at, h.last_checked_at, last_good_at, recent, store, minted_at, minted_ends_at
         from cart_health h join carts c on c.id = h.cart_id where cart_id = $1",
        id.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| HealthHistory {
        recent: PastCheck::unpack(&row.recent),
        days: Vec::new(),
        problems: Vec::new(),
        next_check_at: row.next_check_at,
        last_checked_at: row.last_checked_at,
        last_good_at: row.last_good_at,
        // Data written by an older version may lack a field; it then counts as missing.
        store: row.store.and_then(|store| serde_json::from_value::<StoreFacts>(store).ok()),
        minted_at: row.minted_at,
        minted_ends_at: row.minted_ends_at,
    }))
}

pub(in crate::carts) async fn list_days(connection: &mut Connection, id: CartId) -> sqlx::Result<Vec<HealthDay>> {
    let rows = sqlx::query!(
        "select day, checks, failed, slowest_ms from cart_days
         where cart_id = $1 and day > (now() at time zone 'UTC')::date - 90 order by day",
        id.0
    )
    .fetch_all(connection)
    .await?;
    let count = |n: i16| u32::try_from(n).unwrap_or(0);
    Ok(rows
        .into_iter()
        .map(|row| HealthDay {
            day: row.day,
            checks: count(row.checks),
            failed: count(row.failed),
            slowest_ms: row.slowest_ms.and_then(|ms| u32::try_from(ms).ok()),
        })
        .collect())
}

pub(in crate::carts) async fn list_problems(connection: &mut Connection, id: CartId) -> sqlx::Result<Vec<PastProblem>> {
    let rows = sqlx::query!(
        "select began_at, ended_at, ended_by, class, title from cart_problems
         where cart_id = $1 and (ended_at is null or ended_at > now() - interval '90 days') order by began_at desc limit 50",
        id.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(PastProblem {
                began_at: row.began_at,
                ended_at: row.ended_at,
                ended_by: row.ended_by,
                class: Class::from_stored(&row.class)?,
                title: row.title,
            })
        })
        .collect())
}

/// When a check of exactly this credential and host last passed.
pub(in crate::carts) async fn find_last_good(
    connection: &mut Connection,
    id: CartId,
    fingerprints: &Fingerprints,
) -> sqlx::Result<Option<OffsetDateTime>> {
    let row = sqlx::query_scalar!(
        "select last_good_at from cart_health h join carts c on c.id = h.cart_id
         where cart_id = $1 and credential_fingerprint = any ($2)",
        id.0,
        fingerprints.all()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.flatten())
}
