//! The one-time link that creates the first administrator.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{
    Page, TestApp,
    cast::{PASSWORD, PRIYA, SAM},
    dump::{count, dump, events, tamper},
};

async fn link(app: &TestApp) -> String {
    format!("/set-up/{}", app.app.accounts.make_set_up_link().await.expect("a link").to_cookie())
}

fn fill(page: &mut Page, name: &str, email: &str, password: &str) {
    page.fill("Your name", name);
    page.fill("Email address", email);
    page.fill("New password", password);
}

#[sqlx::test]
async fn set_up_link_creates_and_signs_in_the_first_administrator(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let path = link(&app).await;
    let browser = app.browser();
    let before = dump(&app.pool).await;
    let mut page = browser.visit(&path).await;
    assert_eq!(
        (page.h1().as_str(), dump(&app.pool).await),
        ("Set up Order Time", before),
        "a GET does not consume the link"
    );
    fill(&mut page, "Priya Shah", "  Priya@Northwind.Example ", PASSWORD);
    let page = page.press("Create my account").await;
    assert_eq!((page.path.as_str(), page.h1().as_str()), ("/admin", "Admin"), "{page}");
    assert_eq!(page.banner(), "Welcome, Priya. Next: turn on Ecommerce Integration and add your first cart. Start");
    assert!(page.has_button("Sign out"));
    assert_eq!(page.follow("Start").await.h1(), "Turn on Ecommerce Integration to add a cart");
    assert_eq!(events(&app.pool).await, ["set_up_link_made", "user_added"]);
    app.sign_in_as(&PRIYA).await;
    assert_eq!(count(&app.pool, "users").await, 1);
    // The link is used up, and its page reveals nothing.
    let page = app.browser().visit(&path).await;
    assert_eq!((page.status, page.h1().as_str()), (StatusCode::CONFLICT, "Order Time is already set up"), "{page}");
    assert_eq!(page.follow("Sign in").await.h1(), "Sign in");
}

#[sqlx::test]
async fn expired_wrong_or_used_link_is_gone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let path = link(&app).await;
    let mut open = app.browser().visit(&path).await;
    fill(&mut open, "Priya Shah", PRIYA.email, PASSWORD);
    tamper(&app.pool, "update set_up_links set expires_at = now() - interval '1 second'").await;
    let strange = format!("/set-up/{}", "A".repeat(43));
    let pages = [
        app.browser().visit(&path).await,
        open.press("Create my account").await,
        app.browser().visit(&strange).await,
        app.browser().visit("/set-up/x").await,
    ];
    for page in pages {
        assert_eq!((page.status, page.h1().as_str()), (StatusCode::GONE, "This link no longer works"), "{page}");
    }
    assert_eq!(count(&app.pool, "users").await, 0);
}

#[sqlx::test]
async fn concurrent_set_ups_create_one_administrator(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (first, second) = (link(&app).await, link(&app).await);
    let mut forms = Vec::new();
    for (path, person) in [(&first, PRIYA), (&first, SAM), (&second, SAM)] {
        let mut page = app.browser().visit(path).await;
        fill(&mut page, person.name, person.email, PASSWORD);
        forms.push(page);
    }
    let answers = futures_util::future::join_all(forms.iter().map(|form| form.knock("Create my account").send())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 303, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| [409, 410].contains(status)), "{statuses:?}");
    assert_eq!((count(&app.pool, "users").await, count(&app.pool, "sessions").await), (1, 1));
}

#[sqlx::test]
async fn password_is_validated_as_entered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let path = link(&app).await;
    let long = " leaf kettle".repeat(30);
    let table = [
        ("", Some("PASSWORD_TOO_SHORT"), "Password must be at least 8 characters"),
        ("leafket", Some("PASSWORD_TOO_SHORT"), "Password must be at least 8 characters"),
        (&long[..257], Some("PASSWORD_TOO_LONG"), "Password must be 256 characters or fewer"),
        (
            "password1",
            Some("PASSWORD_COMMON"),
            "That password is on the lists that attackers try first. Choose another",
        ),
        ("12345678", Some("PASSWORD_COMMON"), "That password is on the lists that attackers try first. Choose another"),
        (&long[..256], None, ""),
    ];
    for (password, class, sentence) in table {
        let mut page = app.browser().visit(&path).await;
        fill(&mut page, "Priya Shah", PRIYA.email, password);
        let page = page.press("Create my account").await;
        match class {
            Some(class) => {
                assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
                assert_eq!(page.complaint("New password"), Some((class.to_owned(), sentence.to_owned())), "{page}");
                assert_eq!((page.value("New password").as_str(), page.value("Your name").as_str()), ("", "Priya Shah"));
                assert!(password.is_empty() || !page.html.contains(password), "{page}");
            }
            None => assert_eq!(page.h1(), "Admin", "{page}"),
        }
    }
    // The password is neither trimmed nor truncated.
    let mut page = app.browser().visit("/sign-in").await;
    page.fill("Email address", PRIYA.email);
    page.fill("Password", long[..256].trim());
    assert_eq!(page.press("Sign in").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut page = app.browser().visit("/sign-in").await;
    page.fill("Email address", PRIYA.email);
    page.fill("Password", &long[..256]);
    assert_eq!(page.press("Sign in").await.h1(), "Admin");
}

#[sqlx::test]
async fn invalid_names_and_addresses_are_reported(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let path = link(&app).await;
    let mut page = app.browser().visit(&path).await;
    fill(&mut page, " ", "priya", PASSWORD);
    let page = page.press("Create my account").await;
    assert_eq!(page.summary(), ["Enter your name", "Enter an email address like priya@northwind.example"], "{page}");
    assert_eq!((page.value("Email address").as_str(), page.status.as_u16()), ("priya", 422));
    assert!(page.title().starts_with("Error: "));
    let head = app.browser().knock(Method::HEAD, &path).send().await;
    assert_eq!((head.status, head.location()), (StatusCode::SEE_OTHER, "/set-up?followed"));
    assert_eq!(count(&app.pool, "users").await, 0);
}

/// The code is only in the address that was opened, and in an `HttpOnly` cookie.
#[sqlx::test]
async fn set_up_link_is_exchanged_for_a_cookie_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let path = link(&app).await;
    let code = path.trim_start_matches("/set-up/").to_owned();
    let answer = app.browser().knock(Method::GET, &path).send().await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/set-up?followed"));
    let cookies: Vec<String> = answer.headers.get_all("set-cookie").iter().map(|one| format!("{one:?}")).collect();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    for word in [&format!("cartwright-link={code};"), "HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"] {
        assert!(cookies[0].contains(word), "{word}: {cookies:?}");
    }
    let mut page = app.browser().visit(&path).await;
    assert_eq!(page.path, "/set-up?followed");
    assert!(!page.html.contains(&code), "{page}");
    fill(&mut page, "Priya Shah", PRIYA.email, PASSWORD);
    let signed_in = page.knock("Create my account").send().await;
    let dropped = signed_in.headers.get_all("set-cookie").iter().filter_map(|one| one.to_str().ok());
    assert_eq!(dropped.filter(|one| one.starts_with("cartwright-link=;")).count(), 1, "{signed_in:?}");

    let app_page = app.browser().visit("/set-up").await;
    assert_eq!((app_page.status, app_page.h1().as_str()), (StatusCode::GONE, "This link no longer works"));
    let forgetful = app.browser().visit("/set-up?followed").await;
    assert_eq!(
        (forgetful.status, forgetful.h1().as_str()),
        (StatusCode::FORBIDDEN, "Your browser does not keep cookies")
    );
}
