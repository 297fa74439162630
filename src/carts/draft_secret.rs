//! Draft secrets: typed, not yet saved. A draft secret is sealed, for one form, one browser session, one host and 30
//! minutes, so that nothing typed is lost between *Test Connection* and *Save*, with or without script.

use std::sync::Arc;

use uuid::Uuid;

use crate::platforms::shopify::{
    address::StoreAddress,
    credential::{ClientId, Credential, CredentialKind},
};
use crate::{
    audit::{self, RequiredRole},
    carts::{Cart, CartId, CredentialInput, Visitor, credential_input::CredentialSource, sql},
    database::{Connection, Pool, transaction},
    vault::{Place, Vault},
};

/// What the page may show about a draft secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftSecretInfo {
    pub kind: CredentialKind,
    pub ending: Option<String>,
}

/// Stores, finds and deletes draft secrets.
#[derive(Clone, Debug)]
pub struct DraftSecrets {
    pub(super) pool: Pool,
    pub(super) vault: Arc<Vault>,
}

impl DraftSecrets {
    /// Stores a typed secret as the draft secret of this form, when the form itself could not be saved. Returns whether
    /// it is stored: not if the cart was deleted meanwhile.
    pub async fn store(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
        address: &StoreAddress,
        credential: &Credential,
    ) -> sqlx::Result<bool> {
        let (row, visitor) = (seal(&self.vault, form, address, credential), visitor.clone());
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                audit::demand(work, &visitor.by, RequiredRole::Change).await?;
                sql::draft_secrets::upsert(work, form, &visitor.session, cart, &row).await
            })
        })
        .await
    }

    /// Returns kind and ending of this form's draft secret for this cart and host, if there is one.
    pub async fn find_info(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
        address: &StoreAddress,
    ) -> sqlx::Result<Option<DraftSecretInfo>> {
        let mut connection = self.pool.acquire().await?;
        let row = sql::draft_secrets::find(&mut connection, form, &visitor.session, cart).await?;
        Ok(row
            .filter(|row| row.host == address.host() && row.is_fresh)
            .map(|row| DraftSecretInfo { kind: row.kind, ending: row.ending }))
    }

    /// The form of this session with a draft secret for this cart and its store, if there is one.
    pub async fn find_form(&self, visitor: &Visitor, cart: &Cart) -> sqlx::Result<Option<Uuid>> {
        sql::draft_secrets::find_of_cart(&self.pool, cart.id, &visitor.session, &cart.address.host()).await
    }

    /// Whether this form has a draft secret for any host.
    pub async fn exists(&self, visitor: &Visitor, form: Uuid, cart: Option<CartId>) -> sqlx::Result<bool> {
        let mut connection = self.pool.acquire().await?;
        Ok(sql::draft_secrets::find(&mut connection, form, &visitor.session, cart)
            .await?
            .is_some_and(|row| row.is_fresh))
    }

    /// Deletes the draft secret of a form: the user wants to enter a different one.
    pub async fn delete(&self, visitor: &Visitor, form: Uuid, cart: Option<CartId>) -> sqlx::Result<()> {
        let visitor = visitor.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::draft_secrets::find(work, form, &visitor.session, cart).await?.is_some() {
                    forget(work, form).await?;
                }
                audit::demand(work, &visitor.by, RequiredRole::Change).await
            })
        })
        .await
    }

    /// Deletes draft secrets that are too old.
    pub async fn delete_old(&self) -> sqlx::Result<u64> {
        sql::draft_secrets::delete_old(&self.pool).await
    }
}

/// Stores a typed secret as the draft secret of this form, in the caller's transaction.
pub(in crate::carts) async fn hold(
    work: &mut Connection,
    vault: &Vault,
    visitor: &Visitor,
    form: Uuid,
    cart: Option<CartId>,
    address: &StoreAddress,
    credential: &Credential,
) -> sqlx::Result<bool> {
    let row = seal(vault, form, address, credential);
    sql::draft_secrets::upsert(work, form, &visitor.session, cart, &row).await
}

fn seal(
    vault: &Vault,
    form: Uuid,
    address: &StoreAddress,
    credential: &Credential,
) -> sql::draft_secrets::DraftSecretRow {
    let host = address.host();
    let secret = vault.seal(&Place::unsaved(form, &host), credential.secret());
    sql::draft_secrets::DraftSecretRow {
        kind: credential.kind(),
        client_id: credential.client_id().map(|id| id.as_str().to_owned()),
        host,
        secret,
        ending: credential.ending(),
        is_fresh: true,
    }
}

/// Returns the typed credential, else the draft secret of this form.
pub(in crate::carts) async fn typed_or_draft(
    work: &mut Connection,
    vault: &Vault,
    visitor: &Visitor,
    submitted: Uuid,
    cart: Option<CartId>,
    address: &StoreAddress,
    offered: CredentialInput,
) -> sqlx::Result<CredentialSource> {
    match offered {
        CredentialInput::Typed(credential) => Ok(CredentialSource::Credential(credential)),
        CredentialInput::Blank { kind, client_id } => {
            find(work, vault, visitor, submitted, cart, address, kind, client_id.as_ref()).await
        }
    }
}

/// The draft secret of this form, if everything that it is bound to is the same: session, cart, host, kind, Client ID.
#[expect(clippy::too_many_arguments, reason = "the secret is bound to each of them")]
pub(in crate::carts) async fn find(
    work: &mut Connection,
    vault: &Vault,
    visitor: &Visitor,
    form: Uuid,
    cart: Option<CartId>,
    address: &StoreAddress,
    kind: CredentialKind,
    client_id: Option<&ClientId>,
) -> sqlx::Result<CredentialSource> {
    let Some(row) = sql::draft_secrets::find(work, form, &visitor.session, cart).await? else {
        return Ok(CredentialSource::Nothing { was_there: false });
    };
    let host = address.host();
    let is_this = row.host == host && row.kind == kind && row.client_id.as_deref() == client_id.map(ClientId::as_str);
    if !row.is_fresh || !is_this {
        return Ok(CredentialSource::Nothing { was_there: !row.is_fresh });
    }
    let opened = vault.open(&Place::unsaved(form, &host), &row.secret).ok();
    Ok(match opened.and_then(|secret| Credential::from_stored(kind, row.client_id, secret)) {
        Some(credential) => CredentialSource::Credential(credential),
        None => CredentialSource::Nothing { was_there: true },
    })
}

pub(in crate::carts) async fn forget(work: &mut Connection, form: Uuid) -> sqlx::Result<()> {
    sql::draft_secrets::delete(work, form).await
}

/// Deletes this session's draft secrets for a cart once the cart is saved.
pub(in crate::carts) async fn forget_of_cart(
    work: &mut Connection,
    visitor: &Visitor,
    form: Uuid,
    cart: CartId,
) -> sqlx::Result<()> {
    sql::draft_secrets::delete_of_cart(work, form, cart, &visitor.session).await
}
