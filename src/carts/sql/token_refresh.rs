use std::time::Duration;

use crate::{
    carts::{CartId, sealing::binding},
    database::{Connection, Pool},
    platforms::{CredentialKind, StoreRef},
    vault::Binding,
};

/// The data for a token refresh, with the host from the same row as the secret, in one read.
pub(in crate::carts) struct MintRow {
    pub kind: CredentialKind,
    pub name: String,
    pub store: StoreRef,
    /// The generation of the secret, and so of the tokens that it was exchanged for.
    pub generation: i64,
    pub client_id: Option<String>,
    pub secret: Vec<u8>,
    pub minted: Option<Vec<u8>>,
    /// Seconds until the issued token expires, by the database's clock.
    pub left: Option<f64>,
    /// How long the issued token lives in all.
    pub lives: Option<Duration>,
    pub version: i64,
}

impl MintRow {
    /// What the secret and the token of the row are sealed for.
    pub fn binding(&self) -> Binding<'_> {
        binding(&self.store, self.generation)
    }
}

pub(in crate::carts) async fn find(pool: &Pool, id: CartId) -> sqlx::Result<Option<MintRow>> {
    let row = sqlx::query!(
        r#"select credential_kind as "kind!", website_name, platform, store_key, store_host, secret_version, client_id, secret as "secret!",
               minted_token, mint_version,
               extract(epoch from minted_ends_at - now())::float8 as left,
               extract(epoch from minted_ends_at - minted_at)::float8 as lives
           from carts where id = $1 and secret is not null"#,
        id.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        Some(MintRow {
            kind: CredentialKind::parse(&row.kind)?,
            name: row.website_name,
            store: StoreRef::from_stored(&row.platform, row.store_key, row.store_host),
            generation: row.secret_version,
            client_id: row.client_id,
            secret: row.secret,
            minted: row.minted_token,
            left: row.left,
            lives: row.lives.and_then(|lives| Duration::try_from_secs_f64(lives).ok()),
            version: row.mint_version,
        })
    }))
}

/// Takes the lease for 30 seconds, unless another replica holds it or has refreshed the token in the meantime.
pub(in crate::carts) async fn lease(pool: &Pool, id: CartId, version: i64) -> sqlx::Result<bool> {
    let leased = sqlx::query!(
        "update carts set minting_until = now() + interval '30 seconds'
         where id = $1 and mint_version = $2 and (minting_until is null or minting_until < now())",
        id.0,
        version
    )
    .execute(pool)
    .await?;
    Ok(leased.rows_affected() == 1)
}

/// Writes a refreshed token and ends the lease; `false` if the host or the credential (which raises `mint_version`)
/// changed in the meantime, and the token must be discarded. A concurrent rotation of the encryption key does not
/// matter.
pub(in crate::carts) async fn update_token(
    connection: &mut Connection,
    id: CartId,
    row: &MintRow,
    sealed: &[u8],
    lives_seconds: f64,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update carts set minted_token = $2, minted_at = now(), minted_ends_at = now() + make_interval(secs => $3),
            mint_version = mint_version + 1, minting_until = null
         where id = $1 and mint_version = $4 and store_host = $5",
        id.0,
        sealed,
        lives_seconds,
        row.version,
        row.store.host
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Ends the lease of a failed refresh.
pub(in crate::carts) async fn release(connection: &mut Connection, id: CartId, version: i64) -> sqlx::Result<()> {
    sqlx::query!("update carts set minting_until = null where id = $1 and mint_version = $2", id.0, version)
        .execute(connection)
        .await
        .map(drop)
}

/// Records why a refresh failed, so that it is not repeated for each program that asks for the token.
pub(in crate::carts) async fn record_failure(
    connection: &mut Connection,
    id: CartId,
    version: i64,
    class: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update carts set renewal_failed_at = now(), renewal_failed_class = $3, renewal_failed_version = $2
         where id = $1 and mint_version = $2",
        id.0,
        version,
        class
    )
    .execute(connection)
    .await
    .map(drop)
}
