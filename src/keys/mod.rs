//! The life of the encryption keys: which there are, how secrets move from one to the next, and the way on when one is lost.
//! Stands above whoever keeps sealed secrets, since a key goes only when nothing anywhere needs it.
//!
//! Knows no secret: opening and sealing happen where the secrets are kept.

mod forgetting;
mod listing;
mod rotation;

use std::collections::BTreeMap;

use crate::{alerts, database::Pool, ecommerce, vault::SealedColumn};

pub use forgetting::{ForgetError, Forgotten, forget};
pub use listing::{KeyLine, Standing, list};
pub use rotation::{Left, Rotated, is_known, rotate};

/// Every column that holds sealed secrets. Whoever adds one adds it here; the test below reads the catalogue.
pub fn columns() -> Vec<Box<dyn SealedColumn>> {
    ecommerce::sealed_columns().into_iter().chain(alerts::sealed_columns()).collect()
}

/// Secrets by the key that they name, then by column, such as `carts.secret`.
pub type Tallies = BTreeMap<Vec<u8>, BTreeMap<String, i64>>;

/// What rests where, under which key.
pub async fn tallies(pool: &Pool) -> sqlx::Result<Tallies> {
    let mut found = Tallies::new();
    for column in columns() {
        for tally in column.tally(pool).await? {
            found.entry(tally.key_id).or_default().insert(name(column.as_ref()), tally.count);
        }
    }
    Ok(found)
}

fn name(column: &dyn SealedColumn) -> String {
    format!("{}.{}", column.table(), column.column())
}

/// How many secrets a key sealed, everywhere.
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
    use crate::vault::place::{Kind, Place};

    /// Bytes that are no sealed secret, each with what it is.
    const NOT_SEALED: [(&str, &str); 13] = [
        ("cart_health.recent", "the last checks: when, what class, how long"),
        ("carts.credential_fingerprint", "a keyed digest, rewritten with the secret beside it"),
        ("carts.token_fingerprint", "a keyed digest, rewritten with the secret beside it"),
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

    /// A rotation that forgot a column would let its key be taken away: so a column of bytes is either one that is rotated, or
    /// says here why it is not.
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
            assert!(bytes.contains(column), "{column} is no column of bytes");
        }
    }

    #[test]
    fn every_place_of_a_secret_is_in_a_column_that_is_rotated() {
        let sealed: BTreeSet<String> = columns().iter().map(|column| name(column.as_ref())).collect();
        for kind in Kind::ALL {
            let (row, host) = (uuid::Uuid::nil(), "northwind-tea.myshopify.com");
            // A new kind does not compile until it says where it is kept.
            let place = match kind {
                Kind::AccessToken => Place::access_token(row, host),
                Kind::ClientSecret => Place::client_secret(row, host),
                Kind::MintedToken => Place::minted_token(row, host),
                Kind::Unsaved => Place::unsaved(row, host),
                Kind::AlertSecret => Place::alert_secret(row, host),
            };
            assert_eq!(place.kind, kind);
            assert!(sealed.contains(&format!("{}.{}", place.table, place.column)), "{kind:?}");
        }
    }
}
