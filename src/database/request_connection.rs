//! The connection of a request: handlers reuse the connection that read the session.

use std::sync::{Arc, Mutex};

use super::Lease;

/// A connection that the middleware layers pass on to the handler. On drop it returns to the pool.
#[derive(Clone, Debug)]
pub struct RequestConnection(Arc<Mutex<Option<Lease>>>);

impl RequestConnection {
    pub fn new(connection: Lease) -> Self {
        Self(Arc::new(Mutex::new(Some(connection))))
    }

    /// Takes the connection; `None` after the first call.
    pub fn take(&self) -> Option<Lease> {
        self.0.lock().expect("lock is never poisoned").take()
    }
}
