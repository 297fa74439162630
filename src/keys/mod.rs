//! Lifecycle of the encryption keys: listing, rotation to the next key, and retirement of a lost key. Depends on every
//! module that stores sealed secrets, because a key can be removed only when no secret needs it.
//!
//! Handles no plaintext: the modules that store the secrets open and seal them.

mod key_retirement;
mod listing;
mod rotation;

use std::collections::BTreeMap;

use crate::{alerts, carts, database::Connection, vault::SealedColumn};

pub use key_retirement::{RetireError, RetiredKey, forget};
pub use listing::{KeyLine, KeyState, list};
pub use rotation::{RotationReport, UnreadableSecret, is_known, rotate};

/// All columns with sealed secrets. New columns must be added here; the test below compares the list with the database
/// catalogue.
pub fn columns() -> Vec<Box<dyn SealedColumn>> {
    carts::sealed_columns().into_iter().chain(alerts::sealed_columns()).collect()
}

/// Number of secrets by key ID, then by column, such as `carts.secret`.
pub type Tallies = BTreeMap<Vec<u8>, BTreeMap<String, i64>>;

/// Counts the sealed secrets by key and column.
pub async fn tallies(connection: &mut Connection) -> sqlx::Result<Tallies> {
    let mut found = Tallies::new();
    for column in columns() {
        for tally in column.tally(connection).await? {
            *found.entry(tally.key_id().to_vec()).or_default().entry(name(column.as_ref())).or_default() += tally.count;
        }
    }
    Ok(found)
}

fn name(column: &dyn SealedColumn) -> String {
    format!("{}.{}", column.table(), column.column())
}

/// Number of secrets that a key sealed, in all columns.
pub fn total(tallies: &Tallies, id: &[u8]) -> i64 {
    tallies.get(id).map_or(0, |columns| columns.values().sum())
}

#[cfg(all(test, feature = "practice"))]
#[path = "tests.rs"]
mod rotation_tests;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::vault::{
        Binding,
        place::{Place, SecretKind},
    };

    /// Byte columns that hold no sealed secrets, each with a description of its content.
    const NOT_SEALED: [(&str, &str); 14] = [
        ("api_keys.key_hash", "a hash"),
        ("cart_health.recent", "the last checks: when, what class, how long"),
        ("carts.credential_fingerprint", "a keyed digest, rewritten with its secret"),
        ("carts.token_fingerprint", "a keyed digest, rewritten with its secret"),
        ("carts.submission_digest", "a keyed digest of a form, for minutes after its save"),
        ("carts.last_submission_digest", "a keyed digest of a form, for minutes after its save"),
        ("connection_tests.fingerprint", "a keyed digest, rewritten with the secret that it covers"),
        ("sessions.id_hash", "a hash"),
        ("set_up_links.code_hash", "a hash"),
        ("throttle.key", "a hash"),
        ("unsaved_credentials.session_hash", "a hash"),
        ("vault_keys.check_value", "what HKDF makes of a key to know it again"),
        ("audit_links.hash", "a hash over rows of the activity"),
        ("vault_keys.key_id", "what HKDF makes of a key to name it"),
    ];

    /// If a rotation missed a column, its key could be removed too early. So each byte column is either rotated or
    /// listed above with the reason why not.
    #[sqlx::test]
    async fn no_column_of_sealed_secrets_is_forgotten(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let bytes: Vec<String> = sqlx::query_scalar(
            "select table_name || '.' || column_name from information_schema.columns
             where table_schema = 'public' and data_type = 'bytea' and table_name not like '\\_sqlx%'",
        )
        .fetch_all(&pool)
        .await
        .expect("the catalogue");
        let sealed: BTreeSet<String> = columns().iter().map(|column| name(column.as_ref())).collect();
        let known = |column: &String| sealed.contains(column) || NOT_SEALED.iter().any(|(other, _)| other == column);
        let forgotten: Vec<_> = bytes.iter().filter(|column| !known(column)).collect();
        assert!(forgotten.is_empty(), "sealed? add it to keys::columns(); not sealed? say why above: {forgotten:?}");
        for column in &sealed {
            assert!(bytes.contains(column), "{column} is not a byte column");
        }
    }

    /// Without its trigger, a key could be retired while a secret of that column needs it.
    #[sqlx::test]
    async fn every_column_of_sealed_secrets_keeps_its_key_from_being_retired(pool: sqlx::PgPool) {
        let triggers: Vec<String> = sqlx::query_scalar(
            "select pg_get_triggerdef(oid) from pg_trigger where tgfoid = 'vault_key_is_needed'::regproc and tgenabled = 'O'",
        )
        .fetch_all(&pool)
        .await
        .expect("the catalogue");
        assert_eq!(triggers.len(), columns().len(), "{triggers:?}");
        for column in columns() {
            let (table, column) = (column.table(), column.column());
            let (event, call) =
                (format!("AFTER INSERT OR UPDATE OF {column} ON public.{table} "), format!("needed('{column}')"));
            assert!(
                triggers.iter().any(|one| one.contains(&event) && one.ends_with(&call)),
                "{event} {call}: {triggers:?}"
            );
        }
    }

    #[test]
    fn every_secret_place_is_in_a_rotated_column() {
        let sealed: BTreeSet<String> = columns().iter().map(|column| name(column.as_ref())).collect();
        for kind in SecretKind::ALL {
            let (row, host) = (uuid::Uuid::nil(), "shop.example");
            let store = Binding { platform: "shopify", key: "shop", host, generation: 1 };
            // The match is exhaustive: a new kind does not compile until its place is added here.
            let place = match kind {
                SecretKind::AccessToken => Place::access_token(row, store),
                SecretKind::ClientSecret => Place::client_secret(row, store),
                SecretKind::MintedToken => Place::minted_token(row, store),
                SecretKind::Unsaved => Place::unsaved(row, store),
                SecretKind::AlertSecret => Place::alert_secret(row, host),
                SecretKind::AlertAddress => Place::alert_address(row, host),
            };
            assert_eq!(place.kind, kind);
            assert!(sealed.contains(&format!("{}.{}", place.table, place.column)), "{kind:?}");
        }
    }
}
