//! Requests refused before routing: foreign hosts and oversized headers.

use axum::http::{Method, StatusCode};
use cartwright::web;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    Options, TestApp,
    dump::dump,
    routes::{Blanks, doors},
};

#[sqlx::test]
async fn foreign_host_is_refused_on_every_route_except_probes(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    let before = dump(&app.pool).await;
    for door in doors.iter().filter(|door| !door.template.starts_with("/-/")) {
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "10.0.0.1", "127.0.0.1:x"]
        {
            let knock = priya.knock(door.method.clone(), &door.path).header("host", host);
            let answer = knock.header("x-forwarded-host", "127.0.0.1:8080").send().await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{} as {host:?}", door.name());
            assert!(!answer.text().contains("evil"), "{}", answer.text());
        }
        for knock in [
            priya.knock(door.method.clone(), &door.path).header("host", ""),
            priya.knock(door.method.clone(), &door.path).without("host"),
        ] {
            assert_eq!(knock.send().await.status, StatusCode::BAD_REQUEST, "{} without a host", door.name());
        }
    }
    assert_eq!(dump(&app.pool).await, before);
    for probe in ["/-/live", "/-/ready", "/-/metrics"] {
        let answer = app.browser().knock(Method::GET, probe).header("host", "10.0.0.7:9000").send().await;
        assert_eq!(answer.status, StatusCode::OK, "{probe}");
    }
}

#[sqlx::test]
async fn loopback_hosts_are_foreign_with_a_public_url(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { https: true, ..Options::default() }).await;
    for (host, status) in
        [("orders.example.com", 200), ("ORDERS.example.com", 200), ("localhost", 421), ("orders.example.com:81", 421)]
    {
        let answer = app.browser().knock(Method::GET, "/sign-in").header("host", host).send().await;
        assert_eq!(answer.status.as_u16(), status, "{host}");
    }
}

#[sqlx::test]
async fn headers_beyond_16_kib_are_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for (kib, status) in [(15, StatusCode::OK), (17, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)] {
        let knock = app.browser().knock(Method::GET, "/sign-in").header("x-note", &"x".repeat(kib * 1024));
        assert_eq!(knock.send().await.status, status, "{kib} KiB");
    }
}

/// Sends these bytes on a separate connection; returns the first line of the response.
async fn heard(listener: &std::net::SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(listener).await.expect("a connection");
    stream.write_all(sent.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[sqlx::test]
async fn requests_with_two_hosts_are_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = web::site(app.app.clone());
    let serving = tokio::spawn(web::frame::server::serve(listener, router, std::future::pending()));
    let ours = format!("127.0.0.1:{}", address.port());
    let (whole, other) = (format!("http://{ours}/sign-in"), "http://evil.example/sign-in".to_owned());
    let path = "/sign-in".to_owned();
    let cases: [(&str, &String, &[&str], u16); 12] = [
        ("one line", &path, &[&ours], 200),
        ("one line and the same authority", &whole, &[&ours], 200),
        ("two lines", &path, &[&ours, "evil.example"], 400),
        ("two lines, the other first", &path, &["evil.example", &ours], 400),
        ("two lines that agree", &path, &[&ours, &ours], 400),
        ("two lines, one empty", &path, &[&ours, ""], 400),
        ("an empty line", &path, &[""], 400),
        ("no line", &path, &[], 400),
        ("another authority", &other, &[&ours], 400),
        ("our authority and another line", &whole, &["evil.example"], 400),
        ("our authority and no line", &whole, &[], 400),
        ("another host", &path, &["evil.example"], 421),
    ];
    for (name, target, hosts, status) in cases {
        let lines: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        let line = heard(&address, &format!("GET {target} HTTP/1.1\r\n{lines}connection: close\r\n\r\n")).await;
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {line}");
    }
    let line = heard(&address, "GET /sign-in HTTP/1.0\r\n\r\n").await;
    assert!(line.contains(" 421 "), "HTTP/1.0 has no Host: {line}");
    serving.abort();
}
