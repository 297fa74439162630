//! Processes and rows of the private database, seen from outside: lists, kills and suspends processes, and runs
//! queries.

use std::path::{Path, PathBuf};

use cartwright::database::embedded::{Embedded, SearchPaths, start};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tempfile::TempDir;

/// A test's `DATA_DIR`. Dropping it stops a cluster that a killed server left running.
pub struct Folder {
    folder: TempDir,
    is_mounted: bool,
}

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("cartwright-").tempdir().expect("a folder");
        Self { folder, is_mounted: false }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn cluster(&self) -> PathBuf {
        self.path().join("postgres")
    }

    /// A folder on a separate file system of this size, or `None` where this process may not mount one.
    pub fn small(mebibytes: u32) -> Option<Self> {
        let mut folder = Self::new();
        let room = format!("size={mebibytes}m,mode=711");
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &room, "cartwright-test"]).arg(folder.path());
        folder.is_mounted = mount.output().is_ok_and(|ran| ran.status.success());
        folder.is_mounted.then_some(folder)
    }

    /// Process id of the cluster's postmaster, if it runs.
    pub fn postmaster(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.cluster().join("postmaster.pid")).ok()?;
        let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
        test_kill_process(pid).is_ok().then_some(pid)
    }

    /// The postmaster's children, then the postmaster.
    pub fn processes(&self) -> Vec<Pid> {
        let Some(postmaster) = self.postmaster() else { return Vec::new() };
        let mut found = children(postmaster);
        found.push(postmaster);
        found
    }

    /// Sends a signal to every process of the cluster.
    pub fn signal(&self, signal: Signal) {
        for pid in self.processes() {
            // A process may have ended meanwhile.
            kill_process(pid, signal).ok();
        }
    }

    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.cluster())
            .port(1)
            .username("cartwright")
            .database("cartwright")
            .ssl_mode(PgSslMode::Disable)
    }

    /// The cluster's `DATABASE_URL`.
    pub fn url(&self) -> String {
        format!("postgres://cartwright@localhost:1/cartwright?host={}&sslmode=disable", self.cluster().display())
    }

    /// Connects as the cluster's superuser.
    pub async fn connect_as_owner(&self, database: &str) -> PgConnection {
        let options = self.options().username("postgres").database(database);
        PgConnection::connect_with(&options).await.expect("the database answers")
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options()).await.expect("the database answers")
    }

    pub async fn count(&self, question: &'static str) -> i64 {
        let mut connection = self.connect().await;
        let count = sqlx::query_scalar(question).fetch_one(&mut connection).await.expect("a number");
        connection.close().await.ok();
        count
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        if let Some(postmaster) = self.postmaster() {
            // Immediate shutdown: the data is no longer needed.
            kill_process(postmaster, Signal::QUIT).ok();
            for _ in 0..500 {
                if test_kill_process(postmaster).is_err() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        if self.is_mounted {
            // Lazy unmount: remaining users finish by themselves.
            std::process::Command::new("umount").arg("-l").arg(self.path()).output().ok();
        }
    }
}

/// Takes a share in the cluster of this folder, creating and starting it if needed, so that it outlives the servers
/// that use it.
pub async fn running(folder: &Folder) -> Embedded {
    let places = SearchPaths { pg_bin: std::env::var_os("PG_BIN").map(PathBuf::from), path: std::env::var_os("PATH") };
    start(folder.path(), &places).await.expect("the cluster starts")
}

/// Lists the child processes of a process from `/proc`.
fn children(parent: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in parentheses may contain anything; state and parent follow it.
        let from = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        if from == Some(parent.as_raw_nonzero().get()) {
            found.push(pid);
        }
    }
    found
}
