//! How a secret rests: AES-256-GCM, sealed for one place and one host.
//!
//! Stops whoever reads a dump, backup or disk without the key, and whoever writes to the database without it: a ciphertext moved
//! to another row, or a host changed beside it, cannot be opened. Does not stop whoever runs code as the server.

pub mod key_ring;
pub mod place;
pub mod sealed;
mod sql;

use std::sync::Mutex;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use sqlx::PgPool;

pub use key_ring::{KeyRing, KeyRingError};
pub use place::Place;
pub use sealed::Unreadable;

/// Seals are counted in blocks of this size; a crash wastes the rest of one.
const BLOCK: i64 = 4_096;
/// From here on every start and every block warns. Random 96-bit nonces allow 2^32 seals a key (NIST SP 800-38D §8.3).
const WARN_AT: i64 = 1 << 31;
/// From here on nothing is sealed; opening goes on.
const REFUSE_AT: i64 = 1 << 32;

/// A keyed digest: equal for equal secrets, useless without the key ring.
pub type Fingerprint = Vec<u8>;

/// The key ring and the count of what it sealed.
pub struct Vault {
    ring: KeyRing,
    pool: PgPool,
    reserved: Mutex<i64>,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the key {0} has sealed 2^32 times; add a new first line to the key file")]
    Exhausted(String),
    #[error("counting the seals")]
    Database(#[from] sqlx::Error),
}

impl Vault {
    /// Checks the ring against what the database knows of it; writes nothing when it refuses.
    ///
    /// # Errors
    /// One line that names the key and the setting: a key that the database needs is missing, or is another one than before.
    pub async fn open_with(ring: KeyRing, pool: PgPool) -> anyhow::Result<Self> {
        key_ring::check(&ring, &pool).await?;
        Ok(Self { ring, pool, reserved: Mutex::new(0) })
    }

    /// Seals under the first key, for this place and host only.
    ///
    /// # Errors
    /// The key is worn out, or the database could not count.
    pub async fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Vec<u8>, SealError> {
        self.count().await?;
        Ok(sealed::seal(self.ring.active(), place, secret.expose_secret()))
    }

    /// Opens what was sealed for exactly this place and host, with the key that it names and no other.
    ///
    /// # Errors
    /// [`Unreadable`]: wrong place or host, damaged, or sealed by a key that is not here.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString, Unreadable> {
        sealed::open(&self.ring, place, sealed)
    }

    /// Fingerprint over parts, each with its length, so that no two lists of parts look the same. 16 bytes.
    pub fn fingerprint(&self, purpose: &str, parts: &[&str]) -> Fingerprint {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.ring.active().fingerprint_key())
            .expect("HMAC takes a key of any length");
        for part in std::iter::once(&purpose).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes()[..16].to_vec()
    }

    async fn count(&self) -> Result<(), SealError> {
        {
            let mut reserved = self.reserved.lock().expect("no panic while counting");
            if *reserved > 0 {
                *reserved -= 1;
                return Ok(());
            }
        }
        let key = self.ring.active();
        let total = sql::reserve(&self.pool, key.id(), BLOCK, REFUSE_AT)
            .await?
            .ok_or_else(|| SealError::Exhausted(key.name()))?;
        if total >= WARN_AT {
            tracing::warn!(
                key = key.name(),
                total,
                "this key has sealed more than 2^31 times; add a new first line to the key file"
            );
        }
        *self.reserved.lock().expect("no panic while counting") += BLOCK - 1;
        Ok(())
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

    async fn vault(pool: &PgPool) -> Vault {
        Vault::open_with(KeyRing::generate(), pool.clone()).await.expect("a fresh ring")
    }

    #[sqlx::test]
    async fn what_is_sealed_opens_again(pool: PgPool) {
        let vault = vault(&pool).await;
        let row = Uuid::now_v7();
        let place = Place::access_token(row, "northwind-tea.myshopify.com");
        let sealed = vault.seal(&place, &SecretString::from("correct horse")).await.expect("sealed");
        assert_eq!(vault.open(&place, &sealed).expect("opened").expose_secret(), "correct horse");
        assert_eq!(sealed.len(), "correct horse".len() + 37);
    }

    #[sqlx::test]
    async fn counting(pool: PgPool) {
        let vault = vault(&pool).await;
        let place = Place::access_token(Uuid::now_v7(), "northwind-tea.myshopify.com");
        vault.seal(&place, &SecretString::from("x")).await.expect("sealed");
        let count: i64 =
            sqlx::query_scalar("select sealed_count from vault_keys").fetch_one(&pool).await.expect("count");
        assert_eq!(count, BLOCK, "a block is reserved at once, so that a crash never counts too few");

        sqlx::query("update vault_keys set sealed_count = $1").bind(REFUSE_AT).execute(&pool).await.expect("worn out");
        *vault.reserved.lock().expect("lock") = 0;
        assert!(matches!(vault.seal(&place, &SecretString::from("x")).await, Err(SealError::Exhausted(_))));
    }

    #[sqlx::test]
    async fn a_missing_key_is_refused_and_nothing_is_written(pool: PgPool) {
        vault(&pool).await;
        let refusal = Vault::open_with(KeyRing::generate(), pool.clone()).await.expect_err("another ring").to_string();
        assert!(refusal.contains("CARTWRIGHT_KEY_FILE"), "{refusal}");
        let keys: i64 = sqlx::query_scalar("select count(*) from vault_keys").fetch_one(&pool).await.expect("count");
        assert_eq!(keys, 1);
    }

    #[sqlx::test]
    async fn fingerprints_tell_lists_of_parts_apart(pool: PgPool) {
        let vault = vault(&pool).await;
        assert_eq!(vault.fingerprint("p", &["ab", "c"]), vault.fingerprint("p", &["ab", "c"]));
        assert_ne!(vault.fingerprint("p", &["ab", "c"]), vault.fingerprint("p", &["a", "bc"]));
        assert_ne!(vault.fingerprint("p", &["ab"]), vault.fingerprint("q", &["ab"]));
    }
}
