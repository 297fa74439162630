//! `/.well-known/security.txt`, as specified by RFC 9116.

use sqlx::PgPool;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::{Answer, Options, TestApp};

const PATH: &str = "/.well-known/security.txt";

async fn ask(app: &TestApp) -> Answer {
    app.browser().knock(axum::http::Method::GET, PATH).send().await
}

fn fields(answer: &Answer) -> Vec<(String, String)> {
    let text = answer.text();
    text.lines()
        .map(|line| line.split_once(": ").map(|(name, value)| (name.into(), value.into())).expect(line))
        .collect()
}

#[sqlx::test]
async fn stranger_reads_whom_to_tell_of_a_security_problem(pool: PgPool) {
    let options = Options { https: true, support: Some("mailto:security@orders.example.com"), ..Options::default() };
    let answer = ask(&TestApp::start_with(pool, options).await).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    let fields = fields(&answer);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Contact", "Expires", "Canonical", "Preferred-Languages"]);
    assert_eq!(fields[0].1, "mailto:security@orders.example.com");
    assert_eq!(fields[2].1, format!("https://orders.example.com{PATH}"));
    let expires = OffsetDateTime::parse(&fields[1].1, &Rfc3339).expect("a date of RFC 3339");
    let left = expires - cartwright::clock::Clock::System.now();
    assert!(left > Duration::days(90) && left < Duration::days(365), "{left}");
}

#[sqlx::test]
async fn plain_http_names_no_canonical_address(pool: PgPool) {
    let options = Options { support: Some("https://orders.example.com/security"), ..Options::default() };
    let fields = fields(&ask(&TestApp::start_with(pool, options).await).await);
    assert_eq!(fields[0].1, "https://orders.example.com/security");
    assert!(!fields.iter().any(|(name, _)| name == "Canonical"));
}

#[sqlx::test]
async fn without_a_contact_there_is_no_such_file(pool: PgPool) {
    assert_eq!(ask(&TestApp::start(pool).await).await.status, 404);
}
