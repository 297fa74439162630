//! Bulk actions: one action applied to many carts in the background, with one item per cart.
//!
//! Replicas take items by lease, so any replica continues where another one stopped. Each item is its own transaction
//! with its own audit event.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::{
    CartFilter, CartId, Ecommerce, InternalError, Visitor,
    connection_tests::{Run, too_many_of_store},
    shopify::connection_test::{self, CHECK_TIMEOUT, TestedStore},
    sql,
    status::Facts,
    verdict::Outcome,
};
use crate::{
    audit::{self, By, Change, Event, RequiredRole},
    database::transaction,
    supervisor::Heartbeat,
};

/// Items that one replica works on concurrently.
const BULK_CONCURRENCY: i64 = 8;
/// Pause of the worker when no item is due.
const IDLE_PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkActionId(pub Uuid);

impl std::fmt::Display for BulkActionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkActionKind {
    /// Tests the saved credential.
    Test,
    TurnOff,
}

impl BulkActionKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::TurnOff => "turn-off",
        }
    }

    pub(super) fn from_stored(text: &str) -> Self {
        if text == Self::Test.as_str() { Self::Test } else { Self::TurnOff }
    }
}

/// The carts that a bulk action applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkSelection {
    Carts(Vec<Uuid>),
    /// Every cart that matches this filter and search, on all pages of the list.
    Matching {
        filter: CartFilter,
        search: Option<String>,
    },
}

/// A bulk action and its progress, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkAction {
    pub id: BulkActionId,
    pub kind: BulkActionKind,
    pub made_by: String,
    pub total: i32,
    pub is_cancelled: bool,
    pub is_finished: bool,
    /// Number of items per outcome: `connected`, `limited`, `not-connected`, `not-tested`, `off`, `off-already`,
    /// `gone`, `test-limit`, `not-permitted`.
    pub outcomes: BTreeMap<String, i64>,
}

impl BulkAction {
    pub fn done(&self) -> i64 {
        self.outcomes.values().sum()
    }

    pub const fn is_running(&self) -> bool {
        !self.is_cancelled && !self.is_finished
    }
}

/// One item of a bulk action, leased by this replica.
#[derive(Clone, Debug)]
pub(super) struct BulkItem {
    pub job: BulkActionId,
    pub position: i32,
    pub cart: CartId,
    pub kind: BulkActionKind,
    pub by: By,
}

impl Ecommerce {
    /// Counts the carts of a selection; for *Turn off*, only the active ones.
    pub async fn count_selected(&self, selection: &BulkSelection, kind: BulkActionKind) -> sqlx::Result<i64> {
        let mut connection = self.pool.acquire().await?;
        sql::count_selected(&mut connection, selection, kind == BulkActionKind::TurnOff).await
    }

    /// Creates a bulk action with one item per selected cart; `None` if the selection is empty.
    pub async fn start_bulk_action(
        &self,
        by: By,
        kind: BulkActionKind,
        selection: BulkSelection,
    ) -> sqlx::Result<Option<BulkActionId>> {
        let id = BulkActionId(Uuid::now_v7());
        let total = transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                sql::insert_job(work, id, kind, &by).await?;
                let total = sql::insert_items(work, id, &selection).await?;
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

    pub async fn find_bulk_action(&self, id: BulkActionId) -> sqlx::Result<Option<BulkAction>> {
        sql::find_job(&self.pool, id).await
    }

    /// Cancels a bulk action: finished items stay finished, items in progress complete, the others are not started.
    pub async fn cancel_bulk_action(&self, by: By, id: BulkActionId) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::cancel_job(work, id).await? {
                    audit::record(work, &by, None, &Event::BulkCancelled).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Runs open bulk actions until the process stops.
    pub async fn run_bulk_actions(&self, heartbeat: &Heartbeat) {
        loop {
            if let Err(error) = self.drain_bulk_actions_with(heartbeat).await {
                tracing::warn!(%error, "bulk actions could not be processed");
            }
            tokio::time::sleep(IDLE_PAUSE).await;
        }
    }

    /// Runs bulk actions until no unleased item is left.
    pub async fn drain_bulk_actions(&self) -> sqlx::Result<()> {
        self.drain_bulk_actions_with(&Heartbeat::new()).await
    }

    async fn drain_bulk_actions_with(&self, heartbeat: &Heartbeat) -> sqlx::Result<()> {
        loop {
            heartbeat.beat();
            let items = sql::lease_items(&self.pool, BULK_CONCURRENCY).await?;
            if items.is_empty() {
                return sql::finish_jobs(&self.pool).await;
            }
            let work = items.into_iter().map(|item| {
                let ecommerce = self.clone();
                self.tasks.spawn(async move { ecommerce.run_item(item).await })
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
            BulkActionKind::Test => self.test_saved(&item).await,
            BulkActionKind::TurnOff => self.turn_off(item.clone()).await,
        };
        let outcome = match done {
            // The user who started the bulk action has been turned off or lost the role since.
            Err(refused) if audit::is_not_permitted(&refused) => "not-permitted",
            done => done?,
        };
        let mut connection = self.pool.acquire().await?;
        sql::finish_item(&mut connection, &item, outcome).await?;
        Ok(())
    }

    /// Counts a test against the limit of its store before the store is called; `false` if the limit is exceeded.
    /// Manual and bulk tests share the limit.
    async fn count_test(&self, by: By, host: String) -> sqlx::Result<bool> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                audit::demand(work, &by, RequiredRole::Change).await?;
                Ok(too_many_of_store(work, &by, &host).await?.is_none())
            })
        })
        .await
    }

    /// Tests the saved credential of one cart on behalf of the user who started the bulk action.
    async fn test_saved(&self, item: &BulkItem) -> Result<&'static str, InternalError> {
        let Some(cart) = self.find(item.cart).await? else { return Ok("gone") };
        let (address, is_stray) = (cart.address.clone(), cart.is_practice && !self.practices);
        let Some(saved) = cart.credential.as_ref().filter(|_| !is_stray) else { return Ok("not-tested") };
        let (kind, submission) = (saved.kind, Uuid::now_v7());
        if !self.count_test(item.by.clone(), address.host()).await? {
            return Ok("test-limit");
        }
        let visitor = Visitor { by: item.by.clone(), session: Vec::new() };
        let Some(credential) = self.open_saved(cart.id, &address).await? else {
            self.record_unreadable_secret(visitor, submission, cart).await?;
            return Ok("not-connected");
        };
        let expected = cart.shop_id.clone();
        let subject = TestedStore { address: &address, credential: &credential, expected_shop_id: expected.as_deref() };
        let (told, _) = tokio::sync::mpsc::unbounded_channel();
        let verdict = connection_test::run_within(CHECK_TIMEOUT, &self.client, subject, &told).await;
        let run = Run {
            id: Uuid::now_v7(),
            submission,
            visitor,
            fingerprints: self.fingerprints(&address, &credential),
            token_fingerprints: self.token_fingerprints(&credential),
            cart: Some(cart),
            address: address.clone(),
            kind,
            was_saved: true,
        };
        // Insert the row only after the test, so that the user can test manually in the meantime.
        let mut connection = self.pool.acquire().await?;
        sql::insert_test(&mut connection, &run.row()).await?;
        drop(connection);
        let draft = run.report(verdict, self.clock.now());
        // A test without its audit event does not count: the item stays open.
        Ok(match self.try_finish_test(run, draft).await?.verdict.outcome() {
            Outcome::Connected => "connected",
            Outcome::Limited => "limited",
            Outcome::NotConnected => "not-connected",
        })
    }

    async fn turn_off(&self, item: BulkItem) -> Result<&'static str, InternalError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let outcome = match sql::lock(work, item.cart).await? {
                    None => "gone",
                    Some(locked) if !locked.cart.wants_active() => "off-already",
                    Some(locked) => {
                        let status = Facts { is_active: false, ..locked.cart.facts() }.status();
                        let cart = sql::turn_off(work, item.cart, status, item.by.name(), item.by.actor.id()).await?;
                        let event = if locked.cart.is_active {
                            Event::CartTurnedOff
                        } else {
                            Event::CartChanged { changes: vec![Change::of_requested_active(true)] }
                        };
                        audit::record(work, &item.by, Some(&cart), &event).await?;
                        "off"
                    }
                };
                if sql::finish_item(work, &item, outcome).await? {
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
    pub async fn delete_old_bulk_actions(&self) -> sqlx::Result<u64> {
        sql::delete_old_jobs(&self.pool).await
    }
}
