//! The server's log, `DATA_DIR/postgres.log`: server events, and none of our rows. We open it and pass it to the
//! server, so the server's account needs no access to its folder. At start, a log over the size limit is renamed to
//! `postgres.log.1`. While the server runs, the log hardly grows, because statement errors are not logged (see
//! `server.rs`).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::EmbeddedError;

/// Size in bytes above which the log is renamed at start.
const LOG_SIZE_MAX: u64 = 1024 * 1024;

pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.log")
}

/// Opens the log for appending. Also returns its length in bytes.
pub fn open(data_dir: &Path) -> Result<(File, u64), EmbeddedError> {
    let path = path(data_dir);
    if path.metadata().is_ok_and(|there| there.len() > LOG_SIZE_MAX) {
        let aside = data_dir.join("postgres.log.1");
        std::fs::rename(&path, &aside).map_err(EmbeddedError::folder(&aside))?;
    }
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let opened = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR);
    let file = File::from(opened.map_err(|errno| EmbeddedError::folder(&path)(errno.into()))?);
    let already = file.metadata().map_err(EmbeddedError::folder(&path))?.len();
    Ok((file, already))
}

/// The last lines written after the first `already` bytes, joined into one line; empty if the log cannot be read.
pub fn last_lines(data_dir: &Path, already: u64) -> String {
    let text = read_end(&path(data_dir), already).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" / ")
}

fn read_end(log: &Path, already: u64) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(already.max(end.saturating_sub(4096))))?;
    let mut bytes = Vec::new();
    file.take(4096).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
