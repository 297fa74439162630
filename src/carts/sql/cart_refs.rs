//! Finds carts by what must be unique: name, store, token. Returns only id and name, enough for a link.

use crate::{
    audit::CartRef,
    carts::CartId,
    database::{Connection, Pool},
    platforms::{Platform, StoreRef},
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

pub(in crate::carts) async fn find_by_store(pool: &Pool, store: &StoreRef) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts where platform = $1 and store_key = $2",
        store.platform.as_str(),
        store.key
    )
    .fetch_optional(pool)
    .await
}

/// The cart with this shop ID on this platform, other than `own`.
pub(in crate::carts) async fn find_by_shop(
    connection: &mut Connection,
    platform: Platform,
    shop: &str,
    own: Option<CartId>,
) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts where platform = $3 and shop_id = $1 and id is distinct from $2",
        shop,
        own.map(|own| own.0),
        platform.as_str()
    )
    .fetch_optional(connection)
    .await
}

/// The cart, other than `own`, with the shop that last answered at the host of this store.
pub(in crate::carts) async fn find_by_shop_of(
    pool: &Pool,
    store: &StoreRef,
    own: Option<CartId>,
) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select carts.id, website_name as name from carts where platform = $3 and carts.id is distinct from $2 and shop_id =
            (select verdict -> 'store' ->> 'shop_id' from connection_tests where store_host = $1 and passed order by started_at desc limit 1)",
        store.host,
        own.map(|own| own.0),
        store.platform.as_str()
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

/// ID and host of the carts with one of these IDs or hosts.
pub(in crate::carts) async fn list_by_id_or_host(
    pool: &Pool,
    ids: &[uuid::Uuid],
    hosts: &[String],
) -> sqlx::Result<Vec<(uuid::Uuid, String)>> {
    let rows = sqlx::query!(
        r#"select id as "id!", store_host as "store_host!" from carts where id = any ($1)
           union select id, store_host from carts where platform = 'shopify' and store_host = any ($2)"#,
        ids,
        hosts
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.store_host)).collect())
}

/// The first of these carts by name.
pub(in crate::carts) async fn list(pool: &Pool, ids: &[uuid::Uuid], limit: i64) -> sqlx::Result<Vec<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts where id = any ($1) order by lower(website_name), id limit $2",
        ids,
        limit
    )
    .fetch_all(pool)
    .await
}
