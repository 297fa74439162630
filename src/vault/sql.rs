//! SQL of the vault: the registered keys.

use crate::database::{Connection, Pool};
use time::OffsetDateTime;

/// `application_name` of servers in `pg_stat_activity`. Only servers keep a key ring in memory for long.
pub const SERVER: &str = "cartwright serve";

/// A registered key: its ID and check value, never the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    pub key_id: Vec<u8>,
    pub check_value: Vec<u8>,
    /// When a start or a command last found this key in the key file.
    pub checked_at: Option<OffsetDateTime>,
    /// Set at the end of a rotation and by `keys forget`: the key file no longer needs to contain this key.
    pub retired_at: Option<OffsetDateTime>,
}

/// All registered keys, oldest first.
pub async fn known_keys(pool: &Pool) -> sqlx::Result<Vec<KnownKey>> {
    sqlx::query_as!(
        KnownKey,
        "select key_id, check_value, checked_at, retired_at from vault_keys order by created_at, key_id"
    )
    .fetch_all(pool)
    .await
}

/// Registers a key of the file. Clears the retirement of the active key.
pub(super) async fn register(pool: &Pool, id: &[u8], check_value: &[u8], is_active: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into vault_keys (key_id, check_value, checked_at) values ($1, $2, now())
         on conflict (key_id) do update set checked_at = now(),
            retired_at = case when $3 then null else vault_keys.retired_at end",
        id,
        check_value,
        is_active
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Locks the registered keys other than `active` before a decision to retire them, and returns their IDs. Waits for
/// transactions that have stored a secret under one of them. A transaction that stores one later waits for this one, and
/// then clears the retirement: trigger function `vault_key_is_needed`.
pub async fn lock_other_keys(connection: &mut Connection, active: &[u8]) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar!("select key_id from vault_keys where key_id <> $1 order by key_id for update", active)
        .fetch_all(connection)
        .await
}

/// Marks a key as no longer needed. Returns `false` if it was retired before or never sealed here.
pub async fn retire(connection: &mut Connection, id: &[u8]) -> sqlx::Result<bool> {
    let retired = sqlx::query!("update vault_keys set retired_at = now() where key_id = $1 and retired_at is null", id)
        .execute(connection)
        .await?;
    Ok(retired.rows_affected() == 1)
}

/// Counts the secrets that a batch of a rotation resealed, in the transaction of the batch.
pub async fn add_resealed(connection: &mut Connection, id: &[u8], count: i64) -> sqlx::Result<()> {
    sqlx::query!("update vault_keys set resealed_count = resealed_count + $2 where key_id = $1", id, count)
        .execute(connection)
        .await
        .map(drop)
}

/// Returns and resets the number of secrets resealed under this key since the last rotation ended.
pub async fn take_resealed(connection: &mut Connection, id: &[u8]) -> sqlx::Result<i64> {
    let taken = sqlx::query_scalar!(
        "update vault_keys k set resealed_count = 0 from (select resealed_count from vault_keys where key_id = $1 for no key update) before
         where k.key_id = $1 returning before.resealed_count",
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(taken.unwrap_or(0))
}

/// Whether a server is connected to this database.
pub async fn is_served(pool: &Pool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from pg_stat_activity
            where application_name = $1 and datname = current_database()) as "is_served!""#,
        SERVER
    )
    .fetch_one(pool)
    .await
}
