//! The leases of checks: which carts are due, and which process checks them.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{carts::CartId, database::Connection, platforms::CredentialKind};

/// A cart whose check is due, leased to this process.
#[derive(Clone)]
pub(in crate::carts) struct LeasedCheck {
    pub cart: CartId,
    pub store_host: String,
    pub kind: CredentialKind,
    pub shop_id: Option<String>,
    /// Version and fingerprint under check: a result for any other is dropped.
    pub version: i64,
    pub fingerprint: Vec<u8>,
    /// The end of the lease, which also identifies it.
    pub leased_until: OffsetDateTime,
    pub asks_customers: bool,
}

/// Leases up to `limit` due carts, longest overdue first. Skips carts that another process holds; an expired lease is
/// free for any process. Returns none while the integration is off.
pub(in crate::carts) async fn lease_due(
    connection: &mut Connection,
    limit: i64,
    practices: bool,
) -> sqlx::Result<Vec<LeasedCheck>> {
    // The customer query runs once a day, and with every check while something is missing.
    let rows = sqlx::query!(
        r#"
        with due as (
            select cart_id from cart_health h join carts c on c.id = h.cart_id
            where next_check_at <= now() and (leased_until is null or leased_until < now())
              and c.is_active and c.secret is not null and (not c.is_practice or $2)
              and exists (select from ecommerce_integration where ecommerce_integration.is_active)
            order by next_check_at limit $1 for update of h skip locked
        )
        update cart_health h set leased_until = now() + interval '30 seconds'
        from due, carts c where h.cart_id = due.cart_id and c.id = h.cart_id
        returning c.id, c.store_host, c.credential_kind as "kind!", c.shop_id, c.version,
            c.credential_fingerprint as "fingerprint!", h.leased_until as "leased_until!",
            (c.last_class is distinct from 'CONNECTED' and c.last_class is distinct from 'API_VERSION_OLD'
                or h.customers_asked_at is null or h.customers_asked_at < now() - interval '1 day') as "asks_customers!"
        "#,
        limit,
        practices
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(LeasedCheck {
                cart: CartId(row.id),
                store_host: row.store_host,
                kind: CredentialKind::parse(&row.kind)?,
                shop_id: row.shop_id,
                version: row.version,
                fingerprint: row.fingerprint,
                leased_until: row.leased_until,
                asks_customers: row.asks_customers,
            })
        })
        .collect())
}

/// Releases a lease without a result.
pub(in crate::carts) async fn release_due(
    connection: &mut Connection,
    due: &LeasedCheck,
    pause: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update cart_health set leased_until = null, next_check_at = next_check_at + make_interval(secs => $3)
         where cart_id = $1 and leased_until = $2",
        due.cart.0,
        due.leased_until,
        pause.as_secs_f64()
    )
    .execute(connection)
    .await
    .map(drop)
}

/// How long the oldest due check has been due, in seconds; `None` if none is due or the integration is off.
pub(in crate::carts) async fn find_lag(connection: &mut Connection, practices: bool) -> sqlx::Result<Option<f64>> {
    sqlx::query_scalar!(
        "select extract(epoch from now() - next_check_at)::float8 from cart_health h join carts c on c.id = h.cart_id
         where next_check_at <= now() and (not c.is_practice or $1)
           and exists (select from ecommerce_integration where ecommerce_integration.is_active)
         order by next_check_at limit 1",
        practices
    )
    .fetch_optional(connection)
    .await
    .map(Option::flatten)
}
