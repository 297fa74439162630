//! A process that dies leaves none of its memory behind: no core file, and no access for other processes of its user.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, Signal, geteuid, getrlimit, setrlimit};

use super::support::{
    cluster::Folder,
    process::{Server, cartwright},
    skip, until,
};

/// The user id that runs the program if the test is root.
const NOBODY: u32 = 65_534;

fn core_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("core")).collect()
}

/// Lets our children dump as much as this process may.
fn allow_core_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: maximum, maximum }).expect("up to the maximum");
}

/// Whether a process that aborts leaves a core file in its working directory on this machine.
fn machine_dumps_into(folder: &Path) -> bool {
    let mut control = Command::new("sh");
    control.args(["-c", "kill -ABRT $$"]).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    assert_eq!(control.status().expect("a shell").signal(), Some(Signal::ABORT.as_raw()));
    !core_files(folder).is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_is_aborted_or_faults_leaves_no_core_file() {
    allow_core_files();
    let control = tempfile::tempdir().expect("a folder");
    let dumps = machine_dumps_into(control.path());
    for signal in [Signal::ABORT, Signal::SEGV] {
        let (folder, here) = (Folder::new(), tempfile::tempdir().expect("a folder"));
        let mut serve = cartwright(folder.path(), &["serve"]);
        serve.current_dir(here.path());
        let mut server = Server::start(serve);
        let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid().as_raw_nonzero())).expect("Linux");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        let values: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(values, ["0", "0"], "{core}");
        // The first SIGSEGV reaches the handler that Rust installs, which only uninstalls itself.
        until(Duration::from_secs(20), "the server dies", || {
            let is_running = server.is_running();
            if is_running {
                server.signal(signal);
            }
            async move { !is_running }
        })
        .await;
        let (status, ..) = server.ended(std::time::Instant::now());
        assert_eq!((status.signal(), status.core_dumped()), (Some(signal.as_raw()), false));
        assert_eq!(core_files(here.path()), [""; 0]);
    }
    if !dumps {
        skip(
            "the folder of a server that dies: this machine puts no core file into a process's folder (kernel.core_pattern)",
        );
    }
}

/// The `/proc` entries of a process that is not dumpable belong to root. If the test is root, it runs the program as
/// another user.
#[tokio::test(flavor = "multi_thread")]
async fn program_may_not_be_looked_into_by_its_own_user() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    // A database that accepts the connection and never responds, so that the program waits.
    let database = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("postgres://x@{}/x?sslmode=disable", database.local_addr().expect("a port"));
    let program = folder.path().join("cartwright");
    fs::copy(env!("CARGO_BIN_EXE_cartwright"), &program).expect("a copy that anybody may run");
    let user = if geteuid().is_root() { NOBODY } else { geteuid().as_raw() };
    let run = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("DATABASE_URL", &url).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if geteuid().is_root() {
            command.uid(user).gid(user);
        }
        command.spawn().expect("it starts")
    };
    let owner = |pid: u32| fs::metadata(format!("/proc/{pid}/status")).expect("Linux").uid();
    let mut control = run(Path::new("/bin/sleep"), &["60"]);
    until(Duration::from_secs(10), "the control belongs to its user", || async { owner(control.id()) == user }).await;
    control.kill().and_then(|()| control.wait()).expect("our own child");
    let mut child = run(&program, &["users", "list"]);
    until(Duration::from_secs(10), "the program belongs to root", || {
        assert!(child.try_wait().expect("our own child").is_none(), "it waits for its database");
        let is_closed = owner(child.id()) == 0;
        async move { is_closed }
    })
    .await;
    child.kill().and_then(|()| child.wait()).expect("our own child");
}
