//! SQL of the last use of each key.

use crate::database::Pool;
use uuid::Uuid;

/// Records a use now, unless one was recorded within the last minute.
pub async fn record(pool: &Pool, key: Uuid, ip: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into api_key_uses (key_id, ip) values ($1, $2)
         on conflict (key_id) do update set used_at = now(), ip = excluded.ip
         where api_key_uses.used_at not between now() - interval '1 minute' and now()",
        key,
        ip
    )
    .execute(pool)
    .await
    .map(drop)
}
