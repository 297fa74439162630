//! Test Connection: checks permission and limits, selects the credential to test, and records the result. The test
//! itself is `shopify::connection_test`; it runs in a separate task, continues when the user leaves, and ends by its
//! own timeout.

mod diagnostics;
mod record;
mod recorded;
mod run;
mod saved;
mod too_many;
mod unreadable;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{
    Cart, CartId, Carts, CredentialInput, SaveError, TestReport, Visitor,
    credential_input::{CredentialSource, keeps_saved},
    draft_secret::{self, typed_or_draft},
    sealing::CredentialVault,
    sql,
};
use crate::causes::{Check, Verdict};
use crate::{
    audit::{self, RequiredRole},
    clock::Clock,
    database::{Pool, transaction},
    platforms::{
        ClientId, Credential, CredentialKind, StoreAddress,
        shopify::{client::ShopifyClient, connection_test},
    },
    vault::InternalError,
};
use run::Run;
use too_many::too_many;

/// The input of a test: the typed values, not the saved ones.
#[derive(Debug)]
pub struct TestSubject {
    pub submission: Uuid,
    /// The cart, and the version that the form was rendered from.
    pub cart: Option<(CartId, i64)>,
    pub address: StoreAddress,
    pub offered: CredentialInput,
}

/// Why no test started; nothing was sent to Shopify.
#[derive(Debug, thiserror::Error)]
pub enum TestRefused {
    #[error("the secret is missing")]
    SecretMissing { was_there: bool },
    #[error("another store was entered without its secret")]
    StoreChanged,
    /// The cart belongs to the practice store, which is off: its secret is never sent to the real store of that name.
    #[error("This cart belongs to the practice store. Enter a real store, or delete it.")]
    PracticeOff,
    #[error("somebody else changed this cart")]
    Conflict(Box<Cart>),
    #[error("the cart is gone")]
    Gone,
    #[error(transparent)]
    Broken(#[from] InternalError),
}

impl From<sqlx::Error> for TestRefused {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// Messages of a running test, in this order: any number of checks, then the report.
#[derive(Debug)]
pub enum Progress {
    Check(Check),
    Report(Box<TestReport>),
}

/// A test that runs even if the receiver is dropped.
#[derive(Debug)]
pub struct RunningTest {
    pub id: Uuid,
    pub kind: CredentialKind,
    pub progress: mpsc::UnboundedReceiver<Progress>,
}

/// Tests stores, and keeps the results.
#[derive(Clone, Debug)]
pub struct ConnectionTests {
    pub(super) pool: Pool,
    pub(super) carts: Carts,
    pub(super) credentials: CredentialVault,
    pub(super) client: Arc<ShopifyClient>,
    pub(super) tasks: TaskTracker,
    pub(super) clock: Clock,
}

impl ConnectionTests {
    /// Starts a test. A typed secret is stored sealed as a draft secret until it is saved or 30 minutes are over.
    ///
    /// # Errors
    /// [`TestRefused`], before anything is sent.
    pub async fn start(&self, visitor: Visitor, subject: TestSubject) -> Result<RunningTest, TestRefused> {
        let TestSubject { submission, cart, address, offered } = subject;
        let cart = self.cart_of(cart, &address).await?;
        let (kind, is_typed) = (offered.kind(), matches!(offered, CredentialInput::Typed(_)));
        let found = self.credential_of(&visitor, submission, cart.as_ref(), &address, offered).await?;
        let Some(credential) = found else {
            let cart = cart.as_ref().ok_or(TestRefused::Gone)?;
            return self.unreadable(visitor, submission, cart.clone()).await;
        };
        let fingerprints = self.credentials.fingerprints(&address, &credential);
        let was_saved = match &cart {
            Some(cart) => fingerprints.is(sql::credentials::find_fingerprint(&self.pool, cart.id).await?.as_ref()),
            None => false,
        };
        let token_fingerprints = self.credentials.token_fingerprints(&credential);
        let id = Uuid::now_v7();
        let run = Run { id, submission, visitor, cart, address, kind, fingerprints, token_fingerprints, was_saved };
        let (run, credential, refused) = self.admit(run, credential, is_typed).await?;
        Ok(match refused {
            Some(verdict) => told(run.report(verdict, self.clock.now())),
            None => self.spawn(run, credential),
        })
    }

    /// Checks the saved credential for a user: a connection test like any other, counted, throttled and in the
    /// activity.
    ///
    /// # Errors
    /// [`TestRefused`], before anything is sent; `Gone` also if nothing is saved.
    pub async fn check_now(&self, visitor: Visitor, id: CartId) -> Result<RunningTest, TestRefused> {
        let cart = self.carts.find(id).await?.ok_or(TestRefused::Gone)?;
        let saved = cart.credential.ok_or(TestRefused::Gone)?;
        let client_id = saved.client_id.as_deref().and_then(|id| ClientId::parse(id).ok());
        let subject = TestSubject {
            submission: Uuid::now_v7(),
            cart: Some((id, cart.version)),
            address: cart.address,
            offered: CredentialInput::Blank { kind: saved.kind, client_id },
        };
        self.start(visitor, subject).await
    }

    /// The cart of the form, if it still has the version that the form was rendered from.
    async fn cart_of(&self, cart: Option<(CartId, i64)>, address: &StoreAddress) -> Result<Option<Cart>, TestRefused> {
        let Some((id, version)) = cart else { return Ok(None) };
        let cart = self.carts.find(id).await?.ok_or(TestRefused::Gone)?;
        if cart.version != version {
            return Err(TestRefused::Conflict(Box::new(cart)));
        }
        if cart.is_practice && cart.address == *address && !self.carts.practices {
            return Err(TestRefused::PracticeOff);
        }
        Ok(Some(cart))
    }

    /// The credential to test: typed now, the draft secret of this form, or saved for exactly this store. `None`: saved
    /// but unreadable.
    async fn credential_of(
        &self,
        visitor: &Visitor,
        submission: Uuid,
        cart: Option<&Cart>,
        address: &StoreAddress,
        offered: CredentialInput,
    ) -> Result<Option<Credential>, TestRefused> {
        let keeps = cart.is_some_and(|cart| keeps_saved(cart, address, &offered));
        let mut connection = self.pool.acquire().await?;
        let (own, vault) = (cart.map(|cart| cart.id), &self.credentials.vault);
        match (typed_or_draft(&mut connection, vault, visitor, submission, own, address, offered).await?, cart) {
            (CredentialSource::Credential(credential), _) => Ok(Some(credential)),
            (CredentialSource::Nothing { .. }, Some(cart)) if keeps => {
                drop(connection);
                Ok(self.credentials.open_saved(cart.id, address).await?)
            }
            (CredentialSource::Nothing { .. }, Some(cart)) if cart.credential.is_some() && cart.address != *address => {
                Err(TestRefused::StoreChanged)
            }
            (CredentialSource::Nothing { was_there }, _) => Err(TestRefused::SecretMissing { was_there }),
        }
    }

    /// Stores a typed secret as a draft secret, counts the test and records its start, or returns why it is refused.
    /// One transaction, because the user waits for each commit to reach the disk.
    async fn admit(
        &self,
        mut run: Run,
        credential: Credential,
        is_typed: bool,
    ) -> Result<(Run, Credential, Option<Verdict>), InternalError> {
        let vault = Arc::clone(&self.credentials.vault);
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                audit::demand(work, &run.visitor.by, RequiredRole::Change).await?;
                if is_typed {
                    let cart = run.cart.as_ref().map(|cart| cart.id);
                    draft_secret::hold(work, &vault, &run.visitor, run.submission, cart, &run.address, &credential)
                        .await?;
                }
                let refused = too_many(work, &run).await?;
                if refused.is_none() {
                    sql::connection_tests::insert(work, &run.row()).await?;
                }
                // The test continues when the session has ended.
                run.visitor.by = run.visitor.by.started();
                Ok((run, credential, refused))
            })
        })
        .await
    }

    /// Runs the test in a separate task and records the result, even if the receiver is gone.
    fn spawn(&self, run: Run, credential: Credential) -> RunningTest {
        let (tell, progress) = mpsc::unbounded_channel();
        let (id, kind, tests) = (run.id, run.kind, self.clone());
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
                let subject = connection_test::TestedStore {
                    address: &run.address,
                    credential: &credential,
                    expected_shop_id: expected.as_deref(),
                };
                let verdict = connection_test::run(&tests.client, subject, &checks).await;
                drop(checks);
                verdict
            };
            let (verdict, ()) = tokio::join!(test, forward);
            drop(credential);
            let report = tests.finish(run, verdict).await;
            tell.send(Progress::Report(Box::new(report))).ok();
        });
        RunningTest { id, kind, progress }
    }

    /// The saved secret cannot be decrypted: records that on the cart, which then asks for the secret again.
    async fn unreadable(&self, visitor: Visitor, submission: Uuid, cart: Cart) -> Result<RunningTest, TestRefused> {
        let id = cart.id;
        match self.record_unreadable_secret(visitor, submission, cart).await? {
            Some(report) => Ok(told(report)),
            // The cart changed in the meantime: the page shows its current state.
            None => match self.carts.find(id).await? {
                Some(cart) => Err(TestRefused::Conflict(Box::new(cart))),
                None => Err(TestRefused::Gone),
            },
        }
    }
}

/// A running test whose report is available immediately.
fn told(report: TestReport) -> RunningTest {
    let (tell, progress) = mpsc::unbounded_channel();
    let (id, kind) = (report.id, report.kind);
    tell.send(Progress::Report(Box::new(report))).ok();
    RunningTest { id, kind, progress }
}

impl From<TestRefused> for SaveError {
    fn from(refusal: TestRefused) -> Self {
        match refusal {
            TestRefused::SecretMissing { was_there } => Self::SecretMissing { was_there },
            TestRefused::StoreChanged => Self::StoreChanged,
            TestRefused::PracticeOff => Self::PracticeOff,
            TestRefused::Conflict(theirs) => Self::Conflict(theirs),
            TestRefused::Gone => Self::Gone,
            TestRefused::Broken(broken) => Self::Broken(broken),
        }
    }
}
