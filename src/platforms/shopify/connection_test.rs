//! One connection test: an address and a credential against the store, with each check reported as it completes. Knows
//! no database; the caller records the verdict. Where a secret may be sent is decided in `address` and `client`, not
//! here.
//!
//! A paused, locked or throttled store fails *Store reached*, so that none of these counts against the credential.

mod check_reporter;
mod customers;
mod judging;

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::API_VERSION;
use super::address::StoreAddress;
use super::answer::{self, FailedAnswer, Installed};
use super::client::{CallTimer, ResponseHead, ShopifyClient};
use super::credential::Credential;
use crate::causes::{Check, CheckKind, CheckState, Class, Limit, TechnicalDetails, Verdict};
use check_reporter::{CheckReporter, CheckTimes};
use customers::{check_customers, may_see_customers};
use judging::{judged, refused};

/// Time limit of a whole test, token exchange and customer check included, so that the page is complete within 15 s.
pub const DEADLINE: Duration = Duration::from_millis(14_500);

/// Time limit of a background check.
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum number of scope handles that a verdict keeps.
const GRANTED_MAX: usize = 200;

/// The query of the test. Like the customer query, it is checked against Shopify's published schema.
const CONNECTION_TEST: &str = include_str!("connection_test.graphql");

/// The store and credential under test.
pub struct TestedStore<'a> {
    pub address: &'a StoreAddress,
    pub credential: &'a Credential,
    /// The shop ID that the cart was created with; another one is `WRONG_STORE`.
    pub expected_shop_id: Option<&'a str>,
}

/// Runs one test to its end within [`DEADLINE`], even if the receiver of `told` is gone. Never fails: every outcome is
/// a finding. Leaves facts empty that only the caller has (another cart, when it last worked).
pub async fn run(client: &ShopifyClient, subject: TestedStore<'_>, told: &UnboundedSender<Check>) -> Verdict {
    run_within(DEADLINE, client, subject, told).await
}

/// Same, with another deadline such as [`CHECK_TIMEOUT`].
pub async fn run_within(
    deadline: Duration,
    client: &ShopifyClient,
    subject: TestedStore<'_>,
    told: &UnboundedSender<Check>,
) -> Verdict {
    run_parts(deadline, client, subject, told, true).await
}

/// Runs a background check without a receiver; omits the customer query if the caller knows its result already.
pub async fn check_within(
    deadline: Duration,
    client: &ShopifyClient,
    subject: TestedStore<'_>,
    asks_customers: bool,
) -> Verdict {
    let (told, _) = tokio::sync::mpsc::unbounded_channel();
    run_parts(deadline, client, subject, &told, asks_customers).await
}

async fn run_parts(
    deadline: Duration,
    client: &ShopifyClient,
    subject: TestedStore<'_>,
    told: &UnboundedSender<Check>,
    asks_customers: bool,
) -> Verdict {
    let began = Instant::now();
    let mut lines = CheckReporter { told, checks: Vec::with_capacity(6) };
    lines.tell(CheckKind::Address, CheckState::Passed, None, None);
    let (meter, minted) = (CallTimer::default(), TokenExchange::default());
    let opened = timeout(deadline, open(client, &subject, &minted, &meter)).await;
    let opened = opened.unwrap_or_else(|_| Err(FailedAnswer::of(Class::NetworkTimeout)));
    let took = CheckTimes::of(began, &meter);
    let details = details(&meter);
    let mut verdict = match opened {
        Ok(installed) => judged(installed, &subject, details, &took, &mut lines),
        Err(refusal) => refused(refusal, details, began, &took, &mut lines),
    };
    if asks_customers && verdict.outcome().passes() && may_see_customers(&verdict) {
        let left = deadline.saturating_sub(began.elapsed());
        check_customers(left, client, &subject, &minted, &mut verdict, &mut lines).await;
    }
    verdict.granted.truncate(GRANTED_MAX);
    verdict.checks = lines.checks;
    verdict.class = verdict.limits.first().map_or(verdict.class, Limit::class);
    verdict
}

/// The verdict of a token exchange that was refused outside a test.
pub fn refused_exchange(refusal: FailedAnswer, meter: &CallTimer, began: Instant) -> Verdict {
    let (told, _) = tokio::sync::mpsc::unbounded_channel();
    let mut lines = CheckReporter { told: &told, checks: Vec::with_capacity(5) };
    lines.tell(CheckKind::Address, CheckState::Passed, None, None);
    let verdict = refused(refusal, details(meter), began, &CheckTimes::of(began, meter), &mut lines);
    Verdict { checks: lines.checks, ..verdict }
}

/// The token that this test received by exchange; dropped with the test.
type TokenExchange = tokio::sync::OnceCell<answer::IssuedToken>;

async fn open(
    client: &ShopifyClient,
    subject: &TestedStore<'_>,
    minted: &TokenExchange,
    meter: &CallTimer,
) -> Result<Installed, FailedAnswer> {
    let token = match subject.credential {
        Credential::AccessToken(token) => token,
        Credential::ClientCredentials { id, secret } => {
            let exchange = async || {
                let answer = client.exchange(subject.address, id, secret, meter).await?;
                answer::exchanged(subject.address, &answer)
            };
            &minted.get_or_try_init(exchange).await?.token
        }
    };
    let answer = client.graphql(subject.address, token, CONNECTION_TEST, meter).await?;
    answer::installed(subject.address, &answer)
}

fn details(meter: &CallTimer) -> TechnicalDetails {
    let timings = meter.timings();
    let ResponseHead { status, request_id, api_version, .. } = meter.head().unwrap_or_default();
    TechnicalDetails {
        status: (status > 0).then_some(status),
        shopify_request_id: request_id.filter(|id| id.is_ascii()),
        api_version_asked: Some(API_VERSION.to_owned()),
        api_version_answered: api_version,
        dns_ms: timings.dns_ms,
        tcp_ms: timings.tcp_ms,
        tunnel_ms: timings.tunnel_ms,
        tls_ms: timings.tls_ms,
        http_ms: timings.http_ms,
        remark: None,
    }
}

#[cfg(test)]
#[cfg(feature = "practice")]
mod tests;
