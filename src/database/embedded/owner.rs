//! The account that runs Postgres. Postgres refuses to run as root, so root switches to `postgres`, or to `nobody` if
//! that does not exist; any other user stays the same. For an existing cluster, the owner of its folder decides:
//! installing Postgres later adds a user `postgres`, and a cluster created by `nobody` must still open. This also
//! prevents a bug in Postgres from running as root.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::EmbeddedError;

/// The account that owns the cluster and runs its processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
    /// The account's name for messages, or `uid 1234`.
    pub name: String,
    /// Whether this process runs as root and must drop privileges to become this user.
    dropped: bool,
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Owner {
    /// The owner of the cluster at `folder`: of the existing folder, or of the one to be created.
    pub fn of(folder: &Path) -> Result<Self, EmbeddedError> {
        let us = rustix::process::geteuid().as_raw();
        match folder.metadata() {
            Ok(there) if is_root() && there.uid() != 0 => Ok(Self::known(there.uid(), there.gid(), true)),
            Ok(there) if there.uid() != us => {
                Err(EmbeddedError::NotOurs { folder: folder.to_owned(), uid: there.uid() })
            }
            _ if is_root() => Self::for_root(),
            _ => Ok(Self::known(us, rustix::process::getegid().as_raw(), false)),
        }
    }

    fn for_root() -> Result<Self, EmbeddedError> {
        let users = users();
        let named = |name| users.iter().find(|user| user.name == name && user.uid != 0);
        named("postgres").or_else(|| named("nobody")).cloned().ok_or(EmbeddedError::NoOwner)
    }

    fn known(uid: u32, gid: u32, dropped: bool) -> Self {
        let name = users().into_iter().find(|user| user.uid == uid).map_or(format!("uid {uid}"), |user| user.name);
        Self { uid, gid, name, dropped }
    }

    /// A command that runs as this user with an empty environment (ours may hold secrets, and `PG*` variables would
    /// change the behaviour of Postgres), in `/`, because our working directory may be inaccessible to this user.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir("/").stdin(Stdio::null());
        if self.dropped {
            // With a uid, the standard library also drops the supplementary groups.
            command.gid(self.gid).uid(self.uid);
        }
        command
    }

    /// Changes the owner of a folder that we just created to this user.
    pub fn give(&self, folder: &Path) -> std::io::Result<()> {
        if self.dropped { std::os::unix::fs::lchown(folder, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// Ensures that this user can reach the cluster in `data_dir`. A folder that root owns, for example from
    /// `mktemp -d`, is made traversable (mode 0711, never listable). Parent folders are not changed.
    pub async fn reach(&self, data_dir: &Path, program: &Path) -> Result<(), EmbeddedError> {
        if !self.dropped {
            return Ok(());
        }
        let there = data_dir.metadata().map_err(EmbeddedError::folder(data_dir))?;
        let mode = there.permissions().mode();
        if there.uid() == 0 && mode & 0o011 != 0o011 {
            let opened = std::fs::Permissions::from_mode(mode & 0o7777 | 0o011);
            std::fs::set_permissions(data_dir, opened).map_err(EmbeddedError::folder(data_dir))?;
        }
        // A child process tests the access, which is more reliable than reading mode bits: it enters the folder after
        // its privileges are dropped.
        let entered = self.command(program).arg("--version").current_dir(data_dir).stdout(Stdio::null()).status().await;
        match entered {
            Ok(_) => Ok(()),
            Err(_) => Err(EmbeddedError::Unreachable { folder: data_dir.to_owned(), user: self.name.clone() }),
        }
    }
}

/// The accounts of this machine. `/etc/passwd` is sufficient, because system accounts are not in a directory service.
fn users() -> Vec<Owner> {
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let parse = |line: &str| {
        let mut parts = line.split(':');
        let name = parts.next()?.to_owned();
        let uid = parts.nth(1)?.parse().ok()?;
        let gid = parts.next()?.parse().ok()?;
        Some(Owner { uid, gid, name, dropped: true })
    };
    text.lines().filter_map(parse).collect()
}
