//! The hash chain over the audit log: each row is hashed together with the previous link, so that [`verify()`] finds
//! rows that were changed, removed or reordered later. Hashes are computed here and not in SQL, so that database
//! functions need not be trusted. The database owner can still write a new chain; a head that was reported elsewhere
//! reveals it.

mod linking;
mod verify;

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use linking::{claim_head_report, find_chain_head, link_new_rows};
pub use verify::{ChainFault, ChainReport, verify};

/// Domain separation: prefix of every hash input, so that no other hash of ours can pass as a link.
const DOMAIN: &[u8] = b"cartwright activity link 1\0";

/// SHA-256 hash of a link.
pub(super) type LinkHash = [u8; 32];

/// Takes the place of the previous hash in the first link.
pub(super) const GENESIS: LinkHash = [0; 32];

/// A position in the chain and the hash of its link, written `POSITION:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Counted from 1.
    pub position: i64,
    pub(super) hash: LinkHash,
}

impl ChainHead {
    /// The hash as hexadecimal digits.
    pub fn hash_hex(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for ChainHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.hash_hex())
    }
}

/// The text is not a valid [`ChainHead`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no POSITION:HASH, a number and 64 hex digits")]
pub struct ChainHeadError;

impl FromStr for ChainHead {
    type Err = ChainHeadError;

    fn from_str(text: &str) -> Result<Self, ChainHeadError> {
        let (position, hex) = text.trim().split_once(':').ok_or(ChainHeadError)?;
        let position = position.parse().ok().filter(|position| *position > 0).ok_or(ChainHeadError)?;
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ChainHeadError);
        }
        let mut hash = GENESIS;
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).map_err(|_| ChainHeadError)?;
        }
        Ok(Self { position, hash })
    }
}

/// An audit log row in the form in which it is hashed, with every column.
#[derive(Clone, Debug)]
pub(super) struct ChainedRow {
    pub id: Uuid,
    /// Microseconds since 2000-01-01 in Postgres's binary format: 8 bytes, big-endian.
    pub at: Vec<u8>,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    pub actor_email: Option<String>,
    pub event: String,
    pub cart_id: Option<Uuid>,
    pub cart_name: Option<String>,
    /// `jsonb` as text; Postgres has only one text form for each value.
    pub data: String,
    pub request_id: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub what: Option<String>,
}

/// Hash of a link: SHA-256 over the domain prefix, the previous hash, the position (8 bytes) and every field. A field
/// is encoded as byte 0 if it is null, otherwise as byte 1, its length (8 bytes) and its bytes. Numbers are big-endian.
/// No two rows have the same encoding.
pub(super) fn link_hash(previous: &LinkHash, position: i64, row: &ChainedRow) -> LinkHash {
    let (actor_id, cart_id) = (row.actor_id.map(Uuid::into_bytes), row.cart_id.map(Uuid::into_bytes));
    let text = |field: &'_ Option<String>| field.as_ref().map(|text| text.as_bytes().to_vec());
    let fields: [Option<Vec<u8>>; 14] = [
        Some(row.id.into_bytes().to_vec()),
        Some(row.at.clone()),
        Some(row.actor_kind.as_bytes().to_vec()),
        actor_id.map(|id| id.to_vec()),
        Some(row.actor_name.as_bytes().to_vec()),
        text(&row.actor_email),
        Some(row.event.as_bytes().to_vec()),
        cart_id.map(|id| id.to_vec()),
        text(&row.cart_name),
        Some(row.data.as_bytes().to_vec()),
        text(&row.request_id),
        text(&row.ip),
        text(&row.user_agent),
        text(&row.what),
    ];
    let mut digest = Sha256::new();
    digest.update(DOMAIN);
    digest.update(previous);
    digest.update(position.to_be_bytes());
    for field in fields {
        match field {
            None => digest.update([0]),
            Some(bytes) => {
                digest.update([1]);
                digest.update((bytes.len() as u64).to_be_bytes());
                digest.update(bytes);
            }
        }
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
