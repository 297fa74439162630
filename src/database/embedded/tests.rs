//! Tests with real clusters, made with this machine's server programs, each in its own folder. Run by root, Postgres
//! uses another account, otherwise ours; the assertions hold for both.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use rustix::fs::Mode;
use rustix::process::{Signal, kill_process, test_kill_process};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::*;

fn places() -> SearchPaths {
    SearchPaths { pg_bin: std::env::var_os("PG_BIN").map(PathBuf::from), path: std::env::var_os("PATH") }
}

/// Starts in a folder that is closed to other accounts at first, like one from `mktemp -d`.
async fn start_in(folder: &TempDir) -> Embedded {
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    start(folder.path(), &places()).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn connect(embedded: &Embedded) -> PgConnection {
    PgConnection::connect_with(&embedded.owner_options()).await.unwrap()
}

async fn ask(embedded: &Embedded, question: &'static str) -> String {
    let mut connection = connect(embedded).await;
    let answer = sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    answer
}

fn kill(embedded: &Embedded) {
    kill_process(embedded.cluster.pid().unwrap(), Signal::KILL).unwrap();
}

/// Simulates a crash of Cartwright: the server runs without a keeper, and the locks are released.
async fn crash(embedded: Embedded) {
    embedded.keeper.abort();
    let Embedded { keeper, .. } = embedded;
    let _ = keeper.await;
}

#[tokio::test]
async fn first_start_creates_a_database_and_second_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let first = start_in(&folder).await;
    println!("first start {:?}", begun.elapsed());
    connect(&first).await.execute("create table kept (what text); insert into kept values ('Öl')").await.unwrap();
    let pid = first.cluster.pid().unwrap();
    first.stop().await.unwrap();
    assert!(test_kill_process(pid).is_err(), "the server has ended");

    let begun = Instant::now();
    let second = start_in(&folder).await;
    println!("second start {:?}", begun.elapsed());
    assert_eq!(ask(&second, "select what from kept where lower(what) = 'öl'").await, "Öl");
    let begun = Instant::now();
    second.stop().await.unwrap();
    println!("stop {:?}", begun.elapsed());
}

#[tokio::test]
async fn cluster_is_durable_and_does_not_listen_on_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start_in(&folder).await;
    for (question, answer) in [
        ("show fsync", "on"),
        ("show full_page_writes", "on"),
        ("show synchronous_commit", "on"),
        ("show data_checksums", "on"),
        ("show listen_addresses", ""),
        ("show server_encoding", "UTF8"),
        ("select current_user::text", "cartwright"),
        ("select rolsuper::text from pg_roles where rolname = 'cartwright_runtime'", "false"),
        ("select current_database()::text", "cartwright"),
        ("select rolsuper::text from pg_roles where rolname = current_user", "false"),
    ] {
        assert_eq!(ask(&embedded, question).await, answer, "{question}");
    }
    let socket = embedded.cluster.socket.metadata().unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o700);
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_an_earlier_version_gets_its_runtime_role() {
    let folder = tempfile::tempdir().unwrap();
    let first = start_in(&folder).await;
    let superuser = first.options().username("postgres");
    PgConnection::connect_with(&superuser).await.unwrap().execute("drop role cartwright_runtime").await.unwrap();
    assert!(PgConnection::connect_with(&first.options()).await.is_err());
    first.stop().await.unwrap();
    let second = start_in(&folder).await;
    let mut runtime = PgConnection::connect_with(&second.options()).await.unwrap();
    let name: String = sqlx::query_scalar("select current_user::text").fetch_one(&mut runtime).await.unwrap();
    assert_eq!(name, "cartwright_runtime");
    runtime.close().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_is_never_root_and_its_folder_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start_in(&folder).await;
    let cluster = folder.path().join("postgres").metadata().unwrap();
    assert_ne!(cluster.uid(), 0);
    assert_eq!(cluster.uid(), embedded.cluster.owner.uid);
    assert_eq!(cluster.mode() & 0o777, 0o700);
    if !is_root() {
        assert_eq!(cluster.uid(), rustix::process::geteuid().as_raw());
    }
    let pid = embedded.cluster.pid().unwrap();
    assert_eq!(rustix::process::getpgid(Some(pid)).unwrap(), pid, "Ctrl-C in our terminal does not reach it");
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn two_processes_share_one_server_and_the_last_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = tokio::join!(start_in(&folder), start_in(&folder));
    let pid = one.cluster.pid().unwrap();
    assert_eq!(two.cluster.pid(), Some(pid));
    one.stop().await.unwrap();
    assert_eq!(ask(&two, "select 'still here'").await, "still here");
    two.stop().await.unwrap();
    assert!(test_kill_process(pid).is_err(), "the server has ended");
}

#[tokio::test]
async fn a_server_left_by_a_crash_is_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let lost = start_in(&folder).await;
    let pid = lost.cluster.pid();
    crash(lost).await;
    let begun = Instant::now();
    let heir = start_in(&folder).await;
    println!("adopted {:?}", begun.elapsed());
    assert_eq!(heir.cluster.pid(), pid);
    assert_eq!(ask(&heir, "select 'found'").await, "found");
    heir.stop().await.unwrap();
}

#[tokio::test]
async fn killed_server_keeps_everything_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let killed = start_in(&folder).await;
    connect(&killed).await.execute("create table kept as select 'kept' as what").await.unwrap();
    kill(&killed);
    crash(killed).await;
    let heir = start_in(&folder).await;
    assert_eq!(ask(&heir, "select what from kept").await, "kept");
    heir.stop().await.unwrap();
}

#[tokio::test]
async fn killed_server_is_restarted_at_the_same_socket() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start_in(&folder).await;
    let before = embedded.cluster.pid();
    kill(&embedded);
    let back = tokio::time::timeout(Duration::from_secs(30), async {
        while embedded.cluster.pid() == before || PgConnection::connect_with(&embedded.options()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    back.await.expect("the keeper restarts it");
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn reused_process_id_does_not_block_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let first = start_in(&folder).await;
    let owner = first.cluster.owner.clone();
    first.stop().await.unwrap();
    let mut stranger = owner.command("/bin/sleep").arg("600").kill_on_drop(true).spawn().unwrap();
    let stale = format!("{}\n{}\n1\n1\n\n", stranger.id().unwrap(), folder.path().join("postgres").display());
    std::fs::write(folder.path().join("postgres/postmaster.pid"), stale).unwrap();
    let second = start_in(&folder).await;
    assert_eq!(ask(&second, "select 'here'").await, "here");
    second.stop().await.unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "the other program still runs");
    stranger.kill().await.unwrap();
}

#[tokio::test]
async fn incomplete_cluster_is_discarded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("postgres.new")).unwrap();
    std::fs::write(folder.path().join("postgres.new/PG_VERSION"), "15\n").unwrap();
    let embedded = start_in(&folder).await;
    assert!(!folder.path().join("postgres.new").exists());
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn folder_without_a_cluster_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("postgres")).unwrap();
    std::fs::write(folder.path().join("postgres/letters"), "dear").unwrap();
    let refusal = start(folder.path(), &places()).await.unwrap_err();
    assert!(matches!(refusal, EmbeddedError::NotACluster { .. }), "{refusal}");
    assert!(folder.path().join("postgres/letters").exists());
}

#[tokio::test]
async fn version_file_that_is_a_link_or_a_pipe_is_refused_and_its_target_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "of root").unwrap();
    let version = folder.path().join("postgres/PG_VERSION");
    std::fs::create_dir(folder.path().join("postgres")).unwrap();
    std::os::unix::fs::symlink(&secret, &version).unwrap();
    let refusal = start(folder.path(), &places()).await.unwrap_err();
    assert!(matches!(refusal, EmbeddedError::Folder { .. }), "{refusal}");
    assert!(!refusal.to_string().contains("of root"), "{refusal}");
    std::fs::remove_file(&version).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &version, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let refused = tokio::time::timeout(Duration::from_secs(30), start(folder.path(), &places())).await;
    refused.expect("nobody waits for a pipe").unwrap_err();
}

#[tokio::test]
async fn data_of_another_major_version_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    start_in(&folder).await.stop().await.unwrap();
    std::fs::write(folder.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let refusal = start(folder.path(), &places()).await.unwrap_err();
    assert!(matches!(&refusal, EmbeddedError::OtherMajor { made, .. } if made == "9"), "{refusal}");
}

#[tokio::test]
async fn failed_start_reports_the_cause_and_releases_the_locks() {
    let folder = tempfile::tempdir().unwrap();
    start_in(&folder).await.stop().await.unwrap();
    let control = folder.path().join("postgres/global/pg_control");
    std::fs::rename(&control, folder.path().join("aside")).unwrap();
    let refusal = start(folder.path(), &places()).await.unwrap_err().to_string();
    assert!(refusal.contains("pg_control") && refusal.contains("postgres.log"), "{refusal}");
    std::fs::rename(folder.path().join("aside"), &control).unwrap();
    start_in(&folder).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_a_short_folder() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join(format!("{}, \"{}\"", "a".repeat(60), "b".repeat(60)));
    if is_root() {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    }
    let embedded = start(&deep, &places()).await.unwrap();
    let socket = embedded.cluster.socket.clone();
    assert!(!socket.starts_with(folder.path()));
    assert_eq!(socket.metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(ask(&embedded, "select 'here'").await, "here");
    embedded.stop().await.unwrap();
    assert!(!socket.exists(), "the short folder is gone again");
}

#[tokio::test]
async fn folder_that_the_owner_cannot_enter_is_reported() {
    if !is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let refusal = start(&closed.path().join("inner"), &places()).await.unwrap_err();
    assert!(matches!(refusal, EmbeddedError::Unreachable { .. }), "{refusal}");
    assert_eq!(closed.path().metadata().unwrap().mode() & 0o777, 0o700, "folders above are left alone");
}

#[tokio::test]
async fn large_log_is_renamed_at_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postgres.log"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
    let embedded = start_in(&folder).await;
    embedded.stop().await.unwrap();
    assert!(folder.path().join("postgres.log.1").exists());
    assert!(folder.path().join("postgres.log").metadata().unwrap().len() < 1024 * 1024);
}

#[test]
fn default_data_dir_depends_on_the_account() {
    let (xdg, home) = (Some(OsStr::new("/x")), Some(OsStr::new("/home/priya")));
    assert_eq!(default_data_dir(true, xdg, home), Path::new("/var/lib/cartwright"));
    assert_eq!(default_data_dir(false, xdg, home), Path::new("/x/cartwright"));
    assert_eq!(default_data_dir(false, None, home), Path::new("/home/priya/.local/share/cartwright"));
    assert_eq!(default_data_dir(false, Some(OsStr::new("x")), home), Path::new("/home/priya/.local/share/cartwright"));
    assert_eq!(default_data_dir(false, None, None), Path::new("/var/lib/cartwright"));
}
