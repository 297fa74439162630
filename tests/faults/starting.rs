//! Interrupted and concurrent starts: killed inside each migration, two at once, and an old program on a newer schema.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

use sqlx::{Connection, Executor, PgConnection};

use super::support::{
    cluster::{Folder, running},
    http,
    process::{Server, cartwright, run},
};

/// Blocks each migration at its first change, once, until the test that holds the lock has killed the server. Ignores
/// sqlx's own migration table.
const HOLD_UP: &str = r"
    create schema faults;
    create table faults.done (migrations bigint primary key);
    create function faults.hold_up() returns event_trigger language plpgsql security definer as $$
    declare so_far bigint;
    begin
        if to_regclass('public._sqlx_migrations') is null or exists (
            select from pg_event_trigger_ddl_commands() where object_identity like '%\_sqlx\_migrations%'
        ) then
            return;
        end if;
        select count(*) into so_far from public._sqlx_migrations;
        if not exists (select from faults.done d where d.migrations = so_far) then
            perform pg_advisory_xact_lock_shared(4711);
        end if;
    end $$;
    create event trigger hold_up on ddl_command_end execute function faults.hold_up();
";

/// Creates a database in this folder's cluster, and a command that serves it.
async fn database(folder: &Folder, name: &str) -> (PgConnection, Command) {
    let mut owner = folder.connect_as_owner("postgres").await;
    let create = format!("create database {name} owner cartwright");
    owner.execute(sqlx::AssertSqlSafe(create)).await.expect("a database");
    owner.close().await.ok();
    (folder.connect_as_owner(name).await, serve(folder.path(), &url(folder, name)))
}

fn url(folder: &Folder, name: &str) -> String {
    folder.url().replace("/cartwright?", &format!("/{name}?"))
}

fn serve(folder: &Path, url: &str) -> Command {
    let keys = folder.join("test-keys");
    if !keys.exists() {
        std::fs::write(&keys, run(cartwright(folder, &["keys", "generate"])).stdout).expect("a file");
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o400)).expect("own file");
    }
    let mut serve = cartwright(folder, &["serve"]);
    serve.env("DATABASE_URL", url).env("CARTWRIGHT_KEY_FILE", keys);
    serve
}

async fn count(connection: &mut PgConnection, question: &'static str) -> i64 {
    sqlx::query_scalar(question).fetch_one(connection).await.expect("a number")
}

fn migrations() -> i64 {
    let files = std::fs::read_dir("migrations").expect("a folder").flatten();
    let files = files.filter(|file| file.path().extension().is_some_and(|kind| kind == "sql"));
    i64::try_from(files.count()).expect("fits")
}

/// F17: kills each start inside the next migration; the last start completes normally.
#[tokio::test(flavor = "multi_thread")]
async fn start_killed_inside_each_migration_is_completed_by_the_next() {
    let folder = Folder::new();
    let cluster = running(&folder).await;
    let (mut owner, _) = database(&folder, "interrupted").await;
    owner.execute(HOLD_UP).await.expect("the trigger");
    let mut killed = BTreeSet::new();
    for _ in 0..migrations() {
        owner.execute("select pg_advisory_lock(4711)").await.expect("the lock");
        let mut child = serve(folder.path(), &url(&folder, "interrupted")).spawn().expect("the binary starts");
        let waits = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted";
        let mut watcher = folder.connect_as_owner("interrupted").await;
        for looks in 0.. {
            if looks == 1_500 || child.try_wait().expect("child process").is_some() {
                child.kill().ok();
                let said = child.wait_with_output().expect("its output");
                panic!("no migration was blocked after {killed:?} (one without a schema change?): {said:?}");
            }
            if count(&mut watcher, waits).await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        child.kill().expect("child process");
        child.wait().expect("child process");
        let so_far = count(&mut owner, "select count(*) from public._sqlx_migrations").await;
        killed.insert(so_far);
        sqlx::query("insert into faults.done values ($1)").bind(so_far).execute(&mut owner).await.expect("recorded");
        owner.execute("select pg_advisory_unlock(4711)").await.expect("unlocked");
        watcher.close().await.ok();
    }
    assert_eq!(killed, (0..migrations()).collect(), "one kill inside each migration");
    let server = Server::start(serve(folder.path(), &url(&folder, "interrupted")));
    assert_eq!(http::get(server.address, "/-/ready").await.expect("an answer").status, 200);
    assert_eq!(count(&mut owner, "select count(*) from public._sqlx_migrations where success").await, migrations());
    // The schema equals that of an uninterrupted start.
    let (mut other, straight) = database(&folder, "straight").await;
    let second = Server::start(straight);
    let shape = "select string_agg(format('%s.%s %s %s', table_name, column_name, data_type, is_nullable), E'\n' \
        order by table_name, column_name) from information_schema.columns where table_schema = 'public'";
    let ours: String = sqlx::query_scalar(shape).fetch_one(&mut owner).await.expect("columns");
    let theirs: String = sqlx::query_scalar(shape).fetch_one(&mut other).await.expect("columns");
    assert_eq!(ours, theirs);
    for server in [server, second] {
        assert!(server.stop().0.success());
    }
    cluster.stop().await.expect("cluster stops");
}

/// F18: one process migrates, the other waits, both serve.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_start_together_both_serve_requests() {
    let folder = Folder::new();
    let cluster = running(&folder).await;
    let (mut owner, _) = database(&folder, "shared").await;
    let url = url(&folder, "shared");
    // The key file is created once, before both read it.
    let starts = [serve(folder.path(), &url), serve(folder.path(), &url)];
    let starting = starts.map(|serve| tokio::task::spawn_blocking(move || Server::start(serve)));
    let mut servers = Vec::new();
    for server in starting {
        servers.push(server.await.expect("ready"));
    }
    for server in &servers {
        assert_eq!(http::get(server.address, "/-/ready").await.expect("an answer").status, 200);
        let page = http::get(server.address, "/sign-in").await.expect("a page");
        assert_eq!(page.status, 200);
    }
    assert_eq!(count(&mut owner, "select count(*) from public._sqlx_migrations where success").await, migrations());
    assert_eq!(count(&mut owner, "select count(*) from vault_keys").await, 1, "one key exists");
    for server in servers {
        assert!(server.stop().0.success());
    }
    cluster.stop().await.expect("cluster stops");
}

/// An old program on a newer schema reports it in one line and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_program_refuses_a_newer_schema() {
    let folder = Folder::new();
    let cluster = running(&folder).await;
    let (mut owner, first) = database(&folder, "newer").await;
    assert!(Server::start(first).stop().0.success());
    owner
        .execute(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             values (9999, 'from the future', true, '\\x00', 0)",
        )
        .await
        .expect("inserted");
    let before = count(&mut owner, "select count(*) from audit_events").await;
    let ran = run(serve(folder.path(), &url(&folder, "newer")));
    assert_eq!(ran.stdout, "", "the port stays closed");
    let told = "The database has migration 9999, which this program does not know. It was made by a newer version: use that one.";
    assert!(ran.code.is_some_and(|code| code != 0) && ran.stderr.trim().ends_with(told), "{ran:?}");
    assert_eq!(ran.stderr.trim().lines().count(), 1, "{ran:?}");
    assert_eq!(count(&mut owner, "select count(*) from audit_events").await, before);
    cluster.stop().await.expect("cluster stops");
}
