//! Two checks on every unsafe route: the browser's statement of the form's origin, and a CSRF token bound to the
//! browser. Safe routes change nothing.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{
    Answer, Browser, Knock, ORIGIN, TestApp,
    cast::{PRIYA, SAM},
    dump::dump,
    routes::{Blanks, Door, doors},
};

type Fields = Vec<(String, String)>;

/// The valid fields of each form, taken from its page.
pub async fn fields_of(door: &Door, browser: &Browser, app: &TestApp) -> Fields {
    let cart = door.path.rsplit_once('/').map_or("", |(cart, _)| cart);
    let page = |path: &str| browser.visit(path);
    let (_, action, fields) = match door.template {
        "/sign-in" => app.browser().visit("/sign-in").await.submission("Sign in"),
        // A user already exists, so the form is gone.
        "/set-up" => return vec![("csrf".to_owned(), String::new())],
        "/sign-out" => page("/admin").await.submission("Sign out"),
        "/admin/account/theme" => page("/admin").await.submission("Dark"),
        "/admin/account" => page("/admin/account").await.submission("Save"),
        "/admin/account/password" => page("/admin/account").await.submission("Change password"),
        "/admin/account/sessions" => {
            app.sign_in_as(&PRIYA).await;
            page("/admin/account").await.submission("Sign out everywhere else")
        }
        "/admin/users/new" => page("/admin/users/new").await.submission("Add user"),
        "/admin/users/{user}" => page(&door.path).await.submission("Save"),
        "/admin/users/{user}/link" => page(cart).await.submission("New sign-in link"),
        "/admin/users/{user}/sessions" => page(cart).await.submission("Sign out everywhere"),
        "/admin/users/{user}/deactivation" => page(&door.path).await.submission("Turn off"),
        // This user is active, so there is no button; its form would send the same fields.
        "/admin/users/{user}/activation" => return page(cart).await.submission("Sign out everywhere").2,
        "/admin/api-keys/new" => page("/admin/api-keys/new").await.submission("Make key"),
        "/admin/api-keys/{key}/rotation" => page(cart).await.submission("Rotate"),
        "/admin/api-keys/{key}/revocation" => page(&door.path).await.submission("Revoke key"),
        "/admin/alerts" => page("/admin/alerts").await.submission("Save"),
        "/admin/alerts/secret" => saved_webhook(browser).await.submission("New secret"),
        "/admin/alerts/trials" => saved_webhook(browser).await.submission("Try it"),
        "/admin/ecommerce/switch" => page("/admin/ecommerce/switch?to=off").await.submission("Turn off"),
        "/admin/ecommerce/bulk" => page("/admin/ecommerce").await.submission("Test the selected carts"),
        "/admin/ecommerce/bulk/{bulk}/cancellation" => page(cart).await.submission("Stop"),
        "/admin/ecommerce/shopify/new" => page("/admin/ecommerce/shopify/new").await.submission("Save"),
        "/admin/ecommerce/shopify/new/connection-tests" => {
            page("/admin/ecommerce/shopify/new").await.submission("Test Connection")
        }
        "/admin/ecommerce/shopify/{cart}/general" => page(&format!("{cart}/general")).await.submission("Save"),
        "/admin/ecommerce/shopify/{cart}/connection-tests" => {
            page(&format!("{cart}/general")).await.submission("Test Connection")
        }
        "/admin/ecommerce/shopify/{cart}/locations" => {
            let page = page(&format!("{cart}/general")).await;
            page.submission(if page.has_button("Get the list") { "Get the list" } else { "Get the list again" })
        }
        "/admin/ecommerce/shopify/{cart}/health" => page(&door.path).await.submission("Check now"),
        "/admin/ecommerce/shopify/{cart}/disconnection" => page(&door.path).await.submission("Disconnect"),
        "/admin/ecommerce/shopify/{cart}/deletion" => page(&door.path).await.submission("Delete cart"),
        unknown => panic!("{unknown} is new: add the page that sends it here"),
    };
    assert_eq!(action, door.path, "the form of {}", door.name());
    fields
}

/// Saves alert settings with a webhook whose host does not resolve.
async fn saved_webhook(browser: &Browser) -> crate::support::Page {
    let mut page = browser.visit("/admin/alerts").await;
    if page.value("Address").is_empty() {
        page.fill("Address", "https://ops.northwind.example/hooks/carts");
        page.press("Save").await;
        page = browser.visit("/admin/alerts").await;
    }
    page
}

fn with_token(fields: &Fields, token: Option<&str>) -> Fields {
    let rest = fields.iter().filter(|(name, _)| name != "csrf").cloned();
    token.map(|token| ("csrf".to_owned(), token.to_owned())).into_iter().chain(rest).collect()
}

#[track_caller]
fn assert_refused(answer: &Answer, door: &Door, why: &str) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} with {why}: {}", door.name(), answer.text());
    assert!(answer.text().contains("<h1>"), "{} with {why} is no page: {}", door.name(), answer.text());
    assert_eq!(
        answer.header("set-cookie").filter(|cookie| !cookie.contains("-form=")),
        None,
        "{} with {why}",
        door.name()
    );
}

/// A site with a cart, its unsafe routes, and Priya's browser.
async fn inside(pool: PgPool) -> (TestApp, Vec<Door>, Browser) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    app.practice.journal().clear();
    (app, doors, priya)
}

#[sqlx::test]
async fn cross_site_form_is_refused_on_every_route(pool: PgPool) {
    let (app, doors, priya) = inside(pool).await;
    for door in doors.iter().filter(|door| door.is_unsafe()) {
        let fields = fields_of(door, &priya, &app).await;
        let before = dump(&app.pool).await;
        let knock = || priya.knock(door.method.clone(), &door.path).form(&fields);
        let bare = || knock().without("sec-fetch-site");
        let elsewhere: [(&str, Knock); 8] = [
            ("Sec-Fetch-Site: cross-site", knock().header("sec-fetch-site", "cross-site")),
            ("Sec-Fetch-Site: same-site", knock().header("sec-fetch-site", "same-site")),
            (
                "Sec-Fetch-Site: cross-site and our Origin",
                knock().header("sec-fetch-site", "cross-site").header("origin", ORIGIN),
            ),
            ("a foreign Origin", bare().header("origin", "https://evil.example")),
            ("an Origin that begins like ours", bare().header("origin", "http://127.0.0.1:8080.evil.example")),
            ("our host at another port", bare().header("origin", "http://127.0.0.1:9090")),
            ("Origin: null", bare().header("origin", "null")),
            ("an Origin that is none", bare().header("origin", "127.0.0.1:8080")),
        ];
        for (why, knock) in elsewhere {
            assert_refused(&knock.send().await, door, why);
            assert_eq!(dump(&app.pool).await, before, "{} with {why}", door.name());
        }
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn form_without_a_valid_token_is_refused_on_every_route(pool: PgPool) {
    let (app, doors, priya) = inside(pool).await;
    let sam = app.sign_in_as(&SAM).await;
    let token = |fields: &Fields| fields.iter().find(|(name, _)| name == "csrf").expect("a token").1.clone();
    let sams = token(&sam.visit("/admin").await.submission("Sign out").2);
    let strangers = token(&app.browser().visit("/sign-in").await.submission("Sign in").2);
    for door in doors.iter().filter(|door| door.is_unsafe()) {
        let fields = fields_of(door, &priya, &app).await;
        let own = token(&fields);
        let shifted: String = own.chars().rev().collect();
        let shorter = own.get(1..).unwrap_or_default();
        let before = dump(&app.pool).await;
        let tokens = [None, Some(""), Some("x"), Some(&sams), Some(&strangers), Some(&*shifted), Some(shorter)];
        for forged in tokens.into_iter().map(|token| token.map(|token: &str| token)) {
            let knock = priya.knock(door.method.clone(), &door.path).form(&with_token(&fields, forged));
            // Without Sec-Fetch-Site and Origin the origin check passes, as for old browsers.
            let why = format!("token {forged:?}");
            assert_refused(&knock.clone().send().await, door, &why);
            assert_refused(&knock.without("sec-fetch-site").without("origin").send().await, door, &why);
            assert_eq!(dump(&app.pool).await, before, "{} with {why}", door.name());
        }
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn same_forms_succeed_from_their_own_pages(pool: PgPool) {
    // Control of the two tests above: the same requests succeed here.
    let (app, doors, priya) = inside(pool).await;
    for door in doors.iter().filter(|door| door.is_unsafe() && door.template.ends_with("theme")) {
        let fields = fields_of(door, &priya, &app).await;
        let before = dump(&app.pool).await;
        let answer = priya.knock(door.method.clone(), &door.path).form(&fields).send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_ne!(dump(&app.pool).await, before);
    }
}

#[sqlx::test]
async fn safe_routes_change_nothing(pool: PgPool) {
    let (app, doors, priya) = inside(pool).await;
    let others = ["/admin/ecommerce?show=active&q=tea", "/admin/ecommerce/switch?to=off", "/sign-in?ended=idle"];
    priya.visit("/admin").await;
    let before = dump(&app.pool).await;
    let paths = doors.iter().filter(|door| !door.is_unsafe()).map(|door| door.path.as_str());
    for path in paths.chain(others) {
        for method in [Method::GET, Method::HEAD] {
            let answer = priya.knock(method.clone(), path).send().await;
            assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.text());
            assert_eq!(dump(&app.pool).await, before, "{method} {path}");
        }
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn cross_site_link_opens_the_page_signed_in(pool: PgPool) {
    let (app, _, priya) = inside(pool).await;
    // The session cookie is SameSite=Strict and not sent, so the page reloads itself as a same-site request.
    let page = app.browser().knock(Method::GET, "/admin/ecommerce?show=active").header("sec-fetch-site", "cross-site");
    let answer = page.send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let replaces = answer.headers.get_all("set-cookie").iter().any(|one| one.as_bytes().starts_with(b"cartwright="));
    assert!(!replaces, "the session cookie must stay: {:?}", answer.headers);
    let page = crate::support::Page::new(priya.clone(), answer);
    assert_eq!(page.h1(), "Opening Order Time");
    let refresh = page.attribute("meta[http-equiv=refresh]", "content").expect("a refresh");
    assert!(refresh.ends_with("url=/admin/ecommerce?show=active"), "{refresh}");
    assert_eq!(page.follow("Continue").await.h1(), "Ecommerce Integration");
    // An invalid session cannot be opened that way.
    let answer = app.browser().knock(Method::GET, "/admin/x").header("sec-fetch-site", "same-origin").send().await;
    assert_eq!(answer.location(), "/sign-in?return_to=%2Fadmin%2Fx");
}
