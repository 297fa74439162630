//! Tokens handed to programs: counted before a token leaves, by key, cart and minute.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    audit::CartRef,
    carts::CartId,
    database::{Connection, Pool},
};

/// The token that is about to leave.
pub(in crate::carts) struct LeavingToken<'a> {
    pub cart: CartId,
    /// The API key of the program.
    pub key: Uuid,
    /// The version of the token, and the host that it was opened for.
    pub version: i64,
    pub host: &'a str,
    /// More than this must be left until it expires.
    pub needed: Duration,
    /// Whether this server answers for practice stores.
    pub practices: bool,
    /// The classes of carts that hand out nothing.
    pub withheld: &'a [&'static str],
}

/// A token that was counted and may leave.
pub(in crate::carts) struct CountedUse {
    pub cart_name: String,
    /// The first of this program, cart and minute: it is recorded in the audit log at once.
    pub is_first: bool,
    pub at: OffsetDateTime,
    pub issued_at: OffsetDateTime,
    pub expires_at: Option<OffsetDateTime>,
}

/// Counts one hand-out, if exactly this token may still leave: the cart is active and in a condition to hand out, its
/// credential and host are the same, and enough time is left by the database's clock at this moment, not at the start of
/// the transaction. `None` otherwise. The row of the cart stays locked until the transaction ends.
pub(in crate::carts) async fn count(
    connection: &mut Connection,
    token: &LeavingToken<'_>,
) -> sqlx::Result<Option<CountedUse>> {
    let withheld: Vec<String> = token.withheld.iter().map(|class| (*class).to_owned()).collect();
    sqlx::query_as!(
        CountedUse,
        r#"
        with cart as materialized (
            select c.id, c.website_name, c.secret_added_at, c.minted_at,
                case when c.credential_kind = 'client_credentials' then c.minted_ends_at end as ends_at
            from carts c
            where c.id = $1 and c.mint_version = $3 and c.store_host = $4 and c.secret is not null
                and c.is_active and c.passed_at is not null and (not c.is_practice or $6)
                and (c.last_class is null or c.last_class <> all ($7))
                and (c.credential_kind = 'access_token'
                    or c.minted_ends_at - clock_timestamp() > make_interval(secs => $5))
                and exists (select from ecommerce_integration e where e.is_active)
            for share of c
        )
        insert into token_uses as u (cart_id, key_id, minute, cart_name, times, recorded, last_at)
        select id, $2, date_trunc('minute', clock_timestamp()), website_name, 1, 1, clock_timestamp() from cart
        on conflict (cart_id, key_id, minute) do update set times = u.times + 1, last_at = excluded.last_at
        returning u.cart_name, xmax = 0 as "is_first!", u.last_at as at,
            (select case when ends_at is null then secret_added_at else minted_at end from cart) as "issued_at!",
            (select ends_at from cart) as expires_at
        "#,
        token.cart.0,
        token.key,
        token.version,
        token.host,
        token.needed.as_secs_f64(),
        token.practices,
        &withheld
    )
    .fetch_optional(connection)
    .await
}

/// Hand-outs of a minute that is over and that the audit log does not contain yet.
pub(in crate::carts) struct UnrecordedUses {
    pub key: Uuid,
    pub program: String,
    pub cart: CartRef,
    pub minute: OffsetDateTime,
    pub more: i64,
}

/// Locks up to `limit` rows of past minutes and marks them as recorded; the caller records what is returned in the same
/// transaction. A row that is counted up later, by a transaction that began before the minute was over, is found again.
pub(in crate::carts) async fn take_unrecorded(
    connection: &mut Connection,
    limit: i64,
) -> sqlx::Result<Vec<UnrecordedUses>> {
    let rows = sqlx::query!(
        r#"
        with due as materialized (
            select cart_id, key_id, minute, times - recorded as more from token_uses
            where recorded < times and minute < date_trunc('minute', now())
            order by minute limit $1 for update skip locked
        ), noted as (
            update token_uses u set recorded = u.times from due
            where u.cart_id = due.cart_id and u.key_id = due.key_id and u.minute = due.minute
        )
        select due.cart_id, due.key_id, due.minute, due.more as "more!", u.cart_name, k.name as program
        from due join token_uses u using (cart_id, key_id, minute) join api_keys k on k.id = due.key_id
        order by due.minute
        "#,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| UnrecordedUses {
            key: row.key_id,
            program: row.program,
            cart: CartRef { id: row.cart_id, name: row.cart_name },
            minute: row.minute,
            more: row.more,
        })
        .collect())
}

/// Deletes recorded rows that are older than a day, except the last of each program and cart.
pub(in crate::carts) async fn delete_old(connection: &mut Connection) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from token_uses u where recorded = times and minute < now() - interval '25 hours'
           and exists (select from token_uses later
                       where later.cart_id = u.cart_id and later.key_id = u.key_id and later.minute > u.minute)"
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}

/// A program that got the token of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUse {
    /// The name of its API key.
    pub program: String,
    pub last_at: OffsetDateTime,
    /// How often in the last 24 hours.
    pub times_a_day: i64,
}

/// The programs that got the token of a cart, the last one first.
pub(in crate::carts) async fn list(pool: &Pool, cart: CartId, limit: i64) -> sqlx::Result<Vec<TokenUse>> {
    sqlx::query_as!(
        TokenUse,
        r#"select k.name as program, max(u.last_at) as "last_at!",
               coalesce(sum(u.times) filter (where u.minute > now() - interval '24 hours'), 0)::bigint as "times_a_day!"
           from token_uses u join api_keys k on k.id = u.key_id
           where u.cart_id = $1 group by k.id, k.name order by max(u.last_at) desc, k.name limit $2"#,
        cart.0,
        limit
    )
    .fetch_all(pool)
    .await
}
