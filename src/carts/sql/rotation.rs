//! The SQL of key rotation: secrets sealed with a key other than the active one, or in an earlier format. Byte 1 of a
//! stored secret is its format, bytes 2 to 9 are the id of its key.

use uuid::Uuid;

use crate::{
    database::{Connection, Pool},
    platforms::StoreRef,
    vault::{Tally, column::BATCH},
};

/// A sealed credential, with everything that its seal and its fingerprints cover.
pub(in crate::carts) struct StoredCredential {
    pub id: Uuid,
    pub kind: String,
    pub client_id: Option<String>,
    pub store: StoreRef,
    pub generation: i64,
    pub secret: Vec<u8>,
}

pub(in crate::carts) struct StoredToken {
    pub id: Uuid,
    pub store: StoreRef,
    pub generation: i64,
    pub token: Vec<u8>,
}

/// A re-sealed batch, column by column: one statement writes all of it.
#[derive(Default)]
pub(in crate::carts) struct Resealed {
    pub ids: Vec<Uuid>,
    pub before: Vec<Vec<u8>>,
    pub after: Vec<Vec<u8>>,
    pub fingerprints: Vec<Vec<u8>>,
    pub token_fingerprints: Vec<Vec<u8>>,
}

/// Counts the secrets of a column per format and key.
macro_rules! tally {
    ($connection:expr, $column:literal in $table:literal) => {
        sqlx::query_as!(
            Tally,
            "select substring("
                + $column
                + r#" from 1 for 9) as "head!", count(*) as "count!" from "#
                + $table
                + " where "
                + $column
                + " is not null group by 1"
        )
        .fetch_all($connection)
        .await
    };
}

pub(in crate::carts) async fn tally_secrets(connection: &mut Connection) -> sqlx::Result<Vec<Tally>> {
    tally!(connection, "secret" in "carts")
}

pub(in crate::carts) async fn tally_tokens(connection: &mut Connection) -> sqlx::Result<Vec<Tally>> {
    tally!(connection, "minted_token" in "carts")
}

pub(in crate::carts) async fn tally_draft_secrets(connection: &mut Connection) -> sqlx::Result<Vec<Tally>> {
    tally!(connection, "secret" in "unsaved_credentials")
}

/// A row with a credential, of a cart or of a form.
macro_rules! stored_credential {
    ($row:ident, $generation:expr) => {
        StoredCredential {
            id: $row.id,
            kind: $row.kind,
            client_id: $row.client_id,
            store: StoreRef::from_stored(&$row.platform, $row.store_key, $row.store_host),
            generation: $generation,
            secret: $row.secret,
        }
    };
}

pub(in crate::carts) async fn find_secrets(
    connection: &mut Connection,
    head: &[u8],
    after: Uuid,
) -> sqlx::Result<Vec<StoredCredential>> {
    let rows = sqlx::query!(
        r#"select id, credential_kind as "kind!", client_id, platform, store_key, store_host, secret_version, secret as "secret!"
           from carts where id > $2 and secret is not null and substring(secret from 1 for 9) <> $1
           order by id limit $3"#,
        head,
        after,
        BATCH
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| stored_credential!(row, row.secret_version)).collect())
}

/// Carts whose secret names none of these keys and that are not known to be unreadable.
pub(in crate::carts) async fn list_carts_without_key(pool: &Pool, keys: &[Vec<u8>]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from carts
         where substring(secret from 2 for 8) <> all ($1) and last_class is distinct from 'OUR_KEY' order by id",
        keys
    )
    .fetch_all(pool)
    .await
}

pub(in crate::carts) async fn find_tokens(
    connection: &mut Connection,
    head: &[u8],
    after: Uuid,
) -> sqlx::Result<Vec<StoredToken>> {
    let rows = sqlx::query!(
        r#"select id, platform, store_key, store_host, secret_version, minted_token as "token!" from carts
           where id > $2 and minted_token is not null and substring(minted_token from 1 for 9) <> $1
           order by id limit $3"#,
        head,
        after,
        BATCH
    )
    .fetch_all(connection)
    .await?;
    let stored = rows.into_iter().map(|row| StoredToken {
        id: row.id,
        store: StoreRef::from_stored(&row.platform, row.store_key, row.store_host),
        generation: row.secret_version,
        token: row.token,
    });
    Ok(stored.collect())
}

pub(in crate::carts) async fn find_draft_secrets(
    connection: &mut Connection,
    head: &[u8],
    after: Uuid,
) -> sqlx::Result<Vec<StoredCredential>> {
    let rows = sqlx::query!(
        "select id, credential_kind as kind, client_id, platform, store_key, store_host, secret from unsaved_credentials
         where id > $2 and substring(secret from 1 for 9) <> $1
         order by id limit $3",
        head,
        after,
        BATCH
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| stored_credential!(row, 0)).collect())
}

/// Writes re-sealed secrets. Skips locked rows until a later run, so that a rotation waits for no cart. Changes neither
/// the version nor the time of the last change: no user changed the cart, and no user may get a conflict.
pub(in crate::carts) async fn replace_secrets(connection: &mut Connection, rows: &Resealed) -> sqlx::Result<u64> {
    let written = sqlx::query!(
        "with free as (select id from carts where id = any ($1) order by id for update skip locked)
         update carts set secret = r.after, credential_fingerprint = r.fingerprint, token_fingerprint = r.token_fingerprint
         from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[])
            as r (id, before, after, fingerprint, token_fingerprint) join free on free.id = r.id
         where carts.id = r.id and carts.secret = r.before",
        &rows.ids,
        &rows.before,
        &rows.after,
        &rows.fingerprints,
        &rows.token_fingerprints
    )
    .execute(connection)
    .await?;
    Ok(written.rows_affected())
}

/// Same, for a column without fingerprints.
macro_rules! put {
    ($connection:expr, $rows:expr, $column:literal in $table:literal) => {{
        let written = sqlx::query!(
            "with free as (select id from "
                + $table
                + " where id = any ($1) order by id for update skip locked)
             update "
                + $table
                + " as t set "
                + $column
                + " = r.after
             from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as r (id, before, after) join free on free.id = r.id
             where t.id = r.id and t."
                + $column
                + " = r.before",
            &$rows.ids,
            &$rows.before,
            &$rows.after
        )
        .execute($connection)
        .await?;
        Ok(written.rows_affected())
    }};
}

pub(in crate::carts) async fn replace_tokens(connection: &mut Connection, rows: &Resealed) -> sqlx::Result<u64> {
    put!(connection, rows, "minted_token" in "carts")
}

pub(in crate::carts) async fn replace_draft_secrets(connection: &mut Connection, rows: &Resealed) -> sqlx::Result<u64> {
    put!(connection, rows, "secret" in "unsaved_credentials")
}

/// Keeps the tests of a credential when the key of its fingerprint changes. Runs before any cart is locked: a finishing
/// test locks its own row first and its cart second, and the reverse order here could deadlock.
pub(in crate::carts) async fn move_tests(
    connection: &mut Connection,
    before: &[Vec<u8>],
    after: &[Vec<u8>],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update connection_tests t set fingerprint = r.after from unnest($1::bytea[], $2::bytea[]) as r (before, after)
         where t.fingerprint = r.before",
        before,
        after
    )
    .execute(connection)
    .await
    .map(drop)
}
