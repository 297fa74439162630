//! Adding, changing and deleting carts: the operations, the rules and the sentences of the pages.

use axum::http::Method;
use cartwright::api_keys::Scope;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    Answer, TestApp,
    api::{NewKey, Program},
    dump::{count, dump, events},
    expose,
    routes::cart_of,
};

const BOTH: &[Scope] = &[Scope::CartsRead, Scope::CartsWrite];

/// Path and tag of a cart.
async fn read(program: &Program, cart: &str) -> (String, String) {
    let path = format!("/api/v1/carts/{cart}");
    let answer = program.get(&path).await;
    (path, answer.header("etag").unwrap_or_else(|| panic!("no tag: {}", answer.text())).to_owned())
}

async fn change(program: &Program, cart: &str, body: &Value) -> Answer {
    let (path, tag) = read(program, cart).await;
    program.knock(Method::PATCH, &path).header("if-match", &tag).body("application/json", body.to_string()).send().await
}

/// Field, class and sentence of each mistake.
fn mistakes(answer: &Answer) -> Vec<(String, String, String)> {
    let problem = answer.problem(422, "fields");
    let text = |error: &Value, name: &str| error[name].as_str().expect("text").to_owned();
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|error| (text(error, "field"), text(error, "class"), text(error, "message"))).collect()
}

async fn connected(app: &TestApp) -> String {
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path)
}

#[sqlx::test]
async fn added_cart_is_a_draft_until_it_is_tested(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let store = app.open_store("northwind-tea");
    let program = app.program(BOTH).await;
    let body = json!({
        "website_name": "Northwind Tea", "store_url": "https://admin.shopify.com/store/northwind-tea",
        "access_token": expose(&store.access_token), "active": true,
    });
    let answer = program.send(Method::POST, "/api/v1/carts", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let cart = answer.json();
    assert_eq!(
        (&cart["status"], &cart["active"], &cart["activates_on_pass"]),
        (&"draft".into(), &false.into(), &true.into())
    );
    let path = answer.location().to_owned();
    let read = program.get(&path).await;
    assert_eq!((read.json(), read.header("etag")), (cart.clone(), answer.header("etag")));
    assert!(!answer.text().contains(expose(&store.access_token)));
    app.assert_nothing_was_called();
    assert_eq!(events(&app.pool).await, ["cart_added"]);
    let author: (String, String, Option<Uuid>) =
        sqlx::query_as("select actor_kind, actor_name, actor_id from audit_events").fetch_one(&app.pool).await.unwrap();
    assert_eq!(author, ("program".to_owned(), "sync-prod".to_owned(), Some(program.id)));
}

#[sqlx::test]
async fn complaints_are_those_of_the_form_all_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    connected(&app).await;
    let program = app.program(BOTH).await;
    let before = dump(&app.pool).await;
    let add = async |body: Value| mistakes(&program.send(Method::POST, "/api/v1/carts", &body).await);
    let told = |field: &str, class: &str, message: &str| (field.to_owned(), class.to_owned(), message.to_owned());
    assert_eq!(
        add(json!({})).await,
        [
            told("website_name", "NAME_EMPTY", "Enter a Website Name"),
            told("store_url", "API_URL_EMPTY", "Enter your store's API URL"),
            told("access_token", "TOKEN_EMPTY", "Enter the access token"),
        ]
    );
    let secret = format!("shpss_{}", "5e".repeat(16));
    let answer = add(json!({ "website_name": "x", "store_url": "me@northwind.example", "access_token": secret })).await;
    assert_eq!(answer[0], told("store_url", "IS_EMAIL", "Enter your store's address, not an email address"));
    assert_eq!((&*answer[1].0, &*answer[1].1), ("access_token", "TOKEN_IS_SECRET"));
    assert!(answer[1].2.ends_with("We have not kept what you typed.") && !answer[1].2.contains("5e5e"), "{answer:?}");
    let token = format!("shpat_{}", "5e".repeat(16));
    let new = |name: &str, store: &str| json!({ "website_name": name, "store_url": store, "access_token": token });
    assert_eq!(
        add(new("northwind tea", "northwind-mugs")).await,
        [told("website_name", "NAME_TAKEN", "Another cart is called Northwind Tea. Enter a different Website Name")]
    );
    assert_eq!(
        add(new("Tea", "northwind-tea")).await,
        [told("store_url", "DUPLICATE", "Northwind Tea already uses this store. Open it instead of adding it again.")]
    );
    let pair =
        json!({ "website_name": "x", "store_url": "northwind-mugs", "client_id": "abc", "client_secret": "abc" });
    assert_eq!(add(pair).await[0].1, "CLIENT_SECRET_IS_ID");
    assert_eq!(dump(&app.pool).await["carts"], before["carts"], "nothing was saved");
}

#[sqlx::test]
async fn bodies_that_cannot_be_read_are_refused_by_name(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(BOTH).await;
    let send = |kind: &'static str, body: String| program.knock(Method::POST, "/api/v1/carts").body(kind, body).send();
    for (body, named) in [
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[]", "expected"),
        ("{\"website_nam\":\"x\"}", "`website_nam`"),
        ("{\"website_name\":1}", "a string"),
        ("{\"active\":\"yes\"}", "a boolean"),
        ("{\"active\":true,\"active\":false}", "duplicate field `active`"),
        ("{\"access_token\":\"x\",\"client_id\":\"y\"}", "not both"),
    ] {
        let problem = send("application/json", body.to_owned()).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(named)), "{body}: {problem}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json"] {
        send(kind, "{}".to_owned()).await.problem(415, "unsupported-media-type");
    }
    let long = json!({ "website_name": "x".repeat(17 * 1024) }).to_string();
    send("application/json", long).await.problem(413, "body-too-large");
    assert_eq!(count(&app.pool, "carts").await, 0);
}

#[sqlx::test]
async fn change_needs_the_tag_of_the_cart_as_it_is(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = connected(&app).await;
    let program = app.program(BOTH).await;
    let (path, old) = read(&program, &cart).await;
    let renamed = json!({ "website_name": "Tea & more" });
    for method in [Method::PATCH, Method::DELETE] {
        program.send(method.clone(), &path, &renamed).await.problem(428, "precondition-required");
        for wrong in ["\"other\"", "W/\"x\"", "x"] {
            let knock = program.knock(method.clone(), &path).header("if-match", wrong);
            knock.body("application/json", renamed.to_string()).send().await.problem(412, "precondition-failed");
        }
    }
    let answer = change(&program, &cart, &renamed).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["website_name"]), (200, &"Tea & more".into()));
    assert_eq!(answer.json()["version"], 2);
    let (_, now) = read(&program, &cart).await;
    assert_eq!(answer.header("etag"), Some(&*now));
    let knock = program.knock(Method::PATCH, &path).header("if-match", &old);
    knock.body("application/json", renamed.to_string()).send().await.problem(412, "precondition-failed");
    assert_eq!(program.get(&path).await.json()["status"], "connected", "the credential is kept");
}

#[sqlx::test]
async fn cart_is_turned_off_and_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = connected(&app).await;
    let program = app.program(BOTH).await;
    let off = change(&program, &cart, &json!({ "active": false })).await.json();
    assert_eq!((&off["active"], &off["status"]), (&false.into(), &"inactive".into()));
    let on = change(&program, &cart, &json!({ "active": true })).await.json();
    assert_eq!((&on["active"], &on["status"]), (&true.into(), &"connected".into()));
    assert_eq!(
        events(&app.pool).await.into_iter().rev().take(2).collect::<Vec<_>>(),
        ["cart_turned_on", "cart_turned_off"]
    );
}

#[sqlx::test]
async fn new_secret_replaces_a_working_one_only_after_its_test(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = connected(&app).await;
    let program = app.program(BOTH).await;
    let store = app.practice.stores().find("northwind-tea").expect("a store");
    let before = dump(&app.pool).await["carts"].clone();
    let wrong = json!({ "access_token": format!("shpat_{}", "0d".repeat(16)), "website_name": "Tea" });
    let problem = change(&program, &cart, &wrong).await.problem(424, "store-refuses");
    assert_eq!((&problem["class"], &problem["cart"]), (&"TOKEN_REFUSED".into(), &cart.clone().into()));
    assert_eq!(dump(&app.pool).await["carts"], before, "nothing was saved, not even the name");
    assert_eq!(count(&app.pool, "unsaved_credentials").await, 0, "a program has no drafts");
    let same = change(&program, &cart, &json!({ "access_token": expose(&store.access_token) })).await;
    assert_eq!(same.json()["status"], "connected", "{}", same.text());
    let pair = json!({ "client_id": store.client_id, "client_secret": expose(&store.client_secret) });
    let replaced = change(&program, &cart, &pair).await;
    assert_eq!(
        (replaced.status.as_u16(), &replaced.json()["status"]),
        (200, &"connected".into()),
        "{}",
        replaced.text()
    );
    assert!(events(&app.pool).await.contains(&"credential_replaced".to_owned()));
}

#[sqlx::test]
async fn secret_is_never_moved_to_another_store(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = connected(&app).await;
    app.open_store("northwind-mugs");
    app.practice.journal().clear();
    let program = app.program(BOTH).await;
    let answer = change(&program, &cart, &json!({ "store_url": "northwind-mugs" })).await;
    let expected =
        "You changed the store. Enter the access token for northwind-mugs. We do not send one store's token to another";
    assert_eq!(mistakes(&answer), [("access_token".to_owned(), "STORE_CHANGED".to_owned(), expected.to_owned())]);
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn cart_is_deleted_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = connected(&app).await;
    let program = app.program(BOTH).await;
    let (path, tag) = read(&program, &cart).await;
    let delete = || program.knock(Method::DELETE, &path).header("if-match", &tag).send();
    let answer = delete().await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "{}", answer.text());
    delete().await.problem(404, "not-found");
    assert_eq!(count(&app.pool, "carts").await, 0);
    assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("cart_deleted"));
}

#[sqlx::test]
async fn key_for_some_carts_changes_them_and_adds_none(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = connected(&app).await;
    let carts = Some(vec![Uuid::parse_str(&cart).expect("an id")]);
    let limited = app.program_with(NewKey { scopes: BOTH, carts, ..NewKey::default() }).await;
    limited.send(Method::POST, "/api/v1/carts", &json!({})).await.problem(403, "limited-key");
    assert_eq!(change(&limited, &cart, &json!({ "website_name": "Tea" })).await.status, 200);
}

#[sqlx::test]
async fn key_revoked_while_its_request_arrives_changes_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let cart = connected(&app).await;
    let program = app.program(BOTH).await;
    let (path, tag) = read(&program, &cart).await;
    let knock = program.knock(Method::PATCH, &path).header("if-match", &tag);
    let body = json!({ "website_name": "Tea" }).to_string();
    let (half, halfway) = tokio::sync::oneshot::channel();
    let (go, wait) = tokio::sync::oneshot::channel();
    let request = knock.body("application/json", body).send_in_halves(half, wait);
    let revoke = async {
        halfway.await.expect("half of the body was read");
        sqlx::query("update api_keys set revoked_at = now(), revoked_by = 'x'")
            .execute(&app.pool)
            .await
            .expect("revoked");
        go.send(()).expect("the request waits");
    };
    let (answer, ()) = tokio::join!(request, revoke);
    answer.problem(401, "no-live-key");
    let name: String = sqlx::query_scalar("select website_name from carts").fetch_one(&app.pool).await.expect("a cart");
    assert_eq!(name, "Northwind Tea");
}
