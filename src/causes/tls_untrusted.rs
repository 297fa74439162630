//! The certificate that answered is not the one of the store.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, SharedCause, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "TLS_UNTRUSTED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store not reached")),
    severity: Severity::Transient,
    retry: Retry::BackOff,
    shared: Some(SharedCause::Network),
    token: TokenRule::HandOut,
    title: |_, context| format!("We could not make a secure connection to {}", context.host),
    next_step: NextStep::NETWORK,
    alert: |_| AlertWords {
        partly: None,
        happened: "The security certificate that answered for {host} did not match, so we stopped before sending the {credential}. This is nearly always a network problem on our side.",
        todo: &["Ask your IT team to let {product} reach {host} without inspecting the traffic."],
    },
};
