//! Bulk actions in the background: leases items, applies the action to each cart, records the outcome.

use std::time::Duration;

use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{BulkAction, BulkActionId, BulkActionKind, BulkItem, BulkSelection};
use crate::{
    audit::{self, By, Change, Event, RequiredRole},
    carts::{ConnectionTests, changes, sql, status::Facts},
    database::{Pool, transaction},
    supervisor::Heartbeat,
    vault::InternalError,
};

/// Items that one replica works on concurrently.
const BULK_CONCURRENCY: i64 = 8;
/// Pause of the worker when no item is due.
const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// Starts, runs, shows and cancels bulk actions.
#[derive(Clone, Debug)]
pub struct BulkActions {
    pub(in crate::carts) pool: Pool,
    pub(in crate::carts) tests: ConnectionTests,
    pub(in crate::carts) tasks: TaskTracker,
}

impl BulkActions {
    /// Counts the carts of a selection; for *Turn off*, only the active ones.
    pub async fn count_selected(&self, selection: &BulkSelection, kind: BulkActionKind) -> sqlx::Result<i64> {
        let mut connection = self.pool.acquire().await?;
        sql::bulk::count_selected(&mut connection, selection, kind == BulkActionKind::TurnOff).await
    }

    /// Creates a bulk action with one item per selected cart; `None` if the selection is empty.
    pub async fn start(
        &self,
        by: By,
        kind: BulkActionKind,
        selection: BulkSelection,
    ) -> sqlx::Result<Option<BulkActionId>> {
        let id = BulkActionId(Uuid::now_v7());
        let total = transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                sql::bulk::insert(work, id, kind, &by).await?;
                let total = sql::bulk::insert_items(work, id, &selection).await?;
                if total > 0 {
                    audit::record(work, &by, None, &Event::BulkStarted { kind: kind.as_str(), carts: total }).await?;
                } else {
                    audit::demand(work, &by, RequiredRole::Change).await?;
                }
                Ok(total)
            })
        })
        .await?;
        Ok((total > 0).then_some(id))
    }

    pub async fn find(&self, id: BulkActionId) -> sqlx::Result<Option<BulkAction>> {
        sql::bulk::find(&self.pool, id).await
    }

    /// Cancels a bulk action: finished items stay finished, items in progress complete, the others are not started.
    pub async fn cancel(&self, by: By, id: BulkActionId) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::bulk::cancel(work, id).await? {
                    audit::record(work, &by, None, &Event::BulkCancelled).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Runs open bulk actions until the process stops.
    pub async fn run(&self, heartbeat: &Heartbeat) {
        loop {
            if let Err(error) = self.drain_with(heartbeat).await {
                tracing::warn!(%error, "bulk actions could not be processed");
            }
            tokio::time::sleep(IDLE_PAUSE).await;
        }
    }

    /// Runs bulk actions until no unleased item is left.
    pub async fn drain(&self) -> sqlx::Result<()> {
        self.drain_with(&Heartbeat::new()).await
    }

    async fn drain_with(&self, heartbeat: &Heartbeat) -> sqlx::Result<()> {
        loop {
            heartbeat.beat();
            let items = sql::bulk::lease_items(&self.pool, BULK_CONCURRENCY).await?;
            if items.is_empty() {
                return sql::bulk::finish(&self.pool).await;
            }
            let work = items.into_iter().map(|item| {
                let actions = self.clone();
                self.tasks.spawn(async move { actions.run_item(item).await })
            });
            for done in futures_util::future::join_all(work).await {
                // A failed item keeps its lease and is retried when the lease expires.
                if let Ok(Err(error)) = done {
                    tracing::warn!(%error, "an item of a bulk action failed");
                }
            }
        }
    }

    async fn run_item(&self, item: BulkItem) -> Result<(), InternalError> {
        let done = match item.kind {
            BulkActionKind::Test => self.tests.run_saved(item.by.clone(), item.cart).await,
            BulkActionKind::TurnOff => self.turn_off(item.clone()).await,
        };
        let outcome = match done {
            // The user who started the bulk action has been turned off or lost the role since.
            Err(refused) if audit::is_not_permitted(&refused) => "not-permitted",
            done => done?,
        };
        let mut connection = self.pool.acquire().await?;
        sql::bulk::finish_item(&mut connection, &item, outcome).await?;
        Ok(())
    }

    async fn turn_off(&self, item: BulkItem) -> Result<&'static str, InternalError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let outcome = match sql::carts::lock(work, item.cart).await? {
                    None => "gone",
                    Some(locked) if !locked.cart.wants_active() => "off-already",
                    Some(locked) => {
                        let status = Facts { is_active: false, ..locked.cart.facts() }.status();
                        let cart =
                            sql::bulk::turn_off(work, item.cart, status, item.by.name(), item.by.actor.id()).await?;
                        let event = if locked.cart.is_active {
                            Event::CartTurnedOff
                        } else {
                            Event::CartChanged { changes: vec![Change::of_requested_active(true)] }
                        };
                        changes::record(work, &item.by, &cart, &event).await?;
                        "off"
                    }
                };
                if sql::bulk::finish_item(work, &item, outcome).await? {
                    Ok(outcome)
                } else {
                    // Another replica finished the item in the meantime: roll back.
                    Err(sqlx::Error::RowNotFound.into())
                }
            })
        })
        .await
    }

    /// Deletes old bulk actions.
    pub async fn delete_old(&self) -> sqlx::Result<u64> {
        sql::bulk::delete_old(&self.pool).await
    }
}
