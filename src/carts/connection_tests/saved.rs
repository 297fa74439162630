//! Tests the saved credential of a cart for a bulk action.

use uuid::Uuid;

use super::{ConnectionTests, run::Run, too_many::too_many_of_store};
use crate::{
    audit::{self, By, RequiredRole},
    carts::{CartId, Visitor, sql},
    causes::Outcome,
    database::transaction,
    platforms::shopify::connection_test::{self, CHECK_TIMEOUT, TestedStore},
    vault::InternalError,
};

impl ConnectionTests {
    /// Counts a test against the limit of its store before the store is called; `false` if the limit is exceeded.
    /// Manual and bulk tests share the limit.
    async fn count(&self, by: By, host: String) -> sqlx::Result<bool> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                audit::demand(work, &by, RequiredRole::Change).await?;
                Ok(too_many_of_store(work, &by, &host).await?.is_none())
            })
        })
        .await
    }

    /// Tests the saved credential of one cart on behalf of the user who started the bulk action. Returns the outcome of
    /// its item.
    pub(in crate::carts) async fn run_saved(&self, by: By, cart: CartId) -> Result<&'static str, InternalError> {
        let Some(cart) = self.carts.find(cart).await? else { return Ok("gone") };
        let (address, is_stray) = (cart.address.clone(), cart.is_practice && !self.carts.practices);
        let Some(saved) = cart.credential.as_ref().filter(|_| !is_stray) else { return Ok("not-tested") };
        let (kind, submission) = (saved.kind, Uuid::now_v7());
        if !self.count(by.clone(), address.host()).await? {
            return Ok("test-limit");
        }
        let visitor = Visitor::without_drafts(by);
        let Some(credential) = self.credentials.open_saved(cart.id, &address).await? else {
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
            fingerprints: self.credentials.fingerprints(&address, &credential),
            token_fingerprints: self.credentials.token_fingerprints(&credential),
            cart: Some(cart),
            address: address.clone(),
            kind,
            was_saved: true,
        };
        // Insert the row only after the test, so that the user can test manually in the meantime.
        let mut connection = self.pool.acquire().await?;
        sql::connection_tests::insert(&mut connection, &run.row()).await?;
        drop(connection);
        let draft = run.report(verdict, self.clock.now());
        // A test without its audit event does not count: the item stays open.
        Ok(match self.try_finish(run, draft).await?.verdict.outcome() {
            Outcome::Connected => "connected",
            Outcome::Limited => "limited",
            Outcome::NotConnected => "not-connected",
        })
    }
}
