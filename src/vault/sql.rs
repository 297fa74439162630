//! The vault's SQL: which keys have sealed here, and how often.

use sqlx::PgPool;
use time::OffsetDateTime;

pub(super) struct KnownKey {
    pub key_id: Vec<u8>,
    pub check_value: Vec<u8>,
    pub retired_at: Option<OffsetDateTime>,
}

pub(super) async fn known_keys(pool: &PgPool) -> sqlx::Result<Vec<KnownKey>> {
    sqlx::query_as!(KnownKey, "select key_id, check_value, retired_at from vault_keys").fetch_all(pool).await
}

pub(super) async fn register(pool: &PgPool, id: &[u8], check_value: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into vault_keys (key_id, check_value) values ($1, $2) on conflict (key_id) do nothing",
        id,
        check_value
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Reserves a block of seals; `None` when the key is worn out.
pub(super) async fn reserve(pool: &PgPool, id: &[u8], block: i64, refuse_at: i64) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "update vault_keys set sealed_count = sealed_count + $2 where key_id = $1 and sealed_count + $2 <= $3 returning sealed_count",
        id,
        block,
        refuse_at
    )
    .fetch_optional(pool)
    .await
}
