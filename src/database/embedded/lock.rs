//! Two lock files in the data folder, so that several processes share one cluster: `postgres.lock` is held by whoever
//! starts or stops it, `postgres.users` is shared by everybody who uses it. The kernel lets go of both when a process
//! dies, so no crash leaves a lock behind. The files stay; removing a lock file would let two people hold "the" lock.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use tokio::time::Instant;

use super::EmbeddedError;

/// Longest wait for somebody else's start or stop: a start may have to replay a crash.
const PATIENCE: Duration = Duration::from_mins(3);

/// An open lock file; unlocked when dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Opens, and makes if need be, a lock file without locking it.
    pub fn open(path: PathBuf) -> Result<Self, EmbeddedError> {
        // NOFOLLOW: root must not be led elsewhere by a link in somebody else's folder
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let opened = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR);
        let file = opened.map_err(|errno| EmbeddedError::folder(&path)(errno.into()))?;
        Ok(Self { path, file: file.into() })
    }

    /// Waits until nobody else starts or stops the cluster of this data folder.
    pub async fn start_or_stop(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let lock = Self::open(data_dir.join("postgres.lock"))?;
        let begun = Instant::now();
        while !lock.try_alone() {
            if begun.elapsed() > PATIENCE {
                return Err(EmbeddedError::Busy { lock: lock.path.clone(), seconds: PATIENCE.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(lock)
    }

    /// Takes the lock for ourselves alone, giving up a shared hold; false if somebody else has it.
    pub fn try_alone(&self) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Takes the lock beside others; false if somebody has it alone.
    pub fn try_share(&self) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockShared).is_ok()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // said aloud, since a program being started at this moment may hold a copy of the descriptor until its exec
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}
