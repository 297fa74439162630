//! The credential part of a form, and the credential that it stands for.

use super::Cart;
use crate::platforms::{ClientId, Credential, CredentialKind, StoreAddress};

/// The credential part of a form.
#[derive(Debug)]
pub enum CredentialInput {
    Typed(Credential),
    /// The secret field is empty: means the draft secret of this form, else the saved secret, else nothing.
    Blank {
        kind: CredentialKind,
        client_id: Option<ClientId>,
    },
}

impl CredentialInput {
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Typed(credential) => credential.kind(),
            Self::Blank { kind, .. } => *kind,
        }
    }
}

/// The credential that a form refers to.
pub(super) enum CredentialSource {
    Credential(Credential),
    Nothing { was_there: bool },
}

/// Whether a blank secret field may mean the saved secret: same host, same kind, same Client ID, in every route.
pub(super) fn keeps_saved(cart: &Cart, address: &StoreAddress, offered: &CredentialInput) -> bool {
    match (offered, &cart.credential) {
        (CredentialInput::Blank { kind, client_id }, Some(saved)) => {
            cart.address == *address
                && saved.kind == *kind
                && saved.client_id.as_deref() == client_id.as_ref().map(ClientId::as_str)
        }
        _ => false,
    }
}
