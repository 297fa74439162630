//! The text of a key: `cwk_`, 30 random base62 digits (178 bits), and 6 base62 digits of the CRC-32 (IEEE) over the 30.
//! The format follows GitHub's tokens. The prefix lets secret scanners find leaked keys, and the checksum lets the server
//! refuse text that was never a key without a query.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "cwk_";
const RANDOM_LEN: usize = 30;
const CHECKSUM_LEN: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key with a correct checksum. `Debug` prints nothing of it.
#[derive(Clone, Debug)]
pub struct ApiKeyText(SecretString);

impl ApiKeyText {
    /// Generates a new key.
    pub fn generate() -> Self {
        let mut random = Zeroizing::new(String::with_capacity(RANDOM_LEN));
        while random.len() < RANDOM_LEN {
            let mut bytes = Zeroizing::new([0_u8; 64]);
            getrandom::fill(&mut bytes[..]).expect("the system has a random source");
            // 248 is the largest multiple of 62 in a byte: beyond it, the first digits would be more frequent.
            let digits =
                bytes.iter().filter(|byte| **byte < 248).map(|byte| char::from(DIGITS[usize::from(byte % 62)]));
            let missing = RANDOM_LEN - random.len();
            random.extend(digits.take(missing));
        }
        let checksum = checksum(&random);
        Self([PREFIX, random.as_str(), &checksum].concat().into())
    }

    /// Parses a key exactly as it was issued. `None` if the prefix, a digit or the checksum is wrong.
    pub fn parse(presented: &str) -> Option<Self> {
        let digits = presented.strip_prefix(PREFIX)?;
        if digits.len() != RANDOM_LEN + CHECKSUM_LEN || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (random, written) = digits.split_at(RANDOM_LEN);
        (checksum(random) == written).then(|| Self(presented.into()))
    }

    /// The value that the database stores. The key is random, so a plain hash is enough.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.expose()).to_vec()
    }

    /// The last four characters. They belong to the checksum and reveal at most 24 of the key's 178 bits.
    pub fn ending(&self) -> &str {
        let text = self.expose();
        &text[text.len() - 4..]
    }

    /// The whole key, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The CRC-32 of a text as six base62 digits.
fn checksum(text: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    let mut left = crc.sum();
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(left % 62).expect("less than 62")];
        left /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's known answer.
    #[test]
    fn checksum_matches_the_known_answer() {
        assert_eq!(checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), "0mLq17");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn generated_key_is_parsed_and_differs_from_the_next() {
        let (one, other) = (ApiKeyText::generate(), ApiKeyText::generate());
        assert_eq!(one.expose().len(), 40);
        assert_ne!(one.expose(), other.expose());
        let parsed = ApiKeyText::parse(one.expose()).expect("a generated key");
        assert_eq!(parsed.hash(), one.hash());
        assert!(one.expose().ends_with(one.ending()) && one.ending().len() == 4);
    }

    #[test]
    fn every_digit_is_used() {
        let all: String = (0..60).map(|_| ApiKeyText::generate().expose()[4..34].to_owned()).collect();
        assert!(DIGITS.iter().all(|digit| all.contains(char::from(*digit))), "1800 digits contain all 62");
    }

    #[test]
    fn changed_key_is_refused() {
        let key = ApiKeyText::generate();
        let text = key.expose();
        for at in 4..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(changed).expect("digits");
            assert!(ApiKeyText::parse(&changed).is_none(), "digit {at}");
        }
        let others = [
            "",
            "cwk_",
            &text[4..],
            &text[..39],
            &format!("{text}0"),
            &format!(" {text}"),
            &text.replace("cwk_", "CWK_"),
            &format!("cwk_{}", "é".repeat(18)),
        ]
        .map(str::to_owned);
        for other in others {
            assert!(ApiKeyText::parse(&other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn debug_output_contains_nothing_of_the_key() {
        let key = ApiKeyText::generate();
        let told = format!("{key:?}");
        assert!(!told.contains(key.ending()) && !told.contains("cwk_"), "{told}");
    }
}
