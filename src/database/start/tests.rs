use std::path::Path;

use sqlx::{
    PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// Options for a server on loopback, with a password that must not appear in any message.
fn options(port: u16) -> PgConnectOptions {
    format!("postgres://order_time:canary@127.0.0.1:{port}/Carts?sslmode=disable").parse().expect("an address")
}

/// The error of [`connect`] for a server that answers every startup message with these bytes.
async fn told_of(answer: Vec<u8>) -> StartError {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut startup = [0; 1024];
            if stream.read(&mut startup).await.is_ok_and(|length| length > 0) {
                stream.write_all(&answer).await.ok();
            }
        }
    });
    let error = connect(&Pool::new([options(port)])).await.expect_err("refused");
    server.abort();
    StartError { sentence: error.sentence.replace(&port.to_string(), "PORT"), ..error }
}

/// A Postgres `ErrorResponse` message.
fn refusal(code: &str, routine: &str) -> Vec<u8> {
    let fields = [("S", "FATAL"), ("V", "FATAL"), ("C", code), ("M", "in\nwords"), ("L", "3655"), ("R", routine)];
    let body: String = fields.iter().map(|(kind, value)| format!("{kind}{value}\0")).collect::<String>() + "\0";
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [b"E", &length[..], body.as_bytes()].concat()
}

#[tokio::test]
async fn each_postgres_error_is_explained_with_a_fix() {
    for (code, routine, words, may_pass) in [
        ("28P01", "auth_failed", "does not accept the password of the role order_time. Check both", false),
        ("28000", "InitializeSessionUserId", "create role order_time login", false),
        ("28000", "ClientAuthentication", "If it demands TLS, add sslmode=verify-full to DATABASE_URL", false),
        (
            "3D000",
            "InitPostgres",
            "create database \"Carts\" owner order_time encoding 'UTF8' template template0",
            false,
        ),
        ("42501", "CheckMyDatabase", "grant connect on database \"Carts\" to order_time", false),
        ("53300", "InitProcess", "has no connection left for the role order_time", true),
        ("57P03", "ProcessStartupPacket", "is starting up, shutting down or recovering", true),
        ("25006", "x", "Name the primary in DATABASE_URL", true),
        ("53100", "x", "The disk of Postgres at 127.0.0.1:PORT is full", true),
        ("XX000", "x", "Postgres at 127.0.0.1:PORT refused: in words (XX000)", false),
    ] {
        let StartError { sentence, may_pass: found } = told_of(refusal(code, routine)).await;
        assert!(sentence.contains(words) && found == may_pass, "{code} {routine}: {sentence}");
        assert!(!sentence.contains("canary") && !sentence.contains('\n') && !sentence.contains("3655"), "{sentence}");
    }
}

#[tokio::test]
async fn closed_ports_and_other_servers_are_distinguished() {
    let port = TcpListener::bind("127.0.0.1:0").await.and_then(|socket| socket.local_addr()).expect("a port").port();
    let nobody = connect(&Pool::new([options(port)])).await.expect_err("nobody listens");
    assert!(nobody.may_pass && nobody.sentence.starts_with("Nothing listens at 127.0.0.1:"), "{nobody}");
    let other = told_of(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    assert!(other.sentence.contains("Check"), "{other}");
    let socket = options(1).socket("/does/not/exist");
    let socket = connect(&Pool::new([socket])).await.expect_err("there is no socket");
    assert!(socket.sentence.starts_with("There is no socket /does/not/exist/.s.PGSQL.1. "), "{socket}");
    let name = options(1).host("no-such-host.invalid");
    let name = connect(&Pool::new([name])).await.expect_err("there is no such name");
    assert!(name.sentence.contains("no-such-host.invalid:1"), "{name}");
}

#[tokio::test]
async fn missing_tls_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read(&mut [0; 8]).await.is_ok_and(|length| length > 0) {
                stream.write_all(b"N").await.ok();
            }
        }
    });
    let asked = options(port).ssl_mode(sqlx::postgres::PgSslMode::Require);
    let error = connect(&Pool::new([asked.clone()])).await.expect_err("no TLS");
    assert!(!error.may_pass && error.sentence.starts_with("DATABASE_URL asks for TLS"), "{error}");
    let without_roots = asked.ssl_root_cert(Path::new("/does/not/exist"));
    assert!(connect(&Pool::new([without_roots])).await.is_err());
}

#[sqlx::test(migrations = false)]
async fn non_utf8_database_error_has_a_working_statement(_: PgPoolOptions, options: PgConnectOptions) {
    let mut connection = PgConnection::connect_with(&options).await.expect("a connection");
    let name = format!("_sqlx_test_{}", uuid::Uuid::new_v4().simple());
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let made = format!("{name}_{}", encoding.to_lowercase());
        let create = format!(
            "create database \"{made}\" encoding '{encoding}' lc_collate 'C' lc_ctype 'C' locale_provider libc template template0"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.expect("made");
        let pool = Pool::new([options.clone().database(&made)]);
        let error = check(&pool).await.expect_err(encoding);
        pool.close().await;
        assert!(!error.may_pass && error.sentence.contains(&format!("has the encoding {encoding},")), "{error}");
        let statement = error.sentence.split_once("DATABASE_URL: ").expect("a statement").1.to_owned();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.expect("the statement works");
        let right = Pool::new([options.clone().database(&format!("{made}_utf8"))]);
        check(&right).await.expect("UTF8");
        assert!(folds_case(&right).await.expect("an answer"), "É is found by é");
        right.close().await;
        for name in [made.clone(), format!("{made}_utf8")] {
            let drop = format!("drop database \"{name}\" with (force)");
            sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await.expect("gone");
        }
    }
}
