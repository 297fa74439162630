//! The name of the store was not found.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, SharedCause, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "NETWORK_DNS",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store not reached")),
    severity: Severity::Transient,
    retry: Retry::BackOff,
    shared: Some(SharedCause::Network),
    token: TokenRule::HandOut,
    title: |_, context| format!("We could not look up {}", context.host),
    next_step: NextStep::NETWORK,
    alert: |_| AlertWords {
        partly: None,
        happened: "{product}'s server could not find the address of {host}. This is nearly always a network problem on our side.",
        todo: &["If it keeps happening, tell your IT team that {product} cannot look up {host}."],
    },
};
