//! The SQL of people, sessions and set-up links.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{ABSOLUTE_MINUTES, IDLE_MINUTES, NewUser};
use crate::audit::Origin;

pub(super) struct ForSignIn {
    pub id: Uuid,
    pub name: String,
    pub password_hash: String,
}

pub(super) async fn find_for_sign_in(pool: &PgPool, email: &str) -> sqlx::Result<Option<ForSignIn>> {
    sqlx::query_as!(
        ForSignIn,
        "select id, name, password_hash from users where email = $1 and disabled_at is null",
        email
    )
    .fetch_optional(pool)
    .await
}

pub(super) async fn update_password_hash(connection: &mut PgConnection, user: Uuid, hash: &str) -> sqlx::Result<()> {
    sqlx::query!("update users set password_hash = $2 where id = $1", user, hash).execute(connection).await.map(drop)
}

pub(super) async fn update_theme(pool: &PgPool, user: Uuid, theme: &str) -> sqlx::Result<()> {
    sqlx::query!("update users set theme = $2 where id = $1", user, theme).execute(pool).await.map(drop)
}

pub(super) async fn is_empty(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select not exists (select from users) as "empty!""#).fetch_one(pool).await
}

/// A few names of those who may change things.
pub(super) async fn find_administrators(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "select name from users where role = 'administrator' and disabled_at is null order by name, id limit 5"
    )
    .fetch_all(pool)
    .await
}

pub(super) async fn any_user(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from users) as "any!""#).fetch_one(connection).await
}

/// One set-up at a time: two links spent together make one administrator.
pub(super) async fn lock_users(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("lock table users in share row exclusive mode").execute(connection).await.map(drop)
}

pub(super) async fn insert_user(
    connection: &mut PgConnection,
    id: Uuid,
    new: &NewUser,
    hash: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into users (id, email, name, role, password_hash) values ($1, $2, $3, $4, $5)",
        id,
        new.email.as_str(),
        new.name.as_str(),
        new.role.as_str(),
        hash
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(super) struct SessionRow {
    pub user_id: Uuid,
    pub email: String,
    pub name: String,
    pub role: String,
    pub theme: String,
    pub banner: Option<Value>,
    pub ended: Option<String>,
    pub is_stale: bool,
}

pub(super) async fn find_session(pool: &PgPool, hash: &[u8]) -> sqlx::Result<Option<SessionRow>> {
    sqlx::query_as!(
        SessionRow,
        r#"
        select users.id as user_id, email, name, role, theme, banner,
            case when sessions.created_at <= now() - make_interval(mins => $3) then 'too-old'
                 when last_seen_at <= now() - make_interval(mins => $2) then 'idle' end as ended,
            last_seen_at < now() - interval '1 minute' as "is_stale!"
        from sessions join users on users.id = user_id
        where id_hash = $1 and disabled_at is null
        "#,
        hash,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES
    )
    .fetch_optional(pool)
    .await
}

pub(super) async fn touch_session(pool: &PgPool, hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("update sessions set last_seen_at = now(), banner = null where id_hash = $1", hash)
        .execute(pool)
        .await
        .map(drop)
}

pub(super) async fn update_banner(pool: &PgPool, hash: &[u8], banner: &Value) -> sqlx::Result<()> {
    sqlx::query!("update sessions set banner = $2 where id_hash = $1", hash, banner).execute(pool).await.map(drop)
}

pub(super) async fn insert_session(
    connection: &mut PgConnection,
    hash: &[u8],
    user: Uuid,
    origin: &Origin,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into sessions (id_hash, user_id, ip, user_agent) values ($1, $2, $3, $4)",
        hash,
        user,
        origin.ip,
        origin.user_agent
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn delete_session(connection: &mut PgConnection, hash: &[u8]) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from sessions where id_hash = $1", hash).execute(connection).await?.rows_affected())
}

pub(super) async fn insert_set_up_link(connection: &mut PgConnection, hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("insert into set_up_links (code_hash, expires_at) values ($1, now() + interval '1 hour')", hash)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn is_set_up_link_alive(pool: &PgPool, hash: &[u8]) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from set_up_links where code_hash = $1 and spent_at is null and expires_at > now()) as "alive!""#,
        hash
    )
    .fetch_one(pool)
    .await
}

/// Whether this call spent it: a link works once.
pub(super) async fn spend_set_up_link(connection: &mut PgConnection, hash: &[u8]) -> sqlx::Result<bool> {
    let spent = sqlx::query!(
        "update set_up_links set spent_at = now() where code_hash = $1 and spent_at is null and expires_at > now()",
        hash
    )
    .execute(connection)
    .await?;
    Ok(spent.rows_affected() == 1)
}
