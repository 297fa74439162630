//! One deed for many carts, in the background: a job with an item for each cart. Items are taken by lease, so any replica goes on
//! where another one stopped; each is its own transaction with its own line in the activity.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::{
    Broken, CartFilter, CartId, Ecommerce, Visitor,
    shopify::connection_test::{self, CHECK_DEADLINE, Subject},
    sql,
    status::Facts,
    testing::{Run, too_many_of_store},
    verdict::Outcome,
};
use crate::{
    audit::{self, By, Change, Event, Permission},
    database::transaction,
    supervisor::Heartbeat,
};

/// Items that one replica works on at once.
const AT_ONCE: i64 = 8;
/// How long the worker rests when there is nothing to do.
const REST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId(pub Uuid);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tests what is saved.
    Test,
    TurnOff,
}

impl Kind {
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

/// Which carts are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    Carts(Vec<Uuid>),
    /// Whatever the list shows with this filter and search, on all its pages.
    Matching {
        filter: CartFilter,
        search: Option<String>,
    },
}

/// A job as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub kind: Kind,
    pub made_by: String,
    pub total: i32,
    pub is_cancelled: bool,
    pub is_finished: bool,
    /// How many came to what: `connected`, `limited`, `not-connected`, `not-tested`, `off`, `off-already`, `gone`,
    /// `test-limit`, `not-permitted`.
    pub outcomes: BTreeMap<String, i64>,
}

impl Job {
    pub fn done(&self) -> i64 {
        self.outcomes.values().sum()
    }

    pub const fn is_running(&self) -> bool {
        !self.is_cancelled && !self.is_finished
    }
}

/// One cart of a job that this replica holds.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub job: JobId,
    pub position: i32,
    pub cart: CartId,
    pub kind: Kind,
    pub by: By,
}

impl Ecommerce {
    /// How many carts a selection means; to turn off, those of them that are on.
    pub async fn count_selected(&self, selection: &Selection, kind: Kind) -> sqlx::Result<i64> {
        let mut connection = self.pool.acquire().await?;
        sql::count_selected(&mut connection, selection, kind == Kind::TurnOff).await
    }

    /// Makes a job of it; `None` where no cart is meant.
    pub async fn start_job(&self, by: By, kind: Kind, selection: Selection) -> sqlx::Result<Option<JobId>> {
        let id = JobId(Uuid::now_v7());
        let total = transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                sql::insert_job(work, id, kind, &by).await?;
                let total = sql::insert_items(work, id, &selection).await?;
                if total > 0 {
                    audit::record(work, &by, None, &Event::BulkStarted { kind: kind.as_str(), carts: total }).await?;
                } else {
                    audit::demand(work, &by, Permission::Change).await?;
                }
                Ok(total)
            })
        })
        .await?;
        Ok((total > 0).then_some(id))
    }

    pub async fn find_job(&self, id: JobId) -> sqlx::Result<Option<Job>> {
        sql::find_job(&self.pool, id).await
    }

    /// Stops a job: what is done stays done, what is being done ends, the rest is left.
    pub async fn cancel_job(&self, by: By, id: JobId) -> sqlx::Result<()> {
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

    /// Works on whatever is open until the server ends.
    pub async fn work_on_jobs(&self, heartbeat: &Heartbeat) {
        loop {
            if let Err(error) = self.work_off_jobs_with(heartbeat).await {
                tracing::warn!(%error, "a job could not go on");
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// Works until no item is left that nobody holds.
    pub async fn work_off_jobs(&self) -> sqlx::Result<()> {
        self.work_off_jobs_with(&Heartbeat::new()).await
    }

    async fn work_off_jobs_with(&self, heartbeat: &Heartbeat) -> sqlx::Result<()> {
        loop {
            heartbeat.beat();
            let items = sql::lease_items(&self.pool, AT_ONCE).await?;
            if items.is_empty() {
                return sql::finish_jobs(&self.pool).await;
            }
            let work = items.into_iter().map(|item| {
                let ecommerce = self.clone();
                self.tasks.spawn(async move { ecommerce.work_on(item).await })
            });
            for done in futures_util::future::join_all(work).await {
                // A failed item keeps its lease and is tried again when that is over.
                if let Ok(Err(error)) = done {
                    tracing::warn!(%error, "an item of a job failed");
                }
            }
        }
    }

    async fn work_on(&self, item: Item) -> Result<(), Broken> {
        let done = match item.kind {
            Kind::Test => self.test_saved(&item).await,
            Kind::TurnOff => self.turn_off(item.clone()).await,
        };
        let outcome = match done {
            // Whoever started it was turned off or lowered since.
            Err(refused) if audit::is_not_permitted(&refused) => "not-permitted",
            done => done?,
        };
        let mut connection = self.pool.acquire().await?;
        sql::finish_item(&mut connection, &item, outcome).await?;
        Ok(())
    }

    /// Counts the test of a store, before it is asked; whether that is not too many. Its limit is that of tests by hand.
    async fn admit_in_bulk(&self, by: By, host: String) -> sqlx::Result<bool> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                audit::demand(work, &by, Permission::Change).await?;
                Ok(too_many_of_store(work, &by, &host).await?.is_none())
            })
        })
        .await
    }

    /// Tests what is saved of one cart, as whoever started the job.
    async fn test_saved(&self, item: &Item) -> Result<&'static str, Broken> {
        let Some(cart) = self.find(item.cart).await? else { return Ok("gone") };
        let (address, is_stray) = (cart.address.clone(), cart.is_practice && !self.practices);
        let Some(saved) = cart.credential.as_ref().filter(|_| !is_stray) else { return Ok("not-tested") };
        let (kind, submission) = (saved.kind, Uuid::now_v7());
        if !self.admit_in_bulk(item.by.clone(), address.host()).await? {
            return Ok("test-limit");
        }
        let visitor = Visitor { by: item.by.clone(), session: Vec::new() };
        let Some(credential) = self.open_saved(cart.id, &address).await? else {
            self.note_unreadable(visitor, submission, cart).await?;
            return Ok("not-connected");
        };
        let expected = cart.shop_id.clone();
        let subject = Subject { address: &address, credential: &credential, expected_shop_id: expected.as_deref() };
        let (told, _) = tokio::sync::mpsc::unbounded_channel();
        let verdict = connection_test::run_within(CHECK_DEADLINE, &self.client, subject, &told).await;
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
        // Noted when it is over, so that the person can test by hand meanwhile.
        let mut connection = self.pool.acquire().await?;
        sql::insert_test(&mut connection, &run.row()).await?;
        drop(connection);
        let draft = run.report(verdict, self.clock.now());
        // A test without its line in the activity was none: the item stays open.
        Ok(match self.keep_test(run, draft).await?.verdict.outcome() {
            Outcome::Connected => "connected",
            Outcome::Limited => "limited",
            Outcome::NotConnected => "not-connected",
        })
    }

    async fn turn_off(&self, item: Item) -> Result<&'static str, Broken> {
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
                            Event::CartChanged { changes: vec![Change::of_wish(true)] }
                        };
                        audit::record(work, &item.by, Some(&cart), &event).await?;
                        "off"
                    }
                };
                if sql::finish_item(work, &item, outcome).await? {
                    Ok(outcome)
                } else {
                    // Somebody else held it meanwhile: this one never was.
                    Err(sqlx::Error::RowNotFound.into())
                }
            })
        })
        .await
    }

    /// Forgets jobs that are long over.
    pub async fn sweep_jobs(&self) -> sqlx::Result<u64> {
        sql::delete_old_jobs(&self.pool).await
    }
}
