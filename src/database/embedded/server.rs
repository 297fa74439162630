//! The cluster's server process: adopts a running one or launches one, and stops it. The server has its own process
//! group, so Ctrl-C in the terminal stops only Cartwright, and Cartwright stops the server. The socket shows whether
//! the server runs: macOS has no `/proc`, and a process ID in a file may belong to another program.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::cluster::{Cluster, OWNER};
use super::{EmbeddedError, log, socket};

/// Poll interval. Each poll of a starting server opens a real connection.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Start timeout: crash recovery with a full `max_wal_size` takes seconds, on a slow disk a minute.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// Stop timeout: a fast shutdown first writes all dirty pages to disk.
const STOP_TIMEOUT: Duration = Duration::from_mins(1);
/// Maximum time between the creation of the server's process ID file and the opening of its socket.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(3);
/// How long child processes of a killed server may keep its shared memory in use.
const SHARED_MEMORY_GRACE: Duration = Duration::from_secs(10);

/// Result of a connection attempt at the socket.
#[derive(PartialEq, Eq)]
enum SocketState {
    Ready,
    /// Starting, recovering or stopping.
    NotYet,
    /// Accepted the connection but did not answer.
    Silent,
    Nobody,
}

impl Cluster {
    /// Ensures that a server runs and accepts connections. The caller holds the start lock.
    pub async fn run(&self) -> Result<(), EmbeddedError> {
        if self.adopt().await? {
            return Ok(());
        }
        let begun = Instant::now();
        loop {
            match self.launch().await {
                // The child processes of a killed server need a moment to exit.
                Err(EmbeddedError::Starting { said, .. })
                    if said.contains("shared memory block") && begun.elapsed() < SHARED_MEMORY_GRACE =>
                {
                    sleep(POLL_INTERVAL * 5).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether the server's process exists. Opens no connection.
    pub fn is_running(&self) -> bool {
        self.pid().is_some_and(alive)
    }

    /// Adopts a server that an earlier Cartwright left running; `false` if there is none.
    async fn adopt(&self) -> Result<bool, EmbeddedError> {
        let begun = Instant::now();
        let mut silences = 0;
        while let Some(pid) = self.pid() {
            match self.knock().await {
                SocketState::Ready => return Ok(true),
                SocketState::Nobody if !alive(pid) => return Ok(false),
                SocketState::Nobody if begun.elapsed() > SOCKET_TIMEOUT => {
                    // The process ID belongs to another program by now, and Postgres would refuse to start because of
                    // the file. If it were our server after all, its shared memory would still prevent a second server.
                    self.remove_stale_pid()?;
                    return Ok(false);
                }
                SocketState::Silent if silences == 2 => {
                    return Err(EmbeddedError::Silent { folder: self.folder.clone(), pid: pid.as_raw_pid() });
                }
                SocketState::Silent => silences += 1,
                SocketState::NotYet if begun.elapsed() > START_TIMEOUT => return Err(self.starting(0)),
                SocketState::NotYet | SocketState::Nobody => {}
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(false)
    }

    async fn launch(&self) -> Result<(), EmbeddedError> {
        let program = self.binaries.program("postgres");
        let broken = |cause| EmbeddedError::Run { program: program.clone(), cause };
        let (log, already) = log::open(&self.data_dir)?;
        let mut postgres = self.owner.command(&program);
        postgres.arg("-D").arg(&self.folder).args(settings(&self.socket)).process_group(0);
        postgres.stdout(log.try_clone().map_err(broken)?).stderr(log);
        let mut child = postgres.spawn().map_err(broken)?;
        let begun = Instant::now();
        while begun.elapsed() < START_TIMEOUT {
            if child.try_wait().map_err(broken)?.is_some() {
                return Err(self.starting(already));
            }
            if self.knock().await == SocketState::Ready {
                return Ok(());
            }
            sleep(POLL_INTERVAL).await;
        }
        Err(self.starting(already))
    }

    /// Stops the server in fast mode: open transactions are rolled back, and all committed data is on disk.
    pub async fn halt(&self) -> Result<(), EmbeddedError> {
        let Some(pid) = self.pid() else { return Ok(()) };
        // Without a listener the process ID is stale, and a signal could hit another program.
        if self.knock().await != SocketState::Nobody {
            let program = self.binaries.program("pg_ctl");
            // Runs as the owner, so that the kernel rejects a signal to another user's process.
            let mut stop = self.owner.command(&program);
            let asked = stop.args(["stop", "-s", "-W", "-m", "fast", "-D"]).arg(&self.folder).output().await;
            asked.map_err(|cause| EmbeddedError::Run { program, cause })?;
            self.wait_for_end(pid).await?;
        }
        socket::tidy(&self.socket, &self.folder);
        Ok(())
    }

    /// Waits until the process is gone, not only its process ID file, which the server removes as its last action.
    /// Without an init that reaps processes (in a container), the process ID stays, so the wait ends one second after
    /// the file is gone.
    async fn wait_for_end(&self, pid: Pid) -> Result<(), EmbeddedError> {
        let begun = Instant::now();
        let mut listed = begun;
        while alive(pid) && listed.elapsed() < Duration::from_secs(1) {
            if self.pid() == Some(pid) {
                listed = Instant::now();
            }
            if begun.elapsed() > STOP_TIMEOUT {
                return Err(EmbeddedError::Stopping { seconds: STOP_TIMEOUT.as_secs() });
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    async fn knock(&self) -> SocketState {
        match timeout(Duration::from_secs(5), PgConnection::connect_with(&self.options(OWNER))).await {
            Err(_) => SocketState::Silent,
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                SocketState::Ready
            }
            Ok(Err(sqlx::Error::Io(cause)))
                if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
            {
                SocketState::Nobody
            }
            // 57P03: starting up, recovering or shutting down. Any other error, such as "too many clients", means that
            // the server runs.
            Ok(Err(sqlx::Error::Database(refusal))) if refusal.code().as_deref() != Some("57P03") => SocketState::Ready,
            Ok(Err(_)) => SocketState::NotYet,
        }
    }

    /// The server's process ID, from the first line of `postmaster.pid`.
    pub(super) fn pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.folder.join("postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }

    fn remove_stale_pid(&self) -> Result<(), EmbeddedError> {
        let file = self.folder.join("postmaster.pid");
        std::fs::remove_file(&file).map_err(EmbeddedError::folder(&file))
    }

    fn starting(&self, already: u64) -> EmbeddedError {
        EmbeddedError::Starting { log: log::path(&self.data_dir), said: log::last_lines(&self.data_dir, already) }
    }
}

/// Settings that override the cluster's own files, because the command line takes precedence.
fn settings(socket: &Path) -> Vec<OsString> {
    let mut folder = OsString::from("unix_socket_directories=\"");
    folder.push(socket); // quoted: the setting is a list, and a folder's name may contain a comma
    folder.push("\"");
    let fixed = [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "fsync=on",
        "full_page_writes=on",
        "synchronous_commit=on",
        "shared_buffers=32MB",
        // Enough for a server and several workers with 16 connections each.
        "max_connections=100",
        "max_wal_size=256MB",
        "jit=off",
        "timezone=UTC",
        "logging_collector=off",
        "log_destination=stderr",
        "log_timezone=UTC",
        "log_checkpoints=off",
        // Statement errors are sent only to the client; the log has server events and none of our rows.
        "log_min_messages=log",
        "log_min_error_statement=panic",
        "log_error_verbosity=terse",
    ];
    let port = format!("port={}", socket::PORT);
    let all = fixed.into_iter().map(OsString::from).chain([folder, port.into()]);
    all.flat_map(|setting| [OsString::from("-c"), setting]).collect()
}

fn alive(pid: Pid) -> bool {
    // EPERM means that the process belongs to another account, so it is not ours.
    test_kill_process(pid).is_ok()
}
