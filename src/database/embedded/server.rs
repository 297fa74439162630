//! The cluster's server process: adopt the one that runs, or launch one, and stop it. It lives in a process group of
//! its own, so Ctrl-C in the terminal stops Cartwright, and Cartwright stops it. Whether it runs is asked at its
//! socket: there is no `/proc` on macOS, and a process id in a file may long be another program's.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::cluster::{Cluster, OWNER};
use super::{EmbeddedError, log, socket};

/// How often we look. Each look at a starting server is a real connection.
const POLL: Duration = Duration::from_millis(10);
/// Longest start: replaying the log of a crash at full `max_wal_size` takes seconds, on a slow disk a minute.
const START: Duration = Duration::from_mins(2);
/// Longest stop: a fast shutdown writes everything dirty to disk first.
const STOP: Duration = Duration::from_mins(1);
/// How long a server that left its process id may take until it opens its socket.
const SOCKET: Duration = Duration::from_secs(3);
/// How long processes of a killed server may hold its shared memory.
const LEFTOVERS: Duration = Duration::from_secs(10);

/// What a knock at the socket found.
#[derive(PartialEq, Eq)]
enum Knock {
    Ready,
    /// Starting, replaying or stopping.
    NotYet,
    /// It took the connection and then said nothing.
    Silent,
    Nobody,
}

impl Cluster {
    /// Makes sure that a server runs and takes connections. The caller holds the start lock.
    pub async fn run(&self) -> Result<(), EmbeddedError> {
        if self.adopt().await? {
            return Ok(());
        }
        let begun = Instant::now();
        loop {
            match self.launch().await {
                // children of a killed server need a moment to notice and go
                Err(EmbeddedError::Starting { said, .. })
                    if said.contains("shared memory block") && begun.elapsed() < LEFTOVERS =>
                {
                    sleep(POLL * 5).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether the server's process is there, without disturbing it.
    pub fn is_running(&self) -> bool {
        self.pid().is_some_and(alive)
    }

    /// Takes over a server that an earlier Cartwright left running; false if there is none.
    async fn adopt(&self) -> Result<bool, EmbeddedError> {
        let begun = Instant::now();
        let mut silences = 0;
        while let Some(pid) = self.pid() {
            match self.knock().await {
                Knock::Ready => return Ok(true),
                Knock::Nobody if !alive(pid) => return Ok(false),
                Knock::Nobody if begun.elapsed() > SOCKET => {
                    // The number is another program's by now, and Postgres would refuse to start because of it. Were it
                    // ours after all, the shared memory that it holds would still keep a second server out.
                    self.forget_pid()?;
                    return Ok(false);
                }
                Knock::Silent if silences == 2 => {
                    return Err(EmbeddedError::Silent { folder: self.folder.clone(), pid: pid.as_raw_pid() });
                }
                Knock::Silent => silences += 1,
                Knock::NotYet if begun.elapsed() > START => return Err(self.starting(0)),
                Knock::NotYet | Knock::Nobody => {}
            }
            sleep(POLL).await;
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
        while begun.elapsed() < START {
            if child.try_wait().map_err(broken)?.is_some() {
                return Err(self.starting(already));
            }
            if self.knock().await == Knock::Ready {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err(self.starting(already))
    }

    /// Stops the server: fast, so open transactions are rolled back and everything acknowledged is on disk.
    pub async fn halt(&self) -> Result<(), EmbeddedError> {
        let Some(pid) = self.pid() else { return Ok(()) };
        // Nobody there means a stale process id, and a signal could hit a stranger.
        if self.knock().await != Knock::Nobody {
            let program = self.binaries.program("pg_ctl");
            // Run as the owner, so the kernel would not let it signal anybody else's process.
            let mut stop = self.owner.command(&program);
            let asked = stop.args(["stop", "-s", "-W", "-m", "fast", "-D"]).arg(&self.folder).output().await;
            asked.map_err(|cause| EmbeddedError::Run { program, cause })?;
            self.wait_for_end(pid).await?;
        }
        socket::tidy(&self.socket, &self.folder);
        Ok(())
    }

    /// Waits until the process is gone, not only its file: its last act is to remove the file. Where nobody collects
    /// dead processes (a container without an init) the id stays, so after the file we wait only a moment more.
    async fn wait_for_end(&self, pid: Pid) -> Result<(), EmbeddedError> {
        let begun = Instant::now();
        let mut listed = begun;
        while alive(pid) && listed.elapsed() < Duration::from_secs(1) {
            if self.pid() == Some(pid) {
                listed = Instant::now();
            }
            if begun.elapsed() > STOP {
                return Err(EmbeddedError::Stopping { seconds: STOP.as_secs() });
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn knock(&self) -> Knock {
        match timeout(Duration::from_secs(5), PgConnection::connect_with(&self.options(OWNER))).await {
            Err(_) => Knock::Silent,
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                Knock::Ready
            }
            Ok(Err(sqlx::Error::Io(cause)))
                if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
            {
                Knock::Nobody
            }
            // 57P03: starting up, replaying or shutting down; any other refusal, such as "too many clients", is life
            Ok(Err(sqlx::Error::Database(refusal))) if refusal.code().as_deref() != Some("57P03") => Knock::Ready,
            Ok(Err(_)) => Knock::NotYet,
        }
    }

    /// The server's process id, as it wrote it into the first line of `postmaster.pid`.
    pub(super) fn pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.folder.join("postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }

    fn forget_pid(&self) -> Result<(), EmbeddedError> {
        let file = self.folder.join("postmaster.pid");
        std::fs::remove_file(&file).map_err(EmbeddedError::folder(&file))
    }

    fn starting(&self, already: u64) -> EmbeddedError {
        EmbeddedError::Starting { log: log::path(&self.data_dir), said: log::tail(&self.data_dir, already) }
    }
}

/// Everything that must hold whatever the cluster's own files say: given on the command line, it outranks them.
fn settings(socket: &Path) -> Vec<OsString> {
    let mut folder = OsString::from("unix_socket_directories=\"");
    folder.push(socket); // quoted: the setting is a list, and a folder's name may have a comma
    folder.push("\"");
    let fixed = [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "fsync=on",
        "full_page_writes=on",
        "synchronous_commit=on",
        "shared_buffers=32MB",
        // a server and several workers, 16 connections each
        "max_connections=100",
        "max_wal_size=256MB",
        "jit=off",
        "timezone=UTC",
        "logging_collector=off",
        "log_destination=stderr",
        "log_timezone=UTC",
        "log_checkpoints=off",
        // Errors of statements go to whoever sent them; the log keeps what happens to the server, and no row of ours.
        "log_min_messages=log",
        "log_min_error_statement=panic",
        "log_error_verbosity=terse",
    ];
    let port = format!("port={}", socket::PORT);
    let all = fixed.into_iter().map(OsString::from).chain([folder, port.into()]);
    all.flat_map(|setting| [OsString::from("-c"), setting]).collect()
}

fn alive(pid: Pid) -> bool {
    // an answer of EPERM is another account's process, hence not ours
    test_kill_process(pid).is_ok()
}
