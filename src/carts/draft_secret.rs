//! Draft secrets: typed, not yet saved. A draft secret is sealed, for one form, one browser session, one store and 30
//! minutes, so that nothing typed is lost between *Test Connection* and *Save*, with or without script.

use std::sync::Arc;

use uuid::Uuid;

use crate::platforms::{ClientId, Credential, CredentialKind, StoreAddress};
use crate::{
    audit::{self, RequiredRole},
    carts::{Cart, CartId, CredentialInput, Visitor, credential_input::CredentialSource, sealing::binding, sql},
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
        let Some(session) = visitor.drafts.session().map(<[u8]>::to_vec) else { return Ok(false) };
        let (row, by) = (seal(&self.vault, form, address, credential), visitor.by.clone());
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                audit::demand(work, &by, RequiredRole::Change).await?;
                sql::draft_secrets::upsert(work, form, &session, cart, &row).await
            })
        })
        .await
    }

    /// Returns kind and ending of this form's draft secret for this cart and store, if there is one.
    pub async fn find_info(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
        address: &StoreAddress,
    ) -> sqlx::Result<Option<DraftSecretInfo>> {
        let Some(session) = visitor.drafts.session() else { return Ok(None) };
        let mut connection = self.pool.acquire().await?;
        let row = sql::draft_secrets::find(&mut connection, form, session, cart).await?;
        Ok(row
            .filter(|row| row.store == address.store_ref() && row.is_fresh)
            .map(|row| DraftSecretInfo { kind: row.kind, ending: row.ending }))
    }

    /// The form of this session with a draft secret for this cart and its store, if there is one.
    pub async fn find_form(&self, visitor: &Visitor, cart: &Cart) -> sqlx::Result<Option<Uuid>> {
        let Some(session) = visitor.drafts.session() else { return Ok(None) };
        sql::draft_secrets::find_of_cart(&self.pool, cart.id, session, &cart.address.store_ref()).await
    }

    /// Whether this form has a draft secret for any store.
    pub async fn exists(&self, visitor: &Visitor, form: Uuid, cart: Option<CartId>) -> sqlx::Result<bool> {
        let Some(session) = visitor.drafts.session() else { return Ok(false) };
        let mut connection = self.pool.acquire().await?;
        Ok(sql::draft_secrets::find(&mut connection, form, session, cart).await?.is_some_and(|row| row.is_fresh))
    }

    /// Deletes the draft secret of a form: the user wants to enter a different one.
    pub async fn delete(&self, visitor: &Visitor, form: Uuid, cart: Option<CartId>) -> sqlx::Result<()> {
        let Some(session) = visitor.drafts.session().map(<[u8]>::to_vec) else { return Ok(()) };
        let by = visitor.by.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::draft_secrets::find(work, form, &session, cart).await?.is_some() {
                    forget(work, form).await?;
                }
                audit::demand(work, &by, RequiredRole::Change).await
            })
        })
        .await
    }

    /// Deletes draft secrets that are too old.
    pub async fn delete_old(&self) -> sqlx::Result<u64> {
        sql::draft_secrets::delete_old(&self.pool).await
    }
}

/// Stores a typed secret as the draft secret of this form, in the caller's transaction. Stores nothing for a visitor who
/// keeps no drafts.
pub(in crate::carts) async fn hold(
    work: &mut Connection,
    vault: &Vault,
    visitor: &Visitor,
    form: Uuid,
    cart: Option<CartId>,
    address: &StoreAddress,
    credential: &Credential,
) -> sqlx::Result<bool> {
    let Some(session) = visitor.drafts.session() else { return Ok(false) };
    let row = seal(vault, form, address, credential);
    sql::draft_secrets::upsert(work, form, session, cart, &row).await
}

fn seal(
    vault: &Vault,
    form: Uuid,
    address: &StoreAddress,
    credential: &Credential,
) -> sql::draft_secrets::DraftSecretRow {
    let store = address.store_ref();
    let secret = vault.seal(&Place::unsaved(form, binding(&store, 0)), credential.secret());
    sql::draft_secrets::DraftSecretRow {
        kind: credential.kind(),
        client_id: credential.client_id().map(|id| id.as_str().to_owned()),
        store,
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

/// The draft secret of this form, if everything that it is bound to is the same: session, cart, store, kind, Client ID.
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
    let row = match visitor.drafts.session() {
        Some(session) => sql::draft_secrets::find(work, form, session, cart).await?,
        None => None,
    };
    let Some(row) = row else { return Ok(CredentialSource::Nothing { was_there: false }) };
    let store = address.store_ref();
    let is_this = row.store == store && row.kind == kind && row.client_id.as_deref() == client_id.map(ClientId::as_str);
    if !row.is_fresh || !is_this {
        return Ok(CredentialSource::Nothing { was_there: !row.is_fresh });
    }
    let opened = vault.open(&Place::unsaved(form, binding(&store, 0)), &row.secret).ok();
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
    match visitor.drafts.session() {
        Some(session) => sql::draft_secrets::delete_of_cart(work, form, cart, session).await,
        None => Ok(()),
    }
}
