//! SQL of sessions. A session dated in the future counts as ended: it means that the database clock was set back, which
//! must not extend the session. Transactions that change a user and their sessions lock the user first, to avoid
//! deadlocks.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{ABSOLUTE_MINUTES, FRESH_MINUTES, IDLE_MINUTES};
use crate::{
    audit::Origin,
    database::{Connection, Pool},
};

pub struct SessionRow {
    pub user_id: Uuid,
    pub email: String,
    pub name: String,
    pub role: String,
    pub theme: String,
    pub banner: Option<Value>,
    pub ended: Option<String>,
    pub is_stale: bool,
    pub is_fresh: bool,
}

pub async fn find(connection: &mut Connection, hash: &[u8]) -> sqlx::Result<Option<SessionRow>> {
    sqlx::query_as!(
        SessionRow,
        r#"
        select users.id as user_id, email, name, role, theme, banner,
            case when sessions.created_at <= now() - make_interval(mins => $3)
                      or sessions.created_at > now() + interval '1 minute' then 'too-old'
                 when sessions.last_seen_at <= now() - make_interval(mins => $2)
                      or sessions.last_seen_at > now() + interval '1 minute' then 'idle' end as ended,
            sessions.last_seen_at < now() - interval '1 minute' as "is_stale!",
            authenticated_at > now() - make_interval(mins => $4)
                and authenticated_at <= now() + interval '1 minute' as "is_fresh!"
        from sessions join users on users.id = user_id
        where id_hash = $1 and disabled_at is null
        "#,
        hash,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES,
        FRESH_MINUTES
    )
    .fetch_optional(connection)
    .await
}

/// The session's user and the hash of their password.
pub async fn find_password_of_session(pool: &Pool, hash: &[u8]) -> sqlx::Result<Option<(Uuid, String)>> {
    let row = sqlx::query!(
        r#"select users.id, password_hash as "password_hash!" from sessions join users on users.id = user_id
           where id_hash = $1 and password_hash is not null"#,
        hash
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.id, row.password_hash)))
}

/// Updates the last-seen time and deletes the banner if it still equals `told`. A banner stored meanwhile stays.
pub async fn touch(connection: &mut Connection, hash: &[u8], told: Option<&Value>) -> sqlx::Result<()> {
    sqlx::query!("update sessions set last_seen_at = now(), banner = nullif(banner, $2) where id_hash = $1", hash, told)
        .execute(connection)
        .await
        .map(drop)
}

pub async fn update_banner(pool: &Pool, hash: &[u8], banner: &Value) -> sqlx::Result<()> {
    sqlx::query!("update sessions set banner = $2 where id_hash = $1", hash, banner).execute(pool).await.map(drop)
}

pub async fn insert(connection: &mut Connection, hash: &[u8], user: Uuid, origin: &Origin) -> sqlx::Result<()> {
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

/// Gives a session a new ID and a fresh password confirmation. Returns whether the session still existed.
pub async fn renew(connection: &mut Connection, user: Uuid, old: &[u8], new: &[u8]) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        "update sessions set id_hash = $3, authenticated_at = now(), last_seen_at = now() where id_hash = $2 and user_id = $1",
        user,
        old,
        new
    )
    .execute(connection)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

pub async fn delete(connection: &mut Connection, hash: &[u8]) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from sessions where id_hash = $1", hash).execute(connection).await?.rows_affected())
}

/// Deletes another session by its handle from a form. Returns its user agent.
pub async fn delete_of(
    connection: &mut Connection,
    user: Uuid,
    handle: Uuid,
    but: &[u8],
) -> sqlx::Result<Option<Option<String>>> {
    sqlx::query_scalar!(
        "delete from sessions where user_id = $1 and handle = $2 and id_hash <> $3 returning user_agent",
        user,
        handle,
        but
    )
    .fetch_optional(connection)
    .await
}

/// Number of open sessions of a user.
pub async fn count_open(connection: &mut Connection, user: Uuid) -> sqlx::Result<u64> {
    let open = sqlx::query_scalar!(
        r#"select count(*) as "open!" from sessions
           where user_id = $1 and created_at > now() - make_interval(mins => $3)
               and last_seen_at > now() - make_interval(mins => $2)"#,
        user,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES
    )
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(open).unwrap_or(0))
}

/// Deletes a user's sessions except `but`. Returns how many were still open.
pub async fn delete_all(connection: &mut Connection, user: Uuid, but: Option<&[u8]>) -> sqlx::Result<u64> {
    let open = sqlx::query_scalar!(
        r#"
        with ended as (delete from sessions where user_id = $1 and id_hash is distinct from $2 returning created_at, last_seen_at)
        select count(*) as "open!" from ended
        where created_at > now() - make_interval(mins => $4) and last_seen_at > now() - make_interval(mins => $3)
        "#,
        user,
        but,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES
    )
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(open).unwrap_or(0))
}

pub struct OpenRow {
    pub handle: Uuid,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
    pub is_this: bool,
}

/// A user's open sessions: this one first, then the most recently seen.
pub async fn list(pool: &Pool, user: Uuid, this: &[u8]) -> sqlx::Result<Vec<OpenRow>> {
    sqlx::query_as!(
        OpenRow,
        r#"
        select handle, ip, user_agent, created_at, last_seen_at, id_hash = $2 as "is_this!"
        from sessions
        where user_id = $1 and created_at > now() - make_interval(mins => $4)
            and last_seen_at > now() - make_interval(mins => $3)
        order by id_hash <> $2, last_seen_at desc, handle
        "#,
        user,
        this,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES
    )
    .fetch_all(pool)
    .await
}

/// Deletes sessions that expired long ago. The reason stays readable for a day. The user's last-seen time is saved
/// first.
pub async fn sweep(connection: &mut Connection) -> sqlx::Result<u64> {
    sqlx::query!(
        "update users set last_seen_at = greatest(users.last_seen_at, gone.last_seen_at)
         from (select user_id, max(last_seen_at) as last_seen_at from sessions
               where last_seen_at < now() - interval '1 day' or created_at < now() - interval '2 days' group by user_id) gone
         where id = gone.user_id"
    )
    .execute(&mut *connection)
    .await?;
    let swept = sqlx::query!(
        "delete from sessions where last_seen_at < now() - interval '1 day' or created_at < now() - interval '2 days'"
    )
    .execute(connection)
    .await?;
    Ok(swept.rows_affected())
}
