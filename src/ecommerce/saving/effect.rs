//! The effect of a save, as one pure function for the first save and one for later saves: every row of the table of
//! banners.

use crate::ecommerce::{Cart, Status, shopify::credential::CredentialKind, status::Facts};

/// The effect of a save, for the banner.
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
    /// The old secret stays in use; the new one is a draft secret until its test passes.
    OldSecretKept {
        kind: CredentialKind,
    },
    TurnedOff,
    /// A repeated submission: the first one made the change, and its banner still applies.
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
