//! Saved secrets that cannot be decrypted: the key is missing, the row is damaged, or a secret or a host was moved by SQL.
//!
//! A missing key is found by comparing key IDs, so that a list never shows a cart as connected whose key is gone. All
//! other causes are found when the secret is used: by a test, a check, a token refresh or a rotation.

use uuid::Uuid;

use super::{
    ConnectionTests,
    record::report_fault,
    run::{Run, stopped},
};
use crate::{
    audit::{self, By, Event},
    carts::{
        Cart, CartId, TestReport, Visitor,
        health::{self, Finding},
        sql,
    },
    causes::Class,
    database::transaction,
    vault::Fingerprints,
};

impl ConnectionTests {
    /// Records on each cart whose secret needs a key that is not in the ring that the secret cannot be read; returns the
    /// number recorded. Decrypts nothing.
    pub async fn find_unreadable_secrets(&self) -> sqlx::Result<u64> {
        let mut noticed = 0;
        for id in sql::rotation::list_carts_without_key(&self.pool, &self.credentials.vault.ring().ids()).await? {
            let Some((cart, _)) = sql::carts::find(&self.pool, CartId(id)).await? else { continue };
            let visitor = Visitor::without_drafts(By::system());
            if self.record_unreadable_secret(visitor, Uuid::new_v4(), cart).await?.is_some() {
                noticed += 1;
            }
        }
        Ok(noticed)
    }

    /// Records the unreadable secret as the last test of the cart, with its audit event, unless the cart was changed in
    /// the meantime.
    pub(super) async fn record_unreadable_secret(
        &self,
        visitor: Visitor,
        submission: Uuid,
        cart: Cart,
    ) -> sqlx::Result<Option<TestReport>> {
        let Some(kind) = cart.credential.as_ref().map(|credential| credential.kind) else { return Ok(None) };
        let (version, address) = (cart.version, cart.address.clone());
        let run = Run {
            id: Uuid::now_v7(),
            submission,
            visitor,
            cart: Some(cart),
            address,
            kind,
            fingerprints: Fingerprints::none(),
            token_fingerprints: Fingerprints::none(),
            was_saved: true,
        };
        let report = run.report(stopped(Class::OurKey), self.clock.now());
        let noted: sqlx::Result<Option<TestReport>> = transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some(cart) = run.cart.as_ref().map(Cart::reference) else { return Ok(None) };
                let Some(now) = sql::health::lock(work, CartId(cart.id)).await? else { return Ok(None) };
                if now.version != version {
                    return Ok(None);
                }
                sql::connection_tests::insert(work, &run.row()).await?;
                sql::connection_tests::finish(work, &report).await?;
                sql::connection_tests::update_tested(work, now.cart, &report).await?;
                health::record(work, &now, &Finding::of(&report.verdict, report.title())).await?;
                audit::record(work, &run.visitor.by, Some(&cart), &Event::SecretUnreadable).await?;
                Ok(Some(report))
            })
        })
        .await;
        if let Ok(Some(report)) = &noted {
            report_fault(report);
        }
        noted
    }
}
