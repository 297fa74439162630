//! A database that stops responding without closing its connections: a frozen proxy, a lost host, a failover with late
//! DNS. Everything recovers without intervention, and no acknowledged save is lost.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use cartwright::database::embedded::Embedded;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::Executor;
use tempfile::TempDir;

use super::{
    storm::{Journal, Storm, Told, settle},
    support::{
        browser::Browser,
        cluster::{Folder, running},
        http, is_long,
        process::{Server, cartwright, run, wait},
        relay::Relay,
        until,
        world::{World, shopify},
    },
};

/// The limit is 10 s after the cause has ended; the rest is slack for a busy machine.
const WELL_WITHIN: Duration = Duration::from_secs(20);
/// The limit is 2 s; the rest is slack.
const TOLD_WITHIN: Duration = Duration::from_secs(6);
const PEOPLE: usize = 20;

/// A server that reaches its database through a relay.
struct Behind {
    world: World,
    relay: Relay,
    database: Embedded,
}

impl Behind {
    async fn start() -> Self {
        let folder = Folder::new();
        let database = running(&folder).await;
        let relay = Relay::to(folder.cluster().join(".s.PGSQL.1")).await;
        let (shopify, _) = shopify(&folder).await;
        let mut serve = cartwright(folder.path(), &["serve"]);
        serve.env("DATABASE_URL", url(&relay)).env("CARTWRIGHT_KEY_FILE", key_file(&folder));
        let world = World::around(folder, shopify, Server::start(serve), 1).await;
        Self { world, relay, database }
    }

    async fn is_ready(&self) -> bool {
        ready(&self.world.server).await == 200
    }

    async fn end(self) {
        let Self { world, database, .. } = self;
        assert!(world.server.stop().0.success());
        database.stop().await.expect("cluster stops");
    }
}

fn url(relay: &Relay) -> String {
    format!("postgres://cartwright@127.0.0.1:{}/cartwright?sslmode=disable", relay.port)
}

fn key_file(folder: &Folder) -> PathBuf {
    let key = folder.path().join("keys");
    std::fs::write(&key, run(cartwright(folder.path(), &["keys", "generate"])).stdout).expect("a file");
    key
}

async fn ready(server: &Server) -> u16 {
    http::get(server.address, "/-/ready").await.expect("an answer").status
}

/// Waits until this many more saves were acknowledged.
async fn saves(journal: &Journal, more: usize) -> Duration {
    let least = journal.count(Told::Acknowledged) + more;
    until(WELL_WITHIN, "users save", || async { journal.count(Told::Acknowledged) >= least }).await
}

/// Ends the storm, resends saves with unknown outcome and compares the database with the responses.
async fn nothing_is_lost(storm: Storm, people: &[Browser], journal: &Journal, folder: &Folder) {
    storm.end().await;
    assert_eq!(journal.contradictions(folder).await, Vec::<String>::new());
    settle(people, journal).await;
    assert_eq!(journal.contradictions(folder).await, Vec::<String>::new());
    println!("{} saves acknowledged", journal.count(Told::Acknowledged));
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_that_freezes_four_times_leaks_no_pool_slot() {
    let behind = Behind::start().await;
    let people = behind.world.crowd(PEOPLE).await;
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    for round in 1..=if is_long() { 20 } else { 4 } {
        saves(&journal, 20).await;
        behind.relay.freeze();
        let healed = saves(&journal, PEOPLE).await;
        println!("round {round}: {PEOPLE} more saves {healed:?} after the proxy froze");
        assert!(behind.is_ready().await);
    }
    nothing_is_lost(storm, &people, &journal, &behind.world.folder).await;
    behind.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_vanishes_is_reported_and_recovers() {
    let behind = Behind::start().await;
    let people = behind.world.crowd(PEOPLE).await;
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    saves(&journal, 20).await;
    behind.relay.go_dark();
    let red = until(TOLD_WITHIN, "readiness fails", || async { !behind.is_ready().await }).await;
    let dark = Instant::now();
    while dark.elapsed() < Duration::from_secs(if is_long() { 60 } else { 4 }) {
        let asked = http::get(behind.world.server.address, "/-/ready").await.expect("an answer");
        assert_eq!(asked.status, 503);
        assert!(asked.took < TOLD_WITHIN, "{:?}", asked.took);
    }
    behind.relay.light_up();
    let healed = saves(&journal, PEOPLE).await;
    println!("red {red:?} after the host vanished, {PEOPLE} more saves {healed:?} after it was back");
    until(WELL_WITHIN, "readiness recovers", || behind.is_ready()).await;
    nothing_is_lost(storm, &people, &journal, &behind.world.folder).await;
    behind.end().await;
}

/// The sweep fails with its connection and resumes.
#[tokio::test(flavor = "multi_thread")]
async fn sweep_resumes_after_a_freeze() {
    let behind = Behind::start().await;
    let sweeps = || async {
        let metrics = http::get(behind.world.server.address, "/-/metrics").await.expect("an answer");
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("cartwright_last_sweep_timestamp_seconds "));
        (line.and_then(|at| at.parse().ok()).unwrap_or(0.0_f64), text)
    };
    for _ in 0..2 {
        behind.relay.freeze();
        let (before, _) = sweeps().await;
        until(WELL_WITHIN, "a sweep completes", || async { sweeps().await.0 > before }).await;
    }
    assert!(sweeps().await.1.contains("cartwright_check_lag_seconds 0\n"), "a check is overdue");
    behind.relay.go_dark();
    until(WELL_WITHIN, "the check lag is unknown", || async {
        sweeps().await.1.contains("cartwright_check_lag_seconds NaN\n")
    })
    .await;
    behind.relay.light_up();
    until(WELL_WITHIN, "readiness recovers", || behind.is_ready()).await;
    behind.end().await;
}

/// A synchronous standby: every commit of the primary waits for it.
struct Standby {
    child: Child,
    folder: TempDir,
    database: PathBuf,
}

impl Standby {
    async fn of(primary: &Folder, database: &Embedded) -> Self {
        let folder = tempfile::Builder::new().prefix("cartwright-").tempdir().expect("a folder");
        let place = folder.path().join("standby");
        std::fs::create_dir(&place).expect("a folder");
        // The account that owns the cluster must be able to enter the folder.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))
            .expect("permissions");
        let mut copy = Command::new(database.program("pg_basebackup"));
        copy.args([
            "--wal-method=stream",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "-U",
            "postgres",
            "-p",
            "1",
            "-h",
        ]);
        copy.arg(primary.cluster()).arg("-D").arg(&place);
        let copied = as_owner_of(primary, copy, &place).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut copied = copied.expect("pg_basebackup starts");
        let status = wait(&mut copied, Duration::from_mins(1)).expect("exits in time");
        assert!(status.success(), "pg_basebackup failed");
        // The cluster's socket is in its data folder, and the socket's lock file was copied as well.
        std::fs::remove_file(place.join(".s.PGSQL.1.lock")).ok();
        let mut postgres = Command::new(database.program("postgres"));
        postgres.arg("-D").arg(&place).args(["-c", "listen_addresses=", "-c", "port=1", "-c"]);
        postgres.arg(format!("unix_socket_directories={}", place.display()));
        let child = as_owner_of(primary, postgres, &place).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let standby = Self { child: child.expect("Postgres starts"), database: place, folder };
        let mut owner = primary.connect_as_owner("cartwright").await;
        owner.execute("alter system set synchronous_standby_names = '*'").await.expect("set");
        owner.execute("select pg_reload_conf()").await.expect("reloaded");
        let follows = "select count(*) from pg_stat_replication where sync_state = 'sync'";
        until(Duration::from_secs(30), "the standby follows", || async {
            let mut owner = primary.connect_as_owner("cartwright").await;
            sqlx::query_scalar::<_, i64>(follows).fetch_one(&mut owner).await.expect("a number") == 1
        })
        .await;
        standby
    }

    fn socket(&self) -> PathBuf {
        self.database.join(".s.PGSQL.1")
    }

    async fn promote(&self, options: &sqlx::postgres::PgConnectOptions) {
        let options = options.clone().socket(&self.database).username("postgres");
        let mut owner = sqlx::ConnectOptions::connect(&options).await.expect("the standby answers");
        owner.execute("select pg_promote(true, 30)").await.expect("promoted");
        // The new primary has no standby.
        owner.execute("alter system set synchronous_standby_names = ''").await.expect("set");
        owner.execute("select pg_reload_conf()").await.expect("reloaded");
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::QUIT).ok();
        if wait(&mut self.child, Duration::from_secs(10)).is_none() {
            self.child.kill().ok();
        }
        let _ = &self.folder;
    }
}

/// Runs a command as the account that owns the cluster, and gives that account this folder.
fn as_owner_of(primary: &Folder, mut command: Command, folder: &Path) -> Command {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    };
    let owner = std::fs::metadata(primary.cluster()).expect("a cluster");
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).expect("permissions");
    if rustix::process::geteuid().is_root() {
        chown(folder, Some(owner.uid()), Some(owner.gid())).expect("another owner");
        command.gid(owner.gid()).uid(owner.uid());
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The standby is promoted, while the host name still resolves to the old server, now read-only, for some seconds.
#[tokio::test(flavor = "multi_thread")]
async fn promotion_with_late_dns_loses_nothing() {
    let behind = Behind::start().await;
    let folder = &behind.world.folder;
    let standby = Standby::of(folder, &behind.database).await;
    let people = behind.world.crowd(PEOPLE).await;
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    saves(&journal, 20).await;
    let mut owner = folder.connect_as_owner("cartwright").await;
    owner.execute("alter system set default_transaction_read_only = on").await.expect("set");
    owner.execute("select pg_reload_conf()").await.expect("reloaded");
    standby.promote(&folder.options()).await;
    let red = until(TOLD_WITHIN, "readiness fails", || async { !behind.is_ready().await }).await;
    let late = Instant::now();
    while late.elapsed() < Duration::from_secs(if is_long() { 30 } else { 3 }) {
        assert_eq!(ready(&behind.world.server).await, 503, "no writable server is reachable");
    }
    behind.relay.lead_to(standby.socket());
    let healed = saves(&journal, PEOPLE).await;
    println!("red {red:?} after the promotion, {PEOPLE} more saves {healed:?} after the DNS update");
    storm.end().await;
    let contradictions = async || {
        let options = folder.options().socket(&standby.database);
        journal.contradictions_in(&mut sqlx::ConnectOptions::connect(&options).await.expect("the new primary")).await
    };
    assert_eq!(contradictions().await, Vec::<String>::new());
    settle(&people, &journal).await;
    assert_eq!(contradictions().await, Vec::<String>::new());
    behind.end().await;
}

/// Another session holds a lock that the migration needs. The start waits, and SIGTERM ends it.
#[tokio::test(flavor = "multi_thread")]
async fn start_that_waits_for_a_migration_stops_on_sigterm() {
    let folder = Folder::new();
    let database = running(&folder).await;
    let key = key_file(&folder);
    let serve = |arguments: &[&str]| {
        let mut command = cartwright(folder.path(), arguments);
        command.env("DATABASE_URL", folder.url()).env("CARTWRIGHT_KEY_FILE", &key);
        command
    };
    let mut migrate = serve(&["migrate"]);
    migrate.env_remove("CARTWRIGHT_KEY_FILE");
    assert_eq!(run(migrate).code, Some(0));
    let mut holder = folder.connect().await;
    holder.execute("begin; lock table _sqlx_migrations in access exclusive mode").await.expect("locked");
    // The first start waits for the table, the second for the first.
    let mut starting: Vec<_> = (0..2).map(|_| serve(&["serve"]).spawn().expect("the binary starts")).collect();
    let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
    until(Duration::from_mins(1), "two starts wait", || async { folder.count(waiting).await == 2 }).await;
    for child in &mut starting {
        let begun = Instant::now();
        kill_process(Pid::from_child(child), Signal::TERM).expect("child process");
        let status = wait(child, Duration::from_secs(20)).expect("exits in time");
        println!("stopped {:?} after it was told to", begun.elapsed());
        assert_eq!(status.code(), Some(0));
    }
    until(WELL_WITHIN, "no start waits", || async { folder.count(waiting).await == 0 }).await;
    let third = serve(&["serve"]);
    let third = tokio::task::spawn_blocking(|| Server::start(third));
    until(Duration::from_mins(1), "one start waits", || async { folder.count(waiting).await == 1 }).await;
    holder.execute("rollback").await.expect("released");
    let third = third.await.expect("server starts");
    assert_eq!(ready(&third).await, 200);
    assert!(third.stop().0.success());
    database.stop().await.expect("cluster stops");
}

/// Stops the server while its database does not respond.
#[tokio::test(flavor = "multi_thread")]
async fn server_stops_in_time_while_the_database_hangs() {
    let behind = Behind::start().await;
    let people = behind.world.crowd(PEOPLE).await;
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    saves(&journal, 20).await;
    behind.relay.go_dark();
    let Behind { world, relay, database } = behind;
    let (status, took, errors) = tokio::task::spawn_blocking(|| world.server.stop()).await.expect("no panic");
    println!("stopped in {took:?}");
    assert!(status.success(), "{errors}");
    assert!(took < Duration::from_secs(15), "the limit is 10 s: {took:?}");
    storm.end().await;
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
    drop(relay);
    database.stop().await.expect("cluster stops");
}

/// Pages and checks cause no warning and no error in the log of Postgres.
#[tokio::test(flavor = "multi_thread")]
async fn pages_and_checks_cause_no_postgres_log_line() {
    let folder = Folder::new();
    let database = running(&folder).await;
    let mut owner = folder.connect_as_owner("cartwright").await;
    owner.execute("alter role cartwright set log_min_messages = warning").await.expect("set");
    owner.execute("alter role cartwright set log_min_error_statement = error").await.expect("set");
    let (shopify, ca_file) = shopify(&folder).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", ca_file);
    let mut world = World::around(folder, shopify, Server::start(serve), 1).await;
    let log = world.folder.path().join("postgres.log");
    let said = || std::fs::read_to_string(&log).expect("the log of the private database");
    let before = said();
    let token = world.store("practice-well", cartwright::practice::Scenario::Well);
    let person = &mut world.people[0];
    let form = person.new_cart("Save", "practice-well", &token).await;
    assert_eq!(person.submit(&form).await.expect("an answer").status(), 303);
    for path in ["/admin", "/admin/ecommerce", "/admin/activity", "/admin/alerts", "/admin/users"] {
        assert_eq!(person.get(path).await.expect("a page").status(), 200, "{path}");
    }
    assert_eq!(ready(&world.server).await, 200);
    // Control: a warning is logged.
    let mut other = world.folder.connect().await;
    other.execute("rollback").await.expect("a warning");
    until(WELL_WITHIN, "the warning is logged", || async { said().contains("there is no transaction in progress") })
        .await;
    let after = said();
    let lines: Vec<&str> = after.strip_prefix(&before).expect("log only grows").lines().collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let World { server, .. } = world;
    assert!(server.stop().0.success());
    database.stop().await.expect("cluster stops");
}
