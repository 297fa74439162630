//! Every command reports an unusable database in one line, with a remedy and without the password.

use std::path::PathBuf;

use cartwright::database::embedded::{Embedded, SearchPaths, start};

use super::*;

const PASSWORD: &str = "canary-of-the-database";

/// A separate Postgres for the test, whose roles and access rules may be changed.
pub(super) struct Ground {
    folder: Folder,
    cluster: Option<Embedded>,
    key: PathBuf,
}

impl Ground {
    pub(super) async fn new() -> Self {
        let folder = Folder::new();
        let places =
            SearchPaths { pg_bin: std::env::var_os("PG_BIN").map(PathBuf::from), path: std::env::var_os("PATH") };
        let cluster = Some(start(folder.path(), &places).await.expect("the cluster starts"));
        let key = file(&folder, "key", &help(&["keys", "generate"]));
        Self { folder, cluster, key }
    }

    pub(super) async fn run_sql(&self, statements: &[&'static str]) {
        let mut connection = self.folder.connect_as_owner("postgres").await;
        for statement in statements {
            sqlx::raw_sql(*statement).execute(&mut connection).await.expect(statement);
        }
        sqlx::Connection::close(connection).await.ok();
    }

    /// Prepends access rules to `pg_hba.conf` and reloads it.
    async fn add_rules(&self, rules: &str) {
        let path = self.folder.cluster().join("pg_hba.conf");
        let old = std::fs::read_to_string(&path).expect("the rules");
        std::fs::write(&path, format!("{rules}\n{old}")).expect("own file");
        self.run_sql(&["select pg_reload_conf()"]).await;
    }

    pub(super) fn url(&self, role: &str, database: &str) -> String {
        let options = self.cluster.as_ref().expect("it runs").options();
        let socket = options.get_socket().expect("a socket").display().to_string();
        format!("postgres://{role}:{PASSWORD}@localhost:{}/{database}?host={socket}", options.get_port())
    }

    /// Connects as one of the test's roles.
    pub(super) async fn connect(&self, role: &str, database: &str) -> sqlx::PgConnection {
        let options = self.folder.options().username(role).database(database);
        sqlx::ConnectOptions::connect(&options).await.expect("the database answers")
    }

    pub(super) fn command(&self, arguments: &[&str], url: &str) -> Command {
        let data = self.folder.path().join("data");
        let mut command = cartwright(&data, arguments);
        command.env("DATABASE_URL", url).env("CARTWRIGHT_KEY_FILE", &self.key);
        command.env("CARTWRIGHT_EGRESS_PROXY", format!("http://127.0.0.1:{}", free_port()));
        command
    }

    pub(super) fn run(&self, arguments: &[&str], url: &str) -> Ran {
        run(self.command(arguments, url))
    }

    /// Runs `migrate` and returns exit code and error output: one line without the password.
    fn told(&self, url: &str) -> (Option<i32>, String) {
        let ran = self.run(&["migrate"], url);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(!ran.stderr.contains(PASSWORD) && !ran.stderr.contains("at line"), "{}", ran.stderr);
        (ran.code, ran.stderr)
    }

    pub(super) async fn end(mut self) {
        if let Some(cluster) = self.cluster.take() {
            cluster.stop().await.expect("cluster stops");
        }
    }
}

#[tokio::test]
async fn a_database_that_is_not_utf8_is_refused_by_every_command() {
    let ground = Ground::new().await;
    ground
        .run_sql(&[
            "create role order_time login",
            "create database carts owner order_time encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' locale_provider libc template template0",
        ])
        .await;
    let url = ground.url("order_time", "carts");
    for arguments in [&["serve"][..], &["worker"], &["migrate"], &["users", "list"], &["keys", "list"]] {
        let ran = ground.run(arguments, &url);
        assert_eq!((ran.code, ran.stdout.as_str()), (WRONG_SETTING, ""), "{arguments:?} {ran:?}");
        let words = "The database carts has the encoding LATIN1, which cannot hold every name.";
        assert!(ran.stderr.starts_with(words) && ran.stderr.lines().count() == 1, "{arguments:?} {}", ran.stderr);
    }
    let doctor = ground.run(&["doctor"], &url);
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.stdout.contains("mend  The database carts has the encoding LATIN1"), "{doctor:?}");
    assert!(doctor.stdout.contains("create database carts_utf8 owner order_time encoding 'UTF8'"), "{doctor:?}");
    ground.end().await;
}

#[tokio::test]
async fn unusable_database_is_reported_once_with_a_remedy() {
    let ground = Ground::new().await;
    ground
        .run_sql(&[
            "create role order_time login password 'another'",
            "create role idle nologin",
            "create role crowded login connection limit 0",
            "create database carts encoding 'UTF8' template template0",
            "create database closed encoding 'UTF8' template template0",
            "revoke connect on database closed from public",
            "create database older owner order_time encoding 'UTF8' template template0",
            "create database ascii owner order_time encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider libc template template0",
        ])
        .await;
    let port = free_port();
    let table = [
        (ground.url("order_time", "carts"), WRONG_SETTING, "grant create on schema public to order_time"),
        (ground.url("order_time", "closed"), WRONG_SETTING, "grant connect on database closed to order_time"),
        (ground.url("order_time", "Missing"), WRONG_SETTING, "create database \"Missing\" owner order_time"),
        (ground.url("nobody", "carts"), WRONG_SETTING, "has no role nobody that may log in"),
        (ground.url("idle", "carts"), WRONG_SETTING, "has no role idle that may log in"),
        (ground.url("crowded", "carts"), Some(1), "has no connection left for the role crowded"),
        (format!("postgres://u:{PASSWORD}@127.0.0.1:{port}/carts"), Some(1), "Nothing listens at 127.0.0.1:"),
        (format!("postgres://u:{PASSWORD}@[::1]:{port}/carts"), Some(1), "at [::1]:"),
        (
            format!("postgres://u:{PASSWORD}@127.0.0.1:{port}/carts?sslmode=verify-full&sslrootcert=/does/not/exist"),
            WRONG_SETTING,
            "DATABASE_URL: the file of its sslrootcert cannot be read: /does/not/exist",
        ),
    ];
    for (url, code, words) in table {
        let (found, told) = ground.told(&url);
        assert!(found == code && told.contains(words), "{words}: {found:?} {told}");
    }
    ground.add_rules("local older order_time scram-sha-256\nlocal ascii order_time reject").await;
    let (code, told) = ground.told(&ground.url("order_time", "older"));
    assert!(code == WRONG_SETTING && told.contains("does not accept the password of the role order_time"), "{told}");
    let (code, told) = ground.told(&ground.url("order_time", "ascii"));
    assert!(
        code == WRONG_SETTING && told.contains("does not let the role order_time into the database ascii"),
        "{told}"
    );
    ground.end().await;
}

#[tokio::test]
async fn ascii_locale_works_and_doctor_names_its_search_limits() {
    let ground = Ground::new().await;
    ground
        .run_sql(&[
            "create role order_time login",
            "create database ascii owner order_time encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider libc template template0",
        ])
        .await;
    let url = ground.url("order_time", "ascii");
    assert_eq!(ground.run(&["migrate"], &url).code, Some(0));
    let doctor = ground.run(&["doctor"], &url);
    assert!(doctor.stdout.contains("the search does not find É by é"), "{doctor:?}");
    ground.end().await;
}

#[tokio::test]
async fn password_and_key_files_may_start_with_a_byte_order_mark() {
    let folder = Folder::new();
    let password = file(&folder, "password", &format!("\u{FEFF}{}\r\n", super::PASSWORD));
    assert_eq!(run(users_add(&folder, "priya@northwind.example", &password)).code, Some(0));
    let key = file(&folder, "marked", &format!("\u{FEFF}{}\r\n", help(&["keys", "generate"]).trim()));
    let mut command = cartwright(folder.path(), &["serve"]);
    command.env("CARTWRIGHT_KEY_FILE", &key);
    let server = Server::start(command);
    Browser::sign_in(server.address, "priya@northwind.example").await;
    let (status, ..) = server.stop();
    assert!(status.success());
}
