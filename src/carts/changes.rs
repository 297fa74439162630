//! The feed of changes that programs follow. Each change of a cart is written to it in its own transaction, together with
//! its audit event, and its kinds and fields are those of the webhook.
//!
//! A cursor is the ID of the last change that was read. A reader that follows it misses nothing: changes are read in the
//! order of their transactions, up to the oldest transaction that still runs. So a transaction that is left open anywhere
//! on the database server delays the feed, and never makes it skip a change.

mod change;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::sql;
use crate::{
    audit::{self, By, CartRef, Event},
    database::{Connection, Pool},
};

pub use change::{CartChange, ChangeFacts, ChangeKind};

/// How long changes are kept. A reader that was away for longer lists the carts again.
pub const KEPT_FOR: time::Duration = time::Duration::days(30);
/// The longest that a reader can wait for a change.
pub const WAIT_MAX: Duration = Duration::from_secs(30);
/// The most changes that one page has.
pub const PAGE_MAX: usize = 500;
/// Rows read at once, including those that the reader does not see.
const BATCH: i64 = 500;
/// How often the database is asked for news while readers wait: by one task, however many wait.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Where a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeCursor {
    /// Before the oldest change that is kept.
    Oldest,
    /// Behind the newest change.
    Newest,
    After(Uuid),
}

/// Some changes, oldest first, and the cursor behind them and behind those that the reader does not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePage {
    pub changes: Vec<CartChange>,
    pub cursor: Uuid,
    /// Whether there are more already.
    pub has_more: bool,
}

/// Reads the feed.
#[derive(Clone, Debug)]
pub struct Changes {
    pool: Pool,
    tasks: TaskTracker,
    /// The newest change, while readers wait.
    newest: watch::Sender<Option<Uuid>>,
    is_polling: Arc<Mutex<bool>>,
}

impl Changes {
    pub(super) fn new(pool: Pool, tasks: TaskTracker) -> Self {
        Self { pool, tasks, newest: watch::Sender::new(None), is_polling: Arc::default() }
    }

    /// Returns up to `limit` changes of the carts that the reader `sees`; `None` if the cursor is too old.
    pub async fn read(
        &self,
        from: ChangeCursor,
        limit: usize,
        sees: impl Fn(Uuid) -> bool,
    ) -> sqlx::Result<Option<ChangePage>> {
        let mut cursor = match from {
            ChangeCursor::Oldest => Uuid::nil(),
            ChangeCursor::Newest => sql::changes::find_newest(&self.pool).await?.unwrap_or_default(),
            ChangeCursor::After(id) if id.is_nil() || sql::changes::is_kept(&self.pool, id).await? => id,
            ChangeCursor::After(_) => return Ok(None),
        };
        let mut changes = Vec::new();
        loop {
            let batch = sql::changes::list(&self.pool, cursor, BATCH).await?;
            let is_whole = i64::try_from(batch.len()).is_ok_and(|length| length < BATCH);
            for change in batch {
                let is_seen = is_public(&change) && change.cart.is_none_or(&sees);
                if is_seen && changes.len() == limit {
                    return Ok(Some(ChangePage { changes, cursor, has_more: true }));
                }
                cursor = change.id;
                changes.extend(is_seen.then_some(change));
            }
            if is_whole {
                return Ok(Some(ChangePage { changes, cursor, has_more: false }));
            }
        }
    }

    /// Like `read`, but waits up to `wait` for the first change, without a connection to the database. Returns early when
    /// `stop` is cancelled.
    pub async fn wait(
        &self,
        from: ChangeCursor,
        limit: usize,
        sees: impl Fn(Uuid) -> bool,
        wait: Duration,
        stop: &CancellationToken,
    ) -> sqlx::Result<Option<ChangePage>> {
        let (began, mut from) = (Instant::now(), from);
        let mut news = self.newest.subscribe();
        loop {
            news.borrow_and_update();
            let Some(page) = self.read(from, limit, &sees).await? else { return Ok(None) };
            let left = wait.saturating_sub(began.elapsed());
            if !page.changes.is_empty() || left.is_zero() || stop.is_cancelled() {
                return Ok(Some(page));
            }
            from = ChangeCursor::After(page.cursor);
            self.poll_for_readers();
            tokio::select! {
                // The sender is a field of `self`, so it is not dropped.
                _ = news.changed() => {}
                () = tokio::time::sleep(left) => return Ok(Some(page)),
                () = stop.cancelled() => return Ok(Some(page)),
            }
        }
    }

    /// Starts the task that asks for news, unless it runs. It ends when nobody waits any more.
    fn poll_for_readers(&self) {
        let mut is_polling = self.is_polling.lock().expect("lock is never poisoned");
        if std::mem::replace(&mut *is_polling, true) {
            return;
        }
        let changes = self.clone();
        self.tasks.spawn(async move {
            loop {
                match sql::changes::find_newest(&changes.pool).await {
                    Ok(newest) => {
                        changes.newest.send_if_modified(|known| std::mem::replace(known, newest) != newest);
                    }
                    Err(error) => tracing::warn!(%error, "the feed of changes could not be read"),
                }
                tokio::time::sleep(POLL_INTERVAL).await;
                let mut is_polling = changes.is_polling.lock().expect("lock is never poisoned");
                if changes.newest.receiver_count() == 0 {
                    *is_polling = false;
                    break;
                }
            }
        });
    }

    /// Deletes changes that are older than [`KEPT_FOR`].
    pub async fn delete_old(&self) -> sqlx::Result<u64> {
        sql::changes::delete_old(&mut *self.pool.acquire().await?, KEPT_FOR).await
    }
}

/// The row that begins the feed is no change.
fn is_public(change: &CartChange) -> bool {
    ChangeKind::ALL.iter().any(|kind| kind.as_str() == change.kind)
}

/// Records the audit event of a change of a cart, and the change itself. Call it after the writes of the change: the feed
/// contains the cart as it is then.
pub(super) async fn record(work: &mut Connection, by: &By, cart: &CartRef, event: &Event) -> sqlx::Result<()> {
    audit::record(work, by, Some(cart), event).await?;
    match ChangeKind::of(event) {
        Some(kind) => sql::changes::insert(work, kind.as_str(), cart).await,
        None => Ok(()),
    }
}

/// Writes a change of the status, without an audit event.
pub(super) async fn note_status(work: &mut Connection, cart: &CartRef) -> sqlx::Result<()> {
    sql::changes::insert(work, ChangeKind::Changed.as_str(), cart).await
}

/// Writes a change with its facts, without an audit event.
pub(super) async fn note(
    work: &mut Connection,
    kind: ChangeKind,
    cart: Option<Uuid>,
    facts: &ChangeFacts,
) -> sqlx::Result<()> {
    sql::changes::insert_facts(work, kind.as_str(), cart, facts).await
}

#[cfg(test)]
mod tests;
