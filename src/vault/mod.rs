//! Sealing of stored secrets: AES-256-GCM, bound to one place, one store and one generation.
//!
//! Protects against readers of a dump, backup or disk without the key, and against writers to the database without the
//! key: a ciphertext that was moved to another row, or whose store, host or generation was changed, does not open. Does
//! not protect against code that runs as the server. A whole earlier row opens: [`crate::carts`] compares the generations
//! of rows with the audit log.

pub mod column;
pub mod fingerprint;
pub mod key_ring;
pub mod place;
pub mod sealed;
pub(crate) mod sql;

use std::sync::{Arc, RwLock};

use crate::database::{Connection, Pool};
use secrecy::{ExposeSecret, SecretString};

pub use column::{Batch, SealedColumn, Tally};
pub use fingerprint::{Fingerprint, Fingerprints};
pub use key_ring::{KeyRing, KeyRingError};
pub use place::{Binding, Place};
pub use sealed::{FORMAT, Unreadable};
pub use sql::SERVER;

/// The key ring, checked against the database.
pub struct Vault {
    ring: RwLock<Arc<KeyRing>>,
    pool: Pool,
}

/// An internal error: of the database, or a bug.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Database(#[from] sqlx::Error),
}

impl Vault {
    /// Checks the ring against the keys registered in the database. Writes nothing if the check fails.
    ///
    /// # Errors
    /// One line that names the key and the setting: a key that the database needs is missing or is a different one.
    pub async fn open_with(ring: KeyRing, pool: Pool) -> anyhow::Result<Self> {
        key_ring::check(&ring, &pool).await?;
        Ok(Self { ring: RwLock::new(Arc::new(ring)), pool })
    }

    /// Replaces the ring, under the same conditions as [`Vault::open_with`]. Operations in progress continue with the
    /// old ring.
    ///
    /// # Errors
    /// As [`Vault::open_with`]; the old ring stays in use.
    pub async fn reload(&self, ring: KeyRing) -> anyhow::Result<()> {
        key_ring::check(&ring, &self.pool).await?;
        *self.ring.write().expect("lock is never poisoned") = Arc::new(ring);
        Ok(())
    }

    /// What each secret begins with that is sealed now: the format and the ID of the first key.
    pub fn head(&self) -> [u8; 9] {
        sealed::head(self.ring().active())
    }

    /// Seals a secret under the first key, for this place only.
    pub fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Vec<u8> {
        sealed::seal(self.ring().active(), place, secret.expose_secret())
    }

    /// Seals a secret as the previous version did: for a row and a host, without store and generation.
    #[cfg(test)]
    pub(crate) fn seal_in_earlier_format(&self, place: &Place<'_>, secret: &SecretString) -> Vec<u8> {
        sealed::seal_derived(self.ring().active(), place, secret.expose_secret())
    }

    /// Opens a secret that was sealed for exactly this place, with the key that it names and no other.
    ///
    /// # Errors
    /// [`Unreadable`]: wrong place, damaged, or sealed by a key that is not in the ring.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString, Unreadable> {
        sealed::open(&self.ring(), place, sealed)
    }

    /// Whether the ring has the key that a sealed secret names. Reads the first nine bytes and decrypts nothing, so the
    /// secret may still be damaged or misplaced.
    pub fn has_key_of(&self, sealed: &[u8]) -> bool {
        sealed.get(1..9).is_some_and(|id| self.ring().find(id).is_some())
    }

    /// The fingerprints of these parts. Fingerprints with different purposes never match.
    pub fn fingerprints(&self, purpose: &str, parts: &[&str]) -> Fingerprints {
        Fingerprints::of(&self.ring(), purpose, parts)
    }

    /// The current ring. Its first key seals, and all keys open.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.read().expect("lock is never poisoned").clone()
    }

    /// Counts the secrets that one batch of a rotation resealed. Call it last in the transaction, because the key's row
    /// is contended.
    pub async fn count_resealed(&self, work: &mut Connection, count: i64) -> sqlx::Result<()> {
        if count == 0 { Ok(()) } else { sql::add_resealed(work, self.ring().active().id(), count).await }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    async fn vault(pool: &Pool) -> Vault {
        Vault::open_with(KeyRing::generate(), pool.clone()).await.expect("a fresh ring")
    }

    #[sqlx::test]
    async fn sealed_secret_opens_again(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let vault = vault(&pool).await;
        let row = Uuid::now_v7();
        let place = Place::alert_secret(row, "ops.northwind.example");
        let sealed = vault.seal(&place, &SecretString::from("correct horse"));
        assert_eq!(vault.open(&place, &sealed).expect("opened").expose_secret(), "correct horse");
        assert_eq!(sealed.len(), "correct horse".len() + 49);
        assert_eq!(format!("{vault:?}"), "Vault", "no key is printed");
        let print = vault.fingerprints("test", &["correct horse"]);
        assert_eq!((print.all().len(), print.active().len()), (1, 16));
    }

    #[sqlx::test]
    async fn resealed_count_is_kept_until_it_is_taken(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let vault = vault(&pool).await;
        let mut connection = pool.acquire().await.expect("connection");
        for batch in [100, 0, 7] {
            vault.count_resealed(&mut connection, batch).await.expect("counted");
        }
        let ring = vault.ring();
        let key = ring.active().id();
        assert_eq!(sql::take_resealed(&mut connection, key).await.expect("taken"), 107);
        assert_eq!(sql::take_resealed(&mut connection, key).await.expect("taken"), 0, "once");
    }

    #[sqlx::test]
    async fn a_missing_key_is_refused_and_nothing_is_written(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        vault(&pool).await;
        let refusal = Vault::open_with(KeyRing::generate(), pool.clone()).await.expect_err("another ring").to_string();
        assert!(refusal.contains("CARTWRIGHT_KEY_FILE"), "{refusal}");
        let keys: i64 = sqlx::query_scalar("select count(*) from vault_keys").fetch_one(&pool).await.expect("count");
        assert_eq!(keys, 1);
    }
}
