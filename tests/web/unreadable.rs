//! A row whose secret does not decrypt: the cart's pages report it and ask for the secret again; everything else works.

use axum::http::StatusCode;
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    dump::{events, tamper},
    expose,
    routes::cart_of,
};

const SENTENCE: &str = "We cannot read the saved access token. Open the cart and enter it again.";

/// Priya with these carts connected; returns their editor paths.
async fn connected(pool: PgPool, handles: &[&str]) -> (TestApp, Browser, Vec<String>) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let mut paths = Vec::new();
    for handle in handles {
        app.open_store(handle);
        paths.push(app.connect(&priya, &format!("Shop {handle}"), handle).await.path);
    }
    app.practice.journal().clear();
    (app, priya, paths)
}

/// Name, status and detail line of each cart in the list.
async fn list(priya: &Browser) -> Vec<(String, String, String)> {
    let page = priya.visit("/admin/ecommerce").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
    let rows = page.all("tbody tr");
    let names = page.all("tbody th[scope=row] a");
    let words = page.all("tbody td .badge");
    let line = |row: &String| if row.contains(SENTENCE) { SENTENCE.to_owned() } else { String::new() };
    names.into_iter().zip(words).zip(rows.iter().map(line)).map(|((name, word), line)| (name, word, line)).collect()
}

fn row(name: &str, is_readable: bool) -> (String, String, String) {
    let (word, line) = if is_readable { ("Connected", "") } else { ("Needs attention", SENTENCE) };
    (format!("Shop {name}"), word.to_owned(), line.to_owned())
}

/// Runs the clean-up.
async fn clean_up(app: &TestApp) {
    app.app.sweep().await.expect("the clean-up runs");
}

/// Checks these carts in the background.
async fn check(app: &TestApp, paths: &[String]) {
    for path in paths {
        let due = format!(
            "update cart_health set next_check_at = now(), leased_until = null where cart_id = '{}'",
            cart_of(path)
        );
        tamper(&app.pool, &due).await;
    }
    app.app.health.sweep().await.expect("the checks run");
}

async fn unreadable_events(app: &TestApp) -> usize {
    events(&app.pool).await.iter().filter(|event| *event == "secret_unreadable").count()
}

/// The secrets do not decrypt, so whoever tried to open one would find out.
#[sqlx::test]
async fn pages_and_clean_up_open_no_secret(pool: PgPool) {
    let (app, priya, paths) = connected(pool, &["northwind-tea", "northwind-b2b"]).await;
    let poison =
        "update carts set secret = set_byte(secret, length(secret) - 1, get_byte(secret, length(secret) - 1) # 1)";
    tamper(&app.pool, poison).await;
    clean_up(&app).await;
    let health = paths[0].replace("/general", "/health");
    for path in ["/admin", "/admin/ecommerce", "/admin/activity", &paths[0], &health] {
        let page = priya.visit(path).await;
        assert_eq!(page.status, StatusCode::OK, "{page}");
        assert!(!page.html.contains("We cannot read"), "{path}: {page}");
    }
    clean_up(&app).await;
    assert_eq!(list(&priya).await, [row("northwind-b2b", true), row("northwind-tea", true)]);
    assert_eq!(unreadable_events(&app).await, 0);
    // The first use tells.
    check(&app, &paths).await;
    assert_eq!(list(&priya).await, [row("northwind-b2b", false), row("northwind-tea", false)]);
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn flipped_byte_anywhere_is_detected_by_a_check(pool: PgPool) {
    let (app, priya, paths) = connected(pool, &["northwind-tea", "northwind-b2b"]).await;
    let id = cart_of(&paths[0]);
    tamper(&app.pool, "create table kept as select id, secret from carts").await;
    let length: i32 =
        sqlx::query_scalar("select min(length(secret)) from kept").fetch_one(&app.pool).await.expect("bytes");
    assert!(length > 49);
    for at in 0..length {
        let flip = format!(
            "update carts set secret = set_byte(k.secret, {at}, get_byte(k.secret, {at}) # 1), last_class = 'CONNECTED', status = 'connected'
             from kept k where k.id = carts.id and carts.id = '{id}'"
        );
        tamper(&app.pool, &flip).await;
        check(&app, &paths[..1]).await;
        let told: i64 = sqlx::query_scalar(
            "select count(*) from carts where last_class = 'OUR_KEY' and status = 'needs-attention'",
        )
        .fetch_one(&app.pool)
        .await
        .expect("a count");
        assert_eq!(told, 1, "byte {at}");
    }
    app.assert_nothing_was_called();
    assert_eq!(list(&priya).await, [row("northwind-b2b", true), row("northwind-tea", false)]);
}

#[sqlx::test]
async fn missing_key_is_detected_by_the_clean_up(pool: PgPool) {
    let (app, priya, paths) = connected(pool, &["northwind-tea", "northwind-b2b"]).await;
    clean_up(&app).await;
    assert_eq!(unreadable_events(&app).await, 0, "secrets under a key of the ring write no event");
    let other_key = format!(
        "update carts set secret = set_byte(secret, 8, get_byte(secret, 8) # 1) where id = '{}'",
        cart_of(&paths[0])
    );
    tamper(&app.pool, &other_key).await;
    for _ in 0..2 {
        clean_up(&app).await;
        assert_eq!(list(&priya).await, [row("northwind-b2b", true), row("northwind-tea", false)]);
        assert_eq!(unreadable_events(&app).await, 1, "recorded once");
    }

    // The cart asks for the secret again, and a new one works.
    let mut page = priya.visit(&paths[0]).await;
    assert!(page.html.contains("We cannot read the saved access token. Enter it again."), "{page}");
    app.assert_nothing_was_called();
    let store = app.practice.stores().find("northwind-tea").expect("a store");
    page.fill("Access Token", expose(&store.access_token));
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    let page: Page = page.press("Save").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
    assert_eq!(list(&priya).await, [row("northwind-b2b", true), row("northwind-tea", true)]);
}

#[sqlx::test]
async fn swapped_secrets_or_hosts_are_detected_and_send_nothing(pool: PgPool) {
    let handles = ["northwind-one", "northwind-three", "northwind-two", "northwind-well"];
    let (app, priya, paths) = connected(pool, &handles).await;
    let ids: Vec<_> = paths.iter().map(|path| cart_of(path)).collect();
    tamper(
        &app.pool,
        &format!(
            "update carts a set secret = b.secret from carts b where a.id <> b.id and a.id in ('{0}', '{1}') and b.id in ('{0}', '{1}')",
            ids[0], ids[2]
        ),
    )
    .await;
    tamper(&app.pool, &format!("update carts set store_host = 'evil-shop.myshopify.com' where id = '{}'", ids[1]))
        .await;
    app.open_store("evil-shop");
    app.practice.journal().clear();
    check(&app, &paths[..3]).await;
    let rows = handles.map(|handle| row(handle, handle == "northwind-well"));
    assert_eq!(list(&priya).await, rows);
    for path in &paths {
        let page = priya.visit(path).await;
        assert_eq!(page.status, StatusCode::OK, "{page}");
    }
    app.assert_nothing_was_called();
    let filtered = priya.visit("/admin/ecommerce?show=needs-attention").await;
    assert_eq!(filtered.all("tbody th[scope=row] a").len(), 3, "{filtered}");
}
