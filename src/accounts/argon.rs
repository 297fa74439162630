//! argon2id that returns its memory to the system after each hash. Handles PHC strings; knows nothing about callers and
//! concurrency.
//!
//! The buffer reserves more memory than it uses. glibc keeps freed blocks of up to 32 MiB, one for each thread that
//! ever hashed, which was 350 MiB after twenty sign-ins. A larger block is always returned, and untouched memory costs
//! nothing.

use std::sync::LazyLock;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};

/// Just above glibc's `DEFAULT_MMAP_THRESHOLD_MAX` (mallopt(3)), in bytes.
const ALWAYS_RETURNED: usize = (32 << 20) + 4096;
/// Length of a digest in bytes, argon2's own default.
const DIGEST: usize = 32;

/// OWASP's argon2id parameters: 19,456 KiB, two passes, one lane.
static TODAY: LazyLock<Params> =
    LazyLock::new(|| Params::new(19_456, 2, 1, None).expect("OWASP's parameters are within argon2's limits"));

/// Hashes a password with the current parameters and a new salt. Returns a PHC string.
pub fn hash(password: &[u8]) -> String {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the system has a random source");
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, TODAY.clone());
    let digest = digest(&argon, password, &salt, DIGEST).expect("argon2 hashes any password");
    PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&*TODAY).expect("three numbers are short"),
        salt: Some(Salt::new(&salt).expect("16 bytes are a salt")),
        hash: Some(digest),
    }
    .to_string()
}

/// Whether a password matches a PHC string, with the string's parameters. An unreadable string matches no password.
pub fn verify(password: &[u8], hash: &str) -> bool {
    let parse = |hash| {
        let hash = PasswordHash::new(hash).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = hash.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
        let argon = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
        Some((argon, hash.salt?, hash.hash?))
    };
    let Some((argon, salt, expected)) = parse(hash) else { return false };
    // `Output` compares in constant time.
    digest(&argon, password, &salt, expected.len()).is_some_and(|found| found == expected)
}

fn digest(argon: &Argon2<'_>, password: &[u8], salt: &[u8], length: usize) -> Option<Output> {
    let blocks = argon.params().block_count();
    let mut memory = Vec::with_capacity(blocks.max(ALWAYS_RETURNED / Block::SIZE));
    memory.resize(blocks, Block::new());
    let mut out = [0; Output::MAX_LENGTH];
    let out = out.get_mut(..length)?;
    argon.hash_password_into_with_memory(password, salt, out, &mut memory).ok()?;
    Output::new(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    #[test]
    fn hashes_are_compatible_with_the_argon2_crate() {
        let ours = hash(b"four plain random words");
        let crates = Argon2::default();
        assert!(
            crates.verify_password(b"four plain random words", &PasswordHash::new(&ours).unwrap()).is_ok(),
            "{ours}"
        );
        assert!(crates.verify_password(b"four plain random word", &PasswordHash::new(&ours).unwrap()).is_err());
        // Outdated parameters, as in a row that was stored years ago.
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).unwrap());
        let theirs = weak.hash_password(b"four plain random words").unwrap().to_string();
        assert!(verify(b"four plain random words", &theirs), "{theirs}");
        assert!(!verify(b"four plain random word", &theirs));
    }

    #[test]
    fn each_hash_has_a_new_salt() {
        assert_ne!(hash(b"four plain random words"), hash(b"four plain random words"));
    }

    #[test]
    fn invalid_hash_matches_no_password() {
        for hash in ["", "not a hash", "$argon2id$v=19$m=19456,t=2,p=1", "$scrypt$ln=1$c2FsdHNhbHQ$aGFzaGhhc2g"] {
            assert!(!verify(b"", hash), "{hash}");
        }
    }
}
