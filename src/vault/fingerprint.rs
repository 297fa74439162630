//! Keyed digests of secrets: equal for equal secrets, useless without the key ring, and comparable without decryption.
//!
//! A fingerprint is valid as long as its key stays in the ring: lookups compare under every key, writes use the first.
//! So a passed test of exactly these values still counts after a new key becomes the first line and before the rotation
//! ends.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::key_ring::{Key, KeyRing};

/// HMAC-SHA256 under one key, 16 bytes.
pub type Fingerprint = Vec<u8>;

/// The fingerprint of one value under each key of the ring, the active key first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints(Vec<Fingerprint>);

impl Fingerprints {
    pub(super) fn of(ring: &KeyRing, purpose: &str, parts: &[&str]) -> Self {
        Self(ring.keys().iter().map(|key| digest(key, purpose, parts)).collect())
    }

    /// An empty set of fingerprints; matches no other.
    pub fn none() -> Self {
        Self::default()
    }

    /// The fingerprint to store; empty if there is none.
    pub fn active(&self) -> &[u8] {
        self.0.first().map_or(&[], Vec::as_slice)
    }

    /// The fingerprints under all keys of the ring, for `= any (…)`.
    pub fn all(&self) -> &[Fingerprint] {
        &self.0
    }

    /// The fingerprints under earlier active keys.
    pub fn earlier(&self) -> &[Fingerprint] {
        self.0.get(1..).unwrap_or_default()
    }

    /// Whether `written` is a fingerprint of this value, under any key.
    pub fn is(&self, written: Option<&Fingerprint>) -> bool {
        written.is_some_and(|written| self.0.contains(written))
    }
}

/// Digests parts, each with its length, so that different lists of parts never collide.
fn digest(key: &Key, purpose: &str, parts: &[&str]) -> Fingerprint {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key.fingerprint_key()).expect("HMAC takes a key of any length");
    for part in std::iter::once(&purpose).chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes()[..16].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_distinguish_lists_of_parts() {
        let ring = KeyRing::generate();
        let of = |purpose, parts: &[&str]| Fingerprints::of(&ring, purpose, parts);
        assert_eq!(of("p", &["ab", "c"]), of("p", &["ab", "c"]));
        assert_ne!(of("p", &["ab", "c"]), of("p", &["a", "bc"]));
        assert_ne!(of("p", &["ab"]), of("q", &["ab"]));
    }

    #[test]
    fn fingerprint_is_valid_while_its_key_is_in_the_ring() {
        let (old, new) = (KeyRing::generate_line(), KeyRing::generate_line());
        let of = |lines: &str| Fingerprints::of(&KeyRing::parse(lines).expect("keys"), "p", &["x"]);
        let written = of(&old).active().to_vec();
        let both = of(&format!("{new}\n{old}\n"));
        assert_ne!(both.active(), written);
        assert!(both.is(Some(&written)) && both.earlier() == [written.clone()]);
        assert_eq!(both.all(), [both.active().to_vec(), written.clone()], "what a search compares with");
        assert!(!of(&new).is(Some(&written)));
        assert!(!both.is(None) && !Fingerprints::none().is(Some(&Vec::new())), "no fingerprint matches nothing");
    }
}
