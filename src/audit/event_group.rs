//! The four groups of the *What* filter on the activity page. Stored with each row, so that the filter uses an index.

use super::Event;

/// The group of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Carts,
    Tests,
    Integration,
    People,
}

impl What {
    /// All groups, in the order of the filter.
    pub const ALL: [Self; 4] = [Self::Carts, Self::Tests, Self::Integration, Self::People];

    /// The stored form, also used in the filter's URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Carts => "carts",
            Self::Tests => "tests",
            Self::Integration => "integration",
            Self::People => "people",
        }
    }

    /// The label of the filter option.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Carts => "Carts",
            Self::Tests => "Tests and checks",
            Self::Integration => "Integration and alerts",
            Self::People => "People and keys",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == text)
    }
}

impl<S> Event<S> {
    /// The group that the event belongs to.
    pub const fn what(&self) -> What {
        match self {
            Self::CartAdded { .. }
            | Self::CartChanged { .. }
            | Self::CartOverwritten { .. }
            | Self::CartTurnedOn
            | Self::CartTurnedOff
            | Self::CredentialReplaced { .. }
            | Self::BulkStarted { .. }
            | Self::BulkCancelled
            | Self::CartDisconnected { .. }
            | Self::CartDeleted { .. } => What::Carts,
            Self::Tested { .. }
            | Self::SecretUnreadable
            | Self::CartNeedsAttention { .. }
            | Self::CartNotConnected { .. }
            | Self::CartRecovered { .. }
            | Self::TokenRenewed
            | Self::TokenNotRenewed { .. }
            | Self::TokenHandedOut
            | Self::TokenHandedOutAgain { .. }
            | Self::TokenRefusalReported { .. } => What::Tests,
            Self::IntegrationTurnedOn
            | Self::IntegrationTurnedOff
            | Self::AlertsChanged { .. }
            | Self::AlertSent { .. }
            | Self::AlertNotDelivered => What::Integration,
            Self::SignedIn
            | Self::CouldNotSignIn { .. }
            | Self::SignedOut
            | Self::UserAdded { .. }
            | Self::SetUpLinkMade
            | Self::CouldNotConfirm
            | Self::PasswordChanged
            | Self::DetailsChanged { .. }
            | Self::SignedOutOthers { .. }
            | Self::UserInvited { .. }
            | Self::UserJoined
            | Self::SignInLinkMade { .. }
            | Self::RoleChanged { .. }
            | Self::UserSignedOut { .. }
            | Self::UserTurnedOff { .. }
            | Self::UserTurnedOn { .. }
            | Self::WasRefused { .. }
            | Self::EncryptionKeyRotated { .. }
            | Self::EncryptionKeyForgotten { .. }
            | Self::ApiKeyMade { .. }
            | Self::ApiKeyRotated { .. }
            | Self::ApiKeyRevoked { .. }
            | Self::ActivityMonthDropped { .. } => What::People,
        }
    }
}
