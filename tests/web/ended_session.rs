//! A form submitted with an ended session returns after sign-in, on every route, with its input and without secrets.
//! Nothing is saved on the way.

use axum::http::{Method, StatusCode};
use cartwright::web::{admin::guard::Access, routes::find_post};
use sqlx::PgPool;

use crate::{
    cross_site::fields_of,
    support::{
        Browser, Page, TestApp,
        cast::{PASSWORD, PRIYA, Person, SAM},
        dump::{count, dump, tamper},
        routes::{Blanks, Door, doors},
    },
};

type Fields = Vec<(String, String)>;

const NOT_KEPT: [&str; 6] = ["csrf", "password", "current_password", "new_password", "access_token", "client_secret"];

/// Text input, each value recognizable in a page.
const TYPED: [(&str, &str); 7] = [
    ("name", "Typed person"),
    ("email", "typed@northwind.example"),
    ("website_name", "Typed cart"),
    ("api_url", "typed-store"),
    ("item_group", "Typed group"),
    ("emails", "typed-alerts@northwind.example"),
    ("address", "https://hooks.northwind.example/typed"),
];

async fn end_sessions(app: &TestApp) {
    tamper(&app.pool, "update sessions set last_seen_at = now() - interval '31 minutes'").await;
}

async fn sign_in_on(mut page: Page, person: &Person) -> Page {
    assert_eq!(page.h1(), "Sign in", "{page}");
    page.fill("Email address", person.email);
    page.fill("Password", PASSWORD);
    page.press("Sign in").await
}

fn secret() -> String {
    format!("shpat_{}", "7".repeat(32))
}

/// Fills text fields with text and secret fields with a secret.
fn filled(fields: Fields, door: &Door, cart: &str) -> Fields {
    let fill = |(name, value): (String, String)| {
        let typed = TYPED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        let is_secret = NOT_KEPT[1..].contains(&name.as_str());
        let value = if is_secret { secret() } else { typed.unwrap_or(value) };
        (name, value)
    };
    let mut fields: Fields = fields.into_iter().map(fill).collect();
    if door.template == "/admin/ecommerce/bulk" {
        fields.push(("cart[]".into(), cart.to_owned()));
    }
    fields
}

/// Dumps everything that a form could change.
async fn saved(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let of_forms = ["carts", "cart_settings", "cart_locations", "ecommerce_integration", "alert", "jobs", "job_items"];
    let mut saved: Vec<(String, Vec<String>)> = dump(&app.pool).await.into_iter().collect();
    saved.retain(|(table, _)| of_forms.iter().any(|name| table.starts_with(name)));
    let people = "select concat_ws(' ', id, name, email, role, theme, disabled_at) from users order by id";
    let people = sqlx::query_scalar(people).fetch_all(&app.pool).await.expect("users");
    saved.push(("users".to_owned(), people));
    saved
}

async fn post(browser: &Browser, door: &Door, fields: &Fields) -> Page {
    let answer = browser.knock(Method::POST, &door.path).form(fields).send().await;
    Page::new(browser.clone(), answer)
}

#[sqlx::test]
async fn every_form_survives_an_ended_session(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let blanks = Blanks::make(&app, &priya).await;
    let forms = doors(&blanks).into_iter().filter(|door| door.is_unsafe() && door.access != Access::Open);
    for door in forms {
        let fields = filled(fields_of(&door, &priya, &app).await, &door, &blanks.cart);
        let before = saved(&app).await;
        end_sessions(&app).await;
        let asked = post(&priya, &door, &fields).await;
        let kept: Vec<_> = fields.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str())).collect();
        let had_secrets = fields.iter().any(|(name, _)| NOT_KEPT[1..].contains(&name.as_str()));
        let name = door.name();
        let page = if kept.is_empty() && !had_secrets {
            assert_eq!(asked.status, StatusCode::SEE_OTHER, "{name}: {asked}");
            sign_in_on(priya.visit("/sign-in").await, &PRIYA).await
        } else {
            assert_eq!(asked.status, StatusCode::FORBIDDEN, "{name}: {asked}");
            assert!(asked.text("main").contains("Your form was not sent."), "{name}: {asked}");
            assert!(!asked.html.contains(&secret()), "{name}");
            sign_in_on(asked, &PRIYA).await
        };
        assert_eq!(page.status, StatusCode::OK, "{name}: {page}");
        assert!(!page.html.contains(&secret()), "{name}: {page}");
        if !kept.is_empty() {
            assert!(page.banner().starts_with("You are signed in."), "{name}: {page}");
        }
        if had_secrets {
            assert!(page.banner().contains("Passwords and tokens are not kept: enter them again."), "{name}: {page}");
        }
        let route = find_post(&door.path).expect("the route");
        if route.redraws {
            for (field, value) in kept.iter().filter(|(field, _)| TYPED.iter().any(|(known, _)| known == field)) {
                // Without a mail server, this field is not rendered.
                assert!(page.html.contains(value.as_str()) || field == "emails", "{name}: {field} is lost: {page}");
            }
        } else if !kept.is_empty() {
            assert_eq!(page.path, route.page_of(&door.path), "{name}");
        }
        assert_eq!(saved(&app).await, before, "{name} changed something");
    }
}

#[sqlx::test]
async fn cart_form_returns_after_sign_in_and_saves(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let store = app.open_store("northwind-tea");
    for button in ["Save", "Test Connection"] {
        let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
        page.uncheck("Active");
        end_sessions(&app).await;
        let answer = page.knock(button).send().await;
        assert_eq!(page.knock(button).header("x-partial", "1").send().await.status, StatusCode::UNAUTHORIZED);
        let mut asked = Page::new(priya.clone(), answer);
        // A wrong password keeps the form as well.
        asked.fill("Email address", PRIYA.email);
        asked.fill("Password", "not the password");
        let asked = asked.press("Sign in").await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{asked}");
        let page = sign_in_on(asked, &PRIYA).await;
        assert_eq!(page.value("Website Name"), "Northwind Tea", "{page}");
        assert!(page.value("API URL").contains("northwind-tea"), "{page}");
        assert_eq!(page.value("Access Token"), "", "{page}");
        assert_eq!(count(&app.pool, "carts").await, 0, "nothing is saved without a submit");
    }
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    end_sessions(&app).await;
    let asked = Page::new(priya.clone(), page.knock("Save").send().await);
    page = sign_in_on(asked, &PRIYA).await;
    page.fill("Access Token", crate::support::expose(&store.access_token));
    assert_eq!(page.press("Save").await.status, StatusCode::OK);
    assert_eq!(count(&app.pool, "carts").await, 1);
}

#[sqlx::test]
async fn form_is_not_saved_by_another_user_without_a_submit(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.add(&SAM).await;
    let mut page = priya.visit("/admin/users/new").await;
    page.fill("Name", "Ana");
    page.fill("Email", "ana@agency.example");
    end_sessions(&app).await;
    let before = count(&app.pool, "users").await;
    let page = sign_in_on(Page::new(priya.clone(), page.knock("Add user").send().await), &SAM).await;
    assert_eq!((page.value("Name").as_str(), page.value("Email").as_str()), ("Ana", "ana@agency.example"));
    assert_eq!(count(&app.pool, "users").await, before);
}

#[sqlx::test]
async fn form_without_an_origin_is_not_kept(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let stranger = app.browser();
    let fields = vec![("website_name".to_owned(), "Planted".to_owned())];
    let knock = stranger.knock(Method::POST, "/admin/ecommerce/shopify/new").form(&fields);
    let answer = knock.clone().without("sec-fetch-site").without("origin").send().await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/sign-in"), "{}", answer.text());
    let answer = knock.header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.text().contains("resume"), "{}", answer.text());
}

#[sqlx::test]
async fn browser_without_cookies_gets_an_explanation(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.add(&PRIYA).await;
    let code = app.app.accounts.make_set_up_link().await.expect("a link").to_cookie();
    for (path, button) in [("/sign-in".to_owned(), "Sign in"), (format!("/set-up/{code}"), "Create my account")] {
        let page = app.browser().visit(&path).await;
        if !page.has_button(button) {
            continue;
        }
        let (_, action, fields) = page.submission(button);
        let forgetful = app.browser();
        let answer = forgetful.knock(Method::POST, &action).form(&fields).send().await;
        let page = Page::new(forgetful, answer);
        assert_eq!(
            (page.status, page.h1().as_str()),
            (StatusCode::FORBIDDEN, "Your browser does not keep cookies"),
            "{page}"
        );
        assert!(page.text("main").contains("Allow cookies for this site"), "{page}");
        assert_eq!(page.follow("Try again").await.path, path);
    }
}
