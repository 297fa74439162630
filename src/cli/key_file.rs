//! The key ring that the server and the worker open secrets with.

#[cfg(feature = "embedded")]
use super::say;
use crate::{config::Database, vault::KeyRing};

/// The ring of the key file. With the private database and no named file, one that is created in its folder.
pub(super) fn key_ring(given: Option<KeyRing>, database: &Database) -> anyhow::Result<KeyRing> {
    match (given, database) {
        (Some(ring), _) => Ok(ring),
        #[cfg(feature = "embedded")]
        (None, Database::Embedded { data_dir, .. }) => {
            let path = data_dir.join("keys");
            let (ring, made) = KeyRing::read_or_make(&path)?;
            if made {
                say(format_args!(
                    "Made a key that seals saved secrets: {}. Keep a copy of it apart from the database.",
                    path.display()
                ));
            }
            Ok(ring)
        }
        (None, Database::Url { .. }) => anyhow::bail!("CARTWRIGHT_KEY_FILE is not set"),
    }
}
