//! The sweep: lease due carts, commit, call Shopify outside any transaction, record the results.
//!
//! Any number of processes can sweep concurrently, because a lease is a row in Postgres that expires by the database's
//! clock; if a process is killed, its carts are checked half a minute later. This module does not decide where a secret
//! is sent: the row that holds the sealed secret does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::{JoinError, JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Finding, HealthHistory, PastCheck, record, schedule, shared};
use crate::{
    carts::{
        CartId, CurrentToken, TokenError, Tokens,
        sql::{self, leases::LeasedCheck},
    },
    causes::{Class, TechnicalDetails, TitleContext, Verdict},
    clock::Clock,
    database::{Pool, transaction},
    platforms::{
        Credential, CredentialKind,
        shopify::{
            client::ShopifyClient,
            connection_test::{self, CHECK_TIMEOUT},
        },
    },
    supervisor::Heartbeat,
};

/// Maximum concurrent checks per process: half of its calls to Shopify, so that a user's test never waits for checks.
pub const CHECK_CONCURRENCY: usize = 100;
/// More carts are leased once this many places are free, so that a busy sweep does not query the database after every
/// check.
const LEASE_BATCH: usize = 25;
/// Delay of the next check while another replica refreshes the token of the cart.
const BUSY_PAUSE: Duration = Duration::from_secs(30);

/// The counts of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Checks that were recorded.
    pub checked: usize,
    /// Results dropped because the cart changed in the meantime, and checks without a result.
    pub dropped: usize,
}

/// Checks carts in the background, and reads what the checks found.
#[derive(Clone, Debug)]
pub struct Health {
    pub(in crate::carts) pool: Pool,
    pub(in crate::carts) tokens: Tokens,
    pub(in crate::carts) client: Arc<ShopifyClient>,
    pub(in crate::carts) tasks: TaskTracker,
    /// Whether the server answers for `practice-` stores itself.
    pub(in crate::carts) practices: bool,
    pub(in crate::carts) clock: Clock,
}

impl Health {
    /// Checks every due cart, and those that become due in the meantime; returns when none is left.
    ///
    /// # Errors
    /// The database is unavailable. Leased carts become due again when their leases expire.
    pub async fn sweep(&self) -> sqlx::Result<SweepReport> {
        self.sweep_until(&CancellationToken::new(), &Heartbeat::new()).await
    }

    /// Same as `sweep`, but takes no more leases once `stop` is cancelled; running checks are still recorded.
    pub async fn sweep_until(&self, stop: &CancellationToken, heartbeat: &Heartbeat) -> sqlx::Result<SweepReport> {
        let mut running = JoinSet::new();
        let (mut swept, mut failure, mut is_more) = (SweepReport::default(), None, true);
        loop {
            heartbeat.beat();
            let free = CHECK_CONCURRENCY - running.len();
            if is_more && free >= LEASE_BATCH && !stop.is_cancelled() {
                match self.lease(free).await {
                    Ok(due) => {
                        is_more = due.len() == free;
                        for due in due {
                            let health = self.clone();
                            running.spawn(self.tasks.track_future(async move { health.check(due).await }));
                        }
                    }
                    Err(error) => (failure, is_more) = (Some(error), false),
                }
            }
            match running.join_next().await {
                None => break,
                Some(Ok(Ok(true))) => swept.checked += 1,
                Some(Ok(Ok(false))) => swept.dropped += 1,
                Some(Ok(Err(error))) => (failure, is_more) = (Some(error), false),
                // Its lease expires and the cart becomes due again; the other checks continue.
                Some(Err(stopped)) => {
                    tracing::error!(%stopped, "a check could not be recorded");
                    swept.dropped += 1;
                }
            }
        }
        failure.map_or(Ok(swept), Err)
    }

    async fn lease(&self, free: usize) -> sqlx::Result<Vec<LeasedCheck>> {
        let (limit, practices) = (i64::try_from(free).unwrap_or(0), self.practices);
        transaction(&self.pool, move |work| {
            Box::pin(async move { sql::leases::lease_due(work, limit, practices).await })
        })
        .await
    }

    /// Returns whether the check was recorded.
    async fn check(&self, due: LeasedCheck) -> sqlx::Result<bool> {
        let began = Instant::now();
        let Some(verdict) = self.verdict_of(&due, began).await else { return self.release(due).await };
        if verdict.class == Class::OurBug {
            metrics::counter!("cartwright_our_mistakes_total").increment(1);
        }
        metrics::histogram!("cartwright_check_seconds").record(began.elapsed().as_secs_f64());
        metrics::counter!("cartwright_checks_total", "class" => verdict.class.as_str()).increment(1);
        let naming = TitleContext { host: &due.store_host, credential: due.kind.noun() };
        let finding = Finding::of(&verdict, verdict.title(&naming));
        self.note(due, finding).await
    }

    /// The verdict of a check; `None` if there is none, because another replica refreshes the token or the credential
    /// is gone.
    async fn verdict_of(&self, due: &LeasedCheck, began: Instant) -> Option<Verdict> {
        let (health, leased) = (self.clone(), due.clone());
        // Spawn a task, so that a panic ends only this check and counts as its failure.
        let look = self.tasks.spawn(async move {
            let looked = tokio::time::timeout(CHECK_TIMEOUT, health.look(&leased, began)).await;
            looked.unwrap_or_else(|_| Ok(Verdict::of(Class::NetworkTimeout)))
        });
        match look.await {
            Ok(Ok(verdict)) => Some(verdict),
            Ok(Err(refusal)) => without_token(due.cart, refusal),
            Err(stopped) => crashed(due.cart, &stopped),
        }
    }

    /// Checks with a current token; if an issued token is rejected, refreshes it and checks once more.
    async fn look(&self, due: &LeasedCheck, began: Instant) -> Result<Verdict, TokenError> {
        let token = self.tokens.current(due.cart).await?;
        let (verdict, token) = self.check_with(due, token, began).await;
        if verdict.class != Class::TokenRefused {
            return Ok(verdict);
        }
        let verdict = match due.kind {
            CredentialKind::AccessToken => verdict,
            CredentialKind::ClientCredentials => {
                let another = self.tokens.refresh_rejected(due.cart, &token).await?;
                self.check_with(due, another, began).await.0
            }
        };
        // A checked cart has passed with exactly this credential before.
        let class = if verdict.class == Class::TokenRefused { Class::TokenStopped } else { verdict.class };
        Ok(Verdict { class, ..verdict })
    }

    async fn check_with(&self, due: &LeasedCheck, live: CurrentToken, began: Instant) -> (Verdict, CurrentToken) {
        // Take the host from the row that the token was read from, never from the lease.
        let CurrentToken { token, version, address } = live;
        let credential = Credential::AccessToken(token);
        let subject = connection_test::TestedStore {
            address: &address,
            credential: &credential,
            expected_shop_id: due.shop_id.as_deref(),
        };
        let left = CHECK_TIMEOUT.saturating_sub(began.elapsed());
        let verdict = connection_test::check_within(left, &self.client, subject, due.asks_customers).await;
        let Credential::AccessToken(token) = credential else { unreachable!("constructed as an access token above") };
        (verdict, CurrentToken { token, version, address })
    }

    /// Records the finding in one transaction, unless the cart or the lease has changed.
    async fn note(&self, due: LeasedCheck, finding: Finding) -> sqlx::Result<bool> {
        if finding.class == Class::Connected {
            let check = PastCheck { at: self.clock.now(), class: finding.class, took_ms: finding.took_ms };
            let pause = schedule::pause(finding.class, 0, Duration::ZERO, None);
            if sql::health::update_if_still_healthy(&self.pool, &due, &check, pause, &finding).await? {
                return Ok(true);
            }
        }
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some(now) = sql::health::lock(work, due.cart).await? else { return Ok(false) };
                let is_same = now.version == due.version
                    && now.is_active
                    && now.fingerprint.as_ref() == Some(&due.fingerprint)
                    && now.leased_until == Some(due.leased_until);
                if !is_same {
                    sql::leases::release_due(work, &due, Duration::ZERO).await?;
                    return Ok(false);
                }
                record(work, &now, &finding).await?;
                Ok(true)
            })
        })
        .await
    }

    async fn release(&self, due: LeasedCheck) -> sqlx::Result<bool> {
        let mut connection = self.pool.acquire().await?;
        sql::leases::release_due(&mut connection, &due, BUSY_PAUSE).await?;
        Ok(false)
    }

    /// Returns how long the oldest due check has been due.
    pub async fn lag(&self) -> sqlx::Result<Duration> {
        lag(&self.pool, self.practices).await
    }

    /// Returns the health history of a cart; `None` if there is no such cart.
    pub async fn find_history(&self, cart: CartId) -> sqlx::Result<Option<HealthHistory>> {
        let mut connection = self.pool.acquire().await?;
        let Some(mut history) = sql::history::find(&mut connection, cart).await? else { return Ok(None) };
        history.days = sql::history::list_days(&mut connection, cart).await?;
        history.problems = sql::history::list_problems(&mut connection, cart).await?;
        Ok(Some(history))
    }

    /// Ends shared problems whose last carts were turned off, were deleted, or now fail for another reason.
    pub async fn end_shared_problems(&self) -> sqlx::Result<()> {
        shared::end_resolved(&self.pool).await
    }
}

/// Returns how long the oldest due check has been due; zero while the integration is off.
pub async fn lag(pool: &Pool, practices: bool) -> sqlx::Result<Duration> {
    let mut connection = pool.acquire().await?;
    let lag = sql::leases::find_lag(&mut connection, practices).await?;
    Ok(Duration::try_from_secs_f64(lag.unwrap_or(0.0)).unwrap_or_default())
}

/// The verdict for a cart without a token; `None` if the reason says nothing about the cart.
fn without_token(cart: CartId, refusal: TokenError) -> Option<Verdict> {
    match refusal {
        TokenError::Unreadable => Some(Verdict::of(Class::OurKey)),
        TokenError::NotRenewed(verdict) => Some(*verdict),
        TokenError::Broken(error) => {
            tracing::error!(%cart, %error, "a check could not be made");
            Some(fault("the check could not be made"))
        }
        TokenError::NoCredential | TokenError::Busy => None,
    }
}

/// The verdict of a check that panicked; `None` if the check was cancelled because the process stops.
fn crashed(cart: CartId, stopped: &JoinError) -> Option<Verdict> {
    stopped.is_panic().then(|| {
        tracing::error!(%cart, %stopped, "a check crashed");
        fault("the check crashed")
    })
}

/// The verdict for a fault of this server.
fn fault(remark: &str) -> Verdict {
    let details = TechnicalDetails { remark: Some(remark.to_owned()), ..TechnicalDetails::default() };
    Verdict { details, ..Verdict::of(Class::OurBug) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panic_in_a_check_counts_as_its_failure_and_a_stop_does_not() {
        let cart = CartId(uuid::Uuid::nil());
        let panicked = tokio::spawn(async { panic!("a check") }).await.map(|(): ()| ()).expect_err("it panicked");
        let verdict = crashed(cart, &panicked).expect("a failure");
        assert_eq!((verdict.class, verdict.details.remark.as_deref()), (Class::OurBug, Some("the check crashed")));
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        assert_eq!(crashed(cart, &task.await.expect_err("it was stopped")), None);
    }
}
