//! Sessions: 256 random bits in a cookie, their SHA-256 in the database, an idle timeout and an absolute timeout, both
//! measured by the database clock. Protects against readers of a dump (a hash signs nobody in) and against changes of
//! the server's clock.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// How long an entered password counts as a confirmation, in minutes.
pub const FRESH_MINUTES: i32 = 10;

/// A browser's random secret: of its session or, before sign-in, of its form.
#[derive(Clone)]
pub struct BrowserSecret([u8; 32]);

impl BrowserSecret {
    pub fn generate() -> Self {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).expect("the system has a random source");
        Self(secret)
    }

    /// Parses a cookie's value: 43 characters of base64url, otherwise `None`.
    pub fn from_cookie(value: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok().map(Self)
    }

    pub fn to_cookie(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The value that the database stores.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }

    /// A form token: HMAC under this secret, XOR-masked with a new mask for each page, so that compression leaks
    /// nothing (BREACH).
    pub fn form_token(&self) -> String {
        let mut mask = [0_u8; 32];
        getrandom::fill(&mut mask).expect("the system has a random source");
        let masked: Vec<u8> = self.plain_token().iter().zip(mask).map(|(token, mask)| token ^ mask).collect();
        URL_SAFE_NO_PAD.encode([&mask[..], &masked].concat())
    }

    /// Whether a form token was issued for this browser.
    pub fn made(&self, token: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let Some((mask, masked)) = bytes.split_at_checked(32) else { return false };
        let token: Vec<u8> = masked.iter().zip(mask).map(|(masked, mask)| masked ^ mask).collect();
        token.ct_eq(&self.plain_token()).into()
    }

    fn plain_token(&self) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(b"cartwright/v1/form");
        mac.finalize().into_bytes().into()
    }
}

impl Drop for BrowserSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for BrowserSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrowserSecret")
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    Idle,
    TooOld,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_round_trips_256_bits() {
        let secret = BrowserSecret::generate();
        assert_eq!(secret.to_cookie().len(), 43);
        assert_eq!(BrowserSecret::from_cookie(&secret.to_cookie()).expect("ours").hash(), secret.hash());
        for value in ["", "x", "=", &"A".repeat(42), &"A".repeat(44)] {
            assert!(BrowserSecret::from_cookie(value).is_none(), "{value:?}");
        }
    }

    #[test]
    fn form_token_differs_per_page_and_is_bound_to_its_browser() {
        let (ours, theirs) = (BrowserSecret::generate(), BrowserSecret::generate());
        assert_ne!(ours.form_token(), ours.form_token());
        assert!(ours.made(&ours.form_token()));
        assert!(!theirs.made(&ours.form_token()));
        for token in ["", "A", &"A".repeat(86), &ours.form_token()[1..]] {
            assert!(!ours.made(token), "{token:?}");
        }
    }
}
