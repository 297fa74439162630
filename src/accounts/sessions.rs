//! Resolves session cookies, and lists and ends the sessions of a user.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Accounts, BrowserSecret, Fresh, Role, SessionEnd, User, end_sessions, sql, user::theme};
use crate::{
    audit::{self, By, Event, RequiredRole},
    database::{Lease, transaction},
};

/// Result of a session lookup by cookie.
#[derive(Debug)]
pub enum Session {
    /// The banner is shown once: reading it deletes it.
    Live {
        user: User,
        banner: Option<Value>,
        /// Set if the password was entered within the last ten minutes.
        fresh: Option<Fresh>,
        /// The connection that read the session, for further queries.
        connection: Lease,
    },
    Ended(SessionEnd),
    Unknown,
}

/// A browser in which a user is signed in.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// Identifies the session in forms.
    pub handle: Uuid,
    pub ip: Option<String>,
    /// The browser's `User-Agent` header; untrusted.
    pub user_agent: Option<String>,
    pub since: OffsetDateTime,
    pub last_seen: OffsetDateTime,
    /// Whether this is the session of the request.
    pub is_this: bool,
}

impl Accounts {
    /// Reads the session of a cookie in one statement. The last-seen time is written at most once a minute. The banner
    /// is read only if `shows_page`, because reading deletes it and another response would not show it.
    pub async fn session(&self, secret: &BrowserSecret, shows_page: bool) -> sqlx::Result<Session> {
        let hash = secret.hash();
        let mut connection = self.pool.acquire().await?;
        let Some(row) = sql::sessions::find(&mut connection, &hash).await? else { return Ok(Session::Unknown) };
        match row.ended.as_deref() {
            Some("idle") => return Ok(Session::Ended(SessionEnd::Idle)),
            Some(_) => return Ok(Session::Ended(SessionEnd::TooOld)),
            None => {}
        }
        let banner = row.banner.filter(|_| shows_page);
        if row.is_stale || banner.is_some() {
            sql::sessions::touch(&mut connection, &hash, banner.as_ref()).await?;
        }
        let user = User {
            id: row.user_id,
            email: row.email,
            name: row.name,
            role: Role::from_stored(&row.role),
            theme: theme(&row.theme).unwrap_or("system"),
        };
        Ok(Session::Live { user, banner, fresh: row.is_fresh.then(Fresh::proved), connection })
    }

    /// Stores a message for the next page of this session.
    pub async fn leave_banner(&self, session: &[u8], banner: &Value) -> sqlx::Result<()> {
        sql::sessions::update_banner(&self.pool, session, banner).await
    }

    /// The open sessions of a user: this one first, then the most recently seen.
    pub async fn open_sessions(&self, user: Uuid, this: &[u8]) -> sqlx::Result<Vec<OpenSession>> {
        let rows = sql::sessions::list(&self.pool, user, this).await?;
        let sessions = rows.into_iter().map(|row| OpenSession {
            handle: row.handle,
            ip: row.ip,
            user_agent: row.user_agent,
            since: row.created_at,
            last_seen: row.last_seen_at,
            is_this: row.is_this,
        });
        Ok(sessions.collect())
    }

    /// Ends another session of the same user. Returns its user agent, or `None` if the session had already ended.
    pub async fn end_session(
        &self,
        by: By,
        user: Uuid,
        handle: Uuid,
        this: Vec<u8>,
    ) -> sqlx::Result<Option<Option<String>>> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::users::save_last_seen(work, user).await?;
                let ended = sql::sessions::delete_of(work, user, handle, &this).await?;
                match &ended {
                    Some(_) => audit::record(work, &by, None, &Event::SignedOutOthers { browsers: 1 }).await?,
                    None => audit::demand(work, &by, RequiredRole::OwnAccount).await?,
                }
                Ok(ended)
            })
        })
        .await
    }

    /// Ends all of a user's sessions except this one. Returns how many were open.
    pub async fn end_other_sessions(&self, by: By, user: Uuid, this: Vec<u8>) -> sqlx::Result<u64> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let browsers = end_sessions(work, user, Some(&this)).await?;
                match browsers {
                    0 => audit::demand(work, &by, RequiredRole::OwnAccount).await?,
                    _ => audit::record(work, &by, None, &Event::SignedOutOthers { browsers }).await?,
                }
                Ok(browsers)
            })
        })
        .await
    }

    /// Deletes sessions that expired long ago.
    pub async fn sweep_sessions(&self) -> sqlx::Result<u64> {
        transaction(&self.pool, |work| Box::pin(async move { sql::sessions::sweep(work).await })).await
    }
}
