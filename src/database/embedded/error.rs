//! Errors of the embedded database, as sentences for the operator at the terminal: what is wrong and how to fix it.
//! Never shown in a browser.

use std::path::PathBuf;

/// Why the embedded database did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No usable server programs were found; `looked` lists the searched places.
    #[error(
        "No Postgres server programs (version {oldest} or newer) were found. Looked in: {looked}. \
         Run scripts/run, which installs them, or set DATABASE_URL to a Postgres of your own."
    )]
    NoBinaries { oldest: u32, looked: String },
    /// A cluster opens only with the major version that created it.
    #[error(
        "The data in {} was made by Postgres {made}, but only {found} is here. \
         Install Postgres {made}, or name the folder of its programs in PG_BIN.", folder.display()
    )]
    OtherMajor { folder: PathBuf, made: String, found: String },
    /// A folder or lock file could not be created, opened or renamed.
    #[error("{} cannot be used: {cause}. Give Cartwright a DATA_DIR that it may write to.", path.display())]
    Folder { path: PathBuf, cause: std::io::Error },
    /// Root drops its privileges before it runs Postgres, and the unprivileged user cannot reach the data.
    #[error(
        "Started by root, Cartwright runs Postgres as the user {user}, who cannot enter {}. \
         Choose a DATA_DIR such as /var/lib/cartwright, or start Cartwright as another user.", folder.display()
    )]
    Unreachable { folder: PathBuf, user: String },
    /// Started by root on a machine that has neither a user `postgres` nor a user `nobody`.
    #[error(
        "Postgres refuses to run as root, and this machine has neither a user postgres nor a user nobody to run it as. \
         Start Cartwright as another user."
    )]
    NoOwner,
    /// The cluster belongs to another user.
    #[error("{} belongs to another user (uid {uid}). Start Cartwright as that user, or choose another DATA_DIR.", folder.display())]
    NotOurs { folder: PathBuf, uid: u32 },
    /// The cluster's path exists but is not a cluster.
    #[error("{} is there, but it holds no Postgres data. Move it away, or choose another DATA_DIR.", folder.display())]
    NotACluster { folder: PathBuf },
    /// The folder's path is too long for a socket address, and the short folder could not be used either.
    #[error(
        "The path of {} is too long for a Unix socket, and the short folder {} cannot be used instead: {cause}. \
         Choose a shorter DATA_DIR.", folder.display(), short.display()
    )]
    SocketPath { folder: PathBuf, short: PathBuf, cause: String },
    /// Another process held the start lock until the timeout.
    #[error("Another Cartwright has been starting or stopping the database for {seconds} s and holds {}.", lock.display())]
    Busy { lock: PathBuf, seconds: u64 },
    /// A server runs on our data, accepts connections, and never answers.
    #[error("The Postgres that runs on {} does not answer. Stop process {pid} and start again.", folder.display())]
    Silent { folder: PathBuf, pid: i32 },
    /// A Postgres program could not be run.
    #[error("{} could not be run: {cause}.", program.display())]
    Run { program: PathBuf, cause: std::io::Error },
    /// `initdb` or the creation of roles and database failed; `said` is the end of its output.
    #[error("A new database could not be made. Postgres said: {said}")]
    Making { said: String },
    /// The server ended or did not become ready; `said` is the end of its log.
    #[error("The database did not start. Its log is {}; it ends with: {said}", log.display())]
    Starting { log: PathBuf, said: String },
    /// The server did not stop in time. No data is lost: the next start adopts it.
    #[error("The database was asked to stop and has not ended after {seconds} s; the next start finds it running.")]
    Stopping { seconds: u64 },
}

impl EmbeddedError {
    pub(super) fn folder(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Folder { path, cause }
    }
}
