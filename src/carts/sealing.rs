//! Seals a credential for its row, and opens it again. A row decrypts only for the store and the host that it was sealed
//! for, so a changed host never receives a stored secret, and only as the generation that it was sealed as; one function
//! opens rows.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{CartId, sql};
use crate::{
    database::Pool,
    platforms::{Credential, CredentialKind, StoreAddress, StoreRef},
    vault::{Binding, Fingerprints, Place, Vault},
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
            let store = StoreRef { host: address.host(), ..row.store };
            let place = place(row.kind, id, binding(&store, row.generation));
            let secret = self.vault.open(&place, &row.secret).ok()?;
            Credential::from_stored(row.kind, row.client_id, secret)
        }))
    }

    /// Seals a credential for its row and its store, as this generation of the cart's secret.
    pub(super) fn seal(
        &self,
        id: CartId,
        address: &StoreAddress,
        credential: &Credential,
        by: &str,
        generation: i64,
    ) -> sql::credentials::SealedCredential {
        let store = address.store_ref();
        let place = place(credential.kind(), id, binding(&store, generation));
        let secret = self.vault.seal(&place, credential.secret());
        sql::credentials::SealedCredential {
            kind: credential.kind(),
            client_id: credential.client_id().map(|id| id.as_str().to_owned()),
            secret,
            store,
            generation,
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

/// What a secret of this store and generation is bound to. A draft secret has generation 0.
pub(super) fn binding(store: &StoreRef, generation: i64) -> Binding<'_> {
    Binding { platform: store.platform.as_str(), key: &store.key, host: &store.host, generation }
}

/// The place of a cart's secret: one for each kind.
pub(super) const fn place(kind: CredentialKind, id: CartId, binding: Binding<'_>) -> Place<'_> {
    match kind {
        CredentialKind::AccessToken => Place::access_token(id.0, binding),
        CredentialKind::ClientCredentials => Place::client_secret(id.0, binding),
    }
}
