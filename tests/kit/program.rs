//! Runs the binary as an operator does, with a clean environment, and captures its output and exit status. Every wait
//! is bounded.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// Longest start on a busy machine, `initdb` included.
const START: Duration = Duration::from_mins(1);
/// Longest stop on a busy machine; the server's own limit is 10 s.
const STOP: Duration = Duration::from_secs(30);

/// `cartwright …` on a free loopback port, with its data in `folder` and no environment except what finding Postgres
/// takes.
pub fn cartwright(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartwright"));
    command.env_clear().args(arguments);
    for kept in ["PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "PG_BIN"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("CARTWRIGHT_DATA_DIR", folder).env("CARTWRIGHT_LISTEN", "127.0.0.1:0").env("CARTWRIGHT_LOG", "warn");
    // Most tests have no load balancer, so there is nothing to drain.
    command.env("CARTWRIGHT_DRAIN", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Output and exit code of a finished command.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Ran {
    let mut child = command.spawn().expect("the binary starts");
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let status = wait(&mut child, START);
    if status.is_none() {
        child.kill().ok();
    }
    let text = |said: JoinHandle<String>| said.join().expect("no panic");
    let ran = Ran { code: status.and_then(|status| status.code()), stdout: text(stdout), stderr: text(stderr) };
    assert!(status.is_some(), "no exit within {START:?}: {ran:?}");
    ran
}

/// Waits for a child's exit, at most `bound`.
pub fn wait(child: &mut Child, bound: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        match child.try_wait().expect("child process") {
            Some(status) => return Some(status),
            None if begun.elapsed() > bound => return None,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn drain<R: Read + Send + 'static>(from: Option<R>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // `None` where a test redirected the stream.
        if let Some(mut from) = from {
            from.read_to_end(&mut bytes).ok();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A running `cartwright serve`. Dropping it sends SIGTERM, then SIGKILL.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    said: Said,
    errors: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts the server and waits for the line with its address.
    pub fn start(command: Command) -> Self {
        Self::started(command, "Cartwright is ready at ", |at| at.split_once("://")?.1.parse().ok())
    }

    /// Starts a server behind a proxy, which prints only its public address; `listens` is its own address.
    pub fn start_behind(command: Command, public_url: &str, listens: SocketAddr) -> Self {
        Self::started(command, &format!("Cartwright is ready at {public_url}"), |_| Some(listens))
    }

    fn started(mut command: Command, line: &str, address: impl Fn(&str) -> Option<SocketAddr>) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let errors = drain(child.stderr.take());
        let said = Said::listen(child.stdout.take());
        let address = said.wait_for(line).and_then(|at| address(&at));
        let Some(address) = address else {
            child.kill().ok();
            child.wait().ok();
            panic!("not ready: {:?} {}", said.lines(), errors.join().unwrap_or_default());
        };
        Self { child, address, said, errors: Some(errors) }
    }

    /// The path of the set-up link, which the server prints while no user exists.
    pub fn set_up_link(&self) -> String {
        let words = "Nobody can sign in yet. Make the first administrator within the hour: ";
        let link = self.said.wait_for(words).expect("a set-up link");
        link[link.find("/set-up/").expect("a path")..].to_owned()
    }

    /// Lines printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.said.lines()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("child process");
    }

    /// Whether the process has not exited.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("child process").is_none()
    }

    /// Sends SIGTERM; returns the exit status, the time it took and the error output.
    pub fn stop(mut self) -> (ExitStatus, Duration, String) {
        let begun = Instant::now();
        self.signal(Signal::TERM);
        self.ended(begun)
    }

    /// Waits for the exit of a server that was already signalled.
    pub fn ended(&mut self, begun: Instant) -> (ExitStatus, Duration, String) {
        let status = wait(&mut self.child, STOP).expect("exits in time");
        let took = begun.elapsed();
        (status, took, self.errors.take().map(|errors| errors.join().expect("a reader")).unwrap_or_default())
    }

    /// Sends SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("child process");
        self.child.wait().expect("child process");
    }

    /// Number of open descriptors, sockets included. `None` without root: the server is not dumpable, so its `/proc`
    /// entries belong to root.
    pub fn descriptors(&self) -> Option<usize> {
        let seen = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        if seen.is_err() {
            println!("only root sees the open files of the server");
        }
        seen.ok().map(Iterator::count)
    }

    /// CPU time used so far. A clock tick is 10 ms on Linux.
    pub fn busy(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("Linux");
        let after_name = stat.rsplit_once(')').expect("a name in parentheses").1;
        let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks"));
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a running process");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            kill_process(self.pid(), Signal::TERM).ok();
            if wait(&mut self.child, STOP).is_none() {
                self.child.kill().ok();
                self.child.wait().ok();
            }
        }
    }
}

/// A running `cartwright worker`. Dropping it sends SIGKILL.
pub struct Worker {
    child: Child,
    said: Said,
}

impl Worker {
    /// Starts the worker and waits for its first line.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::null()).spawn().expect("the binary starts");
        let said = Said::listen(child.stdout.take());
        assert!(said.wait_for("Cartwright checks carts.").is_some(), "{:?}", said.lines());
        Self { child, said }
    }

    /// Lines printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.said.lines()
    }

    /// Sends SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("child process");
        self.child.wait().expect("child process");
    }

    /// Sends SIGTERM; returns the exit status.
    pub fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("child process");
        wait(&mut self.child, STOP).expect("exits in time")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Captured standard output. Always read to its end, so that the server never blocks on a full pipe.
#[derive(Clone, Default)]
struct Said(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    is_over: bool,
}

impl Said {
    fn listen<R: Read + Send + 'static>(from: Option<R>) -> Self {
        let from = from.expect("pipe is configured");
        let said = Self::default();
        let ours = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                ours.hear(|heard| heard.lines.push(line));
            }
            ours.hear(|heard| heard.is_over = true);
        });
        said
    }

    fn hear(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.0.0.lock().expect("not poisoned"));
        self.0.1.notify_all();
    }

    /// Waits for a line with this beginning and returns its rest; `None` if the output ends without it.
    fn wait_for(&self, beginning: &str) -> Option<String> {
        let find = |heard: &Heard| heard.lines.iter().find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
        let heard = self.0.0.lock().expect("not poisoned");
        let waits = |heard: &mut Heard| find(heard).is_none() && !heard.is_over;
        let (heard, _) = self.0.1.wait_timeout_while(heard, START, waits).expect("not poisoned");
        find(&heard)
    }

    fn lines(&self) -> Vec<String> {
        self.0.0.lock().expect("not poisoned").lines.clone()
    }
}
