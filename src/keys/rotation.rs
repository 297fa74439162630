//! Key rotation while the server is in use: reseals under the first key every secret that another key sealed or that has an earlier format, 200 rows
//! per transaction. After a crash the rotation can be run again, because each batch is atomic.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{columns, name, tallies, total};
use crate::{
    audit::{self, By, Event},
    database::{Connection, Pool, transaction},
    vault::{FORMAT, KeyRing, SealedColumn, Vault, sql},
};

/// Pause between two passes over locked rows.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How long locked rows are retried before they are left for another run.
const ROTATION_TIMEOUT: Duration = Duration::from_mins(1);

/// A secret that is still sealed under another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableSecret {
    /// The column's name, such as `carts.secret`.
    pub column: String,
    pub row: Uuid,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotationReport {
    /// Secrets resealed since the last completed rotation, including runs that were killed.
    pub secrets: i64,
    /// Rows that could not be opened; they are unchanged.
    pub unreadable: Vec<UnreadableSecret>,
    /// Secrets under other keys or in earlier formats at the end; more than the unreadable ones if some rows stayed locked.
    pub left: i64,
    /// Lines of the file that are no longer needed to open anything, each with the name of its key.
    pub spare: Vec<(usize, String)>,
}

/// Whether a server or a command ever started with this ring's first key. Until then, no server can open secrets that
/// it sealed.
pub async fn is_known(pool: &Pool, ring: &KeyRing) -> sqlx::Result<bool> {
    let known = sql::known_keys(pool).await?;
    Ok(known.is_empty() || known.iter().any(|known| ring.active().is(known)))
}

/// Reseals all secrets under the first key of the ring, and retires the keys that are no longer needed. Calls `tell`
/// with the number of resealed secrets and the total.
pub async fn rotate(
    vault: &Arc<Vault>,
    pool: &Pool,
    mut tell: impl FnMut(i64, i64) + Send,
) -> sqlx::Result<RotationReport> {
    let whole = left(vault, &mut *pool.acquire().await?).await?;
    let mut done = 0;
    tell(done, whole);
    let mut unreadable_secrets = Vec::new();
    for column in columns() {
        let mut moved_at = Instant::now();
        loop {
            let mut unreadable = BTreeSet::new();
            let (mut after, before) = (Uuid::nil(), done);
            loop {
                let batch = retry(|| column.reseal(vault, pool, after)).await?;
                let Some(last) = batch.last else { break };
                after = last;
                done += batch.resealed;
                unreadable.extend(batch.unreadable);
                tell(done, whole.max(done));
            }
            if done > before {
                moved_at = Instant::now();
            }
            let open = left_in(column.as_ref(), vault, &mut *pool.acquire().await?).await?;
            if open <= unreadable.len().try_into().unwrap_or(i64::MAX) || moved_at.elapsed() > ROTATION_TIMEOUT {
                let column = name(column.as_ref());
                unreadable_secrets
                    .extend(unreadable.into_iter().map(|row| UnreadableSecret { column: column.clone(), row }));
                break;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
    let report = retry(|| end(vault, pool)).await?;
    Ok(RotationReport { unreadable: unreadable_secrets, ..report })
}

/// Repeats `work` on deadlock or lock timeout.
async fn retry<T, F: Future<Output = sqlx::Result<T>>>(work: impl Fn() -> F) -> sqlx::Result<T> {
    let begun = Instant::now();
    loop {
        match work().await {
            Err(error) if is_contention(&error) && begun.elapsed() < ROTATION_TIMEOUT => {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// SQLSTATE 40P01: deadlock; 55P03: lock timeout.
fn is_contention(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "40P01" || code == "55P03")
}

async fn left(vault: &Vault, connection: &mut Connection) -> sqlx::Result<i64> {
    let mut sum = 0;
    for column in columns() {
        sum += left_in(column.as_ref(), vault, connection).await?;
    }
    Ok(sum)
}

async fn left_in(column: &dyn SealedColumn, vault: &Vault, connection: &mut Connection) -> sqlx::Result<i64> {
    let head = vault.head();
    let tallies = column.tally(connection).await?;
    Ok(tallies.iter().filter(|tally| tally.head[..] != head[..]).map(|tally| tally.count).sum())
}

/// Retires the keys that no secret needs, and writes one audit event for the whole rotation. The locks make sure that no
/// secret is stored under a key between counting and retiring.
async fn end(vault: &Arc<Vault>, pool: &Pool) -> sqlx::Result<RotationReport> {
    let (vault, ring) = (Arc::clone(vault), vault.ring());
    transaction(pool, move |work| {
        Box::pin(async move {
            let active = ring.active().id();
            let others = sql::lock_other_keys(work, active).await?;
            let tallies = tallies(work).await?;
            let is_spare = |id: &[u8]| id != &active[..] && total(&tallies, id) == 0;
            let mut has_retired = false;
            for id in others.iter().filter(|id| is_spare(id)) {
                has_retired |= sql::retire(work, id).await?;
            }
            let secrets = sql::take_resealed(work, active).await?;
            let left = left(&vault, work).await?;
            // The secrets that were left before may have been entered again.
            let is_complete = left == 0 && !tallies.is_empty() && !audit::was_rotated_to(work, FORMAT).await?;
            if secrets > 0 || has_retired || is_complete {
                let format = (left == 0).then_some(FORMAT);
                let event = Event::EncryptionKeyRotated { secrets, format };
                audit::record(work, &By::operator(), None, &event).await?;
            }
            let spare = ring.keys().iter().filter(|key| is_spare(key.id()));
            Ok(RotationReport {
                secrets,
                left,
                spare: spare.map(|key| (key.line(), key.name())).collect(),
                unreadable: Vec::new(),
            })
        })
    })
    .await
}
