//! A test that is about to run, and the record of it.

use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{Cart, TestReport, Visitor, sql};
use crate::causes::{Check, CheckKind, CheckState, Class, Verdict};
use crate::platforms::{CredentialKind, StoreAddress};
use crate::vault::Fingerprints;

/// A test that is about to run.
pub(super) struct Run {
    pub(super) id: Uuid,
    pub(super) submission: Uuid,
    pub(super) visitor: Visitor,
    pub(super) cart: Option<Cart>,
    pub(super) address: StoreAddress,
    pub(super) kind: CredentialKind,
    pub(super) fingerprints: Fingerprints,
    pub(super) token_fingerprints: Fingerprints,
    pub(super) was_saved: bool,
}

impl Run {
    pub(super) fn row(&self) -> sql::connection_tests::NewTest<'_> {
        sql::connection_tests::NewTest {
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

    pub(super) fn report(&self, verdict: Verdict, at: OffsetDateTime) -> TestReport {
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

/// A verdict by this server, for a test that was not sent.
pub(super) fn stopped(class: Class) -> Verdict {
    let line = |kind, state| Check { kind, state, found: None, took_ms: None };
    let rest = [CheckKind::Store, CheckKind::Credential, CheckKind::Permissions, CheckKind::Version];
    let mut verdict = Verdict::of(class);
    verdict.checks.push(line(CheckKind::Address, CheckState::Passed));
    verdict.checks.extend(rest.map(|kind| line(kind, CheckState::NotChecked)));
    verdict
}
