//! API keys: making one, showing it once, what is refused, rotation, revocation.

use axum::http::{Method, StatusCode};
use cartwright::api_keys::{ApiKeyText, Scope};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PASSWORD, PRIYA, VERA},
    dump::{count, dump, events, tamper},
    routes::cart_of,
};

/// Makes a key with the default scope and returns the page that shows it.
async fn make(browser: &Browser, name: &str) -> Page {
    let mut page = browser.visit("/admin/api-keys/new").await;
    page.fill("Name", name);
    page.press("Make key").await
}

/// The key on the page that shows it once.
#[track_caller]
fn key_on(page: &Page) -> String {
    let key = page.text("section.once #api-key");
    assert!(ApiKeyText::parse(&key).is_some(), "{page}");
    assert_eq!(page.attribute("[data-copy]", "data-copy").as_ref(), Some(&key), "{page}");
    key
}

async fn is_let_in(app: &TestApp, key: &str, client: Option<&str>) -> bool {
    let client = client.map(|client| client.parse().expect("an address"));
    app.app.api_keys.authenticate(key, client).await.expect("an answer").is_some()
}

#[sqlx::test]
async fn key_is_shown_once_and_kept_nowhere(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let page = priya.visit("/admin").await.follow("API keys").await;
    assert_eq!((page.h1().as_str(), page.all("h2")), ("API keys", vec!["No keys yet".to_owned()]), "{page}");
    let mut page = page.follow("Make the first key").await;
    assert!(page.is_checked("carts:read") && !page.is_checked("tokens:issue"), "{page}");
    page.fill("Name", " sync-prod ");
    page.check("tokens:issue");
    page.pick("Works for", "30 days");
    let issued = page.press("Make key").await;
    assert_eq!((issued.status, issued.h1().as_str()), (StatusCode::OK, "New API key sync-prod"), "{issued}");
    let key = key_on(&issued);
    let program = app.app.api_keys.authenticate(&key, "198.51.100.7".parse().ok()).await.expect("an answer");
    let program = program.expect("the key works");
    assert!(program.has(Scope::TokensIssue) && program.has(Scope::CartsRead) && !program.has(Scope::CartsWrite));
    let list = issued.follow("See all keys").await;
    let cells = list.all("tbody th, tbody td");
    let ending = &key[36..];
    let expected = [format!("sync-prod Ends in {ending}"), "carts:read, tokens:issue".into(), "All carts".into()];
    assert_eq!(cells[..3], expected, "{list}");
    assert_eq!(cells[3], "just now 198.51.100.7", "{list}");
    let one = list.follow("sync-prod").await;
    assert_eq!(one.text("#facts-h + dl code"), ending, "{one}");
    let activity = priya.visit("/admin/activity").await;
    assert!(activity.html.contains(&format!("Made the API key sync-prod (ends in {ending})")), "{activity}");
    let export = priya.knock(Method::GET, "/admin/activity.csv").send().await;
    for (place, text) in
        [("list", &list.html), ("key", &one.html), ("activity", &activity.html), ("export", &export.text())]
    {
        assert!(!text.contains(&key[4..20]), "the key is on the page {place}");
    }
    for (table, rows) in dump(&app.pool).await {
        assert!(!rows.join("\n").contains(&key[4..20]), "the key is in {table}");
    }
}

#[sqlx::test]
async fn mistakes_are_shown_at_their_fields(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let token = format!("shpat_{}", "7".repeat(32));
    let mut page = priya.visit("/admin/api-keys/new").await;
    page.fill("Name", &format!("sync {token}"));
    page.uncheck("carts:read");
    page.fill("Only these carts", "\nnorthwind-tea, nowhere.myshopify.com");
    page.fill("Only from these addresses", "198.51.100.0/24\n0.0.0.0/0");
    let page = page.press("Make key").await;
    assert_eq!((page.status, page.summary().len()), (StatusCode::UNPROCESSABLE_ENTITY, 4), "{page}");
    assert_eq!(page.complaint_class("Name"), "KEY_NAME", "{page}");
    assert!(!page.html.contains(&token), "{page}");
    assert_eq!(
        page.summary()[1..],
        [
            "Choose at least one thing that the key allows".to_owned(),
            "Line 2: no cart has the ID or the store “northwind-tea”".to_owned(),
            "Line 2: “0.0.0.0/0” is every address. Leave the field empty to allow all".to_owned(),
        ],
        "{page}"
    );
    assert_eq!(page.value("Only these carts"), "\nnorthwind-tea, nowhere.myshopify.com");
    assert!(!page.is_checked("carts:read"), "{page}");
    assert_eq!(count(&app.pool, "api_keys").await, 0);
}

#[sqlx::test]
async fn key_is_limited_to_the_listed_carts_and_networks(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let mut carts = Vec::new();
    for (name, handle) in [("Northwind Tea", "northwind-tea"), ("Northwind B2B", "northwind-b2b"), ("Other", "other")] {
        app.open_store(handle);
        carts.push(cart_of(&app.connect(&priya, name, handle).await.path));
    }
    let mut page = priya.visit("/admin/api-keys/new").await;
    page.fill("Name", "sync-prod");
    page.fill("Only these carts", &format!("{}\nhttps://northwind-b2b.myshopify.com/admin\r\nnorthwind-tea", carts[0]));
    page.fill("Only from these addresses", "198.51.100.0/24");
    let page = page.press("Make key").await;
    let key = key_on(&page);
    let program = app.app.api_keys.authenticate(&key, "198.51.100.7".parse().ok()).await.expect("an answer");
    let program = program.expect("inside of the network");
    let sees: Vec<bool> = carts.iter().map(|cart| program.sees(cart.parse().expect("an id"))).collect();
    assert_eq!(sees, [true, true, false]);
    assert!(!is_let_in(&app, &key, Some("203.0.113.7")).await);
    let page = page.follow("See all keys").await;
    assert_eq!(page.all("tbody td")[1], "2 carts 1 network", "{page}");
    let page = page.follow("sync-prod").await;
    assert_eq!(page.all("#carts-h ~ ul li"), ["Northwind B2B", "Northwind Tea"], "{page}");
    tamper(&app.pool, "delete from carts where website_name = 'Northwind Tea'").await;
    let page = priya.visit(&page.path).await;
    assert_eq!(page.all("#carts-h ~ ul li"), ["Northwind B2B"], "{page}");
    assert!(page.html.contains("1 more: deleted since"), "{page}");
}

#[sqlx::test]
async fn name_of_a_live_key_is_taken_until_it_is_revoked(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    key_on(&make(&priya, "sync-prod").await);
    let page = make(&priya, "Sync-Prod").await;
    assert_eq!(
        (page.status, page.complaint_class("Name").as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "KEY_NAME_TAKEN")
    );
    let page = priya.visit("/admin/api-keys").await.follow("sync-prod").await.follow("Revoke").await;
    assert_eq!(page.h1(), "Revoke sync-prod?");
    page.press("Revoke key").await;
    key_on(&make(&priya, "Sync-Prod").await);
}

#[sqlx::test]
async fn rotated_key_works_beside_the_new_one_until_it_is_revoked(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let first = key_on(&make(&priya, "sync-prod").await);
    let page = priya.visit("/admin/api-keys").await.follow("sync-prod").await;
    let old = page.path.clone();
    let page = page.press("Rotate").await;
    let second = key_on(&page);
    assert!(page.html.contains(&first[36..]), "the page names the key that still works: {page}");
    assert!(is_let_in(&app, &first, None).await && is_let_in(&app, &second, None).await);
    let page = priya.visit(&old).await.press("Rotate").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    assert_eq!(page.text(".notice.bad"), "Two keys with this name work already. Revoke one of them first.", "{page}");
    let page = priya.visit(&old).await.follow("Revoke").await.press("Revoke key").await;
    assert_eq!(
        (page.h1().as_str(), page.banner()),
        ("API keys", format!("The API key sync-prod (ends in {}) is revoked.", &first[36..])),
        "{page}"
    );
    assert!(!is_let_in(&app, &first, None).await && is_let_in(&app, &second, None).await);
    let page = priya.visit(&old).await;
    assert!(!page.has_button("Rotate") && !page.has("a[href$=revocation]"), "{page}");
    let written = events(&app.pool).await;
    assert!(
        written.ends_with(&["api_key_made".into(), "api_key_rotated".into(), "api_key_revoked".into()]),
        "{written:?}"
    );
}

#[sqlx::test]
async fn typed_key_form_goes_on_after_the_password(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    tamper(&app.pool, "update sessions set authenticated_at = now() - interval '11 minutes'").await;
    let mut page = priya.visit("/admin/api-keys/new").await;
    page.fill("Name", "sync-prod");
    page.check("carts:write");
    page.fill("Only from these addresses", "198.51.100.0/24\n203.0.113.7");
    let mut page = page.press("Make key").await;
    assert_eq!(page.text("main .lead"), "For security, enter your password to make an API key.", "{page}");
    assert_eq!(count(&app.pool, "api_keys").await, 0);
    page.fill("Password", PASSWORD);
    let key = key_on(&page.press("Continue").await);
    let program = app.app.api_keys.authenticate(&key, "203.0.113.7".parse().ok()).await.expect("an answer");
    assert!(program.is_some_and(|program| program.has(Scope::CartsWrite) && program.has(Scope::CartsRead)));
}

#[sqlx::test]
async fn ended_and_ending_keys_are_marked(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let key = key_on(&make(&priya, "sync-prod").await);
    let state = async || priya.visit("/admin/api-keys").await.all("tbody td").last().cloned().unwrap_or_default();
    assert!(!state().await.contains("End"), "{}", state().await);
    tamper(&app.pool, "update api_keys set ends_at = now() + interval '13 days'").await;
    assert!(state().await.starts_with("Ends soon "), "{}", state().await);
    tamper(&app.pool, "update api_keys set created_at = now() - interval '1 day', ends_at = now()").await;
    assert!(state().await.starts_with("Ended "), "{}", state().await);
    assert!(!is_let_in(&app, &key, None).await);
}

#[sqlx::test]
async fn viewer_sees_no_keys(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let vera = app.sign_in_as(&VERA).await;
    assert!(!vera.visit("/admin").await.has("a[href='/admin/api-keys']"));
    assert_eq!(vera.visit("/admin/api-keys").await.status, StatusCode::FORBIDDEN);
}

#[sqlx::test]
async fn unknown_key_is_not_found(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    for path in
        ["/admin/api-keys/0198f3c0f00070008000000000000001", "/admin/api-keys/x", "/admin/api-keys/x/revocation"]
    {
        assert_eq!(priya.visit(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
