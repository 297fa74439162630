//! Another cart has this store.

use super::{Cause, FailedCheck, wrong_store};

pub(super) const CAUSE: Cause = Cause {
    id: "DUPLICATE",
    fails: Some(FailedCheck::Credential("accepted, but another cart has this store")),
    title: |_, _| "This store is already connected".into(),
    ..wrong_store::CAUSE
};
