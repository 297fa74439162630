//! Bodies that no browser sends: too large, of another type, with unknown, repeated, missing or malformed fields.
//! Always a page with a 4xx status, never a 500, and no change.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{
    Answer, Browser, Page, TestApp,
    cast::{PRIYA, TOM},
    dump::dump,
    routes::{Blanks, Door, cart_of, doors},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// The forms of a signed-in administrator: page and button.
async fn forms(app: &TestApp, cart: &str) -> Vec<(String, &'static str)> {
    let user = app.user_id(&TOM).await;
    // A second session, so that there is one to end.
    app.sign_in_as(&PRIYA).await;
    let cart = format!("/admin/ecommerce/shopify/{cart}");
    vec![
        ("/admin".to_owned(), "Dark"),
        ("/admin/ecommerce/switch?to=off".to_owned(), "Turn off"),
        ("/admin/ecommerce/shopify/new".to_owned(), "Save"),
        ("/admin/ecommerce/shopify/new".to_owned(), "Test Connection"),
        (format!("{cart}/general"), "Save"),
        (format!("{cart}/general"), "Test Connection"),
        (format!("{cart}/disconnection"), "Disconnect"),
        (format!("{cart}/deletion"), "Delete cart"),
        ("/admin/account".to_owned(), "Save"),
        ("/admin/account".to_owned(), "Change password"),
        ("/admin/account".to_owned(), "Sign out everywhere else"),
        ("/admin/users/new".to_owned(), "Add user"),
        (format!("/admin/users/{user}"), "Save"),
        (format!("/admin/users/{user}"), "New sign-in link"),
        (format!("/admin/users/{user}"), "Sign out everywhere"),
        (format!("/admin/users/{user}/deactivation"), "Turn off"),
        ("/admin/alerts".to_owned(), "Save"),
        ("/admin/ecommerce".to_owned(), "Test the selected carts"),
        ("/admin".to_owned(), "Sign out"),
    ]
}

type Fields = Vec<(String, String)>;

fn encode(fields: &Fields) -> String {
    serde_urlencoded::to_string(fields).expect("a form")
}

#[track_caller]
fn assert_page(browser: &Browser, answer: Answer, status: u16, why: &str) {
    assert_eq!(answer.status.as_u16(), status, "{} with {why}: {}", answer.path, answer.text());
    let page = Page::new(browser.clone(), answer);
    assert_eq!(page.h1(), "We could not read that form", "{why}: {page}");
    let sentence =
        "It was too large, or it did not come from this page. Go back, load the page again and try once more.";
    assert_eq!(page.text("main .lead"), sentence);
}

async fn inside(pool: PgPool) -> (TestApp, Browser, String) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let cart = cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    priya.visit("/admin").await;
    app.practice.journal().clear();
    (app, priya, cart)
}

#[sqlx::test]
async fn malformed_body_is_refused_with_a_page(pool: PgPool) {
    let (app, priya, cart) = inside(pool).await;
    let forms = forms(&app, &cart).await;
    let before = dump(&app.pool).await;
    for (page, button) in forms {
        let (_, action, fields) = priya.visit(&page).await.submission(button);
        let body = encode(&fields);
        let post = |kind: &str, body: Vec<u8>| priya.knock(Method::POST, &action).body(kind, body).send();
        let limit = cartwright::web::routes::find_post(&action).expect("the route").longest_form;
        let long = format!("{body}&website_name={}", "x".repeat(limit));
        for (kind, body, status, why) in [
            (FORM, long.clone().into_bytes(), 413, "more than the route allows"),
            (FORM, vec![b'&'; 1 << 20], 413, "1 MiB"),
            ("application/json", b"{}".to_vec(), 415, "JSON"),
            ("text/plain", body.clone().into_bytes(), 415, "plain text"),
            ("multipart/form-data; boundary=x", b"--x--".to_vec(), 415, "multipart"),
            ("application/x-www-form-urlencodedx", body.clone().into_bytes(), 415, "nearly a form"),
            (FORM, format!("{body}&admin=1").into_bytes(), 400, "an unknown field"),
            (FORM, format!("{body}&__proto__=1").into_bytes(), 400, "another unknown field"),
            (FORM, format!("{body}&csrf=x").into_bytes(), 400, "two tokens"),
        ] {
            assert_page(&priya, post(kind, body).await, status, why);
        }
        let untyped = priya.knock(Method::POST, &action).body(FORM, body.clone()).without("content-type").send().await;
        assert_page(&priya, untyped, 415, "no type");
        for (name, value) in fields.iter().filter(|(name, _)| name != "csrf") {
            let doubled = format!("{body}&{}", encode(&vec![(name.clone(), value.clone())]));
            assert_page(&priya, post(FORM, doubled.into_bytes()).await, 400, &format!("{name} twice"));
        }
        assert_eq!(dump(&app.pool).await, before, "{action}");
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn a_form_of_16_kib_is_accepted_and_a_larger_one_refused(pool: PgPool) {
    let (_app, priya, _cart) = inside(pool).await;
    let (_, action, mut fields) = priya.visit("/admin/ecommerce/shopify/new").await.submission("Save");
    let at = fields.iter().position(|(name, _)| name == "website_name").expect("the field");
    fields[at].1 = "x".repeat(16 * 1024 - encode(&fields).len());
    // The form is read: the name is refused as too long.
    let answer = priya.knock(Method::POST, &action).form(&fields).send().await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    fields[at].1.push('x');
    assert_page(&priya, priya.knock(Method::POST, &action).form(&fields).send().await, 413, "one byte more");
}

#[sqlx::test]
async fn missing_or_malformed_field_is_refused(pool: PgPool) {
    let (app, priya, cart) = inside(pool).await;
    let forms = forms(&app, &cart).await;
    let before = dump(&app.pool).await;
    // Fields that browsers omit or that the form treats as optional.
    let optional = [
        "active",
        "return_to",
        "confirmed",
        "next",
        "client_id",
        "access_token",
        "client_secret",
        "practice_now",
        "offered",
        "item_group",
        "show",
        "q",
    ];
    for (page, button) in forms {
        let (_, action, fields) = priya.visit(&page).await.submission(button);
        let post = |body: Vec<u8>| priya.knock(Method::POST, &action).body(FORM, body).send();
        for (name, _) in &fields {
            let rest: Fields = fields.iter().filter(|(other, _)| other != name).cloned().collect();
            let with = |value: &[u8]| [format!("{}&{name}=", encode(&rest)).as_bytes(), value].concat();
            let mut bodies: Vec<Vec<u8>> =
                [&b"%ff"[..], b"%c0%af", b"%ed%a0%80", b"%", b"%4", b"%zz", b"\xff\xfe", b"%00", b"x%00y"]
                    .into_iter()
                    .map(with)
                    .collect();
            if !optional.contains(&name.as_str()) {
                bodies.extend([encode(&rest).into_bytes(), with(b"\x01")]);
            }
            for body in bodies {
                let what = format!("{action} with {}", body.escape_ascii());
                let answer = post(body).await;
                assert!(answer.status.is_client_error(), "{what}: {}", answer.status);
                assert!(answer.text().contains("<h1>"), "{what}: {}", answer.text());
            }
        }
        assert_eq!(dump(&app.pool).await, before, "{action}");
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn nul_in_an_unauthenticated_form_is_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let code = app.app.accounts.make_set_up_link().await.expect("a link").to_cookie();
    let stranger = app.browser();
    let before = dump(&app.pool).await;
    for (page, button) in [(format!("/set-up/{code}"), "Create my account"), ("/sign-in".to_owned(), "Sign in")] {
        let page = stranger.visit(&page).await;
        let (_, action, fields) = page.submission(button);
        for (name, _) in &fields {
            let nul = |(known, value): &(String, String)| {
                let value = if known == name { format!("{value}x\0y") } else { value.clone() };
                (known.clone(), value)
            };
            let fields: Fields = fields.iter().map(nul).collect();
            let answer = stranger.knock(Method::POST, &action).form(&fields).send().await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "U+0000 in {name}: {}", answer.text());
            let page = Page::new(stranger.clone(), answer);
            assert_eq!(page.h1(), "A character cannot be saved", "U+0000 in {name}: {page}");
            assert!(page.text("main .lead").starts_with("One of the fields holds the invisible character U+0000"));
        }
    }
    assert_eq!(dump(&app.pool).await, before);
}

#[sqlx::test]
async fn invalid_cursor_shows_the_first_page(pool: PgPool) {
    let (_app, priya, cart) = inside(pool).await;
    for sort in ["", "name", "-name", "status", "-status", "checked", "-checked"] {
        for at in [
            "",
            "x",
            "0",
            "-1",
            "%00",
            "9223372036854775807",
            "-9223372036854775808",
            "99999999999999999999",
            "-62135596800000001",
            "-377705116800000000",
            "-210866803200000001",
            "253402300799999999",
            "32768",
        ] {
            for (way, id) in [("after", cart.as_str()), ("before", cart.as_str()), ("after", "%00"), ("before", "1")] {
                for name in ["Northwind", "%00", "%ff"] {
                    let path = format!("/admin/ecommerce?sort={sort}&{way}={name}&id={id}&at={at}");
                    let answer = priya.knock(Method::GET, &path).send().await;
                    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
                }
            }
        }
    }
    for path in ["/admin/activity", "/admin/activity.csv", &format!("/admin/ecommerce/shopify/{cart}/activity")] {
        for query in
            ["older=%00", "older=1", "newer=ffffffff-ffff-ffff-ffff-ffffffffffff", "person=%00", "person=a%00b"]
        {
            let answer = priya.knock(Method::GET, &format!("{path}?{query}")).send().await;
            assert_eq!(answer.status, StatusCode::OK, "{path}?{query}: {}", answer.text());
        }
    }
}

#[sqlx::test]
async fn missing_cart_is_not_found_on_every_route(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let blanks = Blanks::make(&app, &priya).await;
    let of_cart: Vec<Door> = doors(&blanks)
        .into_iter()
        .filter(|door| door.template.contains("{cart}") || door.template.contains("{test}"))
        .collect();
    assert!(of_cart.len() >= 8, "{of_cart:?}");
    let csrf = priya.visit("/admin").await.submission("Sign out").2;
    app.practice.journal().clear();
    let before = dump(&app.pool).await;
    for door in &of_cart {
        let known = if door.template.contains("{cart}") { &blanks.cart } else { &blanks.unsaved_test };
        for id in ["0198f3c0f00070008000000000000000", "none", "%27", "../../etc", "1e9", &blanks.test] {
            let path = door.path.replace(known.as_str(), id);
            let mut fields = csrf.clone();
            if door.is_unsafe() {
                let page = priya.visit(&format!("/admin/ecommerce/shopify/{}/general", blanks.cart)).await;
                fields = match door.template.rsplit('/').next() {
                    Some("general" | "connection-tests") => page.submission("Save").2,
                    _ => [csrf.clone(), vec![("version".to_owned(), "1".to_owned())]].concat(),
                };
            }
            let knock = priya.knock(door.method.clone(), &path);
            let knock = if door.is_unsafe() { knock.form(&fields) } else { knock };
            let answer = knock.send().await;
            let is_gone = [404, 400].contains(&answer.status.as_u16());
            assert!(is_gone, "{} {path}: {} {}", door.method, answer.status, answer.text());
        }
    }
    assert_eq!(dump(&app.pool).await, before);
    app.assert_nothing_was_called();
}

mod odd_paths {
    use super::*;

    #[sqlx::test]
    async fn are_refused_before_routing(pool: PgPool) {
        let (_app, priya, cart) = inside(pool).await;
        for path in [
            "//admin".to_owned(),
            "/admin//ecommerce".to_owned(),
            "/./admin".to_owned(),
            "/admin/../admin".to_owned(),
            "/admin/%2e%2e/admin".to_owned(),
            "/admin%2fecommerce".to_owned(),
            "/admin%5cecommerce".to_owned(),
            "/admin\\ecommerce".to_owned(),
            format!("/admin/ecommerce/shopify/{cart};x/general"),
            format!("/admin/ecommerce/shopify/{cart}/general%00"),
        ] {
            let answer = priya.knock(Method::GET, &path).send().await;
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (StatusCode::BAD_REQUEST, "That address cannot be read.\n"),
                "{path}"
            );
        }
        assert_eq!(priya.visit("/admin").await.h1(), "Admin");
    }

    #[sqlx::test]
    async fn return_path_never_leads_to_another_site(pool: PgPool) {
        let (_app, priya, _) = inside(pool).await;
        for elsewhere in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "",
        ] {
            let (_, action, fields) = priya.visit("/admin").await.submission("Dark");
            let swap = |(name, value): (String, String)| {
                let value = if name == "return_to" { elsewhere.to_owned() } else { value };
                (name, value)
            };
            let fields: Fields = fields.into_iter().map(swap).collect();
            let answer = priya.knock(Method::POST, &action).form(&fields).send().await;
            assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/admin"), "{elsewhere:?}");
            let query = serde_urlencoded::to_string([("return_to", elsewhere)]).expect("a query");
            let answer = priya.knock(Method::GET, &format!("/sign-in?{query}")).send().await;
            assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/admin"), "{elsewhere:?}");
        }
    }
}
