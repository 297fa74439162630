//! One change of a cart, as the feed stores it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::audit::Event;

/// The kinds of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Changed,
    TurnedOn,
    TurnedOff,
    Disconnected,
    Deleted,
    NeedsAttention,
    Recovered,
    IntegrationTurnedOn,
    IntegrationTurnedOff,
}

impl ChangeKind {
    pub const ALL: [Self; 10] = [
        Self::Added,
        Self::Changed,
        Self::TurnedOn,
        Self::TurnedOff,
        Self::Disconnected,
        Self::Deleted,
        Self::NeedsAttention,
        Self::Recovered,
        Self::IntegrationTurnedOn,
        Self::IntegrationTurnedOff,
    ];

    /// The public name, as in the payload of a webhook.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "cart.added",
            Self::Changed => "cart.changed",
            Self::TurnedOn => "cart.turned-on",
            Self::TurnedOff => "cart.turned-off",
            Self::Disconnected => "cart.disconnected",
            Self::Deleted => "cart.deleted",
            Self::NeedsAttention => "cart.needs-attention",
            Self::Recovered => "cart.recovered",
            Self::IntegrationTurnedOn => "integration.turned-on",
            Self::IntegrationTurnedOff => "integration.turned-off",
        }
    }

    /// The change that an audit event about a cart records; `None` if the cart is the same after it.
    pub(super) const fn of(event: &Event) -> Option<Self> {
        match event {
            Event::CartAdded { .. } => Some(Self::Added),
            Event::CartChanged { .. } | Event::CartOverwritten { .. } | Event::CredentialReplaced { .. } => {
                Some(Self::Changed)
            }
            Event::CartTurnedOn => Some(Self::TurnedOn),
            Event::CartTurnedOff => Some(Self::TurnedOff),
            Event::CartDisconnected { .. } => Some(Self::Disconnected),
            // Deletions and changes of the status are written with their facts.
            _ => None,
        }
    }
}

/// A cart as it was after a change. The field names are those of the webhook's payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeFacts {
    pub website_name: String,
    pub store: String,
    /// `None` after a deletion.
    pub status: Option<String>,
    /// Only for a change of the status by a check.
    pub previous_status: Option<String>,
    /// Class and title of the last check; for a recovery, of the problem that ended.
    pub class: Option<String>,
    pub title: Option<String>,
    pub missing_permissions: Vec<String>,
    /// Start of the problem, also after a recovery.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_good_at: Option<OffsetDateTime>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartChange {
    /// The cursor behind this change.
    pub id: Uuid,
    /// One of [`ChangeKind`], or a kind that a newer version wrote.
    pub kind: String,
    pub at: OffsetDateTime,
    /// `None` for a change of the whole integration.
    pub cart: Option<Uuid>,
    pub facts: ChangeFacts,
}
