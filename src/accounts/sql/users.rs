//! SQL of users.

use crate::database::{Connection, Pool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{ABSOLUTE_MINUTES, Email, IDLE_MINUTES, PersonName, Role};

pub struct SignInRow {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: String,
    /// `None` for an invited user who has not joined yet.
    pub password_hash: Option<String>,
}

pub async fn find_for_sign_in(pool: &Pool, email: &str) -> sqlx::Result<Option<SignInRow>> {
    sqlx::query_as!(
        SignInRow,
        "select id, email, name, role, password_hash from users where email = $1 and disabled_at is null",
        email
    )
    .fetch_optional(pool)
    .await
}

pub async fn find_password_hash(pool: &Pool, user: Uuid) -> sqlx::Result<Option<String>> {
    let hash = sqlx::query_scalar!("select password_hash from users where id = $1 and disabled_at is null", user);
    Ok(hash.fetch_optional(pool).await?.flatten())
}

pub async fn update_password_hash(connection: &mut Connection, user: Uuid, hash: &str) -> sqlx::Result<()> {
    sqlx::query!("update users set password_hash = $2 where id = $1", user, hash).execute(connection).await.map(drop)
}

/// Updates the last-seen time. Returns whether the user may sign in: not disabled and, if a password was checked, with
/// an unchanged password hash.
pub async fn let_in(connection: &mut Connection, user: Uuid, checked: Option<&str>) -> sqlx::Result<bool> {
    let here = sqlx::query!(
        "update users set last_seen_at = now()
         where id = $1 and disabled_at is null and ($2::text is null or password_hash = $2)",
        user,
        checked
    )
    .execute(connection)
    .await?;
    Ok(here.rows_affected() == 1)
}

/// Saves a user's last-seen time before their sessions are deleted.
pub async fn save_last_seen(connection: &mut Connection, user: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set last_seen_at =
            greatest(last_seen_at, (select max(last_seen_at) from sessions where user_id = $1)) where id = $1",
        user
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Replaces the password hash if it is still `old`. Returns whether it was.
pub async fn replace_password_hash(
    connection: &mut Connection,
    user: Uuid,
    old: &str,
    new: &str,
) -> sqlx::Result<bool> {
    let replaced = sqlx::query!(
        "update users set password_hash = $3 where id = $1 and password_hash = $2 and disabled_at is null",
        user,
        old,
        new
    )
    .execute(connection)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

pub async fn update_theme(connection: &mut Connection, user: Uuid, theme: &str) -> sqlx::Result<()> {
    sqlx::query!("update users set theme = $2 where id = $1", user, theme).execute(connection).await.map(drop)
}

pub async fn update_name(connection: &mut Connection, user: Uuid, name: &PersonName) -> sqlx::Result<()> {
    sqlx::query!("update users set name = $2 where id = $1", user, name.as_str()).execute(connection).await.map(drop)
}

pub async fn update_details(
    connection: &mut Connection,
    user: Uuid,
    name: &PersonName,
    email: &Email,
) -> sqlx::Result<()> {
    sqlx::query!("update users set name = $2, email = $3 where id = $1", user, name.as_str(), email.as_str())
        .execute(connection)
        .await
        .map(drop)
}

pub async fn update_role(connection: &mut Connection, user: Uuid, role: Role) -> sqlx::Result<()> {
    sqlx::query!("update users set role = $2 where id = $1", user, role.as_str()).execute(connection).await.map(drop)
}

pub async fn update_disabled(connection: &mut Connection, user: Uuid, is_off: bool) -> sqlx::Result<()> {
    sqlx::query!("update users set disabled_at = case when $2 then now() end where id = $1", user, is_off)
        .execute(connection)
        .await
        .map(drop)
}

pub async fn list_administrators(pool: &Pool, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "select name from users where role = 'administrator' and disabled_at is null order by created_at limit $1",
        limit
    )
    .fetch_all(pool)
    .await
}

/// Whether another user can sign in as an administrator.
pub async fn any_other_administrator(connection: &mut Connection, but: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
            select from users
            where role = 'administrator' and disabled_at is null and password_hash is not null and id <> $1
        ) as "any!""#,
        but
    )
    .fetch_one(connection)
    .await
}

pub async fn is_empty(pool: &Pool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select not exists (select from users) as "empty!""#).fetch_one(pool).await
}

pub async fn any(connection: &mut Connection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from users) as "any!""#).fetch_one(connection).await
}

/// Serializes set-ups: two links used concurrently create only one administrator.
pub async fn lock_all(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!("lock table users in share row exclusive mode").execute(connection).await.map(drop)
}

/// Serializes changes that remove administrators, so that two who disable each other concurrently leave one. Locks in a
/// fixed order.
pub async fn lock_administrators(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::query!("select id from users where role = 'administrator' order by id for update")
        .fetch_all(connection)
        .await
        .map(drop)
}

pub async fn insert(
    connection: &mut Connection,
    id: Uuid,
    (email, name, role): (&Email, &PersonName, Role),
    hash: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into users (id, email, name, role, password_hash) values ($1, $2, $3, $4, $5)",
        id,
        email.as_str(),
        name.as_str(),
        role.as_str(),
        hash
    )
    .execute(connection)
    .await
    .map(drop)
}

pub struct UserRow {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: String,
    pub has_joined: bool,
    pub is_off: bool,
    pub is_signed_in: bool,
    pub last_seen_at: Option<OffsetDateTime>,
}

/// All users, or the user with this ID or this address; sorted by name.
pub async fn list(pool: &Pool, id: Option<Uuid>, email: Option<&str>) -> sqlx::Result<Vec<UserRow>> {
    sqlx::query_as!(
        UserRow,
        r#"
        select id, email, name, role, password_hash is not null as "has_joined!", disabled_at is not null as "is_off!",
            greatest(last_seen_at, (select max(last_seen_at) from sessions where user_id = users.id)) as last_seen_at,
            disabled_at is null and exists (
                select from sessions
                where user_id = users.id and created_at > now() - make_interval(mins => $4)
                    and last_seen_at > now() - make_interval(mins => $3)
            ) as "is_signed_in!"
        from users
        where ($1::uuid is null or id = $1) and ($2::text is null or email = $2)
        order by lower(name), id
        "#,
        id,
        email,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES
    )
    .fetch_all(pool)
    .await
}

pub struct ListedUserRow {
    pub email: String,
    pub name: String,
    pub role: String,
    pub has_joined: bool,
    pub is_off: bool,
}

/// Locks the user's row until the transaction ends, and returns it.
pub async fn lock(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<ListedUserRow>> {
    sqlx::query_as!(
        ListedUserRow,
        r#"select email, name, role, password_hash is not null as "has_joined!", disabled_at is not null as "is_off!"
           from users where id = $1 for update"#,
        id
    )
    .fetch_optional(connection)
    .await
}
