//! What is recorded of a failed sign-in, and who sees it. Users may enter a password or a token as the address by
//! mistake.

use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PRIYA, VERA},
    dump::dump,
};

async fn fail_to_sign_in(browser: &Browser, email: &str) -> Page {
    let mut page = browser.visit("/sign-in").await;
    page.fill("Email address", email);
    page.fill("Password", "leaf kettle third steep");
    let page = page.press("Sign in").await;
    assert_eq!(page.status, 422, "{page}");
    page
}

async fn csv(browser: &Browser) -> String {
    browser.knock(axum::http::Method::GET, "/admin/activity.csv").send().await.text()
}

#[sqlx::test]
async fn secret_entered_as_address_is_stored_nowhere(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let secrets = ["Blue-Kettle-Password-77".to_owned(), format!("shpat_{}", "0a1b".repeat(8))];
    for secret in &secrets {
        fail_to_sign_in(&app.browser(), secret).await;
        fail_to_sign_in(&app.browser(), secret).await;
    }
    let activity = priya.visit("/admin/activity").await;
    assert_eq!(activity.all(".log .deed")[..4], ["Could not sign in (unknown address)"; 4]);
    assert_eq!(activity.all(".log li:first-child dt"), ["Digest of the address", "Time", "Reference", "IP address"]);
    let digests: Vec<Option<String>> = sqlx::query_scalar(
        "select data ->> 'digest' from audit_events where event = 'could_not_sign_in' order by at, id",
    )
    .fetch_all(&app.pool)
    .await
    .expect("digests");
    assert!(digests.iter().all(Option::is_some), "{digests:?}");
    assert!(digests[0] == digests[1] && digests[2] == digests[3] && digests[1] != digests[2], "{digests:?}");
    let stored = format!("{:?}", dump(&app.pool).await).to_lowercase();
    for secret in &secrets {
        let secret = secret.to_lowercase();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!stored.contains(&secret) && !stored.contains(&hex), "{secret}");
        assert!(!activity.html.to_lowercase().contains(&secret) && !csv(&priya).await.to_lowercase().contains(&secret));
    }
}

#[sqlx::test]
async fn known_address_is_named(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    fail_to_sign_in(&app.browser(), " PRIYA@northwind.example").await;
    let sentence = "Could not sign in (priya@northwind.example)";
    assert_eq!(priya.visit("/admin/activity").await.all(".log .deed")[0], sentence);
    assert!(csv(&priya).await.contains(sentence));
}

#[sqlx::test]
async fn viewers_see_no_failed_sign_in_attempts(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let vera = app.sign_in_as(&VERA).await;
    for email in [PRIYA.email, "nobody@northwind.example"] {
        fail_to_sign_in(&app.browser(), email).await;
    }
    for address in ["", "?what=people", "?person=stranger", "?person=stranger&what=people"] {
        let address = format!("/admin/activity{address}");
        let shows = |page: &Page| page.all(".log .deed").iter().any(|deed| deed.starts_with("Could not sign in"));
        assert!(shows(&priya.visit(&address).await), "{address}");
        let page = vera.visit(&address).await;
        assert!(!shows(&page) && !page.html.contains("Somebody"), "{address}: {page}");
        let file = address.replace("/activity", "/activity.csv");
        let file = vera.knock(axum::http::Method::GET, &file).send().await.text();
        assert!(!file.contains("Could not sign in"), "{address}: {file}");
    }
    assert!(csv(&priya).await.contains("Could not sign in"));
}
