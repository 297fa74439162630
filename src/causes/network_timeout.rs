//! No complete answer arrived in time.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, SharedCause, TokenRule};
use super::{network_unreachable::ALLOW_CALLS, shopify_down::CHECK_STATUS};

pub(super) const CAUSE: Cause = Cause {
    id: "NETWORK_TIMEOUT",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Reach {
        unanswered: "Store not reached",
        answered: "Store reached: its answer did not end in time",
    }),
    severity: Severity::Transient,
    retry: Retry::BackOff,
    shared: Some(SharedCause::Network),
    token: TokenRule::HandOut,
    title: |_, _| "Shopify did not answer in time".into(),
    next_step: NextStep::NETWORK,
    alert: |_| AlertWords {
        partly: None,
        happened: "{host} did not answer in time. Shopify may be busy, or a firewall may block us.",
        todo: &[CHECK_STATUS, ALLOW_CALLS],
    },
};
