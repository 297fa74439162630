//! Retires a lost key. The server then starts without it, and users must re-enter the secrets that only this key could
//! open. Nothing is deleted: if the key's line is restored in the file, the secrets open as before.

use super::{tallies, total};
use crate::{
    audit::{self, By, Event},
    database::{Pool, transaction},
    vault::{KeyRing, sql},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredKey {
    /// Number of secrets that no key can open now.
    pub secrets: i64,
    pub was_retired: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    #[error("{0:?} is not the id of a key: 16 hex digits, as `cartwright keys list` shows them")]
    NoId(String),
    #[error("no key {0} has sealed in this database; `cartwright keys list` shows those that have")]
    Unknown(String),
    #[error(
        "the key {0} is the first line of the key file: it seals. Put another key before it and run `cartwright keys rotate`"
    )]
    Seals(String),
    #[error(
        "the key {name} is in the key file (line {line}) and opens {secrets} secrets, so it is not lost. Run `cartwright keys rotate`, \
         or take its line out of the file first"
    )]
    Opens { name: String, line: usize, secrets: i64 },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Retires a lost key. Rejects a key that is in the ring and needed.
pub async fn forget(pool: &Pool, ring: Option<&KeyRing>, key: &str) -> Result<RetiredKey, RetireError> {
    let name = key.trim().to_ascii_lowercase();
    let id = parse(&name).ok_or_else(|| RetireError::NoId(key.to_owned()))?;
    let known = sql::known_keys(pool).await?.into_iter().find(|known| known.key_id == id);
    let known = known.ok_or_else(|| RetireError::Unknown(name.clone()))?;
    let secrets = total(&tallies(&mut *pool.acquire().await?).await?, &id);
    if let Some(here) = ring.and_then(|ring| ring.find(&id)) {
        if ring.is_some_and(|ring| ring.active().id() == here.id()) {
            return Err(RetireError::Seals(name));
        }
        if secrets > 0 {
            return Err(RetireError::Opens { name, line: here.line(), secrets });
        }
    }
    let was_retired = known.retired_at.is_some();
    transaction::<_, sqlx::Error, _>(pool, move |work| {
        Box::pin(async move {
            if sql::retire(work, &id).await? {
                let event = Event::EncryptionKeyForgotten { key: name, secrets };
                audit::record(work, &By::operator(), None, &event).await?;
            }
            Ok(())
        })
    })
    .await?;
    Ok(RetiredKey { secrets, was_retired })
}

/// Parses 16 hex digits as eight bytes.
fn parse(name: &str) -> Option<Vec<u8>> {
    if name.len() != 16 || !name.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..16).step_by(2).map(|at| u8::from_str_radix(&name[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_id_is_sixteen_hex_digits() {
        assert_eq!(parse("00ff10abcdef0102"), Some(vec![0, 255, 16, 0xab, 0xcd, 0xef, 1, 2]));
        for wrong in
            ["", "00ff", "00ff10abcdef010", "00ff10abcdef01020", "00ff10abcdef010g", "+0ff10abcdef0102", "äöüäöüäö"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
