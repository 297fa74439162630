//! One connection test: the typed address and credential against the store, every check told as it ends. Knows no database;
//! whoever calls it records. Stops nothing by itself: what may be sent where is decided in `address` and `client`.
//! Surprising: a store that pauses, locks or throttles fails *Store reached*, so that none of these marks the credential.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::API_VERSION;
use super::address::StoreAddress;
use super::answer::{self, Customers, Installed, Refusal};
use super::client::{Client, Head, Meter};
use super::credential::Credential;
use super::scopes;
use crate::ecommerce::verdict::{Check, CheckKind, CheckState, Class, Details, Limit, Note, Verdict};

/// Longest whole test, token exchange and customer check included: 14.5 s, so that the page is complete within 15 s.
pub const DEADLINE: Duration = Duration::from_millis(14_500);

/// Longest check in the background: 10 s.
pub const CHECK_DEADLINE: Duration = Duration::from_secs(10);

/// Most scope handles that a verdict keeps.
const MOST_GRANTED: usize = 200;

/// What each request says, checked against Shopify's published schema.
const CONNECTION_TEST: &str = include_str!("connection_test.graphql");
const CUSTOMER_VISIBILITY: &str = include_str!("customer_visibility.graphql");

/// What is tested.
pub struct Subject<'a> {
    pub address: &'a StoreAddress,
    pub credential: &'a Credential,
    /// The shop ID that the cart was made with; another one is `WRONG_STORE`.
    pub expected_shop_id: Option<&'a str>,
}

/// Runs one test to its end within [`DEADLINE`], whether or not anybody still listens to `told`. Never fails: every
/// outcome is a finding. Facts that only the caller has (another cart, when it last worked) are left empty.
pub async fn run(client: &Client, subject: Subject<'_>, told: &UnboundedSender<Check>) -> Verdict {
    run_within(DEADLINE, client, subject, told).await
}

/// The same with another deadline, such as [`CHECK_DEADLINE`].
pub async fn run_within(
    deadline: Duration,
    client: &Client,
    subject: Subject<'_>,
    told: &UnboundedSender<Check>,
) -> Verdict {
    run_parts(deadline, client, subject, told, true).await
}

/// A check that nobody watches; without a look at an order where the caller knows about customers already.
pub async fn check_within(deadline: Duration, client: &Client, subject: Subject<'_>, asks_customers: bool) -> Verdict {
    let (told, _) = tokio::sync::mpsc::unbounded_channel();
    run_parts(deadline, client, subject, &told, asks_customers).await
}

async fn run_parts(
    deadline: Duration,
    client: &Client,
    subject: Subject<'_>,
    told: &UnboundedSender<Check>,
    asks_customers: bool,
) -> Verdict {
    let began = Instant::now();
    let mut lines = Lines { told, checks: Vec::with_capacity(6) };
    lines.tell(CheckKind::Address, CheckState::Passed, None, None);
    let (meter, minted) = (Meter::default(), Minting::default());
    let opened = timeout(deadline, open(client, &subject, &minted, &meter)).await;
    let opened = opened.unwrap_or_else(|_| Err(Refusal::of(Class::NetworkTimeout)));
    let took = Took::of(began, &meter);
    let details = details(&meter);
    let mut verdict = match opened {
        Ok(installed) => judged(installed, &subject, details, &took, &mut lines),
        Err(refusal) => refused(refusal, details, began, &took, &mut lines),
    };
    if asks_customers && verdict.outcome().passes() && may_see_customers(&verdict) {
        let left = deadline.saturating_sub(began.elapsed());
        look_at_customers(left, client, &subject, &minted, &mut verdict, &mut lines).await;
    }
    verdict.granted.truncate(MOST_GRANTED);
    verdict.checks = lines.checks;
    verdict.class = verdict.limits.first().map_or(verdict.class, Limit::class);
    verdict
}

/// The token that this test was given in exchange; dropped with it.
type Minting = tokio::sync::OnceCell<answer::Minted>;

async fn open(client: &Client, subject: &Subject<'_>, minted: &Minting, meter: &Meter) -> Result<Installed, Refusal> {
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

/// The checks as they end, in the order of the screen.
struct Lines<'a> {
    told: &'a UnboundedSender<Check>,
    checks: Vec<Check>,
}

impl Lines<'_> {
    fn tell(&mut self, kind: CheckKind, state: CheckState, found: Option<String>, took_ms: Option<u32>) {
        let check = Check { kind, state, found, took_ms };
        // Nobody may be listening any more; the test ends and is recorded all the same.
        let _ = self.told.send(check.clone());
        self.checks.push(check);
    }

    /// What comes after a failure was never looked at.
    fn skip(&mut self, kinds: &[CheckKind]) {
        for kind in kinds {
            self.tell(*kind, CheckState::NotChecked, None, None);
        }
    }
}

/// The time until TLS stood is the store's, the rest is the credential's.
struct Took {
    store_ms: Option<u32>,
    credential_ms: Option<u32>,
}

impl Took {
    fn of(began: Instant, meter: &Meter) -> Self {
        let whole = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let store_ms = meter.timings().connect_ms;
        Self { store_ms, credential_ms: store_ms.map(|store| whole.saturating_sub(store)) }
    }
}

fn judged(
    installed: Installed,
    subject: &Subject<'_>,
    details: Details,
    took: &Took,
    lines: &mut Lines<'_>,
) -> Verdict {
    use CheckKind::{Credential, Permissions, Store, Version};
    let Installed { store, scopes: granted } = installed;
    lines.tell(Store, CheckState::Passed, None, took.store_ms);
    let mut verdict = Verdict { details, covered: scopes::covered(&granted), ..Verdict::of(Class::Connected) };
    if subject.expected_shop_id.is_some_and(|expected| expected != store.shop_id) {
        lines.tell(Credential, CheckState::Failed, None, took.credential_ms);
        lines.skip(&[Permissions, Version]);
        return Verdict { class: Class::WrongStore, store: Some(store), covered: 0, ..verdict };
    }
    lines.tell(Credential, CheckState::Passed, Some(store.introduced()), took.credential_ms);
    judge_permissions(&granted, store.is_plus, &mut verdict, lines);
    judge_version(&mut verdict, lines);
    let own_name = StoreAddress::from_host(&store.myshopify_domain.to_ascii_lowercase());
    if let Some(other) = own_name.filter(|own| own != subject.address) {
        verdict.notes.push(Note::OtherName { host: other.host() });
    }
    verdict.granted = granted;
    verdict.store = Some(store);
    verdict
}

fn judge_permissions(granted: &[String], is_plus: bool, verdict: &mut Verdict, lines: &mut Lines<'_>) {
    let names = |permissions: Vec<&scopes::Permission>| -> Vec<String> {
        permissions.into_iter().map(|permission| permission.scope.to_owned()).collect()
    };
    let missing = names(scopes::missing_needed(granted, is_plus));
    let nice = names(scopes::missing_optional(granted, is_plus));
    let extra = scopes::extra(granted).len();
    let state = if missing.is_empty() { CheckState::Passed } else { CheckState::Failed };
    let found = format!("{} of {}", verdict.covered, scopes::PERMISSIONS.len());
    lines.tell(CheckKind::Permissions, state, Some(found), None);
    if !missing.is_empty() {
        verdict.limits.push(Limit::ScopesMissing { scopes: missing });
    }
    if extra > 0 {
        verdict.notes.push(Note::ExtraScopes { count: extra });
    }
    if !nice.is_empty() {
        verdict.notes.push(Note::OptionalMissing { scopes: nice });
    }
}

/// Shopify falls forward without an error; only a header tells, and one that is missing tells nothing.
fn judge_version(verdict: &mut Verdict, lines: &mut Lines<'_>) {
    let answered = verdict.details.api_version_answered.clone().unwrap_or_else(|| API_VERSION.to_owned());
    let state = if answered == API_VERSION { CheckState::Passed } else { CheckState::Failed };
    lines.tell(CheckKind::Version, state, Some(answered.clone()), None);
    if state == CheckState::Failed {
        verdict.limits.push(Limit::ApiVersionOld { asked: API_VERSION.to_owned(), answered });
    }
}

fn refused(refusal: Refusal, details: Details, began: Instant, took: &Took, lines: &mut Lines<'_>) -> Verdict {
    use CheckKind::{Credential, Permissions, Store, Version};
    match refusal.class.failed_check() {
        Some(Store) => {
            lines.tell(Store, CheckState::Failed, None, took.store_ms);
            lines.skip(&[Credential, Permissions, Version]);
        }
        Some(_) => {
            lines.tell(Store, CheckState::Passed, None, took.store_ms);
            lines.tell(Credential, CheckState::Failed, None, took.credential_ms);
            lines.skip(&[Permissions, Version]);
        }
        None => {
            let reached = if details.status.is_some() { CheckState::Passed } else { CheckState::NotChecked };
            lines.tell(Store, reached, None, took.store_ms);
            lines.skip(&[Credential, Permissions, Version]);
        }
    }
    let waited = (refusal.class == Class::NetworkTimeout).then(|| seconds(began.elapsed()));
    Verdict {
        moved_to: refusal.moved_to.map(|address| address.host()),
        wait_seconds: refusal.wait_seconds,
        waited_seconds: waited,
        details: Details { remark: refusal.remark.map(str::to_owned), ..details },
        ..Verdict::of(refusal.class)
    }
}

fn may_see_customers(verdict: &Verdict) -> bool {
    ["read_orders", "read_customers"].iter().all(|scope| scopes::grants(&verdict.granted, scope))
}

/// A scope does not prove that customer data is readable; one order does. If the question itself goes wrong, what was
/// found before stands.
async fn look_at_customers(
    left: Duration,
    client: &Client,
    subject: &Subject<'_>,
    minted: &Minting,
    verdict: &mut Verdict,
    lines: &mut Lines<'_>,
) {
    let began = Instant::now();
    let meter = Meter::default();
    let token = match subject.credential {
        Credential::AccessToken(token) => Some(token),
        Credential::ClientCredentials { .. } => minted.get().map(|minted| &minted.token),
    };
    let seen = match token {
        Some(token) => {
            let asked = timeout(left, client.graphql(subject.address, token, CUSTOMER_VISIBILITY, &meter)).await;
            let answer = asked.ok().and_then(Result::ok);
            answer.map_or(Customers::Unknown, |answer| answer::customers(subject.address, &answer))
        }
        None => Customers::Unknown,
    };
    let state = match seen {
        Customers::Visible => CheckState::Passed,
        Customers::Hidden => CheckState::Failed,
        Customers::NoneSeen | Customers::Unknown => CheckState::NotChecked,
    };
    let took_ms = u32::try_from(began.elapsed().as_millis()).ok();
    lines.tell(CheckKind::Customers, state, None, took_ms);
    match seen {
        Customers::Hidden => {
            let before_version = verdict.limits.iter().filter(|l| l.class() == Class::ScopesMissing).count();
            verdict.limits.insert(before_version, Limit::CustomerDetailsHidden);
        }
        Customers::NoneSeen => verdict.notes.push(Note::NoCustomerSeen),
        Customers::Visible if verdict.store.as_ref().is_some_and(|store| store.is_development) => {
            verdict.notes.push(Note::DevelopmentStore);
        }
        Customers::Visible | Customers::Unknown => {}
    }
}

fn details(meter: &Meter) -> Details {
    let timings = meter.timings();
    let Head { status, request_id, api_version, .. } = meter.head().unwrap_or_default();
    Details {
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

/// Whole seconds, rounded, at least one.
fn seconds(waited: Duration) -> u32 {
    u32::try_from((waited.as_millis() + 500) / 1000).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
#[cfg(feature = "practice")]
mod tests;
