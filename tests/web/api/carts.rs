//! Reading carts: one, its settings, and the list page by page.

use std::collections::BTreeSet;

use axum::http::Method;
use cartwright::{api_keys::Scope, audit::By};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    Answer, TestApp,
    api::{NewKey, Program},
    routes::cart_of,
};

const READ: &[Scope] = &[Scope::CartsRead];

/// A connected cart and a draft.
async fn two_carts(app: &TestApp) -> (String, String) {
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.open_store("northwind-mugs");
    let tea = cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    let mugs = cart_of(&app.draft(&priya, "Northwind Mugs", "northwind-mugs").await.path);
    (tea, mugs)
}

/// Drafts without a secret, as many as the list needs.
async fn many(app: &TestApp, count: i64) {
    sqlx::query(
        "insert into carts (id, platform, submission_id, website_name, store_host, is_active, status, updated_by, is_disconnected, updated_at)
         select gen_random_uuid(), 'shopify', gen_random_uuid(), 'Shop ' || n, 'shop-' || n || '.myshopify.com', false, 'draft', 'test', true,
             '2026-11-01'::timestamptz + (n % 7) * interval '1 hour'
         from generate_series(1, $1) n",
    )
    .bind(count)
    .execute(&app.pool)
    .await
    .expect("carts");
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let carts = body["carts"].as_array().expect("carts");
    carts.iter().map(|cart| cart["id"].as_str().expect("an id").to_owned()).collect()
}

/// The path of the next page.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let address = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"").expect("a link to the next page");
    Some(address.strip_prefix("http://127.0.0.1:8080").expect("on this server").to_owned())
}

/// The ids of all pages.
async fn all_pages(program: &Program, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut path = Some(path.to_owned());
    while let Some(this) = path {
        let answer = program.get(&this).await;
        pages.push(ids(&answer));
        path = next(&answer);
    }
    pages
}

#[sqlx::test]
async fn cart_reads_as_in_the_webhook(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (tea, mugs) = two_carts(&app).await;
    let program = app.program(READ).await;
    let answer = program.get(&format!("/api/v1/carts/{tea}")).await;
    let body = answer.json();
    let expected = json!({
        "id": tea, "website_name": "Northwind Tea", "platform": "shopify", "store": "northwind-tea.myshopify.com",
        "store_url": "https://northwind-tea.myshopify.com", "active": true, "activates_on_pass": false, "status": "connected",
        "class": null, "title": null, "missing_permissions": [], "since": null, "last_good_at": body["last_good_at"],
        "last_checked_at": body["last_checked_at"], "next_check_at": body["next_check_at"], "version": 1,
        "updated_at": body["updated_at"], "url": format!("http://127.0.0.1:8080/admin/ecommerce/shopify/{tea}/health"),
    });
    assert_eq!(body, expected);
    for at in ["last_good_at", "last_checked_at", "next_check_at", "updated_at"] {
        assert!(body[at].as_str().is_some_and(|at| at.len() == 20 && at.ends_with('Z')), "{at}: {body}");
    }
    let hyphens = Uuid::parse_str(&tea).expect("an id").to_string();
    assert_eq!(program.get(&format!("/api/v1/carts/{hyphens}")).await.json(), body);
    let draft = program.get(&format!("/api/v1/carts/{mugs}")).await.json();
    assert_eq!(
        (&draft["status"], &draft["active"], &draft["next_check_at"]),
        (&"draft".into(), &false.into(), &Value::Null)
    );
    program.get(&format!("/api/v1/carts/{}", Uuid::now_v7())).await.problem(404, "not-found");
}

#[sqlx::test]
async fn unchanged_cart_is_not_sent_again(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (tea, _) = two_carts(&app).await;
    let program = app.program(READ).await;
    for path in [format!("/api/v1/carts/{tea}"), format!("/api/v1/carts/{tea}/settings"), "/api/v1/carts".to_owned()] {
        let first = program.get(&path).await;
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        let tag = first.header("etag").expect("a tag").to_owned();
        let again = program.knock(Method::GET, &path).header("if-none-match", &tag).send().await;
        assert_eq!((again.status.as_u16(), again.body.len(), again.header("etag")), (304, 0, Some(&*tag)), "{path}");
        app.app.integration.switch(By::operator(), path.ends_with("settings")).await.expect("switched");
        let again = program.knock(Method::GET, &path).header("if-none-match", &tag).send().await;
        assert_eq!(again.status.as_u16(), if path.ends_with("settings") { 304 } else { 200 }, "{path}");
        app.app.integration.switch(By::operator(), true).await.expect("switched");
    }
}

#[sqlx::test]
async fn status_is_the_one_that_pages_show(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (tea, mugs) = two_carts(&app).await;
    let program = app.program(READ).await;
    app.app.integration.switch(By::operator(), false).await.expect("switched");
    let body = program.get(&format!("/api/v1/carts/{tea}")).await.json();
    assert_eq!((&body["status"], &body["next_check_at"]), (&"inactive".into(), &Value::Null), "the integration is off");
    assert_eq!(ids(&program.get("/api/v1/carts?status=inactive").await), std::slice::from_ref(&tea));
    assert_eq!(ids(&program.get("/api/v1/carts?status=connected").await), [""; 0]);
    assert_eq!(ids(&program.get("/api/v1/carts?status=draft").await), [mugs]);
    app.app.integration.switch(By::operator(), true).await.expect("switched");
    assert_eq!(ids(&program.get("/api/v1/carts?status=connected").await), [tea]);
}

#[sqlx::test]
async fn list_is_read_page_by_page_without_a_gap(pool: PgPool) {
    let app = TestApp::start(pool).await;
    many(&app, 127).await;
    let program = app.program(READ).await;
    for (query, sizes) in [
        ("", vec![50, 50, 27]),
        ("?limit=100", vec![100, 27]),
        ("?limit=64&status=draft", vec![64, 63]),
        ("?limit=100&active=false&platform=shopify", vec![100, 27]),
        ("?limit=50&updated_since=2026-11-01T00:00:00Z", vec![50, 50, 27]),
        ("?active=true", vec![0]),
    ] {
        let pages = all_pages(&program, &format!("/api/v1/carts{query}")).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{query}");
        let distinct: BTreeSet<_> = pages.iter().flatten().collect();
        assert_eq!(distinct.len(), sizes.iter().sum::<usize>(), "{query}");
    }
    let since = all_pages(&program, "/api/v1/carts?updated_since=2026-11-01T05:00:00%2B00:00").await.concat();
    let by_time: Vec<String> = sqlx::query_scalar(
        "select replace(id::text, '-', '') from carts where updated_at >= '2026-11-01 05:00+00' order by updated_at, id",
    )
    .fetch_all(&app.pool)
    .await
    .expect("ids");
    assert_eq!(since, by_time);
}

#[sqlx::test]
async fn key_for_some_carts_lists_these_alone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    many(&app, 9).await;
    let mine: Vec<Uuid> =
        sqlx::query_scalar("select id from carts order by id limit 3").fetch_all(&app.pool).await.expect("ids");
    let program = app.program_with(NewKey { scopes: READ, carts: Some(mine.clone()), ..NewKey::default() }).await;
    let mine: Vec<_> = mine.iter().map(|id| id.simple().to_string()).collect();
    for query in ["", "?status=draft", "?limit=2", "?updated_since=2026-01-01T00:00:00Z"] {
        let mut all = all_pages(&program, &format!("/api/v1/carts{query}")).await.concat();
        all.sort();
        assert_eq!(all, mine, "{query}");
    }
}

#[sqlx::test]
async fn parameter_that_cannot_be_read_is_named(pool: PgPool) {
    let app = TestApp::start(pool).await;
    many(&app, 3).await;
    let program = app.program(READ).await;
    let link = next(&program.get("/api/v1/carts?limit=1").await).expect("a next page");
    let after = link.rsplit_once("after=").expect("a cursor").1;
    for (query, told) in [
        (
            "status=broken",
            "status must be one of draft, connected, needs-attention, not-connected, inactive, not `broken`.",
        ),
        ("platform=etsy", "platform must be shopify, not `etsy`."),
        ("active=yes", "active must be true or false, not `yes`."),
        ("limit=0", "limit must be a number from 1 to 100, not `0`."),
        ("limit=101", "limit must be a number from 1 to 100, not `101`."),
        ("updated_since=yesterday", "updated_since must be a time such as 2026-11-21T08:15:02Z, not `yesterday`."),
        (
            "updated_since=-9999-01-01T00:00:00Z",
            "updated_since must be a time such as 2026-11-21T08:15:02Z, not `-9999-01-01T00:00:00Z`.",
        ),
        ("after=x", "after must be the value of a Link of this list, not `x`."),
        ("limit=1&limit=2", "The parameter limit may be sent once."),
    ] {
        let problem = program.get(&format!("/api/v1/carts?{query}")).await.problem(400, "bad-request");
        assert_eq!(problem["detail"], told, "{query}");
    }
    let other_order = format!("/api/v1/carts?after={after}&updated_since=2026-01-01T00:00:00Z");
    program.get(&other_order).await.problem(400, "bad-request");
}

#[sqlx::test]
async fn settings_say_what_is_on_and_usable(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (tea, mugs) = two_carts(&app).await;
    let program = app.program(READ).await;
    sqlx::query(
        "insert into cart_settings (cart_id, switches, item_group) values ($1::uuid, '{update_inventory}', 'Tea')",
    )
    .bind(&tea)
    .execute(&app.pool)
    .await
    .expect("settings");
    let body = program.get(&format!("/api/v1/carts/{tea}/settings")).await.json();
    assert_eq!(body["switches"]["update_inventory"], json!({ "on": true, "usable": true }));
    assert_eq!(body["switches"]["import_products"], json!({ "on": false, "usable": true }));
    assert_eq!(body["item_group"], "Tea");
    assert_eq!(body["locations"], json!({ "limited": false, "chosen": [], "read_at": null }));
    let draft = program.get(&format!("/api/v1/carts/{mugs}/settings")).await.json();
    assert_eq!(draft["switches"]["update_inventory"]["usable"], false, "nothing is granted before a test: {draft}");
    assert_eq!(draft["item_group"], Value::Null);
}
