//! The user on whose behalf a cart is read or changed.

use crate::audit::By;

/// A signed-in user in one browser session. Draft secrets belong to the session, actions to the user.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub by: By,
    /// SHA-256 of the session id.
    pub session: Vec<u8>,
}
