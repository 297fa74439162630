//! The device cookie: proof that a browser signed in to an account before. Sign-in attempts from such a browser are
//! counted separately, so that strangers who use up the account's attempts do not lock out its owner (OWASP, "Slow Down
//! Online Guessing Attacks with Device Cookies").
//!
//! No server-side state: each entry is authenticated under the account's password hash, so that a new password
//! invalidates it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// Maximum number of accounts per browser. A new entry replaces the oldest.
const ACCOUNTS_MAX: usize = 4;
const NONCE_LEN: usize = 16;
const ENTRY_LEN: usize = NONCE_LEN + 32;

/// The cookie's content: up to four entries, one per account. An entry does not reveal its account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceCookie(Vec<[u8; ENTRY_LEN]>);

/// A browser that signed in to an account before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    pub account: Uuid,
    pub nonce: [u8; NONCE_LEN],
}

impl DeviceCookie {
    /// Parses a cookie's value and ignores invalid entries.
    pub fn parse(value: &str) -> Self {
        let entries = value.split('.').take(ACCOUNTS_MAX);
        Self(entries.filter_map(|entry| URL_SAFE_NO_PAD.decode(entry).ok()?.try_into().ok()).collect())
    }

    pub fn value(&self) -> String {
        let entries: Vec<String> = self.0.iter().map(|entry| URL_SAFE_NO_PAD.encode(entry)).collect();
        entries.join(".")
    }

    /// The device, if one of the entries was issued for this account and its password.
    pub(super) fn find(&self, account: Uuid, password_hash: &str) -> Option<Device> {
        self.0.iter().find_map(|entry| {
            let (nonce, tag) = entry.split_first_chunk::<NONCE_LEN>()?;
            mac(account, password_hash, nonce).verify_slice(tag).ok()?;
            Some(Device { account, nonce: *nonce })
        })
    }

    /// Adds an entry for this account, replacing its previous entry.
    #[must_use]
    pub(super) fn with(&self, account: Uuid, password_hash: &str) -> Self {
        let mut entry = [0; ENTRY_LEN];
        getrandom::fill(&mut entry[..NONCE_LEN]).expect("the system has a random source");
        let tag = mac(account, password_hash, &entry[..NONCE_LEN]).finalize().into_bytes();
        entry[NONCE_LEN..].copy_from_slice(&tag);
        let others = self.0.iter().filter(|other| Self(vec![**other]).find(account, password_hash).is_none());
        Self(std::iter::once(entry).chain(others.copied()).take(ACCOUNTS_MAX).collect())
    }
}

/// The key is the PHC string, whose salt and digest the cookie's holder does not know.
fn mac(account: Uuid, password_hash: &str, nonce: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(password_hash.as_bytes()).expect("HMAC takes any key");
    mac.update(b"cartwright/v1/device");
    mac.update(account.as_bytes());
    mac.update(nonce);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIYA: Uuid = Uuid::from_u128(1);
    const SAM: Uuid = Uuid::from_u128(2);

    #[test]
    fn an_entry_is_bound_to_its_account_and_password() {
        let cookie = DeviceCookie::parse(&DeviceCookie::default().with(PRIYA, "hash").value());
        let device = cookie.find(PRIYA, "hash").expect("issued for her");
        assert_eq!(device.account, PRIYA);
        assert_eq!(cookie.find(SAM, "hash"), None, "another account");
        assert_eq!(cookie.find(PRIYA, "other hash"), None, "another password");
        let value = cookie.value();
        for at in 0..value.len() {
            let mut bent = value.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'g' } else { b'A' };
            let bent = String::from_utf8(bent).expect("ASCII");
            assert_eq!(DeviceCookie::parse(&bent).find(PRIYA, "hash"), None, "{at}");
        }
        for value in ["", ".", "....", "x", &"A".repeat(64), &"A".repeat(5_000)] {
            assert_eq!(DeviceCookie::parse(value).find(PRIYA, "hash"), None, "{value:?}");
        }
    }

    #[test]
    fn cookie_keeps_the_four_latest_accounts() {
        let mut cookie = DeviceCookie::default();
        for account in 1..=5 {
            cookie = cookie.with(Uuid::from_u128(account), "hash");
        }
        let known = (1..=5).map(|account| cookie.find(Uuid::from_u128(account), "hash").is_some());
        assert_eq!(known.collect::<Vec<_>>(), [false, true, true, true, true]);
        let before = cookie.find(SAM, "hash").expect("known");
        let renewed = cookie.with(SAM, "hash");
        assert_ne!(renewed.find(SAM, "hash").expect("known").nonce, before.nonce, "renewed at each sign-in");
        assert!(renewed.find(Uuid::from_u128(3), "hash").is_some(), "the other entries stay");
    }
}
