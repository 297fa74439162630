//! Finds carts by what must be unique: name, store, token. Returns only id and name, enough for a link.

use crate::{
    audit::CartRef,
    carts::CartId,
    database::{Connection, Pool},
    vault::Fingerprints,
};

pub(in crate::carts) async fn find_by_name(pool: &Pool, name: &str) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts where name_key(website_name) = name_key($1) order by name_twin limit 1",
        name
    )
    .fetch_optional(pool)
    .await
}

pub(in crate::carts) async fn find_by_store(pool: &Pool, host: &str) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts where platform = 'shopify' and store_host = $1",
        host
    )
    .fetch_optional(pool)
    .await
}

/// The cart with this shop ID, other than `own`.
pub(in crate::carts) async fn find_by_shop(
    connection: &mut Connection,
    shop: &str,
    own: Option<CartId>,
) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts where platform = 'shopify' and shop_id = $1 and id is distinct from $2",
        shop,
        own.map(|own| own.0)
    )
    .fetch_optional(connection)
    .await
}

/// The cart, other than `own`, with the shop that last answered at this host.
pub(in crate::carts) async fn find_by_shop_of(
    pool: &Pool,
    host: &str,
    own: Option<CartId>,
) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select carts.id, website_name as name from carts where platform = 'shopify' and carts.id is distinct from $2 and shop_id =
            (select verdict -> 'store' ->> 'shop_id' from connection_tests where store_host = $1 and passed order by started_at desc limit 1)",
        host,
        own.map(|own| own.0)
    )
    .fetch_optional(pool)
    .await
}

/// Another cart with the same token.
pub(in crate::carts) async fn find_by_token(
    connection: &mut Connection,
    fingerprints: &Fingerprints,
    own: Option<CartId>,
) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts where token_fingerprint = any ($1) and id is distinct from $2 order by website_name limit 1",
        fingerprints.all(),
        own.map(|own| own.0)
    )
    .fetch_optional(connection)
    .await
}
