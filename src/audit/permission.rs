//! Checks whether a user or a program may still make a change, in the transaction that writes it. A user who was
//! disabled, demoted or signed out after the request arrived cannot change anything, nor can a program whose key was
//! revoked. Independent of routes: the check applies to every caller.

use super::{Actor, Authority, By, Event, sql};
use crate::database::Connection;

/// The minimum role that a change requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredRole {
    /// Any role: a change of the user's own account or sessions.
    OwnAccount,
    /// An administrator.
    Change,
}

/// The user's session has ended, or the account is disabled or lacks the role, or the program's key has ended or is
/// revoked. The transaction is rolled back.
///
/// Wrapped in [`sqlx::Error`], so that every operation's error type can carry it; [`is_not_permitted`] detects it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the session, the account, its role or the API key is no longer live")]
pub struct NotPermitted;

impl From<NotPermitted> for sqlx::Error {
    fn from(refused: NotPermitted) -> Self {
        Self::Encode(Box::new(refused))
    }
}

/// Whether an error is caused by [`NotPermitted`].
pub fn is_not_permitted(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<NotPermitted>)
}

/// Checks that a user or a program may make a change, and locks the rows of the account and the session, or of the key,
/// so that this stays true until the transaction ends. The system and the operator are always permitted. Roles do not
/// apply to programs: the scopes of a key never change, so its caller checks them. [`record`](super::record) calls it
/// with the permission that its event requires; an operation that can write without an event must call it directly.
///
/// Call it after the operation's own writes: it takes shared locks, and a later write to the same rows could deadlock.
///
/// # Errors
/// [`NotPermitted`], as a [`sqlx::Error`].
pub async fn demand(connection: &mut Connection, by: &By, permission: RequiredRole) -> sqlx::Result<()> {
    let is_live = match &by.actor {
        Actor::System | Actor::Operator | Actor::Stranger => true,
        Actor::Program { key, .. } => sql::permission::lock_live_key(connection, *key).await?,
        Actor::Person { id, authority, .. } => {
            let session = match authority {
                Authority::Session(hash) => Some(hash.as_slice()),
                Authority::Started => None,
            };
            sql::permission::lock_live(connection, *id, session, permission == RequiredRole::Change).await?
        }
    };
    if is_live { Ok(()) } else { Err(NotPermitted.into()) }
}

impl<S> Event<S> {
    /// The minimum role of a user who causes this event.
    pub const fn permission(&self) -> RequiredRole {
        match self {
            Self::SignedIn
            | Self::CouldNotSignIn { .. }
            | Self::SignedOut
            | Self::WasRefused { .. }
            | Self::CouldNotConfirm
            | Self::PasswordChanged
            | Self::DetailsChanged { .. }
            | Self::SignedOutOthers { .. }
            | Self::UserJoined => RequiredRole::OwnAccount,
            Self::UserAdded { .. }
            | Self::SetUpLinkMade
            | Self::UserInvited { .. }
            | Self::SignInLinkMade { .. }
            | Self::RoleChanged { .. }
            | Self::UserSignedOut { .. }
            | Self::UserTurnedOff { .. }
            | Self::UserTurnedOn { .. }
            | Self::IntegrationTurnedOn
            | Self::IntegrationTurnedOff
            | Self::CartAdded { .. }
            | Self::CartChanged { .. }
            | Self::CartOverwritten { .. }
            | Self::BulkStarted { .. }
            | Self::BulkCancelled
            | Self::CartTurnedOn
            | Self::CartTurnedOff
            | Self::CredentialReplaced { .. }
            | Self::CartDisconnected { .. }
            | Self::CartDeleted { .. }
            | Self::Tested { .. }
            | Self::SecretUnreadable
            | Self::EncryptionKeyRotated { .. }
            | Self::EncryptionKeyForgotten { .. }
            | Self::CartNeedsAttention { .. }
            | Self::CartNotConnected { .. }
            | Self::CartRecovered { .. }
            | Self::TokenRenewed
            | Self::TokenNotRenewed { .. }
            | Self::TokenHandedOut
            | Self::TokenHandedOutAgain { .. }
            | Self::TokenRefusalReported { .. }
            | Self::AlertsChanged { .. }
            | Self::AlertSent { .. }
            | Self::AlertNotDelivered
            | Self::ApiKeyMade { .. }
            | Self::ApiKeyRotated { .. }
            | Self::ApiKeyRevoked { .. }
            | Self::ActivityMonthDropped { .. } => RequiredRole::Change,
        }
    }
}
