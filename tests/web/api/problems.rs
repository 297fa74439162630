//! Every answer that is not a result is a problem document: those of handlers, of the router, of the frame and of a panic.

use axum::{
    Router,
    http::{Method, StatusCode},
    routing::get,
};
use cartwright::{
    api_keys::Scope,
    web::{
        self,
        api::v1::table::{EndpointAccess, table},
    },
};
use sqlx::PgPool;

use super::{keyed, name_of, path_of};
use crate::support::{Options, TestApp};

const CART: &str = "0198f300000070008000000000000001";

#[sqlx::test]
async fn unknown_paths_and_methods_are_problems(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&Scope::ALL).await;
    for path in ["/api/", "/api/v1", "/api/v1/", "/api/v2/key", "/api/v1/key/", "/api/v1/keys", "/api/v1/KEY"] {
        program.get(path).await.problem(404, "not-found");
        program.knock(Method::POST, path).send().await.problem(404, "not-found");
    }
    for endpoint in table() {
        let path = path_of(&endpoint, CART);
        let known: Vec<_> = table().into_iter().filter(|row| row.path == endpoint.path).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let method: Method = method.parse().expect("a method");
            if known.iter().any(|row| row.method == method) {
                continue;
            }
            let answer = program.knock(method.clone(), &path).send().await;
            answer.problem(405, "method-not-allowed");
            let allowed = answer.header("allow").expect("the methods that it has");
            assert!(known.iter().all(|row| allowed.split(',').any(|name| name == row.method.as_str())), "{allowed}");
        }
    }
}

#[sqlx::test]
async fn client_must_accept_json(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&Scope::ALL).await;
    for endpoint in table() {
        let knock = program.knock(endpoint.method.clone(), &path_of(&endpoint, CART)).header("accept", "text/html");
        knock.send().await.problem(406, "not-acceptable");
    }
    for accept in ["application/json", "*/*", "text/html, application/*;q=0.5"] {
        let answer = program.knock(Method::GET, "/api/v1/key").header("accept", accept).send().await;
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[sqlx::test]
async fn unknown_parameter_is_named(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&Scope::ALL).await;
    for endpoint in table() {
        let path = format!("{}?colour=blue", path_of(&endpoint, CART));
        let problem = program.knock(endpoint.method.clone(), &path).send().await.problem(400, "bad-request");
        assert!(problem["detail"].to_string().contains("`colour`"), "{}: {problem}", name_of(&endpoint));
        assert!(!problem.to_string().contains("blue"), "{problem}");
    }
}

#[sqlx::test]
async fn refusals_of_the_frame_are_problems_under_the_api_alone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&Scope::ALL).await;
    let at = |path: &str| program.knock(Method::GET, path);
    at("/api/v1/key").header("host", "evil.example").send().await.problem(421, "misdirected");
    at("/api/v1/key").header("host", "").send().await.problem(400, "bad-request");
    at("/api/v1/key").without("host").send().await.problem(400, "bad-request");
    for path in ["/api/v1//key", "/api/v1/../v1/key", "/api/v1/key;x=1", "/api/v1%2fkey"] {
        at(path).send().await.problem(400, "bad-request");
    }
    at("/api/v1/key").header("x-note", &"x".repeat(17 * 1024)).send().await.problem(431, "headers-too-large");
    let page = at("/sign-in").header("host", "evil.example").send().await;
    assert_eq!(page.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[sqlx::test]
async fn panic_and_unavailable_database_are_problems(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let endpoints = Router::new()
        .route("/api/v1/boom", get(async || -> StatusCode { panic!("a bug") }))
        .route("/api/v1/bare", get(async || StatusCode::IM_A_TEAPOT));
    let browser = app.browser_at(web::with_api_layers(endpoints, app.app.clone()));
    let knock = |path: &str| browser.knock(Method::GET, path);
    let problem = knock("/api/v1/boom").send().await.problem(500, "bug");
    assert!(!problem.to_string().contains("a bug"), "{problem}");
    knock("/api/v1/bare").send().await.problem(400, "bad-request");
    let program = app.program(&Scope::ALL).await;
    sqlx::query("alter table api_keys rename to elsewhere").execute(&app.pool).await.expect("renamed");
    for endpoint in keyed() {
        super::call(&program, &endpoint, CART).await.problem(500, "bug");
    }
}

#[sqlx::test]
async fn no_answer_of_the_api_sets_a_cookie_or_reads_one(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { https: true, ..Options::default() }).await;
    let program = app.program(&Scope::ALL).await;
    for endpoint in table() {
        for program in [&program, &app.program_without_key()] {
            let knock = program.knock(endpoint.method.clone(), &path_of(&endpoint, CART));
            let answer = knock.header("cookie", "__Host-cartwright=x; __Host-cartwright-form=y").send().await;
            assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
            assert!(answer.header("strict-transport-security").is_some(), "{answer:?}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            let is_open = endpoint.access == EndpointAccess::Open;
            assert!(is_open || answer.status != 200 || !program.key.is_empty(), "{answer:?}");
        }
    }
}
