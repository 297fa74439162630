//! The credential opens another store than the cart was created with.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "WRONG_STORE",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Credential("accepted, but it opens another store")),
    severity: Severity::Refused,
    retry: Retry::HourlyThenDaily,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, _| "This is a different store".into(),
    next_step: NextStep::new("Enter the address and the credential of this cart's own store.", Remedy::OpenGeneral),
    alert: |_| AlertWords {
        partly: None,
        happened: "The address and the {credential} open a different store than this cart was set up for.",
        todo: &["Open the cart and enter the address and the {credential} of {store}."],
    },
};
