//! Who a cookie stands for, and where a person is signed in.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Accounts, BrowserSecret, Ended, Fresh, Role, User, end_sessions, sql, user::theme};
use crate::{
    audit::{self, By, Event, Permission},
    database::{Lease, transaction},
};

/// Who a cookie stands for.
#[derive(Debug)]
pub enum Session {
    /// The banner is told once: reading it takes it off.
    Live {
        user: User,
        banner: Option<Value>,
        /// The password was entered within the last ten minutes.
        fresh: Option<Fresh>,
        /// What this was read on, for whoever asks on.
        connection: Lease,
    },
    Ended(Ended),
    Unknown,
}

/// One browser in which a person is signed in.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// What a form calls it.
    pub handle: Uuid,
    pub ip: Option<String>,
    /// What the browser calls itself: a hint, since it may say anything.
    pub user_agent: Option<String>,
    pub since: OffsetDateTime,
    pub last_seen: OffsetDateTime,
    /// The one that asks.
    pub is_this: bool,
}

impl Accounts {
    /// Who the cookie stands for, in one statement; "last seen" is written at most once a minute. Only who `shows_page` is told
    /// the banner: an answer that nobody sees would lose it.
    pub async fn session(&self, secret: &BrowserSecret, shows_page: bool) -> sqlx::Result<Session> {
        let hash = secret.hash();
        let mut connection = self.pool.acquire().await?;
        let Some(row) = sql::find_session(&mut connection, &hash).await? else { return Ok(Session::Unknown) };
        match row.ended.as_deref() {
            Some("idle") => return Ok(Session::Ended(Ended::Idle)),
            Some(_) => return Ok(Session::Ended(Ended::TooOld)),
            None => {}
        }
        let banner = row.banner.filter(|_| shows_page);
        if row.is_stale || banner.is_some() {
            sql::touch_session(&mut connection, &hash, banner.as_ref()).await?;
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

    /// Leaves a message for the next page of this session.
    pub async fn leave_banner(&self, session: &[u8], banner: &Value) -> sqlx::Result<()> {
        sql::update_banner(&self.pool, session, banner).await
    }

    /// Where somebody is signed in: this browser first, then the one that was seen last.
    pub async fn open_sessions(&self, user: Uuid, this: &[u8]) -> sqlx::Result<Vec<OpenSession>> {
        let rows = sql::list_sessions(&self.pool, user, this).await?;
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

    /// Ends another session of one's own; what its browser called itself, or nothing if it was over already.
    pub async fn end_session(
        &self,
        by: By,
        user: Uuid,
        handle: Uuid,
        this: Vec<u8>,
    ) -> sqlx::Result<Option<Option<String>>> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::keep_last_seen(work, user).await?;
                let ended = sql::delete_session_of(work, user, handle, &this).await?;
                match &ended {
                    Some(_) => audit::record(work, &by, None, &Event::SignedOutOthers { browsers: 1 }).await?,
                    None => audit::demand(work, &by, Permission::OwnAccount).await?,
                }
                Ok(ended)
            })
        })
        .await
    }

    /// Ends all of one's own sessions but this one; how many were open.
    pub async fn end_other_sessions(&self, by: By, user: Uuid, this: Vec<u8>) -> sqlx::Result<u64> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let browsers = end_sessions(work, user, Some(&this)).await?;
                match browsers {
                    0 => audit::demand(work, &by, Permission::OwnAccount).await?,
                    _ => audit::record(work, &by, None, &Event::SignedOutOthers { browsers }).await?,
                }
                Ok(browsers)
            })
        })
        .await
    }

    /// Removes sessions that ended by time long ago.
    pub async fn sweep_sessions(&self) -> sqlx::Result<u64> {
        transaction(&self.pool, |work| Box::pin(async move { sql::sweep_sessions(work).await })).await
    }
}
