//! The key file: one key per line. The first key seals, and all keys open. Keys come from a file and not from a
//! variable, because any flaw that reads files exposes the environment, and child processes inherit it.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::sql;
use crate::{database::Pool, pasted::without_bom};

/// One key, with the values that HKDF-SHA256 (RFC 5869) derives from it.
pub struct Key {
    /// Line number in the file, from 1.
    line: usize,
    id: [u8; 8],
    sealing: Zeroizing<[u8; 32]>,
    fingerprint: Zeroizing<[u8; 32]>,
    check_value: [u8; 32],
}

impl Key {
    fn derive(material: &[u8; 32], line: usize) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, material);
        let mut key = Self {
            line,
            id: [0; 8],
            sealing: Zeroizing::new([0; 32]),
            fingerprint: Zeroizing::new([0; 32]),
            check_value: [0; 32],
        };
        let outputs: [(&str, &mut [u8]); 4] = [
            ("cartwright/v1/key-id", &mut key.id),
            ("cartwright/v1/seal", &mut *key.sealing),
            ("cartwright/v1/fingerprint", &mut *key.fingerprint),
            ("cartwright/v1/check", &mut key.check_value),
        ];
        for (label, output) in outputs {
            hkdf.expand(label.as_bytes(), output).expect("HKDF expands to 32 bytes");
        }
        key
    }

    pub fn line(&self) -> usize {
        self.line
    }

    pub fn id(&self) -> &[u8; 8] {
        &self.id
    }

    /// The key ID in its displayed form: 16 hex digits.
    pub fn name(&self) -> String {
        name(&self.id)
    }

    /// Whether this is the key that is registered under its ID.
    pub fn is(&self, known: &sql::KnownKey) -> bool {
        self.id[..] == known.key_id[..] && self.check_value[..] == known.check_value[..]
    }

    pub(super) fn sealing_key(&self) -> &[u8; 32] {
        &self.sealing
    }

    pub(super) fn fingerprint_key(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.name())
    }
}

/// Formats a key ID for display: 16 hex digits.
pub fn name(id: &[u8]) -> String {
    id.iter().fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

/// All keys of the file, in its order; never empty.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<Key>,
}

/// Why a key file is rejected. The caller adds the path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    #[error("it holds no key; make one with `cartwright keys generate`")]
    Empty,
    #[error("line {0} is not base64 of exactly 32 bytes")]
    Malformed(usize),
    #[error("line {0} is all the same byte, which is no key")]
    Uniform(usize),
    #[error("line {0} repeats an earlier line")]
    Doubled(usize),
}

impl KeyRing {
    /// Parses lines of base64, each of exactly 32 bytes; `#` starts a comment. A leading byte order mark is ignored.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut keys: Vec<Key> = Vec::new();
        for (at, line) in without_bom(text).lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let decoded = Zeroizing::new(STANDARD.decode(line).map_err(|_| KeyRingError::Malformed(at + 1))?);
            let material =
                Zeroizing::new(<[u8; 32]>::try_from(&decoded[..]).map_err(|_| KeyRingError::Malformed(at + 1))?);
            if material.iter().all(|byte| *byte == material[0]) {
                return Err(KeyRingError::Uniform(at + 1));
            }
            let key = Key::derive(&material, at + 1);
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(KeyRingError::Doubled(at + 1));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyRingError::Empty) } else { Ok(Self { keys }) }
    }

    /// Generates a line for a key file: 32 bytes from the operating system, base64.
    pub fn generate_line() -> String {
        let mut material = Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *material).expect("the system has a random source");
        STANDARD.encode(*material)
    }

    /// Writes a new key to a new file. The file is created readable only by its owner, before any content is written.
    ///
    /// # Errors
    /// The path already exists, even as a symbolic link, or the file cannot be created.
    pub fn write_new(path: &Path) -> std::io::Result<()> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o400).open(path)?;
        writeln!(file, "{}", Self::generate_line())?;
        file.sync_all()
    }

    /// A ring with one new key that is not stored anywhere.
    pub fn generate() -> Self {
        Self::parse(&Self::generate_line()).expect("a generated line is a key")
    }

    /// Reads the ring from a file. Logs a warning if other users can read the file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = Zeroizing::new(
            std::fs::read_to_string(path)
                .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", path.display()))?,
        );
        let ring = Self::parse(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        if is_open_to_others(path) {
            tracing::warn!(path = %path.display(), "everybody on this machine may read the key file; chmod 0400 it");
        }
        Ok(ring)
    }

    /// Reads the ring, or creates the file with one new key if it does not exist. Only for the embedded database,
    /// because two replicas would create different keys. The second value is whether the file was created.
    pub fn read_or_make(path: &Path) -> anyhow::Result<(Self, bool)> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                writeln!(file, "# Seals the saved secrets. Whoever has this file and the database can open them.")?;
                writeln!(file, "{}", Self::generate_line())?;
                file.sync_all()?;
                Ok((Self::read(path)?, true))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok((Self::read(path)?, false)),
            Err(error) => Err(anyhow::anyhow!("{} cannot be made: {error}", path.display())),
        }
    }

    /// The key that seals.
    pub fn active(&self) -> &Key {
        &self.keys[0]
    }

    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The IDs of all keys, for `= any (…)`.
    pub fn ids(&self) -> Vec<Vec<u8>> {
        self.keys.iter().map(|key| key.id.to_vec()).collect()
    }

    /// Finds a key of the file by its ID.
    pub fn find(&self, id: &[u8]) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// Whether unrelated accounts can read or change the file. Reported as a warning and not an error, because container
/// secrets often have mode 0444 in their own file system.
pub fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

/// Compares the ring with the check values in the database, then registers new keys.
pub(super) async fn check(ring: &KeyRing, pool: &Pool) -> anyhow::Result<()> {
    for known in sql::known_keys(pool).await? {
        match ring.find(&known.key_id) {
            Some(key) if !key.is(&known) => anyhow::bail!(
                "CARTWRIGHT_KEY_FILE: the key {} is not the one that sealed in this database. Put the right key file back.",
                key.name()
            ),
            None if known.retired_at.is_none() => anyhow::bail!(
                "CARTWRIGHT_KEY_FILE: the key {0} has sealed in this database and is not in the file. Put its line back. \
                 If it is truly lost: cartwright keys forget {0}",
                name(&known.key_id)
            ),
            _ => {}
        }
    }
    for (at, key) in ring.keys.iter().enumerate() {
        sql::register(pool, &key.id, &key.check_value, at == 0).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_key_files_are_rejected() {
        let key = KeyRing::generate_line();
        let refusals = [
            (String::new(), KeyRingError::Empty),
            ("# only a comment\n\n".into(), KeyRingError::Empty),
            ("c2hvcnQ=".into(), KeyRingError::Malformed(1)),
            (format!("{key}AAAA"), KeyRingError::Malformed(1)),
            ("not base64!".into(), KeyRingError::Malformed(1)),
            (format!("{key}\nc2hvcnQ="), KeyRingError::Malformed(2)),
            (format!("{key}\n\nnot base64!"), KeyRingError::Malformed(3)),
            (format!("{key}\n{}", STANDARD.encode([0_u8; 32])), KeyRingError::Uniform(2)),
            (STANDARD.encode([7_u8; 32]), KeyRingError::Uniform(1)),
            (format!("# one\n{key}\n{key}\n"), KeyRingError::Doubled(3)),
        ];
        for (text, refusal) in refusals {
            assert_eq!(KeyRing::parse(&text).err(), Some(refusal), "{text:?}");
        }
    }

    #[test]
    fn first_line_seals_and_comments_are_ignored() {
        let (first, second) = (KeyRing::generate_line(), KeyRing::generate_line());
        let ring = KeyRing::parse(&format!("# ours\n\n{first} # new\n{second}\n")).expect("two keys");
        for file in [format!("\u{FEFF}{first}\r\n"), format!("\u{FEFF}# ours\r\n{first}\r\n\r\n")] {
            let marked = KeyRing::parse(&file).expect("a key behind a byte order mark");
            assert_eq!(marked.active().id(), KeyRing::parse(&first).expect("one").active().id());
        }
        assert_eq!(ring.keys().iter().map(Key::line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(ring.active().id(), KeyRing::parse(&first).expect("one").active().id());
    }

    #[test]
    fn key_debug_output_is_its_id() {
        let ring = KeyRing::generate();
        let name = ring.active().name();
        assert_eq!(format!("{ring:?}"), format!("KeyRing {{ keys: [Key({name})] }}"));
        assert_eq!(format!("{:016x}", u64::from_be_bytes(*ring.active().id())), name);
    }

    /// An ID has only eight bytes, so two keys could share one by chance or on purpose; their check values differ.
    #[sqlx::test]
    async fn different_key_with_a_known_id_is_rejected(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let ring = KeyRing::generate();
        check(&ring, &pool).await.expect("a new key");
        check(&ring, &pool).await.expect("a known key");
        sqlx::query("update vault_keys set check_value = sha256(check_value)").execute(&pool).await.expect("another");
        let refusal = check(&ring, &pool).await.expect_err("not the one that sealed").to_string();
        let name = ring.active().name();
        assert!(refusal.contains(&format!("the key {name} is not the one that sealed")), "{refusal}");
        let known = |key_id: &[u8], check_value: &[u8]| sql::KnownKey {
            key_id: key_id.to_vec(),
            check_value: check_value.to_vec(),
            checked_at: None,
            retired_at: None,
        };
        let key = ring.active();
        assert!(key.is(&known(&key.id, &key.check_value)));
        assert!(!key.is(&known(&[0; 8], &key.check_value)));
    }

    #[test]
    fn key_file_readable_by_others_is_detected() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("keys");
        std::fs::write(&path, KeyRing::generate_line()).expect("a file");
        for (mode, is_open) in
            [(0o400, false), (0o600, false), (0o640, false), (0o444, true), (0o604, true), (0o606, true)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("our own file");
            assert_eq!(is_open_to_others(&path), is_open, "{mode:o}");
            assert!(KeyRing::read(&path).is_ok(), "{mode:o}: only a warning");
        }
        assert!(!is_open_to_others(&folder.path().join("missing")));
    }

    #[test]
    fn created_key_file_is_private_and_created_once() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("keys");
        let (first, made) = KeyRing::read_or_make(&path).expect("made");
        assert!(made);
        assert_eq!(std::fs::metadata(&path).expect("file").permissions().mode() & 0o777, 0o600);
        let (again, made) = KeyRing::read_or_make(&path).expect("read");
        assert!(!made);
        assert_eq!(first.active().id(), again.active().id());
        let nowhere = KeyRing::read_or_make(&folder.path().join("missing/keys")).expect_err("no such folder");
        assert!(nowhere.to_string().contains("cannot be made"), "{nowhere}");
    }
}
