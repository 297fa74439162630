//! No connection was established, or it broke off before the answer was complete.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, SharedCause, TokenRule};

pub(super) const ALLOW_CALLS: &str =
    "Ask your IT team to allow outgoing connections from {product} to {host} on port 443.";

pub(super) const CAUSE: Cause = Cause {
    id: "NETWORK_UNREACHABLE",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Reach {
        unanswered: "Store not reached",
        answered: "Store reached: its answer broke off",
    }),
    severity: Severity::Transient,
    retry: Retry::BackOff,
    shared: Some(SharedCause::Network),
    token: TokenRule::HandOut,
    title: |_, context| format!("We could not reach {}", context.host),
    next_step: NextStep::NETWORK,
    alert: |_| AlertWords {
        partly: None,
        happened: "{host} could not be reached. This is nearly always a network problem on our side.",
        todo: &[ALLOW_CALLS],
    },
};
