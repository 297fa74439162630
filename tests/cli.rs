//! The binary as an operator meets it: its help, its refusals, its first start, its end. Knows no more than the manual.

#[path = "faults/support/mod.rs"]
mod support;

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use support::{
    browser::{Browser, PASSWORD},
    cluster::Folder,
    http,
    process::{Ran, Server, cartwright, run},
    world::{add_user, set_up},
};

/// `EX_CONFIG` of sysexits.h.
const WRONG_SETTING: Option<i32> = Some(78);

fn help(arguments: &[&str]) -> String {
    let folder = Folder::new();
    let ran = run(cartwright(folder.path(), arguments));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout
}

fn file(folder: &Folder, name: &str, text: &str) -> PathBuf {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let path = folder.path().join(name);
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o400).open(&path);
    made.and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
    path
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("the folder").next().is_none()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn users_add(folder: &Folder, email: &str, password: &Path) -> Command {
    let mut command = cartwright(folder.path(), &["users", "add", "--email", email, "--name", "Sam Lee"]);
    command.arg("--password-file").arg(password);
    command
}

#[test]
fn help_teaches_a_first_start_and_names_every_setting() {
    let first = help(&["--help"]);
    for word in ["serve", "migrate", "users", "keys", "CARTWRIGHT_", "DATABASE_URL", "keys generate", "A first start"] {
        assert!(first.contains(word), "{word}: {first}");
    }
    let serve = help(&["serve", "--help"]);
    for name in [
        "LISTEN",
        "DATA_DIR",
        "KEY_FILE",
        "PUBLIC_URL",
        "PRODUCT_NAME",
        "PRACTICE",
        "EGRESS_PROXY",
        "EGRESS_CA_FILE",
        "SUPPORT_ADDRESS",
        "NO_WORKER",
        "LOG",
    ] {
        assert!(serve.contains(&format!("CARTWRIGHT_{name}")), "{name}: {serve}");
        assert!(serve.contains(&format!("--{}", name.to_lowercase().replace('_', "-"))), "{name}: {serve}");
    }
    for (arguments, words) in [
        (&["migrate", "--help"][..], &["DATABASE_URL", "CARTWRIGHT_DATA_DIR"][..]),
        (&["worker", "--help"], &["--no-worker", "as many as you like", "CARTWRIGHT_EGRESS_PROXY"]),
        (&["users", "--help"], &["add"]),
        (&["users", "add", "--help"], &["--email", "--name", "--password-file", "8 characters", "DATABASE_URL"]),
        (&["keys", "--help"], &["generate"]),
        (&["keys", "generate", "--help"], &["CARTWRIGHT_KEY_FILE"]),
    ] {
        let text = help(arguments);
        for word in words {
            assert!(text.contains(word), "{arguments:?} {word}: {text}");
        }
    }
}

#[test]
fn help_shows_no_secret_of_the_environment() {
    let folder = Folder::new();
    let mut command = cartwright(folder.path(), &["serve", "--help"]);
    command.env("DATABASE_URL", "postgres://cartwright:canary-one@db.example/x");
    command.env("CARTWRIGHT_EGRESS_PROXY", "http://user:canary-two@proxy.example:3128");
    let ran = run(command);
    assert!(!ran.stdout.contains("canary"), "{}", ran.stdout);
}

#[test]
fn every_wrong_setting_is_told_at_once_and_nothing_has_begun() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    let mut command = cartwright(&data, &["serve"]);
    command
        .env("CARTWRIGHT_LISTEN", "nowhere")
        .env("CARTWRIGHT_PUBLIC_URL", "http://orders.example.com")
        .env("CARTWRIGHT_EGRESS_PROXY", "https://user:canary@proxy.example")
        .env("CARTWRIGHT_EGRESS_CA_FILE", "/does/not/exist")
        .env("CARTWRIGHT_KEY_FILE", "/does/not/exist")
        .env("CARTWRIGHT_SUPPORT_ADDRESS", "call us")
        .env("CARTWRIGHT_LOG", "a=b=c");
    let ran = run(command);
    assert_eq!((ran.code, ran.stdout.as_str()), (WRONG_SETTING, ""), "{ran:?}");
    let named: Vec<&str> = ran.stderr.lines().filter_map(|line| line.split_once(": ").map(|(name, _)| name)).collect();
    for name in ["LISTEN", "PUBLIC_URL", "EGRESS_PROXY", "EGRESS_CA_FILE", "KEY_FILE", "SUPPORT_ADDRESS", "LOG"] {
        let name = format!("CARTWRIGHT_{name}");
        assert_eq!(named.iter().filter(|known| **known == name).count(), 1, "{name}: {}", ran.stderr);
    }
    assert_eq!(ran.stderr.lines().count(), 7, "one line each: {}", ran.stderr);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert!(!data.exists(), "nothing is made for a start that cannot be");
}

#[test]
fn practice_beside_a_proxy_of_ones_own_is_refused() {
    let folder = Folder::new();
    let mut command = cartwright(folder.path(), &["serve", "--practice"]);
    command.env("CARTWRIGHT_EGRESS_PROXY", "http://proxy.example:3128");
    let ran = run(command);
    assert_eq!(ran.code, WRONG_SETTING, "{ran:?}");
    assert!(ran.stderr.starts_with("CARTWRIGHT_PRACTICE: "), "{}", ran.stderr);
    assert!(is_empty(folder.path()));
}

#[test]
fn a_worker_has_no_practice_store() {
    let folder = Folder::new();
    let ran = run(cartwright(folder.path(), &["worker", "--practice"]));
    assert_eq!(ran.code, WRONG_SETTING, "{ran:?}");
    assert!(ran.stderr.starts_with("CARTWRIGHT_PRACTICE: "), "{}", ran.stderr);
    assert!(is_empty(folder.path()));
}

#[test]
fn a_port_in_use_is_told_before_a_database_is_made() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_LISTEN", &address);
    let ran = run(command);
    assert_eq!(ran.code, WRONG_SETTING, "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("CARTWRIGHT_LISTEN") && ran.stderr.contains(&address), "{}", ran.stderr);
    assert!(is_empty(folder.path()));
}

#[test]
fn an_unknown_variable_is_somebody_elses() {
    let folder = Folder::new();
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_UNHEARD_OF", "1").env("CARTWRIGHT_KEY_FILE", "");
    let (status, ..) = Server::start(command).stop();
    assert!(status.success());
}

/// What `serve` says to this key file, and whether its port was ever open meanwhile.
fn refused_key(folder: &Folder, key_file: &Path) -> Ran {
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_KEY_FILE", key_file).env("CARTWRIGHT_LISTEN", &address);
    let is_over = AtomicBool::new(false);
    let (ran, was_open) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut was_open = false;
            while !is_over.load(Ordering::Relaxed) {
                was_open |= TcpStream::connect(&address).is_ok();
                std::thread::sleep(Duration::from_millis(2));
            }
            was_open
        });
        let ran = run(command);
        is_over.store(true, Ordering::Relaxed);
        (ran, watcher.join().expect("no panic"))
    });
    assert!(!was_open, "the port was open: {ran:?}");
    assert_eq!((ran.code, ran.stdout.as_str()), (WRONG_SETTING, ""), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("CARTWRIGHT_KEY_FILE"), "{}", ran.stderr);
    ran
}

/// Every row of every table, as text; `xmin` tells of rows that were written again.
async fn rows(folder: &Folder) -> Vec<String> {
    use cartwright::database::embedded::{Places, start};
    let places = Places { pg_bin: std::env::var_os("PG_BIN").map(PathBuf::from), path: std::env::var_os("PATH") };
    let cluster = start(folder.path(), &places).await.expect("the cluster starts");
    let mut connection = folder.connect().await;
    let mut rows = Vec::new();
    for table in ["vault_keys", "users", "sessions", "set_up_links", "audit_events", "carts", "_sqlx_migrations"] {
        let question = format!("select xmin::text || ' ' || t::text from {table} t order by 1");
        let found: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_all(&mut connection).await.expect("the table");
        rows.extend(found.into_iter().map(|row| format!("{table} {row}")));
    }
    sqlx::Connection::close(connection).await.ok();
    cluster.stop().await.expect("it stops");
    rows
}

#[tokio::test]
async fn a_missing_or_wrong_key_opens_no_port_and_touches_no_row() {
    let folder = Folder::new();
    let (status, ..) = Server::start(cartwright(folder.path(), &["serve"])).stop();
    assert!(status.success());
    let before = rows(&folder).await;
    assert!(before.iter().any(|row| row.starts_with("vault_keys ")), "{before:?}");
    let key = help(&["keys", "generate"]);
    let wrong = [
        file(&folder, "short", "c2hvcnQ=\n"),
        file(&folder, "equal", &format!("{}=\n", "A".repeat(43))),
        file(&folder, "doubled", &format!("{key}{key}")),
        file(&folder, "other", &key),
        folder.path().join("missing"),
    ];
    for path in &wrong {
        let ran = refused_key(&folder, path);
        assert!(!ran.stderr.contains(key.trim()), "{}", ran.stderr);
    }
    assert_eq!(rows(&folder).await, before);
    let (status, ..) = Server::start(cartwright(folder.path(), &["serve"])).stop();
    assert!(status.success(), "the right key still opens everything");
}

/// The tests' own cluster runs without fsync: exactly what a server must refuse.
#[tokio::test]
async fn a_database_that_may_lose_writes_is_refused_by_name() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names the tests' database, as for every SQL test");
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("it answers");
    let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&mut connection).await.expect("a word");
    assert_eq!(fsync, "off", "the tests' database is meant to be fast and forgetful");
    let folder = Folder::new();
    let key = file(&folder, "key", &help(&["keys", "generate"]));
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("DATABASE_URL", &url).env("CARTWRIGHT_KEY_FILE", &key);
    let ran = run(command);
    assert!(ran.code.is_some_and(|code| code != 0) && ran.stdout.is_empty(), "{ran:?}");
    assert!(ran.stderr.contains("fsync = off") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
}

#[test]
fn a_made_key_is_a_line_that_serves() {
    let folder = Folder::new();
    let (one, other) = (help(&["keys", "generate"]), help(&["keys", "generate"]));
    assert_ne!(one, other);
    assert_eq!(one.lines().count(), 1);
    let keys = file(&folder, "ours", &format!("{one}{other}"));
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_KEY_FILE", &keys);
    let (status, ..) = Server::start(command).stop();
    assert!(status.success());
    assert!(!folder.path().join("keys").exists(), "no second key is made beside a given one");
}

#[tokio::test]
async fn users_are_added_before_the_server_runs_and_beside_it() {
    let folder = Folder::new();
    let password = file(&folder, "password", &format!("{PASSWORD}\nand a second line\n"));
    let ran = run(users_add(&folder, "Priya@Northwind.example", &password));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "priya@northwind.example can sign in now.\n"), "{ran:?}");
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    Browser::sign_in(server.address, "priya@northwind.example").await;
    add_user(&folder, "sam@northwind.example");
    let mut viewer = users_add(&folder, "viewer@northwind.example", &password);
    viewer.arg("--viewer");
    assert_eq!(run(viewer).code, Some(0));
    Browser::sign_in(server.address, "sam@northwind.example").await;
    let mut viewer = Browser::sign_in(server.address, "viewer@northwind.example").await;
    let add = viewer.get("/admin/ecommerce/add").await.expect("an answer");
    assert_eq!(add.status(), 403);
    let lines = server.lines();
    let (status, ..) = server.stop();
    assert!(status.success());
    assert!(!lines.iter().any(|line| line.contains("/set-up/")), "{lines:?}");
}

#[test]
fn users_that_cannot_be_added_are_told_why_in_one_line() {
    let folder = Folder::new();
    let good = file(&folder, "good", PASSWORD);
    assert_eq!(run(users_add(&folder, "sam@northwind.example", &good)).code, Some(0));
    let short = file(&folder, "short", "seven77\n");
    let missing = folder.path().join("missing");
    for (email, password, word) in [
        ("SAM@northwind.example", &good, "Someone with this email address can already sign in"),
        ("new@northwind.example", &short, "--password-file: Password must be at least 8 characters"),
        ("new@northwind.example", &missing, "--password-file: "),
        ("new", &good, "--email: "),
    ] {
        let ran = run(users_add(&folder, email, password));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.contains(word) && ran.stderr.lines().count() == 1, "{word}: {}", ran.stderr);
        assert!(!ran.stderr.contains("seven77"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn a_first_start_makes_everything_and_the_second_finds_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let first = Server::start(cartwright(folder.path(), &["serve"]));
    set_up(&first).await;
    let key = std::fs::read(folder.path().join("keys")).expect("the key");
    let mode = std::fs::metadata(folder.path().join("keys")).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let lines = first.lines();
    assert!(lines.iter().any(|line| line.starts_with("Made a key that seals saved secrets: ")), "{lines:?}");
    let (status, _, errors) = first.stop();
    assert!(status.success() && errors.is_empty(), "{errors}");
    assert!(folder.postmaster().is_none(), "the cluster stops with its last user");
    let second = Server::start(cartwright(folder.path(), &["serve"]));
    Browser::sign_in(second.address, "priya@northwind.example").await;
    let lines = second.lines();
    assert_eq!(lines.len(), 1, "no key and no link are made again: {lines:?}");
    assert_eq!(std::fs::read(folder.path().join("keys")).expect("the key"), key);
}

#[tokio::test]
async fn a_start_after_kill_9_finds_its_data() {
    let folder = Folder::new();
    let first = Server::start(cartwright(folder.path(), &["serve"]));
    set_up(&first).await;
    first.kill();
    assert!(folder.postmaster().is_some(), "a crash leaves the cluster running");
    let second = Server::start(cartwright(folder.path(), &["serve"]));
    Browser::sign_in(second.address, "priya@northwind.example").await;
    // now everything at once, as when the machine loses power
    second.signal(Signal::STOP);
    folder.signal(Signal::KILL);
    second.kill();
    let third = Server::start(cartwright(folder.path(), &["serve"]));
    Browser::sign_in(third.address, "priya@northwind.example").await;
    let (status, ..) = third.stop();
    assert!(status.success());
}

#[tokio::test]
async fn two_servers_on_one_fresh_folder_both_serve() {
    let folder = Folder::new();
    let start = || {
        let command = cartwright(folder.path(), &["serve"]);
        std::thread::spawn(move || Server::start(command))
    };
    let (one, two) = (start(), start());
    let (one, two) = (one.join().expect("started"), two.join().expect("started"));
    set_up(&one).await;
    Browser::sign_in(two.address, "priya@northwind.example").await;
    let (status, _, errors) = one.stop();
    assert!(status.success(), "{errors}");
    let list = http::get(two.address, "/-/ready").await.expect("an answer");
    assert_eq!(list.status, 200, "the cluster stays as long as somebody uses it");
    let (status, _, errors) = two.stop();
    assert!(status.success(), "{errors}");
    assert!(folder.postmaster().is_none());
}

#[test]
fn migrate_makes_the_schema_and_stops() {
    let folder = Folder::new();
    for _ in 0..2 {
        let ran = run(cartwright(folder.path(), &["migrate"]));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "The database is up to date.\n"), "{ran:?}");
    }
    assert!(folder.postmaster().is_none());
    assert!(!folder.path().join("keys").exists(), "migrating takes no key");
}

#[tokio::test]
async fn ctrl_c_and_sigterm_end_well_and_soon() {
    let folder = Folder::new();
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(cartwright(folder.path(), &["serve"]));
        let begun = Instant::now();
        server.signal(signal);
        let (status, took, errors) = server.ended(begun);
        assert_eq!(status.code(), Some(0), "{signal:?} {errors}");
        assert!(took < Duration::from_secs(10), "{signal:?} {took:?}");
    }
}

/// A log that nobody reads: everything that is written fails from then on.
#[tokio::test]
async fn closed_output_does_not_stop_the_service() {
    let folder = Folder::new();
    let port = free_port();
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_LISTEN", format!("127.0.0.1:{port}")).env("CARTWRIGHT_LOG", "info");
    let mut child = command.spawn().expect("the binary starts");
    drop((child.stdout.take(), child.stderr.take()));
    let address = ([127, 0, 0, 1], port).into();
    support::until(Duration::from_mins(1), "it serves without anybody listening to it", || async move {
        http::get(address, "/-/ready").await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
    for _ in 0..20 {
        assert_eq!(http::get(address, "/sign-in").await.expect("an answer").status, 200);
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).expect("our own child");
    let status = support::process::wait(&mut child, Duration::from_secs(30)).expect("it ends");
    assert_eq!(status.code(), Some(0));
}
