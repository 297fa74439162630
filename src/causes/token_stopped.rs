//! Shopify no longer accepts a credential that has worked before.

use super::{Cause, token_refused};

pub(super) const CAUSE: Cause = Cause {
    id: "TOKEN_STOPPED",
    title: |_, context| format!("The {} stopped working", context.credential),
    ..token_refused::CAUSE
};
