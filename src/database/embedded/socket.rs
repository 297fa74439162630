//! Location of the cluster's Unix socket: the cluster's folder, with mode 0700, or a short folder with the same
//! permissions if that path is too long for a socket address (107 bytes, on macOS 103). The folder's permissions are
//! the only access control: an account that can enter it can connect as the database's user. They exclude every other
//! account of the machine.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{EmbeddedError, Owner};

/// Only part of the socket's file name (`.s.PGSQL.1`): nothing listens on TCP, and port 5432 stays free.
pub const PORT: u16 = 1;

const SOCKET_PATH_MAX_LEN: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The folder of the cluster's socket. Creates the short folder if it is needed. The result is the same at every start,
/// so that a running cluster is found again. Postgres records it in the fifth line of `postmaster.pid`.
pub fn folder(cluster: &Path, owner: &Owner) -> Result<PathBuf, EmbeddedError> {
    if fits(cluster) {
        return Ok(cluster.to_owned());
    }
    let digest = Sha256::digest(cluster.as_os_str().as_bytes());
    let name = digest.iter().take(8).fold("cartwright-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    let short = Path::new(if super::is_root() { "/run" } else { "/tmp" }).join(name);
    match private(&short, owner) {
        Ok(()) => Ok(short),
        Err(cause) => Err(EmbeddedError::SocketPath { folder: cluster.to_owned(), short, cause }),
    }
}

/// Whether a socket in `folder` has a valid address. sqlx accepts only UTF-8 folder names.
fn fits(folder: &Path) -> bool {
    folder.to_str().is_some_and(|name| name.len() + "/.s.PGSQL.1".len() <= SOCKET_PATH_MAX_LEN)
}

/// Creates the folder, or accepts the folder of an earlier start. Any account could have created it in `/tmp` first, so
/// it must be a real folder, owned by `owner` and closed to all others. Nobody else can replace it later, because
/// `/tmp` has the sticky bit.
fn private(short: &Path, owner: &Owner) -> Result<(), String> {
    match std::fs::DirBuilder::new().mode(0o700).create(short) {
        Ok(()) => return owner.give(short).map_err(|cause| cause.to_string()),
        Err(cause) if cause.kind() != std::io::ErrorKind::AlreadyExists => return Err(cause.to_string()),
        Err(_) => {}
    }
    let there = short.symlink_metadata().map_err(|cause| cause.to_string())?;
    if there.is_dir() && there.uid() == owner.uid && there.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    Err("it belongs to somebody else".to_owned())
}

/// Removes a short folder after the cluster stopped. Does not remove the cluster's own folder.
pub fn tidy(socket: &Path, cluster: &Path) {
    if socket != cluster {
        // Not empty or already gone; the next start handles both.
        let _ = std::fs::remove_dir(socket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_path_fits_up_to_its_maximum_length() {
        let longest = format!("/{}", "a".repeat(SOCKET_PATH_MAX_LEN - "/.s.PGSQL.1".len() - 1));
        assert!(fits(Path::new(&longest)));
        assert!(!fits(Path::new(&format!("{longest}a"))));
    }

    #[test]
    fn a_short_folder_open_to_others_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let short = outer.path().join("short");
        let owner = Owner::of(Path::new("/nowhere/at/all")).unwrap();
        private(&short, &owner).unwrap();
        private(&short, &owner).unwrap();
        std::fs::set_permissions(&short, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(private(&short, &owner).is_err());
    }

    #[test]
    fn a_link_in_place_of_the_short_folder_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let short = outer.path().join("short");
        std::os::unix::fs::symlink(outer.path(), &short).unwrap();
        assert!(private(&short, &Owner::of(Path::new("/nowhere/at/all")).unwrap()).is_err());
    }
}
