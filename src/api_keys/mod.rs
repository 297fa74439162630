//! Keys of programs that use the API: what a key allows, who presented it, and how keys are made and revoked.
//!
//! Independent of HTTP. The database stores a hash of each key; its text leaves this module once, when it is made.

mod ending_soon;
mod issuing;
mod key_text;
mod limits;
mod listing;
mod name;
mod scope;
mod sql;

use std::{collections::BTreeSet, net::IpAddr};

use time::OffsetDateTime;
use uuid::Uuid;

pub use issuing::{CreateKeyError, FindKeyError, IssuedKey, NewApiKey, RotateKeyError};
pub use key_text::ApiKeyText;
pub use limits::{KeyLifetime, KeyLifetimeError, KeyNetworks, KeyNetworksError, KeyScopes, KeyScopesError};
pub use listing::{ApiKeyState, KnownApiKey};
pub use name::{ApiKeyName, ApiKeyNameError};
pub use scope::Scope;

use crate::{audit::Actor, database::Pool};

/// Time before its end from which a key *ends soon*, in days.
pub const ENDS_SOON_DAYS: i32 = 14;
/// Maximum number of carts in the list of a key. The list is read with each request.
pub const KEY_CARTS_MAX: usize = 1_000;

/// A program that presented a live key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The ID of the key.
    pub id: Uuid,
    /// The name of the key.
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    /// The carts that the key is limited to; `None` for all carts.
    pub carts: Option<BTreeSet<Uuid>>,
    pub ends_at: OffsetDateTime,
    /// The last four characters of the key.
    pub ending: String,
}

impl Program {
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the key's list of carts includes this one.
    pub fn sees(&self, cart: Uuid) -> bool {
        self.carts.as_ref().is_none_or(|carts| carts.contains(&cart))
    }

    /// The program as the actor of its changes.
    pub fn actor(&self) -> Actor {
        Actor::Program { key: self.id, name: self.name.clone() }
    }
}

/// Handle for all operations on keys.
#[derive(Clone, Debug)]
pub struct ApiKeys {
    pool: Pool,
}

impl ApiKeys {
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Finds the program that presents this key from this address. `None` for an unknown, ended or revoked key, for a
    /// client outside of the key's networks, and, without a query, for text with a wrong checksum. Records the use at
    /// most once a minute.
    pub async fn authenticate(&self, presented: &str, client: Option<IpAddr>) -> sqlx::Result<Option<Program>> {
        let Some(key) = ApiKeyText::parse(presented) else { return Ok(None) };
        let Some(row) = sql::keys::find_live(&self.pool, &key.hash()).await? else { return Ok(None) };
        let client = client.map(|address| address.to_canonical());
        if !row.networks.as_deref().is_none_or(|networks| limits::contains(networks, client)) {
            return Ok(None);
        }
        if row.is_use_due {
            sql::uses::record(&self.pool, row.id, client.map(|address| address.to_string()).as_deref()).await?;
        }
        Ok(Some(Program {
            id: row.id,
            name: row.name,
            scopes: scopes(&row.scopes),
            carts: row.carts.map(BTreeSet::from_iter),
            ends_at: row.ends_at,
            ending: row.ending,
        }))
    }
}

/// Scopes that a newer version added are left out, so they allow nothing.
fn scopes(stored: &[String]) -> BTreeSet<Scope> {
    stored.iter().filter_map(|text| Scope::parse(text)).collect()
}

#[cfg(test)]
mod tests;
