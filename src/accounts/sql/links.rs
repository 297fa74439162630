//! SQL of one-time links.

use crate::database::{Connection, Pool};
use uuid::Uuid;

pub async fn insert(connection: &mut Connection, hash: &[u8], user: Option<Uuid>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into set_up_links (code_hash, user_id, expires_at) values ($1, $2, now() + interval '1 hour')",
        hash,
        user
    )
    .execute(connection)
    .await
    .map(drop)
}

pub struct LinkRow {
    /// Neither used nor expired. An expiry too far in the future counts as expired, because it means that the clock was
    /// set back.
    pub is_alive: bool,
    /// Address of the link's user; `None` for the first administrator.
    pub email: Option<String>,
    pub name: Option<String>,
    pub role: Option<String>,
    pub has_joined: bool,
}

pub async fn find(pool: &Pool, hash: &[u8]) -> sqlx::Result<Option<LinkRow>> {
    sqlx::query_as!(
        LinkRow,
        r#"
        select spent_at is null and expires_at > now() and expires_at < now() + interval '61 minutes'
                and disabled_at is null as "is_alive!",
            email as "email?", name as "name?", role as "role?", password_hash is not null as "has_joined!"
        from set_up_links left join users on users.id = user_id
        where code_hash = $1
        "#,
        hash
    )
    .fetch_optional(pool)
    .await
}

/// Marks the link as used. Returns its user, or `None` if the link was already used.
pub async fn spend(connection: &mut Connection, hash: &[u8]) -> sqlx::Result<Option<Option<Uuid>>> {
    sqlx::query_scalar!(
        "update set_up_links set spent_at = now()
         where code_hash = $1 and spent_at is null and expires_at > now() and expires_at < now() + interval '61 minutes'
         returning user_id",
        hash
    )
    .fetch_optional(connection)
    .await
}

/// Deletes a user's unused links. A new link, a new password and disabling the user invalidate them.
pub async fn delete(connection: &mut Connection, user: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from set_up_links where user_id = $1 and spent_at is null", user)
        .execute(connection)
        .await
        .map(drop)
}
