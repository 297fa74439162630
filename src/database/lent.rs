//! One connection for a whole answer: the route may ask on the one that the session was read on. Each time a connection is taken
//! costs two round trips, a `rollback` before and a ping after, which is a third of what a list pays the database.

use std::sync::{Arc, Mutex};

use sqlx::{Postgres, pool::PoolConnection};

/// A connection on its way through the layers. Dropped, it goes back to the pool.
#[derive(Clone, Debug)]
pub struct Lent(Arc<Mutex<Option<PoolConnection<Postgres>>>>);

impl Lent {
    pub fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(Arc::new(Mutex::new(Some(connection))))
    }

    /// The connection, once.
    pub fn take(&self) -> Option<PoolConnection<Postgres>> {
        self.0.lock().expect("nobody panics here").take()
    }
}
