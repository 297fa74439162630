//! The feed of changes: what is in it, for whom, and how a program waits for it.

use axum::http::Method;
use cartwright::{
    api_keys::Scope,
    practice::{Canned, Scenario},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    TestApp,
    api::{NewKey, Program},
    dump::tamper,
    routes::cart_of,
};

/// Reads from this cursor until so many changes came; returns them and the cursor behind them. Transactions of other tests
/// on the same database server may delay them.
async fn read(program: &Program, after: &str, count: usize) -> (Vec<Value>, String) {
    let (mut changes, mut cursor) = (Vec::new(), after.to_owned());
    loop {
        let answer = program.get(&format!("/api/v1/changes?after={cursor}&wait=30")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        changes.extend(body["changes"].as_array().expect("a list").iter().cloned());
        body["cursor"].as_str().expect("a cursor").clone_into(&mut cursor);
        if changes.len() >= count {
            return (changes, cursor);
        }
    }
}

/// The cursor behind every change so far, also behind those that readers do not get yet.
async fn newest(app: &TestApp) -> String {
    let newest = "select id from cart_changes order by xid desc, position desc limit 1";
    let id: Uuid = sqlx::query_scalar(newest).fetch_one(&app.pool).await.expect("a change");
    id.as_simple().to_string()
}

fn types(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|change| change["type"].as_str().expect("a type")).collect()
}

#[sqlx::test]
async fn every_change_of_a_cart_is_in_the_feed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let program = app.program(&[Scope::CartsRead]).await;
    let start = newest(&app).await;
    app.open_store("northwind-tea");
    let cart = cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    let general = format!("/admin/ecommerce/shopify/{cart}/general");
    for scenario in [Scenario::Says(Canned::Unauthorized), Scenario::Well] {
        app.practice.stores().set("northwind-tea", scenario);
        tamper(&app.pool, "update cart_health set next_check_at = now() - interval '1 second'").await;
        app.app.health.sweep().await.expect("swept");
    }
    let mut page = priya.visit(&general).await;
    page.fill("Website Name", "Northwind Tea London");
    let mut page = page.press("Save").await;
    page.uncheck("Active");
    page.press("Save").await;
    priya.visit(&format!("/admin/ecommerce/shopify/{cart}/disconnection")).await.press("Disconnect").await;
    priya.visit(&format!("/admin/ecommerce/shopify/{cart}/deletion")).await.press("Delete cart").await;
    let all = [
        "cart.added",
        "cart.needs-attention",
        "cart.recovered",
        "cart.changed",
        "cart.turned-off",
        "cart.disconnected",
        "cart.deleted",
    ];
    let (changes, _) = read(&program, &start, all.len()).await;
    assert_eq!(types(&changes), all);
    for change in &changes {
        assert_eq!(change["data"]["cart"]["id"], cart);
        assert_eq!(change["data"]["cart"]["store"], "northwind-tea.myshopify.com");
    }
    let of = |kind: usize, field: &str| changes[kind]["data"][field].clone();
    assert_eq!(
        (of(0, "status"), of(1, "status"), of(1, "previous_status")),
        (json!("connected"), json!("not-connected"), json!("connected"))
    );
    assert_eq!((of(2, "status"), of(2, "class")), (json!("connected"), json!("TOKEN_STOPPED")));
    assert_eq!(changes[3]["data"]["cart"]["website_name"], "Northwind Tea London");
    assert_eq!((of(4, "status"), of(5, "status"), of(6, "status")), (json!("inactive"), json!("draft"), Value::Null));
}

/// A receiver of webhooks and a reader of the feed share their code.
#[sqlx::test]
async fn change_of_the_status_has_the_fields_and_values_of_the_webhook(pool: PgPool) {
    let receiver = crate::support::Receiver::start().await;
    let app = TestApp::start(pool).await.with_alert_ways(&crate::support::alerts::ways(&receiver.ca_pem));
    let priya = app.priya_with_integration_on().await;
    crate::support::alerts::save_webhook(&priya, &receiver).await;
    let program = app.program(&[Scope::CartsRead]).await;
    app.open_store("northwind-tea");
    app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let start = newest(&app).await;
    for scenario in [Scenario::Says(Canned::Unauthorized), Scenario::Well] {
        app.practice.stores().set("northwind-tea", scenario);
        tamper(&app.pool, "update cart_health set next_check_at = now() - interval '1 second'").await;
        app.app.health.sweep().await.expect("swept");
    }
    for _ in 0..3 {
        crate::support::alerts::pass(&app.pool, 60.0).await;
        crate::support::alerts::deliver_all(&app.app.alerts).await;
    }
    let (changes, _) = read(&program, &start, 2).await;
    let of_status =
        |change: &&Value| ["cart.needs-attention", "cart.recovered"].iter().any(|kind| change["type"] == *kind);
    let fed: Vec<&Value> = changes.iter().filter(of_status).collect();
    let sent: Vec<Value> = receiver.heard().iter().filter_map(|heard| serde_json::from_str(&heard.body).ok()).collect();
    let sent: Vec<&Value> = sent.iter().filter(of_status).collect();
    assert_eq!((fed.len(), sent.len()), (2, 2), "{fed:?} {sent:?}");
    for (fed, sent) in fed.into_iter().zip(sent) {
        assert_eq!((&fed["type"], &fed["data"]), (&sent["type"], &sent["data"]));
    }
}

#[sqlx::test]
async fn feed_of_a_limited_key_has_its_own_carts_and_its_cursor_moves_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let all = app.program(&[Scope::CartsRead]).await;
    let start = newest(&app).await;
    let mut carts = Vec::new();
    for handle in ["northwind-one", "northwind-two"] {
        app.open_store(handle);
        carts.push(cart_of(&app.draft(&priya, handle, handle).await.path));
    }
    let own = Some(vec![carts[1].parse::<Uuid>().expect("an id")]);
    let limited = app.program_with(NewKey { scopes: &[Scope::CartsRead], carts: own, ..NewKey::default() }).await;
    let (seen, behind) = read(&all, &start, 2).await;
    assert_eq!(seen.len(), 2);
    let (changes, cursor) = read(&limited, &start, 1).await;
    assert_eq!((changes.len(), &changes[0]["data"]["cart"]["id"]), (1, &json!(carts[1])));
    assert_eq!(cursor, behind);
    app.app.integration.switch(cartwright::audit::By::operator(), false).await.expect("switched");
    let (changes, _) = read(&limited, &cursor, 1).await;
    assert_eq!((types(&changes), &changes[0]["data"]["cart"]), (vec!["integration.turned-off"], &Value::Null));
}

#[sqlx::test]
async fn waiting_reader_gets_a_change_and_ends_with_the_server(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let program = app.program(&[Scope::CartsRead]).await;
    let start = newest(&app).await;
    app.open_store("northwind-tea");
    let waits = tokio::spawn({
        let (program, start) = (program.clone(), start.clone());
        async move { read(&program, &start, 1).await }
    });
    app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    let (changes, cursor) = waits.await.expect("read");
    assert_eq!(types(&changes), ["cart.added"]);
    let page = format!("/api/v1/changes?after={cursor}&limit=1&wait=30");
    let waits = tokio::spawn(async move { program.get(&page).await });
    app.app.stop.cancel();
    let answer = waits.await.expect("read").json();
    assert_eq!((&answer["changes"], &answer["cursor"]), (&json!([]), &json!(cursor)));
    app.app.finish().await;
}

#[sqlx::test]
async fn pages_of_the_feed_follow_each_other(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&[Scope::CartsRead]).await;
    let start = newest(&app).await;
    for on in [true, false, true] {
        app.app.integration.switch(cartwright::audit::By::operator(), on).await.expect("switched");
    }
    read(&program, &start, 3).await;
    let first = program.get(&format!("/api/v1/changes?after={start}&limit=2")).await.json();
    assert_eq!((first["changes"].as_array().map(Vec::len), &first["has_more"]), (Some(2), &json!(true)));
    let second =
        program.get(&format!("/api/v1/changes?limit=2&after={}", first["cursor"].as_str().expect("one"))).await;
    let second = second.json();
    assert_eq!((second["changes"].as_array().map(Vec::len), &second["has_more"]), (Some(1), &json!(false)));
    let behind = program.get("/api/v1/changes?after=newest").await.json();
    assert_eq!((&behind["changes"], behind["cursor"].as_str().map(str::len)), (&json!([]), Some(32)));
    let oldest = program.get("/api/v1/changes").await.json();
    assert!(oldest["changes"].as_array().is_some_and(|all| all.len() >= 3), "from the oldest: {oldest}");
}

#[sqlx::test]
async fn cursor_and_parameters_that_do_not_fit_are_named(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let program = app.program(&[Scope::CartsRead]).await;
    let old = program.get(&format!("/api/v1/changes?after={}", Uuid::now_v7().as_simple())).await;
    let problem = old.problem(410, "cursor-too-old");
    assert!(problem["detail"].to_string().contains("list the carts again"), "{problem}");
    for query in ["after=yesterday", "limit=0", "limit=501", "wait=31", "wait=-1", "wait=%2B1", "before=x"] {
        let problem = program.get(&format!("/api/v1/changes?{query}")).await.problem(400, "bad-request");
        assert!(problem["detail"].to_string().contains(query.split('=').next().expect("a name")), "{problem}");
    }
    assert_eq!(program.send(Method::POST, "/api/v1/changes", &json!({})).await.status, 405);
}
