//! Interface of a column with sealed secrets, implemented by the module that owns the column. Every such column must be
//! listed in `keys`; otherwise a rotation would miss it. A test there compares the list with the database catalogue.

use std::sync::Arc;

use crate::database::{Connection, Pool};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::Vault;

/// Rows per batch: few enough that a concurrent save is not delayed noticeably.
pub const BATCH: i64 = 200;

/// Number of secrets that one key sealed in one column, in one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Format and key ID as stored in the secrets; arbitrary bytes if a secret is damaged.
    pub head: Vec<u8>,
    pub count: i64,
}

impl Tally {
    pub fn key_id(&self) -> &[u8] {
        self.head.get(1..).unwrap_or_default()
    }
}

/// Result of one batch of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub resealed: i64,
    /// Rows whose secret could not be opened; they are unchanged.
    pub unreadable: Vec<Uuid>,
    /// The last row of the batch; `None` if there are no more rows.
    pub last: Option<Uuid>,
}

pub trait SealedColumn: Send + Sync {
    fn table(&self) -> &'static str;

    fn column(&self) -> &'static str;

    /// Counts the sealed secrets for each format and key ID.
    fn tally<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, sqlx::Result<Vec<Tally>>>;

    /// Reseals up to [`BATCH`] rows after `after` that the active key did not seal or that have an earlier format, in
    /// order of their IDs and in one transaction, together with all data derived from the key. Skips locked rows.
    fn reseal<'a>(&'a self, vault: &'a Arc<Vault>, pool: &'a Pool, after: Uuid) -> BoxFuture<'a, sqlx::Result<Batch>>;
}
