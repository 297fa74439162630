//! One connection for a whole answer: a handler may ask on the one that the session was read on.

use std::sync::{Arc, Mutex};

use super::Lease;

/// A connection on its way through the layers. Dropped, it goes back to the pool.
#[derive(Clone, Debug)]
pub struct Lent(Arc<Mutex<Option<Lease>>>);

impl Lent {
    pub fn new(connection: Lease) -> Self {
        Self(Arc::new(Mutex::new(Some(connection))))
    }

    /// The connection, once.
    pub fn take(&self) -> Option<Lease> {
        self.0.lock().expect("nobody panics here").take()
    }
}
