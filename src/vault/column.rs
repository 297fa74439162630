//! Interface of a column with sealed secrets, implemented by the module that owns the column. Every such column must be
//! listed in `keys`, or a rotation would miss it: a test there reads the database catalogue.

use std::sync::Arc;

use crate::database::Pool;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{SealError, Vault};

/// Rows per batch: few enough that a save does not wait noticeably.
pub const BATCH: i64 = 200;

/// Number of secrets that one key sealed in one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Key ID as the secrets name it; arbitrary bytes if the secret is damaged.
    pub key_id: Vec<u8>,
    pub count: i64,
}

/// Result of one batch of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub resealed: i64,
    /// Rows whose secret does not open; they are left unchanged.
    pub unreadable: Vec<Uuid>,
    /// The last row that was processed; `None` if no row follows the given one.
    pub last: Option<Uuid>,
}

pub trait SealedColumn: Send + Sync {
    fn table(&self) -> &'static str;

    fn column(&self) -> &'static str;

    /// Counts the sealed secrets for each key ID.
    fn tally<'a>(&'a self, pool: &'a Pool) -> BoxFuture<'a, sqlx::Result<Vec<Tally>>>;

    /// Takes up to [`BATCH`] rows after `after` that the active key did not seal, in order of their IDs, and reseals
    /// them with everything derived from the key, in one transaction. Skips locked rows.
    fn reseal<'a>(
        &'a self,
        vault: &'a Arc<Vault>,
        pool: &'a Pool,
        after: Uuid,
    ) -> BoxFuture<'a, Result<Batch, SealError>>;
}
