//! A test that is about to run, and the record of it.

use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{
    Cart, Visitor, report::TestReport, shopify::address::StoreAddress, shopify::credential::CredentialKind, sql,
    verdict::Verdict,
};
use crate::vault::Fingerprints;

/// A test that is about to run.
pub(in super::super) struct Run {
    pub(in super::super) id: Uuid,
    pub(in super::super) submission: Uuid,
    pub(in super::super) visitor: Visitor,
    pub(in super::super) cart: Option<Cart>,
    pub(in super::super) address: StoreAddress,
    pub(in super::super) kind: CredentialKind,
    pub(in super::super) fingerprints: Fingerprints,
    pub(in super::super) token_fingerprints: Fingerprints,
    pub(in super::super) was_saved: bool,
}

impl Run {
    pub(in super::super) fn row(&self) -> sql::NewTest<'_> {
        sql::NewTest {
            id: self.id,
            cart: self.cart.as_ref().map(|cart| cart.id),
            submission: self.submission,
            by: &self.visitor.by,
            host: self.address.host(),
            kind: self.kind,
            fingerprint: self.fingerprints.active(),
            was_saved: self.was_saved,
        }
    }

    pub(in super::super) fn report(&self, verdict: Verdict, at: OffsetDateTime) -> TestReport {
        TestReport {
            id: self.id,
            submission: self.submission,
            cart: self.cart.as_ref().map(|cart| cart.id),
            address: self.address.clone(),
            kind: self.kind,
            was_saved: self.was_saved,
            tested_at: at,
            verdict,
        }
    }
}
