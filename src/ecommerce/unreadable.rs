//! Saved secrets that do not decrypt any more: the key is gone, the row is damaged, or a secret or a host was moved by
//! SQL.
//!
//! A test of such a cart reports it at once. This module checks all other carts periodically, so that a list never
//! shows a cart as connected whose secret cannot be used.

use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Cart, CartId, Ecommerce,
    connection_tests::report_fault,
    connection_tests::{Run, stopped},
    health::{self, Finding},
    sealing::place,
    shopify::credential::{Credential, CredentialKind},
    sql::{self, StoredCredential},
    verdict::Class,
};
use crate::{
    audit::{self, By, Event},
    database::transaction,
    ecommerce::{TestReport, Visitor},
    vault::{Fingerprints, Vault},
};

impl Ecommerce {
    /// Decrypts every saved secret once, and records on its cart if that fails; returns the number recorded. Sends
    /// nothing.
    pub async fn find_unreadable_secrets(&self) -> sqlx::Result<u64> {
        let (mut noticed, mut after) = (0, Uuid::nil());
        loop {
            let rows = sql::find_readable(&self.pool, after).await?;
            let Some(last) = rows.last() else { return Ok(noticed) };
            after = last.id;
            for row in rows.iter().filter(|row| open(&self.vault, row).is_none()) {
                let Some((cart, _)) = sql::find(&self.pool, CartId(row.id)).await? else { continue };
                let visitor = Visitor { by: By::system(), session: Vec::new() };
                if self.record_unreadable_secret(visitor, Uuid::new_v4(), cart).await?.is_some() {
                    noticed += 1;
                }
            }
        }
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
                let Some(now) = sql::lock_health(work, CartId(cart.id)).await? else { return Ok(None) };
                if now.version != version {
                    return Ok(None);
                }
                sql::insert_test(work, &run.row()).await?;
                sql::finish_test(work, &report).await?;
                sql::update_tested(work, now.cart, &report).await?;
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

fn open(vault: &Vault, row: &StoredCredential) -> Option<Credential> {
    let kind = CredentialKind::parse(&row.kind)?;
    let secret: SecretString = vault.open(&place(kind, CartId(row.id), &row.host), &row.secret).ok()?;
    Credential::from_stored(kind, row.client_id.clone(), secret)
}
