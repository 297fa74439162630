//! *Copy diagnostics*: present for tests of saved and new carts, with and without script, and free of identifying data.

use axum::http::{Method, StatusCode};
use cartwright::practice::Scenario;
use sqlx::PgPool;

use crate::support::{
    Page, TestApp,
    cast::{PRIYA, SAM, VERA},
    expose,
    routes::cart_of,
};

/// Returns the text that the button copies; the page also shows it for browsers without script.
#[track_caller]
fn copied(page: &Page) -> String {
    let copied = page
        .document()
        .select(
            &scraper::Selector::parse("section[aria-label='Connection test']:has([data-copy='']) .as-text")
                .expect("a selector"),
        )
        .next()
        .map_or_else(|| panic!("no button in\n{page}"), |text| text.text().collect::<String>());
    let shown: Vec<String> = page
        .document()
        .select(&scraper::Selector::parse("pre").expect("a selector"))
        .map(|pre| pre.text().collect())
        .collect();
    assert!(shown.contains(&copied), "{shown:?}");
    copied
}

#[track_caller]
fn assert_tells_nothing(text: &str, telling: &[&str]) {
    let lower = text.to_lowercase();
    for word in telling {
        assert!(word.len() > 3, "the canary is too short to be unique: {word}");
        assert!(!lower.contains(&word.to_lowercase()), "{word} in\n{text}");
    }
    assert!(text.contains("Reference: ") && text.contains("Version: Cartwright "), "{text}");
}

#[sqlx::test]
async fn diagnostics_name_no_store_no_user_and_no_secret(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let sam = app.sign_in_as(&SAM).await.from([203, 0, 113, 77]);
    let store = app.open_store("northwind-tea");
    let other = app.open_store("northwind-b2b");
    let (token, secret) = (expose(&store.access_token).to_owned(), expose(&other.client_secret).to_owned());
    let telling = [
        "northwind",
        "myshopify",
        store.name.as_str(),
        other.name.as_str(),
        PRIYA.name,
        PRIYA.email,
        SAM.name,
        SAM.email,
        "203.0.113",
        "127.0.0.1",
        &token,
        &token[6..20],
        &token[token.len() - 4..],
        &secret[secret.len() - 4..],
        other.client_id.as_str(),
        "Teapot",
        "shpat",
        "shpss",
    ];
    // Tests of a new cart, of a saved cart, and with each outcome.
    let page = app.fill_new(&priya, "Teapot", "northwind-tea").await.press("Test Connection").await;
    let new = copied(&page);
    assert_tells_nothing(&new, &telling);
    assert!(new.contains("Credential: access token, not saved\nOutcome: connected\nClass: CONNECTED"), "{new}");
    let page = page.press("Save").await;
    for scenario in [
        Scenario::ConnectRefused,
        Scenario::ScopesMissing(&["write_inventory", "read_shipping"]),
        Scenario::HostileNames(cartwright::practice::Hostile::Markup),
        Scenario::Well,
    ] {
        app.practice.stores().set("northwind-tea", scenario);
        let tested = sam.visit(&page.path).await.press("Test Connection").await;
        assert_tells_nothing(&copied(&tested), &telling);
    }
    let mut pair = priya.visit("/admin/ecommerce/shopify/new").await;
    pair.fill("Website Name", "Teapot pair");
    pair.fill("API URL", "northwind-b2b");
    pair.choose("Client ID and Client secret");
    pair.fill("Client ID", &other.client_id);
    pair.fill("Client secret", &secret);
    assert_tells_nothing(&copied(&pair.press("Test Connection").await), &telling);
}

#[sqlx::test]
async fn diagnostics_of_a_cart_list_its_last_ten_outcomes(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    let path = format!("/admin/ecommerce/shopify/{}/diagnostics", cart_of(&page.path));
    let answer = priya.knock(Method::GET, &path).send().await;
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(
        answer.text().contains("Credential: access token, saved less than a day before\nOutcome: never tested"),
        "{}",
        answer.text()
    );
    for _ in 0..9 {
        priya.visit(&page.path).await.press("Test Connection").await;
    }
    sqlx::query("delete from throttle").execute(&app.pool).await.expect("limits reset");
    app.practice.stores().set("northwind-tea", Scenario::ScopesMissing(&["write_inventory"]));
    for _ in 0..3 {
        priya.visit(&page.path).await.press("Test Connection").await;
    }
    let text = priya.knock(Method::GET, &path).send().await.text();
    let outcomes: Vec<&str> =
        text.lines().filter(|line| line.starts_with("  ")).filter_map(|line| line.split("  ").last()).collect();
    assert_eq!(outcomes, [["SCOPES_MISSING"; 3].as_slice(), &["CONNECTED"; 7]].concat(), "{text}");
    assert!(text.contains("Missing permissions: write_inventory\n"), "{text}");
    let tested: String =
        sqlx::query_scalar("select replace(id::text, '-', '') from connection_tests order by started_at desc limit 1")
            .fetch_one(&app.pool)
            .await
            .expect("a test");
    assert!(text.starts_with(&format!("Reference: {tested}\n")), "{text}");
    let vera = app.sign_in_as(&VERA).await;
    assert_eq!(vera.knock(Method::GET, &path).send().await.status, StatusCode::OK);
    let nowhere = "/admin/ecommerce/shopify/00000000000000000000000000000000/diagnostics";
    assert_eq!(priya.knock(Method::GET, nowhere).send().await.status, StatusCode::NOT_FOUND);
}
