//! No key in the key file decrypts the saved secret.

use super::{AlertWords, Cause, NextStep, Outcome, Remedy, Retry, Severity, SharedCause, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "OUR_KEY",
    outcome: Outcome::NotConnected,
    fails: None,
    severity: Severity::Limited,
    retry: Retry::Interval,
    shared: Some(SharedCause::Key),
    token: TokenRule::Unreadable,
    title: |_, context| format!("We cannot read the saved {}", context.credential),
    next_step: NextStep::new("Enter it again, or ask support to restore the key.", Remedy::Replace),
    alert: |_| AlertWords {
        partly: None,
        happened: "{product} cannot read the saved {credential}, because its encryption key changed. This is our fault, not Shopify's.",
        todo: &["Open the cart and enter the {credential} again, or ask support to restore the key."],
    },
};
