//! The doctor's report on keys: the path and permissions of the file, and secrets that no key opens.

use std::path::Path;

use super::DoctorFinding;
use crate::{
    config::{Database, KeyFlags},
    database::Pool,
    keys::{self, KeyLine, KeyState},
    vault::{KeyRing, key_ring::is_open_to_others},
};

/// Checks the file: its keys, who can read it, and whether it is stored with the data.
pub fn file(flags: &KeyFlags, database: &Database, ring: Option<&KeyRing>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    let path = flags.key_file(Some(database));
    match ring {
        Some(ring) => {
            let names: Vec<_> = ring.keys().iter().map(crate::vault::key_ring::Key::name).collect();
            findings.push(DoctorFinding::Well(format!("The key file holds {}; the first seals.", names.join(", "))));
        }
        None => findings.push(DoctorFinding::Well("There is no key yet: the first start makes one.".into())),
    }
    if let Some(path) = &path
        && is_open_to_others(Path::new(path))
    {
        findings
            .push(DoctorFinding::Mind(format!("Everybody on this machine may read the key file: chmod 0400 {path}")));
    }
    #[cfg(feature = "embedded")]
    if let Database::Embedded { data_dir, .. } = database
        && path.as_ref().is_none_or(|path| lies_in(Path::new(path), data_dir))
    {
        findings.push(DoctorFinding::Mind(format!(
            "Key and data lie together in {}: whoever takes the folder can open every secret. Move the key and name it in \
             CARTWRIGHT_KEY_FILE.",
            data_dir.display()
        )));
    }
    findings
}

/// Whether a file is in a folder or below it, following links.
#[cfg(feature = "embedded")]
fn lies_in(file: &Path, folder: &Path) -> bool {
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => file.starts_with(folder),
    }
}

/// Checks the keys that the database knows.
pub async fn stored(pool: &Pool, ring: Option<&KeyRing>) -> Vec<DoctorFinding> {
    match keys::list(pool, ring).await {
        Ok(lines) => lines.iter().flat_map(of_one).collect(),
        Err(error) => vec![DoctorFinding::Mend(format!("The keys in the database could not be read: {error:#}"))],
    }
}

fn of_one(line: &KeyLine) -> Vec<DoctorFinding> {
    let KeyLine { name, .. } = line;
    let secrets = crate::cli::keys::secrets(line.total());
    let mut findings = Vec::new();
    match line.standing {
        KeyState::IsAnother => findings.push(DoctorFinding::Mend(format!(
            "The key {name} of the file is not the one that sealed in this database: put the right key file back."
        ))),
        KeyState::Missing => findings.push(DoctorFinding::Mend(format!(
            "The key {name} has sealed in this database and is not in the key file: no server starts. Put its line back; if it is \
             truly lost, cartwright keys forget {name}"
        ))),
        KeyState::Retired | KeyState::Unknown if line.total() > 0 => findings.push(DoctorFinding::Mend(format!(
            "{secrets} under the key {name}, which is not in the key file: put its line back, or enter them again in the carts \
             that ask for it."
        ))),
        KeyState::Opens if line.total() > 0 => findings.push(DoctorFinding::Mind(format!(
            "{secrets} still under the key {name}: run cartwright keys rotate."
        ))),
        KeyState::Opens | KeyState::Seals | KeyState::Retired | KeyState::Unknown => {}
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(standing: KeyState, secrets: i64) -> Vec<String> {
        let line = KeyLine {
            name: "00ff10abcdef0102".into(),
            standing,
            line: None,
            is_registered: true,
            checked_at: None,
            retired_at: None,
            secrets: [("carts.secret".to_owned(), secrets)].into(),
        };
        let told = |finding| match finding {
            DoctorFinding::Well(line) => format!("ok {line}"),
            DoctorFinding::Mind(line) => format!("mind {line}"),
            DoctorFinding::Mend(line) => format!("mend {line}"),
        };
        of_one(&line).into_iter().map(told).collect()
    }

    #[test]
    fn unreadable_secrets_are_errors_and_a_pending_rotation_is_not() {
        assert!(said(KeyState::Missing, 0)[0].contains("keys forget 00ff10abcdef0102"));
        assert!(said(KeyState::IsAnother, 0)[0].starts_with("mend"));
        assert!(said(KeyState::Retired, 3)[0].starts_with("mend 3 secrets under"));
        assert!(said(KeyState::Unknown, 1)[0].starts_with("mend 1 secret under"));
        assert!(said(KeyState::Opens, 3)[0].starts_with("mind 3 secrets still"));
        assert!(said(KeyState::Opens, 0).is_empty());
    }

    #[cfg(feature = "embedded")]
    #[test]
    fn key_next_to_the_data_is_detected_through_links() {
        let (data, elsewhere) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let inside = data.path().join("keys");
        std::fs::write(&inside, "x").expect("a file");
        let link = elsewhere.path().join("keys");
        std::os::unix::fs::symlink(&inside, &link).expect("a link");
        assert!(lies_in(&inside, data.path()) && lies_in(&link, data.path()));
        let outside = elsewhere.path().join("own");
        std::fs::write(&outside, "x").expect("a file");
        assert!(!lies_in(&outside, data.path()));
    }
}
