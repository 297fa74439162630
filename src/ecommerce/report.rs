//! Recorded connection tests, and the queries that use them later.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Cart, CartId, Ecommerce, SaveError, Visitor,
    saving::CredentialSource,
    shopify::{
        address::StoreAddress,
        credential::{ClientId, Credential, CredentialKind},
        draft_secret,
    },
    sql,
    title::{self, TitleContext},
    verdict::{Class, TESTS_A_MINUTE, Verdict},
};

/// A connection test as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReport {
    /// Also the reference that support asks for.
    pub id: Uuid,
    pub submission: Uuid,
    pub cart: Option<CartId>,
    pub address: StoreAddress,
    pub kind: CredentialKind,
    /// Whether the tested credential is the one that the cart has saved.
    pub was_saved: bool,
    pub tested_at: OffsetDateTime,
    pub verdict: Verdict,
}

impl TestReport {
    /// The verdict in one line, for the activity and the list.
    pub fn title(&self) -> String {
        let naming = TitleContext {
            host: &self.address.host(),
            credential: self.kind.noun(),
            tests_a_minute: TESTS_A_MINUTE,
            now: self.tested_at,
        };
        title::of(&self.verdict, &naming)
    }
}

/// A test of exactly the address and credential that are being saved.
#[derive(Debug)]
pub(super) struct MatchingTest {
    pub report: TestReport,
    /// `None` for a failure, and for a pass that is too old to activate a cart.
    pub pass: Option<sql::PassFacts>,
}

impl Ecommerce {
    /// Returns the latest test of exactly this address and credential. It counts as a pass if it is recent and opened
    /// the store that the cart belongs to.
    ///
    /// # Errors
    /// `SameStore` if it opened a store that another cart has, whatever its address.
    pub(super) async fn latest_test(
        &self,
        work: &mut crate::database::Connection,
        address: &StoreAddress,
        credential: &Credential,
        own: Option<&Cart>,
    ) -> Result<Option<MatchingTest>, SaveError> {
        let Some((report, is_recent)) = sql::find_latest_test(work, &self.fingerprints(address, credential)).await?
        else {
            return Ok(None);
        };
        let was_let_in = report.verdict.outcome().passes() || report.verdict.class == Class::Duplicate;
        if let Some(store) = report.verdict.store.as_ref().filter(|_| was_let_in && is_recent)
            && let Some(other) = sql::find_by_shop(work, &store.shop_id, own.map(|own| own.id)).await?
        {
            return Err(SaveError::SameStore(other));
        }
        let shop = own.and_then(|own| own.shop_id.as_deref());
        let pass =
            sql::PassFacts::of(&report).filter(|facts| is_recent && shop.is_none_or(|shop| shop == facts.shop_id));
        // A recent pass that opened another store says nothing about this one.
        let is_of_this_store = pass.is_some() || !is_recent || !report.verdict.outcome().passes();
        Ok(is_of_this_store.then_some(MatchingTest { report, pass }))
    }

    /// Returns the last test that this user ran from this form.
    pub async fn last_test_of(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
    ) -> sqlx::Result<Option<TestReport>> {
        let person = visitor.by.actor.id().unwrap_or_default();
        let found = match cart {
            Some(cart) => sql::find_last_test_of_cart(&self.pool, cart, form, person).await?,
            None => sql::find_last_test_of_new(&self.pool, form, person).await?,
        };
        match found {
            Some(id) => self.find_test(id).await,
            None => Ok(None),
        }
    }

    /// Returns the last test of a new cart whose draft secret is still in this browser session.
    pub async fn draft_test(&self, visitor: &Visitor) -> sqlx::Result<Option<Uuid>> {
        let person = visitor.by.actor.id().unwrap_or_default();
        sql::find_draft_test(&self.pool, &visitor.session, person).await
    }

    /// Whether a form still has the tested secret and, for client credentials, the tested Client ID: its draft secret
    /// if there is one, else the saved secret.
    pub async fn still_applies(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
        client_id: Option<&ClientId>,
        tested: &TestReport,
    ) -> sqlx::Result<bool> {
        let TestReport { id, address, kind, .. } = tested;
        let mut connection = self.pool.acquire().await?;
        let then = sql::find_test_fingerprint(&mut connection, *id).await?;
        let found =
            draft_secret::find(&mut connection, &self.vault, visitor, form, cart, address, *kind, client_id).await?;
        drop(connection);
        Ok(match (found, cart) {
            (CredentialSource::Credential(credential), _) => self.fingerprints(address, &credential).is(then.as_ref()),
            (CredentialSource::Nothing { .. }, Some(cart)) => {
                then.is_some() && sql::find_fingerprint(&self.pool, cart).await? == then
            }
            (CredentialSource::Nothing { .. }, None) => false,
        })
    }

    /// Deletes the tests of stores that were never saved.
    pub async fn sweep_tests(&self) -> sqlx::Result<u64> {
        sql::delete_old_tests(&self.pool).await
    }

    /// Finds a recorded test by its id; `None` while it runs and if there is no such test.
    pub async fn find_test(&self, id: Uuid) -> sqlx::Result<Option<TestReport>> {
        sql::find_test(&self.pool, id).await
    }
}
