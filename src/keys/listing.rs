//! Lists the keys in the key file, and those that ever sealed in this database.

use std::collections::BTreeMap;

use crate::database::Pool;
use time::OffsetDateTime;

use super::tallies;
use crate::vault::{
    KeyRing,
    key_ring::{self, Key},
    sql,
};

/// State of a key in this database and this key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// In the file, as the first line.
    Seals,
    /// In the file, on another line.
    Opens,
    /// In the file, but a different key is registered under its ID: the server does not start.
    IsAnother,
    /// Not in the file but needed: the server does not start.
    Missing,
    /// Not in the file, and not needed.
    Retired,
    /// Named by secrets but never registered: the secrets are damaged.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The key ID as 16 hex digits.
    pub name: String,
    pub standing: KeyState,
    /// Line number in the file, from 1.
    pub line: Option<usize>,
    /// Whether a server or a command ever started with this key.
    pub is_registered: bool,
    pub checked_at: Option<OffsetDateTime>,
    pub retired_at: Option<OffsetDateTime>,
    /// Secrets that are now sealed under this key, by column.
    pub secrets: BTreeMap<String, i64>,
}

impl KeyLine {
    pub fn total(&self) -> i64 {
        self.secrets.values().sum()
    }
}

/// Lists every key of the file in file order, then the keys that are only in the database. Writes nothing and rejects
/// nothing, because it is used to investigate problems.
pub async fn list(pool: &Pool, ring: Option<&KeyRing>) -> sqlx::Result<Vec<KeyLine>> {
    let mut tallies = tallies(&mut *pool.acquire().await?).await?;
    let mut known: BTreeMap<Vec<u8>, sql::KnownKey> = BTreeMap::new();
    let mut order: Vec<Vec<u8>> = ring.into_iter().flat_map(KeyRing::keys).map(|key| key.id().to_vec()).collect();
    for key in sql::known_keys(pool).await? {
        if !order.contains(&key.key_id) {
            order.push(key.key_id.clone());
        }
        known.insert(key.key_id.clone(), key);
    }
    let named: Vec<_> = tallies.keys().filter(|id| !order.contains(id)).cloned().collect();
    order.extend(named);
    let active = ring.map(|ring| *ring.active().id());
    let lines = order.into_iter().map(|id| {
        let (key, known) = (ring.and_then(|ring| ring.find(&id)), known.get(&id));
        KeyLine {
            name: key_ring::name(&id),
            standing: standing(key, known, active.is_some_and(|active| active[..] == id[..])),
            line: key.map(Key::line),
            is_registered: known.is_some(),
            checked_at: known.and_then(|known| known.checked_at),
            retired_at: known.and_then(|known| known.retired_at),
            secrets: tallies.remove(&id).unwrap_or_default(),
        }
    });
    Ok(lines.collect())
}

fn standing(key: Option<&Key>, known: Option<&sql::KnownKey>, is_active: bool) -> KeyState {
    match (key, known) {
        (Some(key), Some(known)) if !key.is(known) => KeyState::IsAnother,
        (Some(_), _) if is_active => KeyState::Seals,
        (Some(_), _) => KeyState::Opens,
        (None, Some(known)) if known.retired_at.is_some() => KeyState::Retired,
        (None, Some(_)) => KeyState::Missing,
        (None, None) => KeyState::Unknown,
    }
}
