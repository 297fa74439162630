//! Reports checks as they complete, in the order of the screen, with the time that each took.

use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::super::client::CallTimer;
use crate::causes::{Check, CheckKind, CheckState};

/// Sends each check to the receiver, and keeps it.
pub(super) struct CheckReporter<'a> {
    pub(super) told: &'a UnboundedSender<Check>,
    pub(super) checks: Vec<Check>,
}

impl CheckReporter<'_> {
    pub(super) fn tell(&mut self, kind: CheckKind, state: CheckState, found: Option<String>, took_ms: Option<u32>) {
        let check = Check { kind, state, found, took_ms };
        // The receiver may be gone; the test still ends and is recorded.
        let _ = self.told.send(check.clone());
        self.checks.push(check);
    }

    /// Reports checks as not made, because an earlier one failed.
    pub(super) fn skip(&mut self, kinds: &[CheckKind]) {
        for kind in kinds {
            self.tell(*kind, CheckState::NotChecked, None, None);
        }
    }
}

/// The time of each check: until TLS is established for the store, the rest for the credential.
pub(super) struct CheckTimes {
    pub(super) store_ms: Option<u32>,
    pub(super) credential_ms: Option<u32>,
}

impl CheckTimes {
    pub(super) fn of(began: Instant, meter: &CallTimer) -> Self {
        let whole = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let store_ms = meter.timings().connect_ms;
        Self { store_ms, credential_ms: store_ms.map(|store| whole.saturating_sub(store)) }
    }
}
