//! Results of checks, and the health state of a cart.

use std::time::Duration;

use crate::database::{Connection, Pool};
use time::OffsetDateTime;

use super::leases::LeasedCheck;
use crate::{
    carts::{
        CartId, Status,
        health::{Finding, PastCheck},
        status::HealthState,
    },
    causes::Class,
    platforms::CredentialKind,
};

/// A cart and its health state, locked until the transaction ends.
pub(in crate::carts) struct LockedHealth {
    pub cart: CartId,
    pub website_name: String,
    pub store_host: String,
    pub is_active: bool,
    pub has_passed: bool,
    pub status: Status,
    /// None of the locations that stock is limited to exists any more.
    pub locations_gone: bool,
    pub version: i64,
    /// Kind of the saved credential; the default if none is saved.
    pub kind: CredentialKind,
    pub fingerprint: Option<Vec<u8>>,
    pub health: HealthState,
    pub title: Option<String>,
    pub missing_count: i32,
    /// The scopes granted when the store last accepted the credential, implied ones included.
    pub granted: Option<Vec<String>>,
    pub last_good_at: Option<OffsetDateTime>,
    pub leased_until: Option<OffsetDateTime>,
    /// The class of the open problem.
    pub problem: Option<Class>,
    /// The database's time.
    pub at: OffsetDateTime,
}

pub(in crate::carts) async fn lock(connection: &mut Connection, id: CartId) -> sqlx::Result<Option<LockedHealth>> {
    let row = sqlx::query!(
        r#"
        select website_name, store_host, is_active, passed_at is not null as "has_passed!", status, locations_gone, version, credential_kind, credential_fingerprint,
            last_class, last_title, missing_count, granted, failing_since, streak, streak_since, last_good_at, leased_until,
            (select class from cart_problems p where p.cart_id = c.id and ended_at is null) as problem, now() as "at!"
        from carts c join cart_health h on h.cart_id = c.id where c.id = $1 for no key update of c, h
        "#,
        id.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| LockedHealth {
        cart: id,
        website_name: row.website_name,
        store_host: row.store_host,
        is_active: row.is_active,
        has_passed: row.has_passed,
        status: Status::from_stored(&row.status),
        locations_gone: row.locations_gone,
        version: row.version,
        kind: row.credential_kind.as_deref().and_then(CredentialKind::parse).unwrap_or_default(),
        fingerprint: row.credential_fingerprint,
        health: HealthState {
            class: row.last_class.as_deref().and_then(Class::from_stored),
            since: row.failing_since,
            streak: u32::try_from(row.streak).unwrap_or(0),
            streak_since: row.streak_since,
        },
        title: row.last_title,
        missing_count: row.missing_count,
        granted: row.granted,
        last_good_at: row.last_good_at,
        leased_until: row.leased_until,
        problem: row.problem.as_deref().and_then(Class::from_stored),
        at: row.at,
    }))
}

/// Writes the health state and the resulting status. A check is not a user's change, so the version stays.
pub(in crate::carts) async fn update_state(
    connection: &mut Connection,
    id: CartId,
    stands: &HealthState,
    title: Option<&str>,
    missing: i32,
    status: Status,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update carts set status = $2, last_class = $3, last_title = $4, missing_count = $5, failing_since = $6 where id = $1",
        id.0,
        status.as_str(),
        stands.class.map(Class::as_str),
        title,
        missing,
        stands.since
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Writes the granted scopes, and since when lost ones are missing; they decide which settings may be used.
pub(in crate::carts) async fn update_granted(
    connection: &mut Connection,
    id: CartId,
    granted: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update carts set granted = $2,
            lost_scopes = (select coalesce(jsonb_object_agg(scope, coalesce(lost_scopes -> scope, to_jsonb(now()))), '{}')
                from (select unnest(granted) as scope union select jsonb_object_keys(lost_scopes)) known where scope <> all($2))
         where id = $1",
        id.0,
        granted
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Ends the lease, schedules the next check and records this one. The first check of a day deletes the cart's old
/// history.
pub(in crate::carts) async fn update(
    connection: &mut Connection,
    id: CartId,
    stands: &HealthState,
    check: &PastCheck,
    pause: Duration,
    finding: &Finding,
) -> sqlx::Result<()> {
    let passed = check.passed();
    let is_new_day = sqlx::query_scalar!(
        r#"
        with noted as (
            update cart_health set leased_until = null, last_checked_at = $10,
                next_check_at = case when next_check_at is not null
                    then greatest(now(), $10::timestamptz + make_interval(secs => $2 * (0.9 + 0.2 * random()))) end,
                last_good_at = case when $3 then $10 else last_good_at end, streak = $4, streak_since = $5,
                recent = substring(recent || $6::bytea from greatest(1, octet_length(recent) + 9 - 240)),
                store = coalesce($7, store), customers_asked_at = case when $8 then now() else customers_asked_at end
            where cart_id = $1
        )
        insert into cart_days as d (cart_id, day, checks, failed, slowest_ms)
        values ($1, ($10 at time zone 'UTC')::date, 1, case when $3 then 0 else 1 end, $9)
        on conflict (cart_id, day) do update set checks = least(d.checks + 1, 32767), failed = least(d.failed + excluded.failed, 32767),
            slowest_ms = greatest(d.slowest_ms, excluded.slowest_ms)
        returning xmax = 0 as "is_new_day!"
        "#,
        id.0,
        pause.as_secs_f64(),
        passed,
        i32::try_from(stands.streak).unwrap_or(i32::MAX),
        stands.streak_since,
        &check.pack()[..],
        finding.store.as_ref().map(|store| serde_json::to_value(store).expect("store facts are plain data")),
        finding.asked_customers,
        check.took_ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)),
        check.at
    )
    .fetch_one(&mut *connection)
    .await?;
    if is_new_day {
        super::history::delete_old(connection, id).await?;
    }
    Ok(())
}

/// Same as `update` in one statement, for a healthy cart that still is: nearly every check, with half the round
/// trips. Returns whether it was; writes nothing if the lease, the cart, its health state or the granted scopes have
/// changed.
pub(in crate::carts) async fn update_if_still_healthy(
    pool: &Pool,
    due: &LeasedCheck,
    check: &PastCheck,
    pause: Duration,
    finding: &Finding,
) -> sqlx::Result<bool> {
    let is_new_day = sqlx::query_scalar!(
        r#"
        with same as (
            select id from carts c where id = $1 and is_active and version = $2 and credential_fingerprint = $3
                and status = 'connected' and last_class = $4 and last_title = $5 and missing_count = 0 and failing_since is null
                and granted is not distinct from $12
                and not exists (select from cart_problems p where p.cart_id = c.id and ended_at is null)
        ), noted as (
            update cart_health h set leased_until = null, last_checked_at = now(), last_good_at = now(),
                next_check_at = now() + make_interval(secs => $6 * (0.9 + 0.2 * random())),
                recent = substring(recent || $7::bytea from greatest(1, octet_length(recent) + 9 - 240)),
                store = coalesce($8, store), customers_asked_at = case when $9 then now() else customers_asked_at end
            from same where cart_id = same.id and leased_until = $10 and streak = 0
            returning cart_id
        )
        insert into cart_days as d (cart_id, day, checks, failed, slowest_ms)
        select cart_id, (now() at time zone 'UTC')::date, 1, 0, $11::integer from noted
        on conflict (cart_id, day) do update set checks = least(d.checks + 1, 32767),
            slowest_ms = greatest(d.slowest_ms, excluded.slowest_ms)
        returning xmax = 0 as "is_new_day!"
        "#,
        due.cart.0,
        due.version,
        &due.fingerprint,
        finding.class.as_str(),
        &finding.title,
        pause.as_secs_f64(),
        &check.pack()[..],
        finding.store.as_ref().map(|store| serde_json::to_value(store).expect("store facts are plain data")),
        finding.asked_customers,
        due.leased_until,
        check.took_ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)),
        finding.granted.as_deref()
    )
    .fetch_optional(pool)
    .await?;
    if is_new_day == Some(true) {
        super::history::delete_old(&mut *pool.acquire().await?, due.cart).await?;
    }
    Ok(is_new_day.is_some())
}
