//! Problems of this server that many carts share.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{causes::SharedCause, database::Connection};

/// An open shared problem.
pub(in crate::carts) struct OpenSharedProblem {
    pub began_at: OffsetDateTime,
    pub class: String,
    /// How many carts failed for it when it was announced.
    pub carts: i64,
    /// It was announced more than an hour ago.
    pub is_old: bool,
}

/// Locks a cause until the transaction ends, and returns its open problem if there is one.
pub(in crate::carts) async fn lock(
    connection: &mut Connection,
    cause: SharedCause,
) -> sqlx::Result<Option<OpenSharedProblem>> {
    let row = sqlx::query!(
        r#"insert into shared_problems (cause) values ($1) on conflict (cause) do update set cause = excluded.cause
           returning began_at, class, carts, coalesce(told_at < now() - interval '1 hour', false) as "is_old!""#,
        cause.as_str(),
    )
    .fetch_one(connection)
    .await?;
    let lasting = row.began_at.zip(row.class).zip(row.carts);
    Ok(lasting.map(|((began_at, class), carts)| OpenSharedProblem { began_at, class, carts, is_old: row.is_old }))
}

/// Records that the operator has been alerted to this cause.
pub(in crate::carts) async fn begin(
    connection: &mut Connection,
    cause: SharedCause,
    began_at: OffsetDateTime,
    class: &str,
    carts: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update shared_problems set told_at = now(), began_at = $2, class = $3, carts = $4 where cause = $1",
        cause.as_str(),
        began_at,
        class,
        carts,
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(in crate::carts) async fn end(connection: &mut Connection, cause: SharedCause) -> sqlx::Result<()> {
    sqlx::query!(
        "update shared_problems set told_at = null, began_at = null, class = null, carts = null where cause = $1",
        cause.as_str(),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Active carts whose latest check ended with one of these codes; with a window, only those that began to fail within
/// it. The code is the fifth of a check's eight bytes.
pub(in crate::carts) async fn count_failing(
    connection: &mut Connection,
    codes: &[i32],
    within: Option<Duration>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "n!" from carts c join cart_health h on h.cart_id = c.id
           where c.is_active
             and get_byte(case when octet_length(h.recent) >= 8 then h.recent else '\x0000000000000000' end,
                 greatest(octet_length(h.recent), 8) - 4) = any($1)
             and ($2::float8 is null or coalesce(h.streak_since, c.failing_since) > now() - make_interval(secs => $2))"#,
        codes,
        within.map(|within| within.as_secs_f64()),
    )
    .fetch_one(connection)
    .await
}

pub(in crate::carts) async fn count_active(connection: &mut Connection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "n!" from carts where is_active"#).fetch_one(connection).await
}

/// Makes up to `limit` carts due that were not checked for five minutes. Skips locked rows, because two transactions
/// that wait for each other would deadlock.
pub(in crate::carts) async fn check_others_soon(connection: &mut Connection, limit: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update cart_health set next_check_at = now() where cart_id in (
             select cart_id from cart_health
             where next_check_at > now() and leased_until is null and streak = 0 and last_good_at = last_checked_at
               and last_checked_at < now() - interval '5 minutes'
             order by next_check_at limit $1 for update skip locked)",
        limit,
    )
    .execute(connection)
    .await
    .map(drop)
}
