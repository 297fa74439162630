//! Test Connection: who may, with what, and what is remembered. The run itself is `shopify::connection_test`; it goes on in a
//! task of its own when the person leaves, and ends by itself.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    Broken, Cart, CartId, Ecommerce, SaveError, Visitor,
    saving::{Found, Offered, keeps_saved, place},
    shopify::{
        address::StoreAddress,
        connection_test,
        credential::{Credential, CredentialKind},
        unsaved,
    },
    sql,
    status::Facts,
    title::{self, Naming},
    verdict::{Check, CheckKind, CheckState, Class, TESTS_A_MINUTE, Verdict},
};
use crate::{
    audit::{self, CartRef, Event},
    database::{throttle::Throttle, transaction},
    vault::Fingerprint,
};

const MINUTE: Duration = Duration::from_mins(1);
/// Tests a minute: of one store by one person, and by one person.
const PER_STORE: Throttle = Throttle { limit: TESTS_A_MINUTE, window: MINUTE };
const PER_PERSON: Throttle = Throttle { limit: 100, window: MINUTE };

/// What is to be tested: what is typed, not what was saved before.
#[derive(Debug)]
pub struct TestSubject {
    pub submission: Uuid,
    /// The cart and the version that the form was drawn from.
    pub cart: Option<(CartId, i64)>,
    pub address: StoreAddress,
    pub offered: Offered,
}

/// Why no test began; Shopify heard nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the secret is missing")]
    SecretMissing { was_there: bool },
    #[error("another store was entered without its secret")]
    StoreChanged,
    /// A practice cart, and practice is off: its secret is never sent to the real store of that name.
    #[error("This cart belongs to the practice store. Enter a real store, or delete it.")]
    PracticeOff,
    #[error("somebody else changed this cart")]
    Conflict(Box<Cart>),
    #[error("the cart is gone")]
    Gone,
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// A test as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReport {
    /// Also the reference that support asks for.
    pub id: Uuid,
    pub submission: Uuid,
    pub cart: Option<CartId>,
    pub address: StoreAddress,
    pub kind: CredentialKind,
    /// Whether what was tested is what the cart holds.
    pub was_saved: bool,
    pub tested_at: OffsetDateTime,
    pub verdict: Verdict,
}

impl TestReport {
    /// The verdict in one line, for the activity and the list.
    pub fn title(&self) -> String {
        let naming = Naming {
            host: &self.address.host(),
            credential: self.kind.noun(),
            tests_a_minute: TESTS_A_MINUTE,
            now: self.tested_at,
        };
        title::of(&self.verdict, &naming)
    }
}

/// What a running test tells, in this order: any number of checks, then the report.
#[derive(Debug)]
pub enum Progress {
    Check(Check),
    Report(Box<TestReport>),
}

/// A test that runs whether or not somebody listens.
#[derive(Debug)]
pub struct RunningTest {
    pub id: Uuid,
    pub kind: CredentialKind,
    pub progress: mpsc::UnboundedReceiver<Progress>,
}

/// One test that is about to run.
struct Run {
    id: Uuid,
    submission: Uuid,
    visitor: Visitor,
    cart: Option<Cart>,
    address: StoreAddress,
    kind: CredentialKind,
    fingerprint: Fingerprint,
    token_fingerprint: Fingerprint,
    was_saved: bool,
}

impl Ecommerce {
    /// Starts a test. A typed secret is held, sealed, until it is saved or thirty minutes are over.
    ///
    /// # Errors
    /// [`Refusal`], before anything is sent.
    pub async fn test(&self, visitor: Visitor, subject: TestSubject) -> Result<RunningTest, Refusal> {
        let TestSubject { submission, cart, address, offered } = subject;
        let cart = match cart {
            None => None,
            Some((id, version)) => {
                let cart = self.find(id).await?.ok_or(Refusal::Gone)?;
                if cart.version != version {
                    return Err(Refusal::Conflict(Box::new(cart)));
                }
                if cart.is_practice && cart.address == address && !self.practices {
                    return Err(Refusal::PracticeOff);
                }
                Some(cart)
            }
        };
        let kind = offered.kind();
        let typed = matches!(offered, Offered::Typed(_));
        let keeps = cart.as_ref().is_some_and(|cart| keeps_saved(cart, &address, &offered));
        let mut connection = self.pool.acquire().await?;
        let own = cart.as_ref().map(|cart| cart.id);
        let found = self.typed_or_unsaved(&mut connection, &visitor, submission, own, &address, offered).await?;
        let credential = match (found, &cart) {
            (Found::Credential(credential), _) => {
                if typed {
                    unsaved::hold(&mut connection, &self.vault, &visitor, submission, own, &address, &credential)
                        .await?;
                }
                credential
            }
            (Found::Nothing { .. }, Some(cart)) if keeps => {
                let Some(credential) = self.open_saved(cart.id, &address).await? else {
                    return Ok(self.unreadable(&visitor, submission, cart, address, kind).await?);
                };
                credential
            }
            (Found::Nothing { .. }, Some(cart)) if cart.credential.is_some() && cart.address != address => {
                return Err(Refusal::StoreChanged);
            }
            (Found::Nothing { was_there }, _) => return Err(Refusal::SecretMissing { was_there }),
        };
        let fingerprint = self.fingerprint(&address, &credential);
        let was_saved = match &cart {
            Some(cart) => sql::find_fingerprint(&mut connection, cart.id).await?.as_ref() == Some(&fingerprint),
            None => false,
        };
        drop(connection);
        let token_fingerprint = self.token_fingerprint(&credential);
        let run = Run {
            id: Uuid::now_v7(),
            submission,
            visitor,
            cart,
            address,
            kind,
            fingerprint,
            token_fingerprint,
            was_saved,
        };
        if let Some(verdict) = self.too_many(&run).await? {
            return Ok(told(run.report(verdict)));
        }
        Ok(self.start(run, credential).await?)
    }

    /// Runs in a task of its own and records what it found, whether or not the receiver is still there.
    async fn start(&self, run: Run, credential: Credential) -> Result<RunningTest, Broken> {
        sql::insert_test(&self.pool, &run.row()).await?;
        let (tell, progress) = mpsc::unbounded_channel();
        let (id, kind, ecommerce) = (run.id, run.kind, self.clone());
        self.tasks.spawn(async move {
            let (checks, mut told) = mpsc::unbounded_channel();
            let forward = {
                let tell = tell.clone();
                async move {
                    while let Some(check) = told.recv().await {
                        tell.send(Progress::Check(check)).ok();
                    }
                }
            };
            let expected = run.cart.as_ref().and_then(|cart| cart.shop_id.clone());
            let test = async {
                let subject = connection_test::Subject {
                    address: &run.address,
                    credential: &credential,
                    expected_shop_id: expected.as_deref(),
                };
                let verdict = connection_test::run(&ecommerce.client, subject, &checks).await;
                drop(checks);
                verdict
            };
            let (verdict, ()) = tokio::join!(test, forward);
            drop(credential);
            let report = ecommerce.finish_test(run, verdict).await;
            tell.send(Progress::Report(Box::new(report))).ok();
        });
        Ok(RunningTest { id, kind, progress })
    }

    /// Completes the verdict with what only we know, and records it with its audit row.
    async fn finish_test(&self, run: Run, verdict: Verdict) -> TestReport {
        let ecommerce = self.clone();
        let mut report = run.report(verdict);
        let (completed, answer) = oneshot::channel();
        let draft = report.clone();
        let recorded = transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                let mut report = draft;
                ecommerce.complete(work, &run, &mut report.verdict).await?;
                sql::finish_test(work, &report).await?;
                let cart = run.cart.as_ref().map(Cart::reference);
                if run.was_saved
                    && let Some(cart) = &run.cart
                {
                    record_saved(work, cart, &run.fingerprint, &report).await?;
                }
                audit::record(work, &run.visitor.by, cart.as_ref(), &tested(&report)).await?;
                completed.send(report).ok();
                Ok(())
            })
        })
        .await;
        match (recorded, answer.await) {
            (Ok(()), Ok(complete)) => report = complete,
            (Err(error), _) => tracing::error!(test = %report.id, error = %error, "a test could not be recorded"),
            (Ok(()), Err(_)) => {}
        }
        report
    }

    /// The same credential worked before: it stopped. Another cart has this store, or uses this token.
    async fn complete(&self, work: &mut sqlx::PgConnection, run: &Run, verdict: &mut Verdict) -> sqlx::Result<()> {
        let own = run.cart.as_ref().map(|cart| cart.id);
        if verdict.class == Class::TokenRefused {
            if let Some(at) = sql::find_last_worked(work, &run.fingerprint).await? {
                verdict.class = Class::TokenStopped;
                verdict.last_worked_at = Some(at);
            } else if let Some(other) = sql::find_by_token(work, &run.token_fingerprint, own).await? {
                name_other(verdict, other);
            }
        }
        if verdict.class == Class::WrongStore {
            verdict.other_name = run.cart.as_ref().and_then(|cart| cart.shop_name.clone());
        }
        if verdict.outcome().passes()
            && let Some(store) = &verdict.store
            && let Some(other) = sql::find_by_shop(work, &store.shop_id, own).await?
        {
            verdict.class = Class::Duplicate;
            verdict.limits.clear();
            name_other(verdict, other);
        }
        Ok(())
    }

    /// One test at a time for each person, ten a minute for each store, a hundred a minute in all.
    async fn too_many(&self, run: &Run) -> sqlx::Result<Option<Verdict>> {
        let mut connection = self.pool.acquire().await?;
        let person = run.visitor.by.actor.id().unwrap_or_default();
        if sql::is_testing(&mut connection, person).await? {
            return Ok(Some(limited(None)));
        }
        let buckets =
            [(PER_STORE, format!("test/{person}/{}", run.address.host())), (PER_PERSON, format!("test/{person}"))];
        let mut wait = None;
        for (throttle, bucket) in buckets {
            wait = wait.max(throttle.count(&mut connection, &bucket).await?);
        }
        Ok(wait.map(|wait| limited(Some(wait))))
    }

    /// The saved secret cannot be opened: that cart says so and asks for it again.
    async fn unreadable(
        &self,
        visitor: &Visitor,
        submission: Uuid,
        cart: &Cart,
        address: StoreAddress,
        kind: CredentialKind,
    ) -> sqlx::Result<RunningTest> {
        let run = Run {
            id: Uuid::now_v7(),
            submission,
            visitor: visitor.clone(),
            cart: Some(cart.clone()),
            address,
            kind,
            fingerprint: Fingerprint::new(),
            token_fingerprint: Fingerprint::new(),
            was_saved: true,
        };
        let report = run.report(stopped(Class::OurKey));
        sql::insert_test(&self.pool, &run.row()).await?;
        let (kept, cart) = (report.clone(), cart.clone());
        transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                sql::finish_test(work, &kept).await?;
                let facts = Facts {
                    has_passed: cart.passed_at.is_some(),
                    is_active: cart.is_active,
                    last: Some(Class::OurKey),
                };
                sql::update_last(work, cart.id, &kept, facts.status()).await?;
                audit::record(work, &run.visitor.by, Some(&cart.reference()), &Event::SecretUnreadable).await
            })
        })
        .await?;
        Ok(told(report))
    }

    /// A test by its id, as it was recorded; `None` while it runs and when there is no such test.
    pub async fn find_test(&self, id: Uuid) -> sqlx::Result<Option<TestReport>> {
        sql::find_test(&self.pool, id).await
    }

    /// Covers exactly what a test would use: credential and host.
    pub(super) fn fingerprint(&self, address: &StoreAddress, credential: &Credential) -> Fingerprint {
        use secrecy::ExposeSecret;
        let id = credential.client_id().map_or("", |id| id.as_str());
        self.vault.fingerprint(
            "credential and host",
            &[credential.kind().as_str(), id, credential.secret().expose_secret(), &address.host()],
        )
    }

    /// Covers the credential alone, to see that two carts use the same.
    pub(super) fn token_fingerprint(&self, credential: &Credential) -> Fingerprint {
        use secrecy::ExposeSecret;
        self.vault.fingerprint("credential", &[credential.secret().expose_secret()])
    }

    /// The one function that turns a row into a usable credential: it takes the host that will be called, and a row that was
    /// sealed for another one does not open.
    pub(super) async fn open_saved(&self, id: CartId, address: &StoreAddress) -> sqlx::Result<Option<Credential>> {
        let Some(row) = sql::find_sealed(&self.pool, id).await? else { return Ok(None) };
        let host = address.host();
        Ok(self
            .vault
            .open(&place(row.kind, id, &host), &row.secret)
            .ok()
            .and_then(|secret| Credential::from_stored(row.kind, row.client_id, secret)))
    }

    /// The cart for its editor, with a look at whether its secret still opens.
    pub async fn find(&self, id: CartId) -> sqlx::Result<Option<Cart>> {
        let Some(mut cart) = sql::find(&self.pool, id).await? else { return Ok(None) };
        let readable = match &cart.credential {
            Some(_) => self.open_saved(id, &cart.address).await?.is_some(),
            None => false,
        };
        if let Some(credential) = &mut cart.credential {
            credential.is_readable = readable;
        }
        Ok(Some(cart))
    }
}

impl Run {
    fn row(&self) -> sql::NewTest<'_> {
        sql::NewTest {
            id: self.id,
            cart: self.cart.as_ref().map(|cart| cart.id),
            submission: self.submission,
            by: &self.visitor.by,
            host: self.address.host(),
            kind: self.kind,
            fingerprint: &self.fingerprint,
            was_saved: self.was_saved,
        }
    }

    fn report(&self, verdict: Verdict) -> TestReport {
        TestReport {
            id: self.id,
            submission: self.submission,
            cart: self.cart.as_ref().map(|cart| cart.id),
            address: self.address.clone(),
            kind: self.kind,
            was_saved: self.was_saved,
            tested_at: OffsetDateTime::now_utc(),
            verdict,
        }
    }
}

/// What a test of the saved credential changes on its cart, unless the cart was changed meanwhile.
async fn record_saved(
    work: &mut sqlx::PgConnection,
    cart: &Cart,
    tested: &Fingerprint,
    report: &TestReport,
) -> sqlx::Result<()> {
    let Some(now) = sql::lock(work, cart.id).await? else { return Ok(()) };
    if now.fingerprint.as_ref() != Some(tested) {
        return Ok(());
    }
    let verdict = &report.verdict;
    let lasting = verdict.class.active_status().is_some();
    let has_passed = now.cart.passed_at.is_some() || verdict.outcome().passes();
    let last = if lasting { Some(verdict.class) } else { now.cart.last_class };
    let status = Facts { has_passed, is_active: now.cart.is_active, last }.status();
    if verdict.outcome().passes()
        && let Some(pass) = sql::PassFacts::of(report)
    {
        sql::update_pass(work, cart.id, &pass).await?;
    }
    if lasting {
        sql::update_last(work, cart.id, report, status).await
    } else {
        sql::update_checked(work, cart.id, report).await
    }
}

fn tested(report: &TestReport) -> Event {
    Event::Tested { store: report.address.host(), class: report.verdict.class.as_str(), title: report.title() }
}

fn name_other(verdict: &mut Verdict, other: CartRef) {
    verdict.other_name = Some(other.name);
    verdict.other_cart = Some(other.id);
}

/// A verdict of ours, before anything was sent.
fn stopped(class: Class) -> Verdict {
    let line = |kind, state| Check { kind, state, found: None, took_ms: None };
    let rest = [CheckKind::Store, CheckKind::Credential, CheckKind::Permissions, CheckKind::Version];
    let mut verdict = Verdict::of(class);
    verdict.checks.push(line(CheckKind::Address, CheckState::Passed));
    verdict.checks.extend(rest.map(|kind| line(kind, CheckState::NotChecked)));
    verdict
}

/// Too many tests; without a wait, one that is still running.
fn limited(wait: Option<Duration>) -> Verdict {
    let mut verdict = stopped(Class::TestLimit);
    verdict.wait_seconds = wait.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(60).clamp(1, 60));
    verdict
}

/// A report that is there at once.
fn told(report: TestReport) -> RunningTest {
    let (tell, progress) = mpsc::unbounded_channel();
    let (id, kind) = (report.id, report.kind);
    tell.send(Progress::Report(Box::new(report))).ok();
    RunningTest { id, kind, progress }
}

impl From<Refusal> for SaveError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::SecretMissing { was_there } => Self::SecretMissing { was_there },
            Refusal::StoreChanged => Self::StoreChanged,
            Refusal::PracticeOff => Self::PracticeOff,
            Refusal::Conflict(theirs) => Self::Conflict(theirs),
            Refusal::Gone => Self::Gone,
            Refusal::Broken(broken) => Self::Broken(broken),
        }
    }
}
