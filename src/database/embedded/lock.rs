//! Two lock files in the data folder let several processes share one cluster. `postgres.lock` is held exclusively to
//! start or stop the cluster; `postgres.users` is held shared by all processes that use it. The kernel releases both
//! when a process dies, so a crash leaves no lock. The files are never deleted; otherwise two processes could lock
//! different files of the same name.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use tokio::time::Instant;

use super::EmbeddedError;

/// Timeout for waiting until another process has started or stopped the cluster; a start may include crash recovery.
const LOCK_TIMEOUT: Duration = Duration::from_mins(3);

/// An open lock file; unlocked on drop.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Opens a lock file, creating it if needed, without locking it.
    pub fn open(path: PathBuf) -> Result<Self, EmbeddedError> {
        // NOFOLLOW: root must not follow a symbolic link in another user's folder.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let opened = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR);
        let file = opened.map_err(|errno| EmbeddedError::folder(&path)(errno.into()))?;
        Ok(Self { path, file: file.into() })
    }

    /// Waits until no other process starts or stops the cluster of this data folder, and locks it.
    pub async fn start_or_stop(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let lock = Self::open(data_dir.join("postgres.lock"))?;
        let begun = Instant::now();
        while !lock.try_alone() {
            if begun.elapsed() > LOCK_TIMEOUT {
                return Err(EmbeddedError::Busy { lock: lock.path.clone(), seconds: LOCK_TIMEOUT.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(lock)
    }

    /// Takes the lock exclusively, releasing a shared lock. Returns `false` if another process holds it.
    pub fn try_alone(&self) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Takes the lock shared. Returns `false` if another process holds it exclusively.
    pub fn try_share(&self) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockShared).is_ok()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Explicit, because a child process that is being spawned may hold a copy of the descriptor until its exec.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}
