//! Keys as pages and the command line show them: everything except their text, which nobody knows any more.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiKeys, sql};

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyState {
    Live,
    /// Live, and its end is near.
    EndsSoon,
    Ended,
    Revoked,
}

impl ApiKeyState {
    /// Whether a program with this key is let in.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::EndsSoon)
    }
}

/// A key that was made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownApiKey {
    pub id: Uuid,
    pub name: String,
    pub ending: String,
    /// Stored names, also of scopes that a newer version added.
    pub scopes: Vec<String>,
    /// `None` for all carts.
    pub carts: Option<Vec<Uuid>>,
    /// `None` for every address.
    pub networks: Option<Vec<String>>,
    pub created_at: OffsetDateTime,
    pub created_by: String,
    pub ends_at: OffsetDateTime,
    /// When and by whom it was revoked.
    pub revoked: Option<(OffsetDateTime, String)>,
    /// When and from which address it was used last; accurate to a minute.
    pub last_used: Option<(OffsetDateTime, Option<String>)>,
    pub state: ApiKeyState,
}

impl ApiKeys {
    /// The live keys, those that end first at the top, then the newest of the others; 500 at most.
    pub async fn list(&self) -> sqlx::Result<Vec<KnownApiKey>> {
        Ok(sql::keys::list(&self.pool, None).await?.into_iter().map(KnownApiKey::from).collect())
    }

    pub async fn find(&self, key: Uuid) -> sqlx::Result<Option<KnownApiKey>> {
        Ok(sql::keys::list(&self.pool, Some(key)).await?.pop().map(KnownApiKey::from))
    }
}

impl From<sql::keys::KeyRow> for KnownApiKey {
    fn from(row: sql::keys::KeyRow) -> Self {
        let state = match (row.revoked_at.is_some(), row.is_live, row.ends_soon) {
            (true, ..) => ApiKeyState::Revoked,
            (false, false, _) => ApiKeyState::Ended,
            (false, true, true) => ApiKeyState::EndsSoon,
            (false, true, false) => ApiKeyState::Live,
        };
        Self {
            id: row.id,
            name: row.name,
            ending: row.ending,
            scopes: row.scopes,
            carts: row.carts,
            networks: row.networks,
            created_at: row.created_at,
            created_by: row.created_by,
            ends_at: row.ends_at,
            revoked: row.revoked_at.zip(row.revoked_by),
            last_used: row.used_at.map(|at| (at, row.used_ip)),
            state,
        }
    }
}
