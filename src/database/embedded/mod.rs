//! The embedded database: a private Postgres in `DATA_DIR`, used if `DATABASE_URL` is not set. Manages one cluster,
//! created with the server programs of this machine and reachable only through a Unix socket. Knows nothing about
//! tables. Several processes with the same data folder share one cluster. The last process to exit stops it; after a
//! crash it keeps running, and the next start adopts it.

mod binaries;
mod cluster;
mod error;
mod lock;
mod log;
mod owner;
mod server;
mod socket;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use self::binaries::{OLDEST_MAJOR, SearchPaths};
pub use self::error::EmbeddedError;
pub use self::owner::is_root;

use self::cluster::Cluster;
use self::lock::Lock;
use self::owner::Owner;

/// Interval between checks that the server still runs: well below the 5 s within which we promise to answer again.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// A process's share in the running cluster of a data folder. If it is dropped without [`Embedded::stop`], as in a
/// crash, the cluster keeps running for the next start.
#[derive(Debug)]
pub struct Embedded {
    cluster: Arc<Cluster>,
    users: Lock,
    keeper: JoinHandle<()>,
    leaving: oneshot::Sender<()>,
}

/// Starts the cluster of `data_dir`, creating it on the first start, or joins the running one. Returns when the cluster
/// accepts connections: after 0.6 to 1.3 s the first time, 0.1 s later (measured).
///
/// # Errors
/// A sentence that says what the operator has to fix. No lock stays held.
pub async fn start(data_dir: &Path, places: &SearchPaths) -> Result<Embedded, EmbeddedError> {
    let data_dir = open_data_dir(data_dir)?;
    let starting = Lock::start_or_stop(&data_dir).await?;
    let users = Lock::open(data_dir.join("postgres.users"))?;
    if !users.try_share() {
        // Only a process that stops the cluster holds this lock exclusively, and that process also holds the start
        // lock.
        return Err(EmbeddedError::Busy { lock: users.path().to_owned(), seconds: 0 });
    }
    let cluster = Arc::new(Cluster::open(&data_dir, places).await?);
    cluster.run().await?;
    cluster.ensure_runtime_role().await?;
    drop(starting);
    let (leaving, left) = oneshot::channel();
    let keeper = tokio::spawn(keep(Arc::clone(&cluster), left));
    Ok(Embedded { cluster, users, keeper, leaving })
}

impl Embedded {
    /// Connection options for the runtime role, `cartwright_runtime`: a Unix socket, no password.
    pub fn options(&self) -> PgConnectOptions {
        self.cluster.options(cluster::RUNTIME)
    }

    /// Connection options for the owner of database and tables, `cartwright`.
    pub fn owner_options(&self) -> PgConnectOptions {
        self.cluster.options(cluster::OWNER)
    }

    /// Path of a program of the cluster's Postgres version, such as `pg_dump`, whether or not the program exists.
    pub fn program(&self, name: &str) -> PathBuf {
        self.cluster.binaries.program(name)
    }

    /// Releases this process's share. The last process to do so stops the cluster. Close all connections first, because
    /// stopping aborts them.
    ///
    /// # Errors
    /// The server did not stop in time. No data is lost, and the next start adopts it.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        let Self { cluster, users, keeper, leaving } = self;
        drop(leaving);
        // A panic of the keeper task is ignored.
        let _ = keeper.await;
        let _stopping = Lock::start_or_stop(&cluster.data_dir).await?;
        if users.try_alone() { cluster.halt().await } else { Ok(()) }
    }
}

/// Restarts the server if it dies (for example, killed for lack of memory) while processes use it.
async fn keep(cluster: Arc<Cluster>, mut left: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            _ = &mut left => return,
            () = tokio::time::sleep(WATCH_INTERVAL) => {}
        }
        if cluster.is_running() {
            continue;
        }
        tracing::warn!("the embedded database ended unexpectedly; restarting it");
        if let Err(error) = restart(&cluster).await {
            tracing::error!(%error, "the embedded database could not be restarted");
        }
    }
}

async fn restart(cluster: &Cluster) -> Result<(), EmbeddedError> {
    let _starting = Lock::start_or_stop(&cluster.data_dir).await?;
    cluster.run().await
}

/// The default data folder: `/var/lib/cartwright` for root, because the account that runs Postgres cannot read root's
/// home; otherwise in `XDG_DATA_HOME` (if absolute, as its specification demands), otherwise in `~/.local/share`.
pub fn default_data_dir(is_root: bool, xdg_data_home: Option<&OsStr>, home: Option<&OsStr>) -> PathBuf {
    let absolute = |value: Option<&OsStr>| value.map(PathBuf::from).filter(|path| path.is_absolute());
    let shared = absolute(xdg_data_home).or_else(|| absolute(home).map(|home| home.join(".local/share")));
    match shared {
        Some(shared) if !is_root => shared.join("cartwright"),
        _ => PathBuf::from("/var/lib/cartwright"),
    }
}

/// The data folder as an absolute path without symbolic links, created if needed. Other users have no access, except
/// that the account that runs Postgres can traverse a folder of root.
fn open_data_dir(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    let rights = if is_root() { 0o711 } else { 0o700 };
    let made = std::fs::DirBuilder::new().recursive(true).mode(rights).create(data_dir);
    made.and_then(|()| data_dir.canonicalize()).map_err(EmbeddedError::folder(data_dir))
}
