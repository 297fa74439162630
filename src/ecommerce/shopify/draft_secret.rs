//! Draft secrets: typed, not yet saved. A draft secret is sealed, for one form, one browser session, one host and 30
//! minutes, so that nothing typed is lost between *Test Connection* and *Save*, with or without script.

use uuid::Uuid;

use super::{
    address::StoreAddress,
    credential::{ClientId, Credential, CredentialKind},
    sql,
};
use crate::{
    audit::{self, RequiredRole},
    database::{Connection, transaction},
    ecommerce::{Cart, CartId, Ecommerce, InternalError, Visitor, saving::CredentialSource},
    vault::{Place, Vault},
};

/// What the page may show about a draft secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftSecretInfo {
    pub kind: CredentialKind,
    pub ending: Option<String>,
}

impl Ecommerce {
    /// Stores a typed secret as the draft secret of this form, when the form itself could not be saved. Returns whether
    /// it is stored: not if the cart was deleted meanwhile.
    pub async fn store_draft_secret(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
        address: &StoreAddress,
        credential: &Credential,
    ) -> Result<bool, InternalError> {
        let (row, visitor) = (seal(&self.vault, form, address, credential).await?, visitor.clone());
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                audit::demand(work, &visitor.by, RequiredRole::Change).await?;
                Ok(sql::upsert_draft_secret(work, form, &visitor.session, cart, &row).await?)
            })
        })
        .await
    }

    /// Returns kind and ending of this form's draft secret for this cart and host, if there is one.
    pub async fn draft_info(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
        address: &StoreAddress,
    ) -> sqlx::Result<Option<DraftSecretInfo>> {
        let mut connection = self.pool.acquire().await?;
        let row = sql::find_draft_secret(&mut connection, form, &visitor.session, cart).await?;
        Ok(row
            .filter(|row| row.host == address.host() && row.is_fresh)
            .map(|row| DraftSecretInfo { kind: row.kind, ending: row.ending }))
    }

    /// The form of this session with a draft secret for this cart and its store, if there is one.
    pub async fn draft_for_cart(&self, visitor: &Visitor, cart: &Cart) -> sqlx::Result<Option<Uuid>> {
        sql::find_draft_secret_of_cart(&self.pool, cart.id, &visitor.session, &cart.address.host()).await
    }

    /// Whether this form has a draft secret for any host.
    pub async fn has_draft_secret(&self, visitor: &Visitor, form: Uuid, cart: Option<CartId>) -> sqlx::Result<bool> {
        let mut connection = self.pool.acquire().await?;
        Ok(sql::find_draft_secret(&mut connection, form, &visitor.session, cart).await?.is_some_and(|row| row.is_fresh))
    }

    /// Deletes the draft secret of a form: the user wants to enter a different one.
    pub async fn delete_draft_secret(&self, visitor: &Visitor, form: Uuid, cart: Option<CartId>) -> sqlx::Result<()> {
        let visitor = visitor.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::find_draft_secret(work, form, &visitor.session, cart).await?.is_some() {
                    forget(work, form).await?;
                }
                audit::demand(work, &visitor.by, RequiredRole::Change).await
            })
        })
        .await
    }

    /// Deletes draft secrets that are too old.
    pub async fn delete_old_draft_secrets(&self) -> sqlx::Result<u64> {
        sql::delete_old_draft_secrets(&self.pool).await
    }
}

pub(in crate::ecommerce) async fn hold(
    work: &mut Connection,
    vault: &Vault,
    visitor: &Visitor,
    form: Uuid,
    cart: Option<CartId>,
    address: &StoreAddress,
    credential: &Credential,
) -> Result<bool, InternalError> {
    let row = seal(vault, form, address, credential).await?;
    Ok(sql::upsert_draft_secret(work, form, &visitor.session, cart, &row).await?)
}

async fn seal(
    vault: &Vault,
    form: Uuid,
    address: &StoreAddress,
    credential: &Credential,
) -> Result<sql::DraftSecretRow, InternalError> {
    let host = address.host();
    let secret = vault.seal(&Place::unsaved(form, &host), credential.secret()).await?;
    Ok(sql::DraftSecretRow {
        kind: credential.kind(),
        client_id: credential.client_id().map(|id| id.as_str().to_owned()),
        host,
        secret,
        ending: credential.ending(),
        is_fresh: true,
    })
}

/// The draft secret of this form, if everything that it is bound to is the same: session, cart, host, kind, Client ID.
#[expect(clippy::too_many_arguments, reason = "the secret is bound to each of them")]
pub(in crate::ecommerce) async fn find(
    work: &mut Connection,
    vault: &Vault,
    visitor: &Visitor,
    form: Uuid,
    cart: Option<CartId>,
    address: &StoreAddress,
    kind: CredentialKind,
    client_id: Option<&ClientId>,
) -> sqlx::Result<CredentialSource> {
    let Some(row) = sql::find_draft_secret(work, form, &visitor.session, cart).await? else {
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

pub(in crate::ecommerce) async fn forget(work: &mut Connection, form: Uuid) -> sqlx::Result<()> {
    sql::delete_draft_secret(work, form).await
}

/// Deletes this session's draft secrets for a cart once the cart is saved.
pub(in crate::ecommerce) async fn forget_of_cart(
    work: &mut Connection,
    visitor: &Visitor,
    form: Uuid,
    cart: CartId,
) -> sqlx::Result<()> {
    sql::delete_draft_secret_of_cart(work, form, cart, &visitor.session).await
}
