//! What is refused before anything is looked up: a host that is not ours, and headers without an end.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{
    Options, TestApp,
    dump::dump,
    routes::{Blanks, doors},
};

#[sqlx::test]
async fn a_foreign_host_is_refused_on_every_route_but_the_probes(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    let before = dump(&app.pool).await;
    for door in doors.iter().filter(|door| !door.template.starts_with("/-/")) {
        for host in
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "10.0.0.1", "", "127.0.0.1:x"]
        {
            let knock = priya.knock(door.method.clone(), &door.path).header("host", host);
            let answer = knock.header("x-forwarded-host", "127.0.0.1:8080").send().await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{} as {host:?}", door.name());
            assert!(!answer.text().contains("evil"), "{}", answer.text());
        }
        let answer = priya.knock(door.method.clone(), &door.path).without("host").send().await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{} without a host", door.name());
    }
    assert_eq!(dump(&app.pool).await, before);
    for probe in ["/-/live", "/-/ready", "/-/metrics"] {
        let answer = app.browser().knock(Method::GET, probe).header("host", "10.0.0.7:9000").send().await;
        assert_eq!(answer.status, StatusCode::OK, "{probe}");
    }
}

#[sqlx::test]
async fn behind_a_public_address_the_loopback_names_are_foreign_too(pool: PgPool) {
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
