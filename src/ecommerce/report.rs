//! What a test leaves behind: the report, what it changes on its cart, its line in the activity. One transaction.

use time::OffsetDateTime;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    Cart, CartId, Ecommerce,
    health::{self, Finding},
    shopify::{address::StoreAddress, credential::CredentialKind},
    sql,
    testing::Run,
    title::{self, Naming},
    verdict::{Class, TESTS_A_MINUTE, Verdict},
};
use crate::{
    audit::{self, CartRef, Event},
    database::transaction,
    vault::Fingerprints,
};

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

impl Ecommerce {
    /// Completes the verdict with what only we know, and records it with its audit row.
    pub(super) async fn finish_test(&self, run: Run, verdict: Verdict) -> TestReport {
        let ecommerce = self.clone();
        let mut report = run.report(verdict, self.clock.now());
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
                    record_saved(work, cart, &run.fingerprints, &report).await?;
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
            let tested = sql::find_last_worked(work, &run.fingerprints).await?;
            let checked = match own {
                Some(own) => sql::find_last_good(work, own, &run.fingerprints).await?,
                None => None,
            };
            if let Some(at) = tested.max(checked) {
                verdict.class = Class::TokenStopped;
                verdict.last_worked_at = Some(at);
            } else if let Some(other) = sql::find_by_token(work, &run.token_fingerprints, own).await? {
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

    /// Forgets the tests of stores that were never saved.
    pub async fn sweep_tests(&self) -> sqlx::Result<u64> {
        sql::delete_old_tests(&self.pool).await
    }

    /// A test by its id, as it was recorded; `None` while it runs and when there is no such test.
    pub async fn find_test(&self, id: Uuid) -> sqlx::Result<Option<TestReport>> {
        sql::find_test(&self.pool, id).await
    }
}

/// What a test of the saved credential changes on its cart, unless the cart was changed meanwhile. It counts as a check.
async fn record_saved(
    work: &mut sqlx::PgConnection,
    cart: &Cart,
    tested: &Fingerprints,
    report: &TestReport,
) -> sqlx::Result<()> {
    let Some(mut now) = sql::lock_health(work, cart.id).await? else { return Ok(()) };
    if !tested.is(now.fingerprint.as_ref()) {
        return Ok(());
    }
    if let Some(pass) = sql::PassFacts::of(report) {
        sql::update_pass(work, cart.id, &pass).await?;
        now.has_passed = true;
    }
    sql::update_tested(work, cart.id, report).await?;
    health::record(work, &now, &Finding::of(&report.verdict, report.title())).await
}

fn tested(report: &TestReport) -> Event {
    let (store, class) = (report.address.host(), report.verdict.class.as_str());
    Event::Tested { store, class, title: report.title(), test: Some(report.id) }
}

fn name_other(verdict: &mut Verdict, other: CartRef) {
    verdict.other_name = Some(other.name);
    verdict.other_cart = Some(other.id);
}
