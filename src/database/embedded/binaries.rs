//! Finds the Postgres server programs in the places where Debian, Fedora, Homebrew and Postgres.app install them.
//! Debian keeps them out of `PATH` on purpose. Does not install them; `scripts/run` does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{EmbeddedError, Owner};

/// Oldest supported major version.
pub const OLDEST_MAJOR: u32 = 15;

/// Folders with one folder per installed version, and the path from there to the programs.
const VERSION_FOLDERS: [(&str, &str); 8] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/lib/postgresql-server", "bin"),
    ("/usr", "bin"), // Fedora's pgsql-17
    ("/usr/local", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

/// Places to search in addition to the usual ones. Both come from the environment, which only `config` reads.
#[derive(Debug, Clone, Default)]
pub struct SearchPaths {
    /// `PG_BIN`: a folder with `postgres`, `initdb` and `pg_ctl`. If set, no other folder is searched.
    pub pg_bin: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<OsString>,
}

/// The folder with the server programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    pub major: u32,
}

impl Binaries {
    /// Finds the programs of version `made` for existing data, or the newest programs for new data.
    pub async fn find(places: &SearchPaths, owner: &Owner, made: Option<(&Path, &str)>) -> Result<Self, EmbeddedError> {
        let looked = candidates(places, owner).await;
        let mut found = Vec::new();
        for folder in &looked {
            if let Some(major) = version_of(folder, owner).await {
                found.push(Self { folder: folder.clone(), major });
            }
        }
        found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
        let Some((folder, made)) = made else {
            let newest = found.into_iter().find(|binaries| binaries.major >= OLDEST_MAJOR);
            return newest.ok_or_else(|| nothing(places, &looked));
        };
        if found.is_empty() {
            return Err(nothing(places, &looked));
        }
        let names: Vec<String> = found.iter().map(|binaries| binaries.major.to_string()).collect();
        let fitting = found.into_iter().find(|binaries| binaries.major.to_string() == made);
        fitting.ok_or_else(|| EmbeddedError::OtherMajor {
            folder: folder.to_owned(),
            made: made.to_owned(),
            found: names.join(", "),
        })
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Candidate folders in search order, without duplicates. Symbolic links are resolved, because `initdb` finds `share`
/// relative to its real path.
async fn candidates(places: &SearchPaths, owner: &Owner) -> Vec<PathBuf> {
    if let Some(folder) = &places.pg_bin {
        return vec![folder.canonicalize().unwrap_or_else(|_| folder.clone())];
    }
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in places.path.iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute()) {
        if let Ok(real) = folder.join("postgres").canonicalize() {
            folders.extend(real.parent().map(Path::to_owned));
        }
        if folder.join("pg_config").is_file() {
            folders.extend(bindir(&folder.join("pg_config"), owner).await);
        }
    }
    for (shelf, rest) in VERSION_FOLDERS {
        let versions = std::fs::read_dir(shelf).into_iter().flatten().flatten().map(|entry| entry.path().join(rest));
        folders.extend(versions.filter(|folder| folder.join("postgres").is_file()));
    }
    let mut once = Vec::new();
    for folder in folders {
        let real = folder.canonicalize().unwrap_or(folder);
        if real.join("initdb").is_file() && !once.contains(&real) {
            once.push(real);
        }
    }
    once
}

async fn bindir(pg_config: &Path, owner: &Owner) -> Option<PathBuf> {
    let said = owner.command(pg_config).arg("--bindir").output().await.ok()?;
    Some(PathBuf::from(String::from_utf8(said.stdout).ok()?.trim()))
}

/// The major version of the programs in `folder`. `None` if the owner of the cluster cannot run them, for example
/// because they are in a cache that only root can read.
async fn version_of(folder: &Path, owner: &Owner) -> Option<u32> {
    let said = owner.command(folder.join("postgres")).arg("--version").output().await.ok()?;
    major(&String::from_utf8_lossy(&said.stdout))
}

/// Parses the major version: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15, `… 19devel` is 19.
fn major(said: &str) -> Option<u32> {
    let number = said.split_once("(PostgreSQL) ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

fn nothing(places: &SearchPaths, looked: &[PathBuf]) -> EmbeddedError {
    let mut names: Vec<String> = looked.iter().map(|folder| folder.display().to_string()).collect();
    if places.pg_bin.is_none() {
        names.push("PATH".to_owned());
        names.extend(VERSION_FOLDERS.iter().map(|(shelf, rest)| format!("{shelf}/*/{rest}")));
    }
    EmbeddedError::NoBinaries { oldest: OLDEST_MAJOR, looked: names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_parsed_from_every_packagers_output() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18.6\n"), Some(18));
        assert_eq!(major("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(major("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(major("bash, version 5"), None);
        assert_eq!(major(""), None);
    }

    #[tokio::test]
    async fn folder_without_programs_is_named_in_the_error() {
        let empty = tempfile::tempdir().unwrap();
        let owner = Owner::of(Path::new("/nowhere/at/all")).unwrap();
        let places = SearchPaths { pg_bin: Some(empty.path().to_owned()), path: None };
        let refusal = Binaries::find(&places, &owner, None).await.unwrap_err().to_string();
        assert!(refusal.contains(&empty.path().canonicalize().unwrap().display().to_string()), "{refusal}");
        assert!(refusal.contains("scripts/run") && refusal.contains("DATABASE_URL"), "{refusal}");
    }

    #[tokio::test]
    async fn missing_version_error_names_both_versions() {
        let places = SearchPaths { pg_bin: None, path: std::env::var_os("PATH") };
        let owner = Owner::of(Path::new("/nowhere/at/all")).unwrap();
        let found = Binaries::find(&places, &owner, None).await.unwrap();
        let refusal = Binaries::find(&places, &owner, Some((Path::new("/data"), "9"))).await.unwrap_err().to_string();
        assert!(refusal.contains("made by Postgres 9"), "{refusal}");
        assert!(refusal.contains(&found.major.to_string()), "{refusal}");
    }
}
