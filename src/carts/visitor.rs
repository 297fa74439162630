//! On whose behalf a cart is read or changed.

use crate::audit::By;

/// Who reads or changes carts, and who owns the draft secrets that are stored meanwhile. The two differ: a user has as
/// many owners of drafts as browser sessions, and a program has none.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub by: By,
    pub drafts: DraftOwner,
}

/// The owner of draft secrets.
#[derive(Clone, Debug)]
pub enum DraftOwner {
    /// A browser session, by the SHA-256 of its id.
    Session(Vec<u8>),
    /// Programs and background work keep no draft secrets: what they send is saved or refused.
    Nobody,
}

impl Visitor {
    /// A user in a browser session with this hash of its id.
    pub const fn in_session(by: By, session: Vec<u8>) -> Self {
        Self { by, drafts: DraftOwner::Session(session) }
    }

    /// A program, or background work.
    pub const fn without_drafts(by: By) -> Self {
        Self { by, drafts: DraftOwner::Nobody }
    }
}

impl DraftOwner {
    /// The hash of the session that owns the draft secrets.
    pub fn session(&self) -> Option<&[u8]> {
        match self {
            Self::Session(hash) => Some(hash),
            Self::Nobody => None,
        }
    }
}
