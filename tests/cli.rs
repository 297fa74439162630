//! The compiled binary from an operator's view: help, refused settings, first start, shutdown. Uses only documented
//! behaviour.

#[path = "cli_parts/api_keys.rs"]
mod api_keys;
#[path = "cli_parts/database_start.rs"]
mod database_start;
#[path = "cli_parts/files_and_ports.rs"]
mod files_and_ports;
#[path = "cli_parts/release_check.rs"]
mod release_check;
#[path = "cli_parts/roles.rs"]
mod roles;
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

/// Returns a port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn users_add(folder: &Folder, email: &str, password: &Path) -> Command {
    let mut command = cartwright(folder.path(), &["users", "add", "--email", email, "--name", "Sam Lee"]);
    command.arg("--password-file").arg(password);
    command
}

#[test]
fn help_explains_a_first_start_and_lists_every_setting() {
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
        "TRUSTED_PROXIES",
        "SMTP_URL",
        "MAIL_FROM",
        "ALERT_HOSTS",
        "NO_WORKER",
        "DRAIN",
        "METRICS_LISTEN",
        "MIGRATE_DATABASE_URL",
        "ALLOW_SUPERUSER",
        "ACTIVITY_KEEP",
        "LOG",
        "LOG_FILE",
    ] {
        assert!(serve.contains(&format!("CARTWRIGHT_{name}")), "{name}: {serve}");
        assert!(serve.contains(&format!("--{}", name.to_lowercase().replace('_', "-"))), "{name}: {serve}");
    }
    for (arguments, words) in [
        (&["migrate", "--help"][..], &["DATABASE_URL", "CARTWRIGHT_DATA_DIR"][..]),
        (&["worker", "--help"], &["--no-worker", "as many as you like", "CARTWRIGHT_EGRESS_PROXY"]),
        (&["users", "--help"], &["list", "add", "link", "disable", "enable", "locked out"]),
        (&["users", "link", "--help"], &["--email", "--public-url", "CARTWRIGHT_PUBLIC_URL", "DATABASE_URL"]),
        (&["users", "add", "--help"], &["--email", "--name", "--password-file", "8 characters", "DATABASE_URL"]),
        (
            &["activity", "verify", "--help"],
            &["POSITION:HASH", "--head", "was changed, removed, inserted", "CARTWRIGHT_MIGRATE_DATABASE_URL"],
        ),
        (&["keys", "--help"], &["generate", "list", "rotate", "forget"]),
        (&["keys", "list", "--help"], &["CARTWRIGHT_KEY_FILE", "DATABASE_URL", "16 hex digits"]),
        (
            &["keys", "rotate", "--help"],
            &["CARTWRIGHT_KEY_FILE", "second line", "0 secrets left", "exit code", "offline"],
        ),
        (
            &["keys", "forget", "--help"],
            &["<ID>", "truly lost", "Nothing is deleted", "Refused while the key is in the file"],
        ),
        (&["api-keys", "--help"], &["add", "list", "revoke"]),
        (
            &["api-keys", "add", "--help"],
            &[
                "--name",
                "--scopes",
                "--carts",
                "--networks",
                "--days",
                "tokens:issue",
                "1 to 365",
                "DATABASE_URL",
                "default: 90",
            ],
        ),
        (&["api-keys", "revoke", "--help"], &["<ID>", "at once", "DATABASE_URL"]),
        (&["keys", "generate", "--help"], &["CARTWRIGHT_KEY_FILE", "--file"]),
    ] {
        let text = help(arguments);
        for word in words {
            assert!(text.contains(word), "{arguments:?} {word}: {text}");
        }
    }
}

#[test]
fn help_shows_no_secret_from_the_environment() {
    let folder = Folder::new();
    let mut command = cartwright(folder.path(), &["serve", "--help"]);
    command.env("DATABASE_URL", "postgres://cartwright:canary-one@db.example/x");
    command.env("CARTWRIGHT_MIGRATE_DATABASE_URL", "postgres://cartwright:canary-four@db.example/x");
    command.env("CARTWRIGHT_EGRESS_PROXY", "http://user:canary-two@proxy.example:3128");
    command.env("CARTWRIGHT_SMTP_URL", "smtps://user:canary-three@mail.example");
    let ran = run(command);
    assert!(!ran.stdout.contains("canary"), "{}", ran.stdout);
}

#[test]
fn all_invalid_settings_are_reported_before_anything_starts() {
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
    assert_eq!(ran.stderr.lines().count(), 7, "one line per setting: {}", ran.stderr);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert!(!data.exists(), "a refused start creates nothing");
}

#[test]
fn practice_with_a_configured_proxy_is_refused() {
    let folder = Folder::new();
    let mut command = cartwright(folder.path(), &["serve", "--practice"]);
    command.env("CARTWRIGHT_EGRESS_PROXY", "http://proxy.example:3128");
    let ran = run(command);
    assert_eq!(ran.code, WRONG_SETTING, "{ran:?}");
    assert!(ran.stderr.starts_with("CARTWRIGHT_PRACTICE: "), "{}", ran.stderr);
    assert!(is_empty(folder.path()));
}

#[test]
fn worker_refuses_practice() {
    let folder = Folder::new();
    let ran = run(cartwright(folder.path(), &["worker", "--practice"]));
    assert_eq!(ran.code, WRONG_SETTING, "{ran:?}");
    assert!(ran.stderr.starts_with("CARTWRIGHT_PRACTICE: "), "{}", ran.stderr);
    assert!(is_empty(folder.path()));
}

#[test]
fn port_in_use_is_reported_before_a_database_is_created() {
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
fn unknown_environment_variables_are_ignored() {
    let folder = Folder::new();
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_UNHEARD_OF", "1").env("CARTWRIGHT_KEY_FILE", "");
    let (status, ..) = Server::start(command).stop();
    assert!(status.success());
}

/// Runs `serve` with this key file and asserts that its port was never open.
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
    use cartwright::database::embedded::{SearchPaths, start};
    let places = SearchPaths { pg_bin: std::env::var_os("PG_BIN").map(PathBuf::from), path: std::env::var_os("PATH") };
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
    cluster.stop().await.expect("cluster stops");
    rows
}

#[tokio::test]
async fn key_missing_or_wrong_opens_no_port_and_touches_no_row() {
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

/// The tests' own cluster runs without fsync, which a server must refuse.
#[tokio::test]
async fn database_that_may_lose_writes_is_refused() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names the tests' database, as for every SQL test");
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("database answers");
    let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&mut connection).await.expect("a setting");
    assert_eq!(fsync, "off", "the tests' database runs without fsync");
    let folder = Folder::new();
    let key = file(&folder, "key", &help(&["keys", "generate"]));
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("DATABASE_URL", &url).env("CARTWRIGHT_KEY_FILE", &key);
    let ran = run(command);
    assert!(ran.code.is_some_and(|code| code != 0) && ran.stdout.is_empty(), "{ran:?}");
    assert!(ran.stderr.contains("fsync = off") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
}

#[test]
fn generated_key_can_be_used_to_serve() {
    let folder = Folder::new();
    let (one, other) = (help(&["keys", "generate"]), help(&["keys", "generate"]));
    assert_ne!(one, other);
    assert_eq!(one.lines().count(), 1);
    let keys = file(&folder, "ours", &format!("{one}{other}"));
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_KEY_FILE", &keys);
    let (status, ..) = Server::start(command).stop();
    assert!(status.success());
    assert!(!folder.path().join("keys").exists(), "no key is generated when one is configured");
}

/// Runs `doctor` and returns its output. Shopify is unreachable from a test, so that check always fails.
fn doctor(folder: &Folder, key_file: Option<&Path>) -> String {
    let mut command = cartwright(folder.path(), &["doctor"]);
    command.env("CARTWRIGHT_EGRESS_PROXY", format!("http://127.0.0.1:{}", free_port()));
    if let Some(key_file) = key_file {
        command.env("CARTWRIGHT_KEY_FILE", key_file);
    }
    run(command).stdout
}

#[test]
fn doctor_reports_key_location_and_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let fresh = doctor(&folder, None);
    assert!(fresh.contains("Key and data lie together"), "{fresh}");
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    let made = folder.path().join("keys");
    assert!(doctor(&folder, None).contains("Key and data lie together"));
    assert!(doctor(&folder, Some(&made)).contains("Key and data lie together"), "with a configured path, too");
    let moved = elsewhere.path().join("keys");
    std::fs::copy(&made, &moved).expect("a copy");
    std::fs::set_permissions(&moved, std::fs::Permissions::from_mode(0o444)).expect("own file");
    let said = doctor(&folder, Some(&moved));
    assert!(
        !said.contains("lie together") && said.contains("Everybody on this machine may read the key file"),
        "{said}"
    );
    std::fs::set_permissions(&moved, std::fs::Permissions::from_mode(0o400)).expect("own file");
    let said = doctor(&folder, Some(&moved));
    assert!(!said.contains("Everybody"), "{said}");
    drop(server);
}

#[test]
fn a_proxy_in_front_that_is_not_trusted_is_reported() {
    let folder = Folder::new();
    let behind = |command: &str, public_url: &str, proxies: &str| {
        let mut command = cartwright(folder.path(), &[command]);
        command.env("CARTWRIGHT_PUBLIC_URL", public_url).env("CARTWRIGHT_TRUSTED_PROXIES", proxies);
        command.env("CARTWRIGHT_EGRESS_PROXY", format!("http://127.0.0.1:{}", free_port()));
        command
    };
    for (public_url, proxies, is_told) in [
        ("https://127.0.0.1:8443", "", true),
        ("https://127.0.0.1:8443", "127.0.0.1", false),
        ("http://127.0.0.1:8080", "", false),
    ] {
        let (_, _, log) = Server::start(behind("serve", public_url, proxies)).stop();
        assert_eq!(log.matches("CARTWRIGHT_TRUSTED_PROXIES=").count(), usize::from(is_told), "{public_url}: {log}");
        let said = run(behind("doctor", public_url, proxies)).stdout;
        let told: Vec<&str> = said.lines().filter(|line| line.contains("CARTWRIGHT_TRUSTED_PROXIES=")).collect();
        assert_eq!(told.len(), usize::from(is_told), "{public_url}: {said}");
        assert!(
            told.iter().all(|line| line.starts_with("mind  ") && line.contains("limit of sign-in tries")),
            "{said}"
        );
    }
}

#[tokio::test]
async fn users_can_be_added_with_and_without_a_running_server() {
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
fn rejected_user_is_explained_in_one_line() {
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

fn users(folder: &Folder, arguments: &[&str]) -> Ran {
    run(cartwright(folder.path(), &[&["users"], arguments].concat()))
}

#[tokio::test]
async fn operator_link_restores_access_to_an_account() {
    let folder = Folder::new();
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    let mut priya = set_up(&server).await;
    let ran =
        users(&folder, &["link", "--email", "Priya@Northwind.example", "--public-url", "https://orders.example.com/"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let path = lines[0].strip_prefix("https://orders.example.com").expect("a link of this server");
    assert!(path.starts_with("/set-up/") && ran.code == Some(0), "{ran:?}");
    assert_eq!(
        lines[1],
        "It lets Priya Shah choose a new password, once, within the hour. Every browser of theirs is signed out."
    );
    let out = priya.get("/admin").await.expect("an answer");
    assert!(out.status() == 303 && out.location().starts_with("/sign-in"), "her browser is signed out: {}", out.html);
    let mut elsewhere = Browser::new(server.address);
    let opened = elsewhere.get(path).await.expect("link redirects");
    let page = elsewhere.get(opened.location()).await.expect("the page of the link");
    let form = page.form("Save password").fill("password", "five plain random words more");
    assert_eq!(elsewhere.submit(&form).await.expect("an answer").status(), 303);
    assert_eq!(elsewhere.get("/admin").await.expect("an answer").status(), 200);
    assert_eq!(Browser::new(server.address).get(path).await.expect("an answer").status(), 410, "the link works once");
}

#[tokio::test]
async fn users_are_listed_disabled_and_enabled() {
    let folder = Folder::new();
    let empty = users(&folder, &["list"]);
    assert_eq!(empty.stdout, "Nobody can sign in yet. The server prints a set-up link when it starts.\n", "{empty:?}");
    let password = file(&folder, "password", PASSWORD);
    for email in ["priya@northwind.example", "sam@northwind.example"] {
        assert_eq!(run(users_add(&folder, email, &password)).code, Some(0));
    }
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    let mut sam = Browser::sign_in(server.address, "sam@northwind.example").await;
    for (arguments, code, said) in [
        (["disable", "--email", "SAM@northwind.example"], 0, "sam@northwind.example cannot sign in any more."),
        (["disable", "--email", "sam@northwind.example"], 0, "sam@northwind.example was disabled already."),
        (
            ["disable", "--email", "priya@northwind.example"],
            1,
            "There must be one administrator. Make somebody else one first.",
        ),
        (
            ["link", "--email", "sam@northwind.example"],
            1,
            "sam@northwind.example is disabled: `cartwright users enable` lets them in first",
        ),
        (["disable", "--email", "tom@northwind.example"], 1, "--email: nobody has the address tom@northwind.example"),
        (["disable", "--email", "tom"], 1, "--email: Enter an email address like priya@northwind.example"),
    ] {
        let ran = users(&folder, &arguments);
        assert_eq!((ran.code, format!("{}{}", ran.stdout, ran.stderr).trim()), (Some(code), said), "{arguments:?}");
    }
    assert_eq!(sam.get("/admin").await.expect("an answer").status(), 303, "he is signed out at once");
    let listed = users(&folder, &["list"]).stdout;
    assert!(
        listed.lines().any(|line| line.starts_with("sam@") && line.ends_with("Administrator  disabled")),
        "{listed}"
    );
    assert!(listed.lines().any(|line| line.starts_with("priya@") && line.ends_with("not here yet")), "{listed}");
    let ran = users(&folder, &["enable", "--email", "sam@northwind.example"]);
    assert_eq!(ran.stdout, "sam@northwind.example can sign in again.\n", "{ran:?}");
    Browser::sign_in(server.address, "sam@northwind.example").await;
}

#[tokio::test]
async fn first_start_creates_everything_and_second_start_reuses_it() {
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
    assert_eq!(lines.len(), 1, "no new key and no new link: {lines:?}");
    assert_eq!(std::fs::read(folder.path().join("keys")).expect("the key"), key);
}

#[tokio::test]
async fn start_after_sigkill_keeps_the_data() {
    let folder = Folder::new();
    let first = Server::start(cartwright(folder.path(), &["serve"]));
    set_up(&first).await;
    first.kill();
    assert!(folder.postmaster().is_some(), "a crash leaves the cluster running");
    let second = Server::start(cartwright(folder.path(), &["serve"]));
    Browser::sign_in(second.address, "priya@northwind.example").await;
    // Kill server and database together, as in a power loss.
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
    assert_eq!(list.status, 200, "the cluster runs as long as a server uses it");
    let (status, _, errors) = two.stop();
    assert!(status.success(), "{errors}");
    assert!(folder.postmaster().is_none());
}

#[test]
fn migrate_creates_the_schema_and_exits() {
    let folder = Folder::new();
    for _ in 0..2 {
        let ran = run(cartwright(folder.path(), &["migrate"]));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "The database is up to date.\n"), "{ran:?}");
    }
    assert!(folder.postmaster().is_none());
    assert!(!folder.path().join("keys").exists(), "migrating needs no key");
}

#[tokio::test]
async fn ctrl_c_and_sigterm_exit_cleanly_and_quickly() {
    let folder = Folder::new();
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(cartwright(folder.path(), &["serve"]));
        let begun = Instant::now();
        server.signal(signal);
        let (status, took, errors) = server.ended(begun);
        assert_eq!(status.code(), Some(0), "{signal:?} {errors}");
        assert!(took < Duration::from_secs(18), "{signal:?} {took:?}");
    }
}

/// Nobody reads the output, so every write to it fails.
#[tokio::test]
async fn closed_output_does_not_stop_the_service() {
    let folder = Folder::new();
    let port = free_port();
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_LISTEN", format!("127.0.0.1:{port}")).env("CARTWRIGHT_LOG", "info");
    let mut child = command.spawn().expect("the binary starts");
    drop((child.stdout.take(), child.stderr.take()));
    let address = ([127, 0, 0, 1], port).into();
    support::until(Duration::from_mins(1), "serves with closed output", || async move {
        http::get(address, "/-/ready").await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
    for _ in 0..20 {
        assert_eq!(http::get(address, "/sign-in").await.expect("an answer").status, 200);
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).expect("child process");
    let status = support::process::wait(&mut child, Duration::from_secs(30)).expect("exits in time");
    assert_eq!(status.code(), Some(0));
}

/// Runs `cartwright ready` as a container's health check does.
fn ready(folder: &Folder, listen: &str) -> Ran {
    let mut command = cartwright(folder.path(), &["ready"]);
    command.env("CARTWRIGHT_LISTEN", listen);
    run(command)
}

#[tokio::test]
async fn ready_command_reports_the_servers_readiness() {
    let folder = Folder::new();
    let nobody = ready(&folder, &format!("127.0.0.1:{}", free_port()));
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.starts_with("Nobody answers at 127.0.0.1:"), "{nobody:?}");
    assert_eq!(ready(&folder, "everywhere").code, Some(78));

    let server = Server::start(cartwright(folder.path(), &["serve"]));
    // A server in a container listens on all interfaces and is probed on loopback.
    let well = ready(&folder, &format!("0.0.0.0:{}", server.address.port()));
    assert_eq!((well.code, well.stderr.as_str()), (Some(0), ""), "{well:?}");
    folder.signal(rustix::process::Signal::STOP);
    let away = ready(&folder, &server.address.to_string());
    folder.signal(rustix::process::Signal::CONT);
    assert_eq!(away.code, Some(1));
    assert!(away.stderr.ends_with("is not ready: it answers 503\n"), "{away:?}");
}
