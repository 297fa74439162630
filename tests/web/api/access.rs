//! Who may call what: strangers, scopes and key states, for every row of the table of endpoints.

use std::collections::BTreeSet;

use axum::http::Method;
use cartwright::{
    api_keys::{ApiKeyText, Scope},
    web::api::v1::table::{EndpointAccess, table},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{call, keyed, name_of, path_of};
use crate::support::{
    TestApp,
    api::{NewKey, Program},
    dump::{count, dump, tamper},
};

/// Endpoints that need no key, on purpose.
const OPEN: [&str; 1] = ["GET /api/v1/openapi.json"];

/// Any cart: none exists.
const CART: &str = "0198f300000070008000000000000001";

/// A program for each reason why a presented key is not live, by reason.
async fn dead_keys(app: &TestApp) -> Vec<(&'static str, Program)> {
    let mut dead = vec![("unknown", app.program_without_key().with_key(ApiKeyText::generate().expose()))];
    for (reason, change) in [
        ("revoked", "revoked_at = now(), revoked_by = 'Priya Shah'"),
        ("ended", "created_at = now() - interval '2 days', ends_at = now() - interval '1 day'"),
        ("other network", "networks = '{192.0.2.0/24}'"),
    ] {
        let program = app.program(&Scope::ALL).await;
        tamper(&app.pool, &format!("update api_keys set {change} where id = '{}'", program.id)).await;
        dead.push((reason, program));
    }
    let live = app.program(&Scope::ALL).await;
    dead.push(("wrong checksum", live.with_key(format!("{}0", &live.key[..live.key.len() - 1]))));
    dead.push(("cut off", live.with_key(&live.key[..20])));
    dead.push(("another case", live.with_key(live.key.to_uppercase())));
    dead
}

#[test]
fn open_endpoints_are_exactly_the_listed_ones() {
    let open: Vec<_> = table().iter().filter(|row| row.access == EndpointAccess::Open).map(name_of).collect();
    assert_eq!(open, OPEN);
}

#[sqlx::test]
async fn every_request_without_a_live_key_gets_the_same_answer(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let nobody = app.program_without_key();
    let dead = dead_keys(&app).await;
    let mut texts = BTreeSet::new();
    for endpoint in keyed() {
        let answer = call(&nobody, &endpoint, CART).await;
        answer.problem(401, "no-live-key");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""), "{}", name_of(&endpoint));
        texts.insert(answer.problem_text());
        // Each key from a network of its own, so that no network has too many.
        for (place, (reason, program)) in (1..).zip(&dead) {
            let answer = call(&program.from([198, 51, 100, place]), &endpoint, CART).await;
            answer.problem(401, "no-live-key");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, Some("Bearer realm=\"api\", error=\"invalid_token\""), "{reason}");
            texts.insert(answer.problem_text());
        }
    }
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert_eq!(count(&app.pool, "api_key_uses").await, 0, "no use of a key that is not live is recorded");
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn other_schemes_and_two_headers_are_no_key(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&Scope::ALL).await;
    for authorization in [format!("Basic {}", program.key), program.key.clone(), String::new(), "Bearer".to_owned()] {
        let knock = program.knock(Method::GET, "/api/v1/key").header("authorization", &authorization);
        knock.send().await.problem(401, "no-live-key");
    }
    let lower = program.knock(Method::GET, "/api/v1/key").header("authorization", &format!("bearer {}", program.key));
    assert_eq!(lower.send().await.status, 200, "the scheme has no case (RFC 9110, section 11.1)");
}

#[sqlx::test]
async fn session_of_an_administrator_is_no_key(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    for endpoint in keyed() {
        let knock = priya.knock(endpoint.method.clone(), &path_of(&endpoint, CART));
        knock.send().await.problem(401, "no-live-key");
    }
}

#[sqlx::test]
async fn every_scope_is_demanded_and_named(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let before = dump(&app.pool).await;
    for endpoint in keyed() {
        let EndpointAccess::Scope(needed) = endpoint.access else { continue };
        let others: Vec<_> = Scope::ALL.into_iter().filter(|scope| *scope != needed).collect();
        let answer = call(&app.program(&others).await, &endpoint, CART).await;
        let problem = answer.problem(403, "insufficient-scope");
        assert!(problem["detail"].to_string().contains(needed.as_str()), "{problem}");
        let challenge = format!("Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{}\"", needed.as_str());
        assert_eq!(answer.header("www-authenticate"), Some(&*challenge));
        let answer = call(&app.program(&[needed]).await, &endpoint, CART).await;
        assert_ne!(answer.status, 403, "{}: {}", name_of(&endpoint), answer.text());
    }
    for table in ["carts", "audit_events", "connection_tests"] {
        assert_eq!(dump(&app.pool).await[table], before[table], "{table}");
    }
}

#[sqlx::test]
async fn cart_outside_of_the_list_of_a_key_reads_as_an_unknown_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let cart = crate::support::routes::cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    let carts = Some(vec![Uuid::now_v7()]);
    let limited = app.program_with(NewKey { scopes: &Scope::ALL, carts, ..NewKey::default() }).await;
    let before = dump(&app.pool).await;
    for endpoint in keyed().filter(|endpoint| endpoint.path.contains("{cart}")) {
        let outside = call(&limited, &endpoint, &cart).await;
        outside.problem(404, "not-found");
        for unknown in [CART, "northwind-tea", "%FF", "0"] {
            let answer = call(&limited, &endpoint, unknown).await;
            assert_eq!(answer.problem_text(), outside.problem_text(), "{} {unknown}", name_of(&endpoint));
        }
    }
    for table in ["carts", "audit_events", "connection_tests"] {
        assert_eq!(dump(&app.pool).await[table], before[table], "{table}");
    }
}

#[sqlx::test]
async fn key_in_an_address_is_refused_and_logged_without_its_text(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&Scope::ALL).await;
    let log = crate::canary::Log::default();
    let guards = log.listen();
    let key = &program.key;
    for path in [
        format!("/api/v1/key?key={key}"),
        format!("/api/v1/key?access_token={key}"),
        format!("/api/v1/key?{key}"),
        format!("/api/v1/carts/{key}"),
        format!("/api/v1/openapi.json?x={key}"),
        format!("/api/v1/none?x=Bearer+{key}"),
    ] {
        let answer = program.get(&path).await;
        answer.problem(400, "key-in-address");
        assert!(!answer.text().contains(key.as_str()), "{path}");
    }
    drop(guards);
    assert!(!log.text().contains(key.as_str()), "the log holds the key");
    assert_eq!(log.text().matches("counts as compromised").count(), 6);
    assert!(log.text().contains(&program.id.to_string()), "the log says which key: {}", log.text());
}

#[sqlx::test]
async fn key_beyond_its_limit_waits(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (busy, other) = (app.program(&Scope::ALL).await, app.program(&Scope::ALL).await);
    assert_eq!(busy.get("/api/v1/key").await.status, 200);
    tamper(&app.pool, "update throttle set remaining = 0 where kind = 'api_key'").await;
    let mut answered = 1;
    let refused = loop {
        let answer = busy.get("/api/v1/key").await;
        if answer.status != 200 {
            break answer;
        }
        answered += 1;
    };
    assert_eq!(answered, 100, "the rest of the block that was bought");
    refused.problem(429, "too-many-requests");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(other.get("/api/v1/key").await.status, 200, "another key has its own limit");
}

#[sqlx::test]
async fn failed_authentications_are_bounded_per_network_and_lock_no_key_out(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&[]).await;
    let wrong = program.with_key("cwk_wrong");
    for _ in 0..60 {
        wrong.get("/api/v1/key").await.problem(401, "no-live-key");
    }
    let before = dump(&app.pool).await;
    wrong.get("/api/v1/key").await.problem(429, "too-many-requests");
    assert_eq!(dump(&app.pool).await, before, "a refused attempt writes nothing");
    wrong.from([198, 51, 100, 7]).get("/api/v1/key").await.problem(401, "no-live-key");
    assert_eq!(program.get("/api/v1/key").await.status, 200, "a live key behind the same address");
}

#[sqlx::test]
async fn key_describes_itself(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = Uuid::now_v7();
    let scopes = &[Scope::TokensIssue, Scope::CartsRead];
    let program = app.program_with(NewKey { scopes, carts: Some(vec![cart]), ..NewKey::default() }).await;
    let answer = program.get("/api/v1/key").await;
    let body = answer.json();
    assert_eq!(body["id"], program.id.simple().to_string());
    assert_eq!(body["name"], "sync-prod");
    assert_eq!(body["ending"], program.key[program.key.len() - 4..]);
    assert_eq!(body["scopes"], serde_json::json!(["carts:read", "tokens:issue"]), "unknown scopes are left out");
    assert_eq!(body["carts"], serde_json::json!([cart.simple().to_string()]));
    assert!(body["ends_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{body}");
    assert!(!answer.text().contains(&program.key));
    let tag = answer.header("etag").expect("a tag");
    let again = program.knock(Method::GET, "/api/v1/key").header("if-none-match", tag).send().await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}
