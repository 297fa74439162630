//! The page that revokes an API key: what it says, what it does at once, and that it does so only once.

use cartwright::api_keys::{ApiKeyName, IssuedKey, KeyLifetime, KeyScopes, NewApiKey};
use sqlx::PgPool;

use crate::support::{TestApp, cast::PRIYA, dump::events};

async fn key(app: &TestApp) -> IssuedKey {
    let new = NewApiKey {
        name: ApiKeyName::parse("sync-prod").expect("a name"),
        scopes: KeyScopes::parse("carts:read").expect("a scope"),
        carts: None,
        networks: None,
        lifetime: KeyLifetime::DEFAULT,
    };
    app.app.api_keys.create_as_operator(new).await.expect("a key")
}

#[sqlx::test]
async fn revoked_key_is_refused_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let key = key(&app).await;
    let is_let_in = async || app.app.api_keys.authenticate(key.text.expose(), None).await.expect("an answer").is_some();
    let path = format!("/admin/api-keys/{}/revocation", key.id.as_simple());
    let page = priya.visit(&path).await;
    assert_eq!(page.h1(), "Revoke sync-prod?");
    let lead = format!(
        "The key that ends in {} stops working at once, and cannot be turned on again. It was not used yet.",
        key.text.ending()
    );
    assert_eq!(page.text("main .lead"), lead, "{page}");
    assert!(is_let_in().await, "looking changes nothing");
    page.press("Revoke key").await;
    assert!(!is_let_in().await);
    // The form was open in a second tab.
    page.press("Revoke key").await;
    let revoked = events(&app.pool).await.iter().filter(|event| *event == "api_key_revoked").count();
    assert_eq!(revoked, 1);
    let page = priya.visit(&path).await;
    assert!(!page.has_button("Revoke key"), "{page}");
    assert_eq!(page.text("main .lead"), "This key does not work any more.", "{page}");
}
