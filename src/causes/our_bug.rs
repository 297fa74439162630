//! Shopify did not understand our request, we did not understand its answer, or the check crashed.

use super::{AlertWords, Cause, NextStep, Outcome, Remedy, Retry, Severity, SharedCause, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "OUR_BUG",
    outcome: Outcome::NotConnected,
    fails: None,
    severity: Severity::Ours,
    retry: Retry::Interval,
    shared: Some(SharedCause::Program),
    token: TokenRule::HandOut,
    title: |_, _| "A fault on our side stopped this test".into(),
    next_step: NextStep::new(
        "This is a fault on our side, not the store's. Leave your settings as they are.",
        Remedy::OpenGeneral,
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "{product} cannot check this store because of a fault of its own. The store is not the cause.",
        todo: &["Tell our support. You do not need to change anything here."],
    },
};
