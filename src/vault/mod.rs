//! Sealing of stored secrets: AES-256-GCM, bound to one place and one host.
//!
//! Protects against readers of a dump, backup or disk without the key, and against writers to the database without the
//! key: a ciphertext that was moved to another row, or whose host was changed, does not open. Does not protect against
//! code that runs as the server.

pub mod column;
pub mod fingerprint;
pub mod key_ring;
pub mod place;
pub mod sealed;
pub(crate) mod sql;

use std::sync::{Arc, Mutex, RwLock};

use crate::database::{Connection, Pool};
use secrecy::{ExposeSecret, SecretString};

pub use column::{Batch, SealedColumn, Tally};
pub use fingerprint::{Fingerprint, Fingerprints};
pub use key_ring::{KeyRing, KeyRingError};
pub use place::Place;
pub use sealed::Unreadable;
pub use sql::SERVER;

/// Seals are counted in blocks of this size. A crash wastes the rest of a block.
const BLOCK: i64 = 4_096;
/// Number of seals from which on every start and every new block logs a warning. Random 96-bit nonces allow 2^32 seals
/// per key (NIST SP 800-38D §8.3).
pub const WARN_AT: i64 = 1 << 31;
/// Number of seals at which a key is exhausted: it seals nothing more, but still opens.
pub const REFUSE_AT: i64 = 1 << 32;

/// The key ring and its seal counter.
pub struct Vault {
    ring: RwLock<Arc<KeyRing>>,
    pool: Pool,
    /// Seals of the active key that are already counted but not yet made.
    reserved: Mutex<i64>,
}

/// Why sealing failed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the key {0} has sealed 2^32 times; add a new first line to the key file")]
    Exhausted(String),
    #[error("counting the seals")]
    Database(#[from] sqlx::Error),
}

/// An internal error: of the database or the key, or a bug.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Vault {
    /// Checks the ring against the keys registered in the database. Writes nothing if the check fails. Seals are
    /// counted on `pool` while the caller's transaction is open, so `pool` should not be the caller's pool.
    ///
    /// # Errors
    /// One line that names the key and the setting: a key that the database needs is missing or is a different one.
    pub async fn open_with(ring: KeyRing, pool: Pool) -> anyhow::Result<Self> {
        let total = key_ring::check(&ring, &pool).await?;
        tell(&ring.active().name(), total);
        Ok(Self { ring: RwLock::new(Arc::new(ring)), pool, reserved: Mutex::new(0) })
    }

    /// Replaces the ring, under the same conditions as [`Vault::open_with`]. Operations in progress continue with the
    /// old ring.
    ///
    /// # Errors
    /// As [`Vault::open_with`]; the old ring stays in use.
    pub async fn reload(&self, ring: KeyRing) -> anyhow::Result<()> {
        let total = key_ring::check(&ring, &self.pool).await?;
        tell(&ring.active().name(), total);
        let mut reserved = self.reserved.lock().expect("lock is never poisoned");
        *self.ring.write().expect("lock is never poisoned") = Arc::new(ring);
        *reserved = 0;
        Ok(())
    }

    /// Seals a secret under the first key, for this place and host only.
    ///
    /// # Errors
    /// The key is exhausted, or the database could not count.
    pub async fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Vec<u8>, SealError> {
        let ring = self.ring();
        self.count(ring.active()).await?;
        Ok(sealed::seal(ring.active(), place, secret.expose_secret()))
    }

    /// Opens a secret that was sealed for exactly this place and host, with the key that it names and no other.
    ///
    /// # Errors
    /// [`Unreadable`]: wrong place or host, damaged, or sealed by a key that is not in the ring.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString, Unreadable> {
        sealed::open(&self.ring(), place, sealed)
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

    async fn count(&self, key: &key_ring::Key) -> Result<(), SealError> {
        {
            let mut reserved = self.reserved.lock().expect("lock is never poisoned");
            if *reserved > 0 {
                *reserved -= 1;
                return Ok(());
            }
        }
        let total = sql::reserve(&self.pool, key.id(), BLOCK, REFUSE_AT)
            .await?
            .ok_or_else(|| SealError::Exhausted(key.name()))?;
        tell(&key.name(), total);
        *self.reserved.lock().expect("lock is never poisoned") += BLOCK - 1;
        Ok(())
    }
}

/// Publishes the number of seals of a key as a metric, and logs a warning when a new key is needed.
fn tell(key: &str, total: i64) {
    #[expect(clippy::cast_precision_loss, reason = "an f64 is exact far beyond 2^32")]
    metrics::gauge!("cartwright_key_seals", "key" => key.to_owned()).set(total as f64);
    if total >= WARN_AT {
        tracing::warn!(key, total, "this key has sealed more than 2^31 times; put a new key before it and rotate");
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        let place = Place::access_token(row, "northwind-tea.myshopify.com");
        let sealed = vault.seal(&place, &SecretString::from("correct horse")).await.expect("sealed");
        assert_eq!(vault.open(&place, &sealed).expect("opened").expose_secret(), "correct horse");
        assert_eq!(sealed.len(), "correct horse".len() + 37);
        assert_eq!(format!("{vault:?}"), "Vault", "no key is printed");
        let print = vault.fingerprints("test", &["correct horse"]);
        assert_eq!((print.all().len(), print.active().len()), (1, 16));
    }

    /// Captures the log output of one test.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("lock is never poisoned").clone()).expect("text")
        }
    }

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("lock is never poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    async fn sealed_count(pool: &Pool) -> i64 {
        sqlx::query_scalar("select sealed_count from vault_keys").fetch_one(pool).await.expect("count")
    }

    async fn set_sealed_count(pool: &Pool, count: i64) {
        sqlx::query("update vault_keys set sealed_count = $1").bind(count).execute(pool).await.expect("worn");
    }

    #[sqlx::test]
    async fn counting(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let line = KeyRing::generate_line();
        let start = async || {
            let ring = KeyRing::parse(&line).expect("a key");
            Vault::open_with(ring, pool.clone()).await.expect("a vault")
        };
        let place = Place::access_token(Uuid::now_v7(), "northwind-tea.myshopify.com");
        let seal = async |vault: &Vault| vault.seal(&place, &SecretString::from("x")).await;
        let first = start().await;
        let sealed = seal(&first).await.expect("sealed");
        assert_eq!(sealed_count(&pool).await, BLOCK, "a block is reserved first, so that a crash never counts too few");
        for _ in 1..BLOCK {
            seal(&first).await.expect("sealed");
        }
        assert_eq!(sealed_count(&pool).await, BLOCK, "the block is used up before the next");
        seal(&first).await.expect("sealed");
        assert_eq!(sealed_count(&pool).await, 2 * BLOCK, "no seal goes uncounted");
        // A crash: the rest of the block is wasted, but no seal is counted twice.
        drop(first);
        let second = start().await;
        seal(&second).await.expect("sealed");
        assert_eq!(sealed_count(&pool).await, 3 * BLOCK);

        set_sealed_count(&pool, REFUSE_AT - BLOCK).await;
        *second.reserved.lock().expect("lock") = 0;
        seal(&second).await.expect("the last block");
        *second.reserved.lock().expect("lock") = 0;
        assert!(matches!(seal(&second).await, Err(SealError::Exhausted(_))));
        assert_eq!(second.open(&place, &sealed).expect("opening still works").expose_secret(), "x");
    }

    #[sqlx::test]
    async fn counting_warns_at_the_start_and_at_every_block(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let log = Log::default();
        let to = log.clone();
        let lines = tracing_subscriber::fmt().with_writer(move || to.clone()).finish();
        let _logging = tracing::subscriber::set_default(lines);
        let line = KeyRing::generate_line();
        let start = async || {
            let ring = KeyRing::parse(&line).expect("a key");
            Vault::open_with(ring, pool.clone()).await.expect("a vault")
        };
        let vault = start().await;
        let place = Place::access_token(Uuid::now_v7(), "northwind-tea.myshopify.com");
        set_sealed_count(&pool, WARN_AT - 2 * BLOCK).await;
        vault.seal(&place, &SecretString::from("x")).await.expect("sealed");
        assert_eq!(log.text(), "", "no warning one block below the limit");
        *vault.reserved.lock().expect("lock") = 0;
        vault.seal(&place, &SecretString::from("x")).await.expect("still seals");
        assert_eq!(log.text().matches("has sealed more than 2^31 times").count(), 1, "{}", log.text());
        start().await;
        assert_eq!(log.text().matches("has sealed more than 2^31 times").count(), 2, "{}", log.text());
        let gauge = format!("cartwright_key_seals{{key=\"{}\"}} {WARN_AT}", vault.ring().active().name());
        assert!(recorder.handle().render().contains(&gauge), "{gauge}");
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
    async fn a_key_that_seals_again_is_not_retired(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let (old, new) = (KeyRing::generate_line(), KeyRing::generate_line());
        let start = async |lines: String| {
            Vault::open_with(KeyRing::parse(&lines).expect("keys"), pool.clone()).await.expect("a vault")
        };
        let late = start(old.clone()).await;
        start(format!("{new}\n{old}\n")).await;
        let mut connection = pool.acquire().await.expect("connection");
        assert!(sql::retire(&mut connection, late.ring().active().id()).await.expect("retired"));
        start(new.clone()).await;
        // A server that was not restarted with the new file still seals with its key, so its secrets need that key.
        let place = Place::access_token(Uuid::now_v7(), "northwind-tea.myshopify.com");
        late.seal(&place, &SecretString::from("x")).await.expect("sealed");
        let refusal = Vault::open_with(KeyRing::parse(&new).expect("a key"), pool.clone()).await.expect_err("needed");
        assert!(refusal.to_string().contains(&late.ring().active().name()), "{refusal}");
        // Reverting to the old key is an ordinary rotation.
        assert!(sql::retire(&mut connection, late.ring().active().id()).await.expect("retired"));
        start(format!("{old}\n{new}\n")).await;
        assert!(Vault::open_with(KeyRing::parse(&new).expect("a key"), pool.clone()).await.is_err());
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
