//! SQL of keys. A key is live if it is neither revoked nor ended; one created in the future is not, because it means that
//! the database clock was set back.

use crate::{
    audit::By,
    database::{Connection, Pool},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{ApiKeyText, ENDS_SOON_DAYS, KeyLifetime};

pub struct LiveKeyRow {
    pub id: Uuid,
    pub name: String,
    pub ending: String,
    pub scopes: Vec<String>,
    pub carts: Option<Vec<Uuid>>,
    pub networks: Option<Vec<String>>,
    pub ends_at: OffsetDateTime,
    /// Whether no use was recorded within the last minute.
    pub is_use_due: bool,
}

/// Finds a live key by the hash of its text.
pub async fn find_live(pool: &Pool, hash: &[u8]) -> sqlx::Result<Option<LiveKeyRow>> {
    sqlx::query_as!(
        LiveKeyRow,
        r#"
        select id, name, ending, scopes, carts, networks, ends_at,
            used_at is null or used_at not between now() - interval '1 minute' and now() as "is_use_due!"
        from api_keys left join api_key_uses on key_id = id
        where key_hash = $1 and revoked_at is null and ends_at > now() and created_at <= now() + interval '1 minute'
        "#,
        hash
    )
    .fetch_optional(pool)
    .await
}

/// Makes other changes of keys wait until the transaction ends. Programs that use their keys do not wait.
pub async fn lock_table(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!("lock table api_keys in share row exclusive mode").execute(connection).await.map(drop)
}

/// Number of live keys with this name, whatever its case.
pub async fn count_live(connection: &mut Connection, name: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "n!" from api_keys
           where lower(name) = lower($1) and revoked_at is null and ends_at > now()"#,
        name
    )
    .fetch_one(connection)
    .await
}

pub struct NewKeyRow {
    pub name: String,
    pub scopes: Vec<String>,
    pub carts: Option<Vec<Uuid>>,
    pub networks: Option<Vec<String>>,
    pub lifetime: KeyLifetime,
    pub replaces: Option<Uuid>,
}

/// Inserts a key and returns when it ends.
pub async fn insert(
    connection: &mut Connection,
    id: Uuid,
    text: &ApiKeyText,
    row: &NewKeyRow,
    by: &By,
) -> sqlx::Result<OffsetDateTime> {
    sqlx::query_scalar!(
        "insert into api_keys (id, name, key_hash, ending, scopes, carts, networks, created_by, created_by_id, ends_at, replaces)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(days => $10), $11)
         returning ends_at",
        id,
        row.name,
        text.hash(),
        text.ending(),
        &row.scopes,
        row.carts.as_deref(),
        row.networks.as_deref(),
        by.name(),
        by.actor.id(),
        row.lifetime.days(),
        row.replaces
    )
    .fetch_one(connection)
    .await
}

pub struct ChangedKeyRow {
    pub name: String,
    pub ending: String,
    pub scopes: Vec<String>,
    pub carts: Option<Vec<Uuid>>,
    pub networks: Option<Vec<String>>,
    pub created_at: OffsetDateTime,
    pub ends_at: OffsetDateTime,
    pub is_live: bool,
}

pub async fn find_for_change(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<ChangedKeyRow>> {
    sqlx::query_as!(
        ChangedKeyRow,
        r#"select name, ending, scopes, carts, networks, created_at, ends_at,
               revoked_at is null and ends_at > now() as "is_live!"
           from api_keys where id = $1"#,
        id
    )
    .fetch_optional(connection)
    .await
}

pub async fn revoke(connection: &mut Connection, id: Uuid, by: &str) -> sqlx::Result<()> {
    sqlx::query!("update api_keys set revoked_at = now(), revoked_by = $2 where id = $1", id, by)
        .execute(connection)
        .await
        .map(drop)
}

pub struct KeyRow {
    pub id: Uuid,
    pub name: String,
    pub ending: String,
    pub scopes: Vec<String>,
    pub carts: Option<Vec<Uuid>>,
    pub networks: Option<Vec<String>>,
    pub created_at: OffsetDateTime,
    pub created_by: String,
    pub ends_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
    pub revoked_by: Option<String>,
    pub used_at: Option<OffsetDateTime>,
    pub used_ip: Option<String>,
    pub is_live: bool,
    pub ends_soon: bool,
}

/// One key, or all: live ones first, those that end first at the top, then the newest of the others.
pub async fn list(pool: &Pool, only: Option<Uuid>) -> sqlx::Result<Vec<KeyRow>> {
    sqlx::query_as!(
        KeyRow,
        r#"
        select id, name, ending, scopes, carts, networks, created_at, created_by, ends_at, revoked_at, revoked_by,
            used_at as "used_at?", ip as used_ip,
            live.is_live as "is_live!", ends_at <= now() + make_interval(days => $2) as "ends_soon!"
        from api_keys left join api_key_uses on key_id = id
        cross join lateral (select revoked_at is null and ends_at > now() as is_live) live
        where $1::uuid is null or id = $1
        order by live.is_live desc, case when live.is_live then ends_at end, created_at desc
        limit 500
        "#,
        only,
        ENDS_SOON_DAYS
    )
    .fetch_all(pool)
    .await
}

pub struct EndingKeyRow {
    pub id: Uuid,
    pub name: String,
    pub ending: String,
    pub ends_at: OffsetDateTime,
}

/// Marks live keys that end soon as notified, and returns those that were not yet. Keys made for a shorter time are left
/// out.
pub async fn claim_ending_soon(connection: &mut Connection) -> sqlx::Result<Vec<EndingKeyRow>> {
    sqlx::query_as!(
        EndingKeyRow,
        r#"update api_keys set notified_at = now()
           where revoked_at is null and notified_at is null and ends_at > now()
             and ends_at <= now() + make_interval(days => $1) and ends_at - created_at > make_interval(days => $1)
           returning id, name, ending, ends_at"#,
        ENDS_SOON_DAYS
    )
    .fetch_all(connection)
    .await
}
