//! The feed of changes: written in the transaction of the change, read in an order that no later commit can precede.

use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    audit::CartRef,
    carts::changes::{CartChange, ChangeFacts},
    database::{Connection, Pool},
};

/// Writes a change with the current state of the cart, unless this transaction has written the same kind already.
pub(in crate::carts) async fn insert(connection: &mut Connection, kind: &str, cart: &CartRef) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into cart_changes (kind, cart_id, data)
         select $2, id, jsonb_build_object('website_name', website_name, 'store', store_host, 'status', status,
             'class', last_class, 'title', last_title)
         from carts where id = $1 and not exists (
             select from cart_changes where xid = pg_current_xact_id() and cart_id = $1 and kind = $2)",
        cart.id,
        kind
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Writes a change with these facts.
pub(in crate::carts) async fn insert_facts(
    connection: &mut Connection,
    kind: &str,
    cart: Option<Uuid>,
    facts: &ChangeFacts,
) -> sqlx::Result<()> {
    sqlx::query!("insert into cart_changes (kind, cart_id, data) values ($1, $2, $3)", kind, cart, Json(facts) as _)
        .execute(connection)
        .await
        .map(drop)
}

/// Whether a reader can continue behind this change: it is still kept, and it was written by this database server. A
/// transaction ID of the future comes from a server that the database was restored from.
pub(in crate::carts) async fn is_kept(pool: &Pool, id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from cart_changes where id = $1 and xid < pg_snapshot_xmax(pg_current_snapshot())) as "is_kept!""#,
        id
    )
    .fetch_one(pool)
    .await
}

/// The changes behind this one, oldest first; from the first kept one if there is no such change. Excludes those of
/// transactions that are not older than the oldest one still running: one of them may yet commit a row before others.
pub(in crate::carts) async fn list(pool: &Pool, after: Uuid, limit: i64) -> sqlx::Result<Vec<CartChange>> {
    let rows = sqlx::query!(
        r#"
        select id, kind, at, cart_id, data as "data: Json<ChangeFacts>" from cart_changes
        where (xid, position) > (coalesce((select xid from cart_changes where id = $1), '0'::xid8),
                                 coalesce((select position from cart_changes where id = $1), 0))
          and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid, position limit $2
        "#,
        after,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CartChange { id: row.id, kind: row.kind, at: row.at, cart: row.cart_id, facts: row.data.0 })
        .collect())
}

/// The newest change that `list` returns.
pub(in crate::carts) async fn find_newest(pool: &Pool) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "select id from cart_changes where xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid desc, position desc limit 1"
    )
    .fetch_optional(pool)
    .await
}

/// Deletes changes that are older than `kept_for`, except the newest, and those of another database server that this one was
/// restored from. The feed is never empty.
pub(in crate::carts) async fn delete_old(connection: &mut Connection, kept_for: time::Duration) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from cart_changes where xid >= pg_snapshot_xmax(pg_current_snapshot())
            or at < now() - make_interval(secs => $1) and id <> (select id from cart_changes order by xid desc, position desc limit 1)",
        kept_for.as_seconds_f64()
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("insert into cart_changes (kind) select 'feed.begun' where not exists (select from cart_changes)")
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected())
}
