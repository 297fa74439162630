//! The key file: the file that the operator configured, or the one next to the private database.

use super::{Database, KeyFlags, SettingProblems, given};
use crate::vault::KeyRing;

impl KeyFlags {
    /// Validates the flags: the database and its key ring. The key of the private database is in the database's folder.
    pub fn check(&self) -> Result<(Database, Option<KeyRing>), SettingProblems> {
        let mut problems = SettingProblems::default();
        let database = self.database.database(&mut problems);
        let keys = key_ring(self.key_file(database.as_ref()).as_deref(), database.as_ref(), &mut problems);
        problems.unless_told(database.map(|database| (database, keys)))
    }

    /// Path of the key file: the configured file, or the file created with the private database.
    pub fn key_file(&self, database: Option<&Database>) -> Option<String> {
        let named = given(self.key_file.as_ref()).map(str::to_owned);
        #[cfg(feature = "embedded")]
        if let (None, Some(Database::Embedded { data_dir, .. })) = (&named, database) {
            let made = data_dir.join("keys");
            return made.exists().then(|| made.display().to_string());
        }
        let _ = database;
        named
    }
}

/// Reads the key ring at `path`. Reports a problem if an external database is configured without a key file.
pub(super) fn key_ring(
    path: Option<&str>,
    database: Option<&Database>,
    problems: &mut SettingProblems,
) -> Option<KeyRing> {
    let Some(path) = path else {
        if matches!(database, Some(Database::Url { .. })) {
            problems.tell(
                "CARTWRIGHT_KEY_FILE",
                "it is not set; with DATABASE_URL name the file that holds the key, made by `cartwright keys generate`",
            );
        }
        return None;
    };
    let read = KeyRing::read(path.as_ref());
    read.map_err(|error| problems.tell("CARTWRIGHT_KEY_FILE", format!("{error:#}"))).ok()
}
