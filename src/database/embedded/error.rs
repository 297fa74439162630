//! What can keep the embedded database from starting, as sentences for the person at the terminal: each says what was
//! found and what to do about it. Nothing here is ever shown in a browser.

use std::path::PathBuf;

/// Why the embedded database did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No usable server programs in any known place; `looked` lists the places.
    #[error(
        "No Postgres server programs (version {oldest} or newer) were found. Looked in: {looked}. \
         Run scripts/run, which installs them, or set DATABASE_URL to a Postgres of your own."
    )]
    NoBinaries { oldest: u32, looked: String },
    /// A cluster opens only with the major version that made it.
    #[error(
        "The data in {} was made by Postgres {made}, but only {found} is here. \
         Install Postgres {made}, or name the folder of its programs in PG_BIN.", folder.display()
    )]
    OtherMajor { folder: PathBuf, made: String, found: String },
    /// A folder or lock file could not be made, opened or renamed.
    #[error("{} cannot be used: {cause}. Give Cartwright a DATA_DIR that it may write to.", path.display())]
    Folder { path: PathBuf, cause: std::io::Error },
    /// Root drops its rights before running Postgres, and the user it becomes cannot get to the data.
    #[error(
        "Started by root, Cartwright runs Postgres as the user {user}, who cannot enter {}. \
         Choose a DATA_DIR such as /var/lib/cartwright, or start Cartwright as another user.", folder.display()
    )]
    Unreachable { folder: PathBuf, user: String },
    /// Started by root on a machine with neither a user `postgres` nor `nobody`.
    #[error(
        "Postgres refuses to run as root, and this machine has neither a user postgres nor a user nobody to run it as. \
         Start Cartwright as another user."
    )]
    NoOwner,
    /// The cluster was made by somebody else.
    #[error("{} belongs to another user (uid {uid}). Start Cartwright as that user, or choose another DATA_DIR.", folder.display())]
    NotOurs { folder: PathBuf, uid: u32 },
    /// Something stands where the cluster should, and it is not a cluster.
    #[error("{} is there, but it holds no Postgres data. Move it away, or choose another DATA_DIR.", folder.display())]
    NotACluster { folder: PathBuf },
    /// Too deep a folder for a socket, and the short folder could not be used either.
    #[error(
        "The path of {} is too long for a Unix socket, and the short folder {} cannot be used instead: {cause}. \
         Choose a shorter DATA_DIR.", folder.display(), short.display()
    )]
    SocketPath { folder: PathBuf, short: PathBuf, cause: String },
    /// Another process holds the start lock for too long.
    #[error("Another Cartwright has been starting or stopping the database for {seconds} s and holds {}.", lock.display())]
    Busy { lock: PathBuf, seconds: u64 },
    /// A running server on our data that takes connections and never answers.
    #[error("The Postgres that runs on {} does not answer. Stop process {pid} and start again.", folder.display())]
    Silent { folder: PathBuf, pid: i32 },
    /// A Postgres program could not be run at all.
    #[error("{} could not be run: {cause}.", program.display())]
    Run { program: PathBuf, cause: std::io::Error },
    /// `initdb` or the first set-up ended badly; `said` is the end of what it wrote.
    #[error("A new database could not be made. Postgres said: {said}")]
    Making { said: String },
    /// The server ended or did not get ready; `said` is the end of its log.
    #[error("The database did not start. Its log is {}; it ends with: {said}", log.display())]
    Starting { log: PathBuf, said: String },
    /// The server was asked to stop and is still there. Nothing is lost: the next start finds it.
    #[error("The database was asked to stop and has not ended after {seconds} s; the next start finds it running.")]
    Stopping { seconds: u64 },
}

impl EmbeddedError {
    pub(super) fn folder(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Folder { path, cause }
    }
}
