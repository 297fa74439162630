//! The checks as they end, in the order of the screen, and how long each took.

use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::super::client::Meter;
use crate::ecommerce::verdict::{Check, CheckKind, CheckState};

/// Tells each check to whoever listens, and keeps it.
pub(super) struct Lines<'a> {
    pub(super) told: &'a UnboundedSender<Check>,
    pub(super) checks: Vec<Check>,
}

impl Lines<'_> {
    pub(super) fn tell(&mut self, kind: CheckKind, state: CheckState, found: Option<String>, took_ms: Option<u32>) {
        let check = Check { kind, state, found, took_ms };
        // Nobody may be listening any more; the test ends and is recorded all the same.
        let _ = self.told.send(check.clone());
        self.checks.push(check);
    }

    /// What comes after a failure was never looked at.
    pub(super) fn skip(&mut self, kinds: &[CheckKind]) {
        for kind in kinds {
            self.tell(*kind, CheckState::NotChecked, None, None);
        }
    }
}

/// The time until TLS stood is the store's, the rest is the credential's.
pub(super) struct Took {
    pub(super) store_ms: Option<u32>,
    pub(super) credential_ms: Option<u32>,
}

impl Took {
    pub(super) fn of(began: Instant, meter: &Meter) -> Self {
        let whole = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let store_ms = meter.timings().connect_ms;
        Self { store_ms, credential_ms: store_ms.map(|store| whole.saturating_sub(store)) }
    }
}
