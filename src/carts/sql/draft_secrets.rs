//! The SQL of draft secrets.

use uuid::Uuid;

use crate::{
    carts::CartId,
    database::{Connection, Pool},
    platforms::{CredentialKind, StoreRef},
};

pub(in crate::carts) struct DraftSecretRow {
    pub kind: CredentialKind,
    pub client_id: Option<String>,
    pub store: StoreRef,
    pub secret: Vec<u8>,
    pub ending: Option<String>,
    /// Whether it is younger than 30 minutes.
    pub is_fresh: bool,
}

/// Returns whether it is stored: not if the cart was deleted meanwhile, or if another session created the form's row.
pub(in crate::carts) async fn upsert(
    connection: &mut Connection,
    form: Uuid,
    session: &[u8],
    cart: Option<CartId>,
    row: &DraftSecretRow,
) -> sqlx::Result<bool> {
    let stored = sqlx::query!(
        "insert into unsaved_credentials (id, session_hash, cart_id, store_host, credential_kind, client_id, secret, secret_ending,
             platform, store_key)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
         where $3::uuid is null or exists (select from carts where id = $3 for key share)
         on conflict (id) do update set cart_id = excluded.cart_id, store_host = excluded.store_host,
             credential_kind = excluded.credential_kind, client_id = excluded.client_id, secret = excluded.secret,
             secret_ending = excluded.secret_ending, platform = excluded.platform, store_key = excluded.store_key, created_at = now()
         where unsaved_credentials.session_hash = excluded.session_hash",
        form,
        session,
        cart.map(|cart| cart.0),
        row.store.host,
        row.kind.as_str(),
        row.client_id,
        row.secret,
        row.ending,
        row.store.platform.as_str(),
        row.store.key
    )
    .execute(connection)
    .await?;
    Ok(stored.rows_affected() > 0)
}

pub(in crate::carts) async fn find(
    connection: &mut Connection,
    form: Uuid,
    session: &[u8],
    cart: Option<CartId>,
) -> sqlx::Result<Option<DraftSecretRow>> {
    let row = sqlx::query!(
        r#"select credential_kind, client_id, platform, store_key, store_host, secret, secret_ending,
               created_at > now() - interval '30 minutes' as "is_fresh!"
           from unsaved_credentials where id = $1 and session_hash = $2 and cart_id is not distinct from $3"#,
        form,
        session,
        cart.map(|cart| cart.0)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(DraftSecretRow {
            kind: CredentialKind::parse(&row.credential_kind)?,
            client_id: row.client_id,
            store: StoreRef::from_stored(&row.platform, row.store_key, row.store_host),
            secret: row.secret,
            ending: row.secret_ending,
            is_fresh: row.is_fresh,
        })
    }))
}

/// The latest form of this session with a fresh draft secret for this cart and store.
pub(in crate::carts) async fn find_of_cart(
    pool: &Pool,
    cart: CartId,
    session: &[u8],
    store: &StoreRef,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "select id from unsaved_credentials
         where cart_id = $1 and session_hash = $2 and platform = $3 and store_key = $4 and created_at > now() - interval '30 minutes'
         order by created_at desc limit 1",
        cart.0,
        session,
        store.platform.as_str(),
        store.key
    )
    .fetch_optional(pool)
    .await
}

pub(in crate::carts) async fn delete(connection: &mut Connection, form: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from unsaved_credentials where id = $1", form).execute(connection).await.map(drop)
}

pub(in crate::carts) async fn delete_of_cart(
    connection: &mut Connection,
    form: Uuid,
    cart: CartId,
    session: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from unsaved_credentials where session_hash = $3 and (id = $1 or cart_id = $2)",
        form,
        cart.0,
        session
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Keeps draft secrets that expired within the last half hour, so that the page can say that there was one.
pub(in crate::carts) async fn delete_old(pool: &Pool) -> sqlx::Result<u64> {
    let deleted = sqlx::query!("delete from unsaved_credentials where created_at < now() - interval '1 hour'")
        .execute(pool)
        .await?;
    Ok(deleted.rows_affected())
}
