//! The binary as an operator starts it: an environment of its own, its words, its end. Nothing of the tester's settings
//! reaches it, and every wait is bounded.

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
/// Longest stop: our 10 s, on a busy machine.
const STOP: Duration = Duration::from_secs(30);

/// `cartwright …` with nothing but what finding Postgres takes, on a free port of loopback, with its data in `folder`.
pub fn cartwright(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartwright"));
    command.env_clear().args(arguments);
    for kept in ["PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "PG_BIN"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("CARTWRIGHT_DATA_DIR", folder).env("CARTWRIGHT_LISTEN", "127.0.0.1:0").env("CARTWRIGHT_LOG", "warn");
    // nobody balances the load before most tests
    command.env("CARTWRIGHT_DRAIN", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a command that ends by itself said and how it ended.
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
    let text = |said: JoinHandle<String>| said.join().expect("a reader does not panic");
    let ran = Ran { code: status.and_then(|status| status.code()), stdout: text(stdout), stderr: text(stderr) };
    assert!(status.is_some(), "not over within {START:?}: {ran:?}");
    ran
}

/// Waits for a child's end, at most so long.
pub fn wait(child: &mut Child, bound: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        match child.try_wait().expect("our own child") {
            Some(status) => return Some(status),
            None if begun.elapsed() > bound => return None,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn drain<R: Read + Send + 'static>(from: Option<R>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // nothing where a test sent it elsewhere
        if let Some(mut from) = from {
            from.read_to_end(&mut bytes).ok();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A running `cartwright serve`. Dropped, it is asked to stop, and then made to.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    said: Said,
    errors: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts and waits for the line that says where to look.
    pub fn start(command: Command) -> Self {
        Self::started(command, "Cartwright is ready at ", |at| at.split_once("://")?.1.parse().ok())
    }

    /// One that is reached by its public address and says only that, and where it was told to listen.
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

    /// The path of the one-time link that follows when nobody can sign in yet.
    pub fn set_up_link(&self) -> String {
        let words = "Nobody can sign in yet. Make the first administrator within the hour: ";
        let link = self.said.wait_for(words).expect("a set-up link");
        link[link.find("/set-up/").expect("a path")..].to_owned()
    }

    /// What it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.said.lines()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("our own child");
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_none()
    }

    /// SIGTERM, and how long it took to end how.
    pub fn stop(mut self) -> (ExitStatus, Duration, String) {
        let begun = Instant::now();
        self.signal(Signal::TERM);
        self.ended(begun)
    }

    /// Waits for the end of a server that was already told to stop.
    pub fn ended(&mut self, begun: Instant) -> (ExitStatus, Duration, String) {
        let status = wait(&mut self.child, STOP).expect("it ends");
        let took = begun.elapsed();
        (status, took, self.errors.take().map(|errors| errors.join().expect("a reader")).unwrap_or_default())
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }

    /// Open files, sockets included. `None` where only root may see them: the server is not dumpable, so its `/proc` entries
    /// belong to root.
    pub fn descriptors(&self) -> Option<usize> {
        let seen = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        if seen.is_err() {
            println!("only root sees the open files of the server");
        }
        seen.ok().map(Iterator::count)
    }

    /// Time on a processor so far. A tick is 10 ms wherever Linux runs.
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

/// A running `cartwright worker`. Dropped, it is shot.
pub struct Worker {
    child: Child,
    said: Said,
}

impl Worker {
    /// Starts and waits for the line that says that it works.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::null()).spawn().expect("the binary starts");
        let said = Said::listen(child.stdout.take());
        assert!(said.wait_for("Cartwright checks carts.").is_some(), "{:?}", said.lines());
        Self { child, said }
    }

    /// What it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.said.lines()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }

    /// SIGTERM, and how it ended.
    pub fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("our own child");
        wait(&mut self.child, STOP).expect("it ends")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Standard output as it comes; it is read to its end, so the server never waits for us.
#[derive(Clone, Default)]
struct Said(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    is_over: bool,
}

impl Said {
    fn listen<R: Read + Send + 'static>(from: Option<R>) -> Self {
        let from = from.expect("a pipe was asked for");
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
        change(&mut self.0.0.lock().expect("nobody panics here"));
        self.0.1.notify_all();
    }

    /// What follows this beginning of a line, once there is such a line; nothing if the output ends without it.
    fn wait_for(&self, beginning: &str) -> Option<String> {
        let find = |heard: &Heard| heard.lines.iter().find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
        let heard = self.0.0.lock().expect("nobody panics here");
        let waits = |heard: &mut Heard| find(heard).is_none() && !heard.is_over;
        let (heard, _) = self.0.1.wait_timeout_while(heard, START, waits).expect("nobody panics here");
        find(&heard)
    }

    fn lines(&self) -> Vec<String> {
        self.0.0.lock().expect("nobody panics here").lines.clone()
    }
}
