//! The effect of a save, as one pure function for the first save and later ones. Covers every row of the table of
//! banners.

use crate::{
    carts::{Cart, CartId, Status, status::Facts},
    platforms::CredentialKind,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCart {
    pub cart: CartId,
    pub name: String,
    pub effect: SaveEffect,
}

/// The effect of a save, for the banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveEffect {
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

pub(super) fn of_new(facts: Facts, wants_active: bool) -> SaveEffect {
    match facts.status() {
        Status::Draft => SaveEffect::Draft { active_was_ticked: wants_active },
        Status::Inactive => SaveEffect::Inactive,
        Status::Connected => SaveEffect::Connected,
        Status::NeedsAttention | Status::NotConnected => SaveEffect::ConnectedWithLimits,
    }
}

pub(super) fn of_update(effect: SaveEffect, before: &Cart, facts: Facts, wants_active: bool) -> SaveEffect {
    match (effect, facts.status()) {
        (kept @ SaveEffect::OldSecretKept { .. }, _) => kept,
        (_, Status::Draft) => SaveEffect::Draft { active_was_ticked: wants_active },
        (_, Status::Inactive) if before.is_active => SaveEffect::TurnedOff,
        (SaveEffect::Kept, Status::Inactive) if before.status != Status::Inactive => SaveEffect::Inactive,
        (_, Status::Connected) if !before.is_active => SaveEffect::Connected,
        (_, Status::NeedsAttention) if !before.is_active => SaveEffect::ConnectedWithLimits,
        (effect, Status::Connected | Status::NeedsAttention | Status::NotConnected | Status::Inactive) => effect,
    }
}
