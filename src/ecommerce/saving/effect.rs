//! What a save comes to, in one pure function each for the first and the later ones: every row of the table of banners.

use crate::ecommerce::{Cart, Status, shopify::credential::CredentialKind, status::Facts};

/// What a save did, for the banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Connected,
    ConnectedWithLimits,
    Draft {
        active_was_ticked: bool,
    },
    Inactive,
    Kept,
    NewSecret {
        kind: CredentialKind,
        ending: Option<String>,
    },
    /// The old secret works on; the new one waits for its test.
    OldSecretKept {
        kind: CredentialKind,
    },
    TurnedOff,
    /// The same form came before: it did all, and its words stand.
    Again,
}

pub(super) fn of_new(facts: Facts, wants_active: bool) -> Effect {
    match facts.status() {
        Status::Draft => Effect::Draft { active_was_ticked: wants_active },
        Status::Inactive => Effect::Inactive,
        Status::Connected => Effect::Connected,
        Status::NeedsAttention | Status::NotConnected => Effect::ConnectedWithLimits,
    }
}

pub(super) fn of_update(effect: Effect, before: &Cart, facts: Facts, wants_active: bool) -> Effect {
    match (effect, facts.status()) {
        (kept @ Effect::OldSecretKept { .. }, _) => kept,
        (_, Status::Draft) => Effect::Draft { active_was_ticked: wants_active },
        (_, Status::Inactive) if before.is_active => Effect::TurnedOff,
        (Effect::Kept, Status::Inactive) if before.status != Status::Inactive => Effect::Inactive,
        (_, Status::Connected) if !before.is_active => Effect::Connected,
        (_, Status::NeedsAttention) if !before.is_active => Effect::ConnectedWithLimits,
        (effect, Status::Connected | Status::NeedsAttention | Status::NotConnected | Status::Inactive) => effect,
    }
}
