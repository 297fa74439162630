//! Shopify has no store at this address.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "STORE_NOT_FOUND",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Shopify reached: it has no store at this address")),
    severity: Severity::Refused,
    retry: Retry::Hourly,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, context| format!("There is no Shopify store at {}", context.host),
    next_step: NextStep::new(
        "Open your store in Shopify, look at the address, and compare it with API URL.",
        Remedy::Visit { url: "https://admin.shopify.com", text: "Open Shopify admin" },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "There is no Shopify store at {host}. It may have been closed, or given another name.",
        todo: &[
            "Open the store in Shopify and look at its address.",
            "Open the cart, enter that address and the {credential}, and select Test Connection.",
        ],
    },
};
