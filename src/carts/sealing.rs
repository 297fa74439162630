//! Seals a credential for its row, and opens it again. A row decrypts only for the host that it was sealed for, so a
//! changed host never receives a stored secret; one function opens rows.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{CartId, sql};
use crate::platforms::shopify::{
    address::StoreAddress,
    credential::{Credential, CredentialKind},
};
use crate::{
    database::Pool,
    vault::{Fingerprints, Place, Vault},
};

/// Seals credentials for their rows, and opens them.
#[derive(Clone, Debug)]
pub(super) struct CredentialVault {
    pub pool: Pool,
    pub vault: Arc<Vault>,
}

impl CredentialVault {
    /// Fingerprints of exactly what a test uses: credential and host.
    pub(super) fn fingerprints(&self, address: &StoreAddress, credential: &Credential) -> Fingerprints {
        fingerprints(&self.vault, &address.host(), credential)
    }

    /// Fingerprints of the credential alone, to detect that two carts use the same.
    pub(super) fn token_fingerprints(&self, credential: &Credential) -> Fingerprints {
        token_fingerprints(&self.vault, credential)
    }

    /// The only function that turns a row into a usable credential. It takes the host that will be called; a row that
    /// was sealed for another host does not decrypt.
    pub(super) async fn open_saved(&self, id: CartId, address: &StoreAddress) -> sqlx::Result<Option<Credential>> {
        let row = sql::credentials::find_sealed(&self.pool, id).await?;
        Ok(row.and_then(|row| {
            let secret = self.vault.open(&place(row.kind, id, &address.host()), &row.secret).ok()?;
            Credential::from_stored(row.kind, row.client_id, secret)
        }))
    }

    /// Seals a credential for its row and its host.
    pub(super) fn seal(
        &self,
        id: CartId,
        address: &StoreAddress,
        credential: &Credential,
        by: &str,
    ) -> sql::credentials::SealedCredential {
        let host = address.host();
        sql::credentials::SealedCredential {
            kind: credential.kind(),
            client_id: credential.client_id().map(|id| id.as_str().to_owned()),
            secret: self.vault.seal(&place(credential.kind(), id, &host), credential.secret()),
            ending: credential.ending(),
            added_by: by.to_owned(),
            fingerprint: self.fingerprints(address, credential).active().to_vec(),
            token_fingerprint: self.token_fingerprints(credential).active().to_vec(),
        }
    }
}

pub(super) fn fingerprints(vault: &Vault, host: &str, credential: &Credential) -> Fingerprints {
    let id = credential.client_id().map_or("", |id| id.as_str());
    let parts = [credential.kind().as_str(), id, credential.secret().expose_secret(), host];
    vault.fingerprints("credential and host", &parts)
}

pub(super) fn token_fingerprints(vault: &Vault, credential: &Credential) -> Fingerprints {
    vault.fingerprints("credential", &[credential.secret().expose_secret()])
}

/// The place of a cart's secret: one for each kind, bound to the host that will be called.
pub(super) fn place(kind: CredentialKind, id: CartId, host: &str) -> Place<'_> {
    match kind {
        CredentialKind::AccessToken => Place::access_token(id.0, host),
        CredentialKind::ClientCredentials => Place::client_secret(id.0, host),
    }
}
