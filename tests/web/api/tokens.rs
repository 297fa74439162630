//! Tokens for programs: what they get, what they get instead, and what is recorded of it.

use axum::http::Method;
use cartwright::{
    api_keys::Scope,
    carts::CartId,
    practice::{Canned, Scenario},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    Answer, Browser, Options, TestApp,
    api::{NewKey, Program},
    dump::{count, dump, events, tamper},
    expose,
    routes::cart_of,
};

const TEA: &str = "northwind-tea";
const B2B: &str = "northwind-b2b";

/// An active cart with an access token.
async fn tea(app: &TestApp, priya: &Browser) -> String {
    app.open_store(TEA);
    cart_of(&app.connect(priya, "Northwind Tea", TEA).await.path)
}

/// An active cart with a Client ID and Client secret.
async fn b2b(app: &TestApp, priya: &Browser) -> String {
    let store = app.open_store(B2B);
    let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
    page.fill("Website Name", "Northwind Wholesale");
    page.fill("API URL", B2B);
    page.choose("Client ID and Client secret");
    page.fill("Client ID", &store.client_id);
    page.fill("Client secret", expose(&store.client_secret));
    let mut page = page.press("Test Connection").await;
    page.check("Active");
    let page = page.press("Save").await;
    let cart = cart_of(&page.path);
    app.practice.journal().clear();
    cart
}

async fn ask(program: &Program, cart: &str) -> Answer {
    program.send(Method::POST, &format!("/api/v1/carts/{cart}/token"), &json!({})).await
}

async fn ask_for(program: &Program, cart: &str, min_seconds: u64) -> Answer {
    let body = json!({ "min_seconds": min_seconds });
    program.send(Method::POST, &format!("/api/v1/carts/{cart}/token"), &body).await
}

/// The token of a 200.
#[track_caller]
fn issued(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert!(body["token"].as_str().is_some_and(|token| token.len() > 20), "a 200 always has a token");
    body
}

async fn report(program: &Program, cart: &str, token_id: &Value, status: u16) -> Answer {
    let body = json!({ "token_id": token_id, "status": status, "request_id": "a1b2-c3d4" });
    program.send(Method::POST, &format!("/api/v1/carts/{cart}/token/refusals"), &body).await
}

fn exchanges(app: &TestApp) -> usize {
    let requests = app.practice.journal().requests();
    requests.iter().filter(|request| request.path.ends_with("/oauth/access_token")).count()
}

/// Moves the life of the issued token, so that so many seconds of its 24 hours are left.
async fn leave(app: &TestApp, seconds: i64) {
    let statement = format!(
        "update carts set minted_ends_at = now() + interval '{seconds} seconds',
             minted_at = now() + interval '{seconds} seconds' - interval '1 day' where minted_token is not null"
    );
    tamper(&app.pool, &statement).await;
}

#[sqlx::test]
async fn access_token_of_an_active_cart_is_handed_out_with_what_its_use_needs(pool: PgPool) {
    let options = Options { egress_addresses: "8.8.4.4, 1.1.1.0/24", ..Options::default() };
    let app = TestApp::start_with(pool, options).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    let body = issued(&ask(&program, &cart).await);
    let store = app.practice.stores().find(TEA).expect("the store");
    assert_eq!(body["token"], expose(&store.access_token));
    assert_eq!(body["header"], "X-Shopify-Access-Token");
    assert_eq!(body["store_url"], "https://northwind-tea.myshopify.com");
    assert_eq!(body["api_version"], cartwright::platforms::shopify::API_VERSION);
    assert_eq!((&body["expires_at"], &body["missing_scopes"]), (&Value::Null, &json!([])));
    assert!(body["scopes"].as_array().is_some_and(|scopes| scopes.contains(&json!("read_orders"))), "{body}");
    assert_eq!(body["allowed_from"], json!(["8.8.4.4", "1.1.1.0/24"]));
    assert!(body["use_until"].as_str() > body["issued_at"].as_str());
    let id = body["token_id"].as_str().expect("an id");
    assert!(id.len() == 32 && !body["token"].as_str().expect("a token").contains(id));
    assert_eq!(issued(&ask(&program, &cart).await)["token_id"], id, "the same for the same token");
}

#[sqlx::test]
async fn token_of_client_credentials_has_the_asked_time_left(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = b2b(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    let first = issued(&ask(&program, &cart).await);
    assert!(first["expires_at"].is_string() && first["use_until"].as_str() < first["expires_at"].as_str());
    let made = exchanges(&app);

    // 5 hours are left: enough for everyone who may ask.
    leave(&app, 5 * 3_600).await;
    assert_eq!(issued(&ask_for(&program, &cart, 14_400).await)["token"], first["token"]);
    assert_eq!(exchanges(&app), made);
    // Ten minutes and a failing store: the token is good for five minutes, and not for fifteen.
    leave(&app, 600).await;
    app.practice.stores().set(B2B, Scenario::ConnectRefused);
    assert_eq!(issued(&ask_for(&program, &cart, 300).await)["token"], first["token"]);
    let failed = ask_for(&program, &cart, 900).await;
    let problem = failed.problem(503, "unavailable");
    assert_eq!(problem["class"], "NETWORK_UNREACHABLE");
    // An expired token never leaves.
    for left in [59, 0, -1, -86_400] {
        leave(&app, left).await;
        ask_for(&program, &cart, 0).await.problem(503, "unavailable");
    }
    // And it is renewed as soon as that works again.
    app.practice.stores().set(B2B, Scenario::Well);
    tamper(&app.pool, "update carts set renewal_failed_at = now() - interval '1 minute'").await;
    let next = issued(&ask_for(&program, &cart, 14_400).await);
    assert!(next["token"] != first["token"] && next["token_id"] != first["token_id"]);
}

#[sqlx::test]
async fn two_callers_of_an_expired_token_cause_one_exchange(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = b2b(&app, &priya).await;
    let (one, two) = (app.program(&[Scope::TokensIssue]).await, app.program(&[Scope::TokensIssue]).await);
    issued(&ask(&one, &cart).await);
    leave(&app, -5).await;
    app.practice.journal().clear();
    let (first, second) = tokio::join!(ask(&one, &cart), ask(&two, &cart));
    assert_eq!(issued(&first)["token"], issued(&second)["token"]);
    assert_eq!(exchanges(&app), 1);
}

#[sqlx::test]
async fn failed_renewal_is_not_repeated_for_each_caller(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = b2b(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    issued(&ask(&program, &cart).await);
    leave(&app, -5).await;
    app.practice.stores().change(B2B, |store| store.client_secret = "shpss_another".to_owned().into());
    app.practice.journal().clear();
    for _ in 0..3 {
        let problem = ask(&program, &cart).await.problem(424, "store-refuses");
        assert_eq!(problem["class"], "CC_REFUSED");
    }
    assert_eq!(exchanges(&app), 1);
    // The check that it made due turns the status.
    app.app.health.sweep().await.expect("swept");
    let status: String = sqlx::query_scalar("select status from carts").fetch_one(&app.pool).await.expect("a cart");
    assert_eq!(status, "not-connected");
}

#[sqlx::test]
async fn token_that_lives_too_short_for_the_asked_time_is_no_reason_to_renew_it_all_the_time(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = b2b(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    issued(&ask(&program, &cart).await);
    tamper(&app.pool, "update carts set minted_at = now(), minted_ends_at = now() + interval '1 hour'").await;
    app.practice.journal().clear();
    ask_for(&program, &cart, 3_600).await.problem(409, "conflict");
    issued(&ask_for(&program, &cart, 1_800).await);
    assert_eq!(exchanges(&app), 0);
    ask_for(&program, &cart, 14_401).await.problem(422, "fields");
}

#[sqlx::test]
async fn cart_that_is_not_in_use_hands_out_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    app.open_store("northwind-draft");
    let draft = cart_of(&app.draft(&priya, "Northwind Draft", "northwind-draft").await.path);
    assert!(ask(&program, &draft).await.problem(409, "not-active")["detail"].to_string().contains("draft"));
    for (change, undo, said) in [
        (
            "update carts set is_active = false, status = 'inactive' where status = 'connected'",
            "update carts set is_active = true, status = 'connected' where status = 'inactive'",
            "inactive",
        ),
        (
            "update ecommerce_integration set is_active = false",
            "update ecommerce_integration set is_active = true",
            "Integration is off",
        ),
    ] {
        tamper(&app.pool, change).await;
        let problem = ask(&program, &cart).await.problem(409, "not-active");
        assert!(problem["detail"].to_string().contains(said), "{problem}");
        assert_eq!(problem["cart"], cart);
        tamper(&app.pool, undo).await;
    }
    issued(&ask(&program, &cart).await);
    priya.visit(&format!("/admin/ecommerce/shopify/{cart}/disconnection")).await.press("Disconnect").await;
    assert!(ask(&program, &cart).await.problem(409, "not-active")["detail"].to_string().contains("disconnected"));
    assert_eq!(count(&app.pool, "token_uses").await, 1, "refusals are no hand-outs");
}

#[sqlx::test]
async fn refused_credential_is_withheld_and_other_trouble_is_not(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    let check = async |scenario: Scenario| {
        app.practice.stores().set(TEA, scenario);
        tamper(&app.pool, "update cart_health set next_check_at = now() - interval '1 second'").await;
        app.app.health.sweep().await.expect("swept");
        ask(&program, &cart).await
    };
    let problem = check(Scenario::Says(Canned::Unauthorized)).await.problem(424, "store-refuses");
    assert_eq!((problem["class"].as_str(), problem["cart"].as_str()), (Some("TOKEN_STOPPED"), Some(&*cart)));
    assert!(problem["since"].is_string() && problem["detail"].to_string().contains("stopped working"), "{problem}");
    let limited = issued(&check(Scenario::ScopesMissing(&["write_orders"])).await);
    assert_eq!(limited["missing_scopes"], json!(["write_orders"]));
    assert_eq!(limited["allowed_from"], Value::Null);
    for _ in 0..4 {
        issued(&check(Scenario::ConnectRefused).await);
        tamper(&app.pool, "update cart_health set streak_since = streak_since - interval '10 minutes'").await;
    }
    let class: String = sqlx::query_scalar("select last_class from carts").fetch_one(&app.pool).await.expect("a cart");
    assert_eq!(class, "NETWORK_UNREACHABLE", "the cart needs attention, and its token leaves");
    issued(&check(Scenario::Well).await);
}

#[sqlx::test]
async fn unreadable_secret_is_a_problem_of_the_server(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    tamper(&app.pool, "update carts set secret = '\\x00'").await;
    let problem = ask(&program, &cart).await.problem(503, "unavailable");
    assert_eq!(problem["class"], "OUR_KEY");
    assert!(problem["retry_after"].is_number());
}

#[sqlx::test]
async fn token_leaves_only_for_the_carts_of_the_key_and_while_it_lives(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let carts = Some(vec![Uuid::now_v7()]);
    let other = app.program_with(NewKey { scopes: &[Scope::TokensIssue], carts, ..NewKey::default() }).await;
    ask(&other, &cart).await.problem(404, "not-found");
    report(&other, &cart, &json!("0".repeat(32)), 401).await.problem(404, "not-found");
    // Revoked after the request was authenticated: the transaction of the hand-out finds out.
    let program = app.program(&[Scope::TokensIssue]).await;
    let by = cartwright::audit::By {
        actor: cartwright::audit::Actor::Program { key: program.id, name: "sync-prod".into() },
        origin: cartwright::audit::Origin::default(),
    };
    let id = CartId(cart.parse().expect("an id"));
    let issue = async || app.app.tokens.issue(&by, id, std::time::Duration::ZERO).await;
    issue().await.expect("a token");
    tamper(&app.pool, "update api_keys set revoked_at = now(), revoked_by = 'Priya Shah'").await;
    let refused = issue().await.expect_err("revoked");
    assert!(cartwright::audit::is_not_permitted(&refused), "{refused:?}");
    let times: i64 =
        sqlx::query_scalar("select sum(times)::bigint from token_uses").fetch_one(&app.pool).await.expect("uses");
    assert_eq!(times, 1);
}

#[sqlx::test]
async fn every_hand_out_is_in_the_audit_log(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let (one, two) = (app.program(&[Scope::TokensIssue]).await, app.program(&[Scope::TokensIssue]).await);
    let recorded = async || -> i64 {
        sqlx::query_scalar(
            "select coalesce(sum(coalesce((data ->> 'times')::bigint, 1)), 0)::bigint from audit_events
             where event in ('token_handed_out', 'token_handed_out_again')",
        )
        .fetch_one(&app.pool)
        .await
        .expect("the activity")
    };
    for _ in 0..5 {
        issued(&ask(&one, &cart).await);
    }
    issued(&ask(&two, &cart).await);
    let first: i64 = sqlx::query_scalar("select count(*) from audit_events where event = 'token_handed_out'")
        .fetch_one(&app.pool)
        .await
        .expect("the activity");
    // Two programs, in one minute or in two.
    assert!((2..=4).contains(&first), "{first}");
    tamper(&app.pool, "update token_uses set minute = minute - interval '2 minutes'").await;
    app.app.tokens.record_uses().await.expect("recorded");
    assert_eq!(recorded().await, 6);
    app.app.tokens.record_uses().await.expect("recorded");
    assert_eq!(recorded().await, 6, "once");
    // A use that is counted after its minute was recorded, by a transaction that was late.
    tamper(&app.pool, &format!("update token_uses set times = times + 1 where key_id = '{}'", two.id)).await;
    app.app.tokens.record_uses().await.expect("recorded");
    assert_eq!(recorded().await, 7);
    // Deleted with the cart or after its key: still recorded.
    issued(&ask(&one, &cart).await);
    issued(&ask(&one, &cart).await);
    tamper(&app.pool, "update api_keys set revoked_at = now(), revoked_by = 'Priya Shah'").await;
    tamper(&app.pool, "delete from carts").await;
    tamper(
        &app.pool,
        "update token_uses set minute = minute - interval '7 minutes' where minute > now() - interval '100 seconds'",
    )
    .await;
    app.app.tokens.record_uses().await.expect("recorded");
    assert_eq!(recorded().await, 9);
    cartwright::audit::link_new_rows(&app.app.pool).await.expect("linked");
}

#[sqlx::test]
async fn pages_say_which_programs_got_the_token(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let general = format!("/admin/ecommerce/shopify/{cart}/general");
    let page = priya.visit(&general).await;
    assert!(page.text("#programs").starts_with("No program has asked for this connection yet"), "{page}");
    assert_eq!(page.follow("make an API key").await.path, "/admin/api-keys");
    let program = app.program(&[Scope::TokensIssue]).await;
    for _ in 0..2 {
        issued(&ask(&program, &cart).await);
    }
    let page = priya.visit(&general).await;
    assert!(page.text("#programs").starts_with("Handed to sync-prod just now"), "{page}");
    let page = priya.visit(&format!("/admin/ecommerce/shopify/{cart}/activity")).await;
    assert!(page.text("#programs").contains("Handed to sync-prod 2 times in 24 hours"), "{page}");
    assert!(page.all(".log .deed").contains(&"Got the token of Northwind Tea".to_owned()), "{page}");
}

#[sqlx::test]
async fn rejected_current_token_is_renewed_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = b2b(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    let first = issued(&ask(&program, &cart).await);
    app.practice.stores().end_minted_tokens(B2B);
    app.practice.journal().clear();
    let renewed = report(&program, &cart, &first["token_id"], 401).await;
    assert_eq!(
        (renewed.status.as_u16(), renewed.json()["result"].as_str()),
        (200, Some("renewed")),
        "{}",
        renewed.text()
    );
    let second = issued(&ask(&program, &cart).await);
    assert_ne!(second["token"], first["token"]);
    let again = report(&program, &cart, &first["token_id"], 401).await.json();
    assert_eq!(again["result"], "newer-exists");
    assert_eq!(exchanges(&app), 1, "one for two reports");
    assert_eq!(report(&program, &cart, &second["token_id"], 403).await.json()["result"], "check-queued");
    assert_eq!(report(&program, &cart, &json!("no id"), 401).await.json()["result"], "newer-exists");
    assert_eq!(exchanges(&app), 1);
    report(&program, &cart, &second["token_id"], 401).await;
    let wait = report(&program, &cart, &second["token_id"], 401).await.problem(429, "too-many-requests");
    assert!(wait["retry_after"].as_u64() > Some(60), "{wait}");
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "token_refusal_reported").count(), 5);
}

#[sqlx::test]
async fn refused_access_token_is_checked_now(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    let first = issued(&ask(&program, &cart).await);
    app.practice.stores().set(TEA, Scenario::Says(Canned::Unauthorized));
    let queued = report(&program, &cart, &first["token_id"], 401).await.json();
    assert_eq!(queued["result"], "check-queued");
    app.app.health.sweep().await.expect("swept");
    ask(&program, &cart).await.problem(424, "store-refuses");
}

#[sqlx::test]
async fn foreign_text_of_a_report_is_bounded_and_holds_no_token(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let cart = tea(&app, &priya).await;
    let program = app.program(&[Scope::TokensIssue]).await;
    let first = issued(&ask(&program, &cart).await);
    let token = first["token"].as_str().expect("a token");
    let path = format!("/api/v1/carts/{cart}/token/refusals");
    let request = format!("{token}\u{202e}\n<b>{}", "x".repeat(500));
    let body = json!({ "token_id": "0".repeat(32), "status": 401, "request_id": request });
    assert_eq!(program.send(Method::POST, &path, &body).await.status, 200);
    let kept: String =
        sqlx::query_scalar("select data ->> 'request' from audit_events where event = 'token_refusal_reported'")
            .fetch_one(&app.pool)
            .await
            .expect("the event");
    assert!(kept.starts_with("<b>x") && kept.chars().count() <= 100, "{kept}");
    for (field, value) in [("status", json!(200)), ("status", json!(600)), ("token_id", json!(""))] {
        let mut body = json!({ "token_id": "0".repeat(32), "status": 401 });
        body[field] = value;
        program.send(Method::POST, &path, &body).await.problem(422, "fields");
    }
}

#[sqlx::test]
async fn token_is_in_its_answer_and_nowhere_else(pool: PgPool) {
    let log = crate::canary::Log::default();
    let guards = log.listen();
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let (static_cart, issued_cart) = (tea(&app, &priya).await, b2b(&app, &priya).await);
    let program = app.program(&Scope::ALL).await;
    let mut tokens = Vec::new();
    for cart in [&static_cart, &issued_cart] {
        let body = issued(&ask(&program, cart).await);
        report(&program, cart, &body["token_id"], 401).await;
        tokens.push(body["token"].as_str().expect("a token").to_owned());
        priya.visit(&format!("/admin/ecommerce/shopify/{cart}/activity")).await;
    }
    program.get("/api/v1/changes").await;
    drop(guards);
    let (log, kept) = (log.text(), dump(&app.pool).await);
    assert!(log.contains("token_uses") && kept["audit_events"].len() > 5);
    for token in &tokens {
        let holding = app.answers().iter().filter(|answer| answer.text().contains(token)).count();
        assert_eq!(holding, 1, "in one answer");
        assert!(!log.contains(token.as_str()), "in the log");
        for (table, rows) in &kept {
            assert!(!rows.iter().any(|row| row.contains(token.as_str())), "in {table}");
        }
    }
}
