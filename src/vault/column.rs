//! A column in which sealed secrets rest, as whoever keeps the column tells of it. Every one of them must be known to `keys`, or
//! a rotation would forget it: a test there reads the database's catalogue.

use std::sync::Arc;

use crate::database::Pool;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{SealError, Vault};

/// Rows of one batch: few enough that a person who saves never waits for it.
pub const BATCH: i64 = 200;

/// How many secrets one key sealed in one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// As the secrets name it; whatever stands there in a damaged one.
    pub key_id: Vec<u8>,
    pub count: i64,
}

/// What one batch of a rotation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub resealed: i64,
    /// Rows whose secret does not open; they are left as they are.
    pub unreadable: Vec<Uuid>,
    /// The last row that was looked at; `None` when none is left behind the given one.
    pub last: Option<Uuid>,
}

pub trait SealedColumn: Send + Sync {
    fn table(&self) -> &'static str;

    fn column(&self) -> &'static str;

    /// How many secrets rest here, for each key that they name.
    fn tally<'a>(&'a self, pool: &'a Pool) -> BoxFuture<'a, sqlx::Result<Vec<Tally>>>;

    /// Takes up to [`BATCH`] rows behind `after` that the active key did not seal, in the order of their ids, and seals them
    /// again with everything that follows from the key, in one transaction. Rows that somebody holds are left for later.
    fn reseal<'a>(
        &'a self,
        vault: &'a Arc<Vault>,
        pool: &'a Pool,
        after: Uuid,
    ) -> BoxFuture<'a, Result<Batch, SealError>>;
}
