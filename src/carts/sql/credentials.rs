//! The credential of a cart: replace, delete, read.

use uuid::Uuid;

use crate::{
    audit::CartRef,
    carts::CartId,
    database::{Connection, Pool},
    platforms::{CredentialKind, StoreRef},
};

/// A sealed credential, with the metadata that may be shown.
pub(in crate::carts) struct SealedCredential {
    pub kind: CredentialKind,
    pub client_id: Option<String>,
    pub secret: Vec<u8>,
    /// The store and the generation that the secret is sealed for.
    pub store: StoreRef,
    pub generation: i64,
    pub ending: Option<String>,
    pub added_by: String,
    pub fingerprint: Vec<u8>,
    pub token_fingerprint: Vec<u8>,
}

/// Replaces the credential, possibly for another store; the new one has not passed yet.
pub(in crate::carts) async fn update(
    connection: &mut Connection,
    id: CartId,
    is_practice: bool,
    sealed: &SealedCredential,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update carts set store_host = $2, credential_kind = $3, client_id = $4, secret = $5, secret_ending = $6, secret_added_by = $7,
            secret_added_at = now(), credential_fingerprint = $8, token_fingerprint = $9, is_active = false, status = 'draft',
            passed_at = null, last_class = null, last_title = null, last_test_id = null, missing_count = 0, failing_since = null,
            minted_token = null, minted_at = null, minted_ends_at = null, minting_until = null, mint_version = mint_version + 1,
            is_disconnected = false, is_practice = $10, secret_version = $11, platform = $12, store_key = $13
         where id = $1",
        id.0,
        sealed.store.host,
        sealed.kind.as_str(),
        sealed.client_id,
        sealed.secret,
        sealed.ending,
        sealed.added_by,
        sealed.fingerprint,
        sealed.token_fingerprint,
        is_practice,
        sealed.generation,
        sealed.store.platform.as_str(),
        sealed.store.key
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes the credential; the cart stays, as a Draft. Returns the cart, and the generation after the deleted secret.
pub(in crate::carts) async fn disconnect(
    connection: &mut Connection,
    id: CartId,
    version: i64,
    by: &str,
    by_id: Option<Uuid>,
) -> sqlx::Result<Option<(CartRef, i64)>> {
    let row = sqlx::query!(
        "update carts set credential_kind = null, client_id = null, secret = null, secret_ending = null, secret_added_by = null,
            secret_added_at = null, credential_fingerprint = null, token_fingerprint = null, is_active = false, status = 'draft',
            activate_on_pass = false, passed_at = null, last_class = null, last_title = null, missing_count = 0, failing_since = null,
            minted_token = null, minted_at = null, minted_ends_at = null, minting_until = null, mint_version = mint_version + 1,
            is_disconnected = true, retired_by = $2, secret_version = version + 1, version = version + 1, updated_at = now(), updated_by = $2,
            updated_by_id = $4
         where id = $1 and version = $3 returning id, website_name, secret_version",
        id.0,
        by,
        version,
        by_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (CartRef { id: row.id, name: row.website_name }, row.secret_version)))
}

pub(in crate::carts) struct SealedRow {
    pub kind: CredentialKind,
    pub client_id: Option<String>,
    pub store: StoreRef,
    pub generation: i64,
    pub secret: Vec<u8>,
}

pub(in crate::carts) async fn find_sealed(pool: &Pool, id: CartId) -> sqlx::Result<Option<SealedRow>> {
    let row = sqlx::query!(
        r#"select credential_kind as "kind!", client_id, platform, store_key, store_host, secret_version, secret as "secret!"
           from carts where id = $1 and secret is not null"#,
        id.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        Some(SealedRow {
            kind: CredentialKind::parse(&row.kind)?,
            client_id: row.client_id,
            store: StoreRef::from_stored(&row.platform, row.store_key, row.store_host),
            generation: row.secret_version,
            secret: row.secret,
        })
    }))
}

pub(in crate::carts) async fn find_fingerprint(pool: &Pool, id: CartId) -> sqlx::Result<Option<Vec<u8>>> {
    let row = sqlx::query_scalar!("select credential_fingerprint from carts where id = $1", id.0)
        .fetch_optional(pool)
        .await?;
    Ok(row.flatten())
}
