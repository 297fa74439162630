//! Whether a user and their session, or a program's key, may still make a change.

use uuid::Uuid;

use crate::{
    audit::{ABSOLUTE_MINUTES, IDLE_MINUTES},
    database::Connection,
};

/// Whether an account is enabled and has the role, and, if a session is given, whether that session is live. Both rows
/// stay locked until the transaction ends. The account is locked first, as in all code that changes a user and their
/// sessions. A session dated in the future counts as ended, because it means that the database clock was set back.
pub(in crate::audit) async fn lock_live(
    connection: &mut Connection,
    user: Uuid,
    session: Option<&[u8]>,
    needs_administrator: bool,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        with account as materialized (
            select id from users
            where id = $1 and disabled_at is null and (role = 'administrator' or not $3)
            for share
        ), session as materialized (
            select id_hash from sessions
            where id_hash = $2 and user_id = (select id from account)
                and created_at > now() - make_interval(mins => $5) and created_at <= now() + interval '1 minute'
                and last_seen_at > now() - make_interval(mins => $4) and last_seen_at <= now() + interval '1 minute'
            for share
        )
        select case when $2::bytea is null then exists (select from account) else exists (select from session) end as "is_live!"
        "#,
        user,
        session,
        needs_administrator,
        IDLE_MINUTES,
        ABSOLUTE_MINUTES
    )
    .fetch_one(connection)
    .await
}

/// Whether an API key is neither revoked nor ended. Its row stays locked until the transaction ends.
pub(in crate::audit) async fn lock_live_key(connection: &mut Connection, key: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        with key as materialized (
            select id from api_keys
            where id = $1 and revoked_at is null and ends_at > now() and created_at <= now() + interval '1 minute'
            for share
        )
        select exists (select from key) as "is_live!"
        "#,
        key
    )
    .fetch_one(connection)
    .await
}
