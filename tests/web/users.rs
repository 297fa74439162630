//! Users: listing, invitation, promotion, demotion, disabling and re-enabling, and what users may not do to themselves.

use axum::http::{Method, StatusCode};
use cartwright::{
    accounts::{
        Role,
        password::{self, PasswordError},
    },
    audit::Origin,
};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PASSWORD, PRIYA, Person, SAM, TOM, VERA},
    dump::{count, dump, events, tamper},
};

const ANA: Person = Person { name: "Ana Ruiz", email: "ana@agency.example", role: VERA.role };

async fn password_was_entered(app: &TestApp, minutes: u32) {
    let shift = format!("update sessions set authenticated_at = now() - interval '{minutes} minutes'");
    tamper(&app.pool, &shift).await;
}

async fn add(browser: &Browser, person: &Person, role: &str) -> Page {
    let mut page = browser.visit("/admin/users").await.follow("Add a user").await;
    page.fill("Name", person.name);
    page.fill("Email", person.email);
    page.choose(role);
    page.press("Add user").await
}

/// Returns the path of the link on the page that shows it once.
#[track_caller]
pub fn link_on(page: &Page) -> String {
    let url = page.text("section.once code");
    assert_eq!(page.attribute("[data-copy]", "data-copy").as_ref(), Some(&url), "{page}");
    url.strip_prefix("http://127.0.0.1:8080").expect("an address of this server").to_owned()
}

pub async fn user_page(app: &TestApp, browser: &Browser, person: &Person) -> Page {
    browser.visit(&format!("/admin/users/{}", app.user_id(person).await)).await
}

pub async fn sign_in(browser: &Browser, email: &str, password: &str) -> Page {
    let mut page = browser.visit("/sign-in").await;
    page.fill("Email address", email);
    page.fill("Password", password);
    page.press("Sign in").await
}

#[sqlx::test]
async fn users_are_listed_with_their_presence(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let page = priya.visit("/admin").await.follow("Users").await;
    assert_eq!(page.h1(), "Users");
    assert_eq!(
        page.banner(),
        "You are the only user. Add a colleague, so that someone can help when you are away.",
        "{page}"
    );
    let sam = app.sign_in_as(&SAM).await;
    app.add(&VERA).await;
    app.add(&TOM).await;
    tamper(&app.pool, "update users set disabled_at = now() where name = 'Tom West'").await;
    add(&priya, &ANA, "Viewer").await;
    sam.visit("/admin").await.press("Sign out").await;
    let page = priya.visit("/admin/users").await;
    assert_eq!(
        page.all("tbody tr"),
        [
            "Ana Ruiz ana@agency.example Viewer Invited, not yet joined Change Ana Ruiz",
            "Priya Shah priya@northwind.example Administrator Signed in now You",
            "Sam Lee sam@northwind.example Administrator just now Change Sam Lee",
            "Tom West tom@northwind.example Viewer Turned off Change Tom West",
            "Vera Novak vera@northwind.example Viewer Not yet Change Vera Novak",
        ]
    );
    assert!(!page.html.contains("only user"));
    let viewer = app.sign_in_as(&VERA).await.visit("/admin").await;
    assert!(!viewer.has("a[href='/admin/users']"), "{viewer}");
}

#[sqlx::test]
async fn invited_user_joins_with_their_own_password(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let page = add(&priya, &ANA, "Administrator").await;
    assert_eq!(page.h1(), "A link for Ana Ruiz");
    assert!(
        page.all("section.once p")
            .contains(&"Give Ana this link. It works once, for an hour. We do not show it again.".to_owned()),
        "{page}"
    );
    let path = link_on(&page);
    let code = path.rsplit('/').next().expect("a code");
    for (table, rows) in dump(&app.pool).await {
        assert!(!rows.join("\n").contains(code), "the link is in {table}");
    }
    // No sign-in without the link.
    assert_eq!(sign_in(&app.browser(), ANA.email, "").await.status, 422);
    assert_eq!(sign_in(&app.browser(), ANA.email, PASSWORD).await.status, 422);
    let ana = app.browser();
    let mut page = ana.visit(&path).await;
    assert_eq!((page.h1().as_str(), page.value("Your name").as_str()), ("Join Order Time", ANA.name), "{page}");
    assert!(page.html.contains(ANA.email) && !page.has_field("Email address"), "the address is fixed: {page}");
    page.fill("New password", "short");
    let mut page = page.press("Join").await;
    assert_eq!(page.complaint_class("New password"), "PASSWORD_TOO_SHORT", "{page}");
    page.fill("Your name", "Ana R.");
    page.fill("New password", PASSWORD);
    let page = page.press("Join").await;
    assert_eq!((page.h1().as_str(), page.banner().as_str()), ("Admin", "Welcome, Ana."), "{page}");
    assert_eq!(ana.visit("/admin/users").await.status, StatusCode::OK);
    assert_eq!(sign_in(&app.browser(), ANA.email, PASSWORD).await.h1(), "Admin");
    // The link works once.
    let page = app.browser().visit(&path).await;
    assert_eq!((page.status, page.h1().as_str()), (StatusCode::GONE, "This link no longer works"), "{page}");
    let events = events(&app.pool).await;
    assert_eq!(events[2..], ["user_invited", "could_not_sign_in", "user_joined", "signed_in"]);
}

#[sqlx::test]
async fn invitation_works_once_within_an_hour(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let path = link_on(&add(&priya, &ANA, "Viewer").await);
    let mut forms = Vec::new();
    for _ in 0..3 {
        let mut page = app.browser().visit(&path).await;
        page.fill("New password", PASSWORD);
        forms.push(page);
    }
    tamper(&app.pool, "update set_up_links set expires_at = now() - interval '1 second'").await;
    assert_eq!(app.browser().visit(&path).await.status, StatusCode::GONE);
    assert_eq!(forms[0].knock("Join").send().await.status, StatusCode::GONE);
    tamper(&app.pool, "update set_up_links set expires_at = now() + interval '1 minute'").await;
    let answers = futures_util::future::join_all(forms.iter().map(|form| form.knock("Join").send())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410, 410]);
}

#[sqlx::test]
async fn invalid_user_is_reported_at_its_field(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let page = priya.visit("/admin/users/new").await.press("Add user").await;
    assert_eq!(page.summary(), ["Enter a name", "Enter an email address like priya@northwind.example"], "{page}");
    assert!(page.is_checked("Viewer"), "the lesser role is preselected");
    let page = add(&priya, &Person { email: " PRIYA@northwind.example", ..ANA }, "Administrator").await;
    assert_eq!(page.summary(), ["Someone with this email address can already sign in"]);
    assert!(page.is_checked("Administrator") && page.value("Name") == ANA.name, "{page}");
    assert_eq!(count(&app.pool, "users").await, 1);
}

#[sqlx::test]
async fn adding_and_promoting_ask_for_the_password_after_ten_minutes(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    password_was_entered(&app, 11).await;
    let mut page = add(&priya, &ANA, "Administrator").await;
    assert_eq!(page.text("main .lead"), "For security, enter your password to add a user.", "{page}");
    assert_eq!(count(&app.pool, "users").await, 1);
    page.fill("Password", PASSWORD);
    link_on(&page.press("Continue").await);
    assert!(user_page(&app, &priya, &ANA).await.is_checked("Administrator"), "all input was kept");

    app.add(&VERA).await;
    for (minutes, asks) in [(9, false), (11, true)] {
        tamper(&app.pool, "update users set role = 'viewer' where name = 'Vera Novak'").await;
        password_was_entered(&app, minutes).await;
        let mut page = user_page(&app, &priya, &VERA).await;
        page.choose("Administrator");
        let mut page = page.press("Save").await;
        if asks {
            let lead = page.text("main .lead");
            assert_eq!(lead, "For security, enter your password to make Vera Novak an Administrator.");
            page.fill("Password", PASSWORD);
            page = page.press("Continue").await;
        }
        assert_eq!(
            page.banner(),
            "Vera Novak is an Administrator now. The next sign-in brings the new role.",
            "{page}"
        );
    }
    password_was_entered(&app, 11).await;
    let asked = user_page(&app, &priya, &VERA).await.press("New sign-in link").await;
    assert_eq!(asked.text("main .lead"), "For security, enter your password to make a sign-in link for Vera Novak.");
    tamper(&app.pool, "update users set disabled_at = now() where name = 'Vera Novak'").await;
    let mut asked = user_page(&app, &priya, &VERA).await.press("Turn on").await;
    assert_eq!(asked.text("main .lead"), "For security, enter your password to turn on Vera Novak.");
    asked.fill("Password", PASSWORD);
    assert_eq!(asked.press("Continue").await.banner(), "Vera Novak is turned on.");
}

#[sqlx::test]
async fn role_change_ends_every_session_of_the_user(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    for (role, h1) in [("Administrator", "Users"), ("Viewer", "You cannot change this")] {
        app.add(&VERA).await;
        let vera = app.sign_in_as(&VERA).await;
        let mut page = user_page(&app, &priya, &VERA).await;
        page.choose(role);
        page.press("Save").await;
        assert_eq!(vera.visit("/admin").await.h1(), "Sign in", "{role}");
        assert_eq!(app.sign_in_as(&VERA).await.visit("/admin/users").await.h1(), h1);
        assert_eq!(priya.visit("/admin").await.h1(), "Admin");
    }
}

#[sqlx::test]
async fn sign_in_link_lets_a_user_choose_a_new_password(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let vera = app.sign_in_as(&VERA).await;
    let first = link_on(&user_page(&app, &priya, &VERA).await.press("New sign-in link").await);
    let path = link_on(&user_page(&app, &priya, &VERA).await.press("New sign-in link").await);
    assert_eq!(app.browser().visit(&first).await.status, StatusCode::GONE, "the older link");
    assert_eq!(vera.visit("/admin").await.h1(), "Admin", "the link changes nothing until it is used");
    let elsewhere = app.browser();
    let mut page = elsewhere.visit(&path).await;
    assert_eq!(page.h1(), "Choose a new password", "{page}");
    assert!(!page.has_field("Your name") && page.html.contains(VERA.email), "{page}");
    page.fill("New password", "kettle second steep leaf");
    let page = page.press("Save password").await;
    assert_eq!(page.banner(), "Your password is changed. 1 other browser was signed out.", "{page}");
    assert_eq!(vera.visit("/admin").await.h1(), "Sign in");
    assert_eq!(sign_in(&app.browser(), VERA.email, PASSWORD).await.status, 422);
    assert_eq!(sign_in(&app.browser(), VERA.email, "kettle second steep leaf").await.h1(), "Admin");
    // A link of a user who is disabled meanwhile.
    let path = link_on(&user_page(&app, &priya, &VERA).await.press("New sign-in link").await);
    tamper(&app.pool, "update users set disabled_at = now() where name = 'Vera Novak'").await;
    assert_eq!(app.browser().visit(&path).await.status, StatusCode::GONE);
}

#[sqlx::test]
async fn user_is_signed_out_everywhere(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let (one, other) = (app.sign_in_as(&VERA).await, app.sign_in_as(&VERA).await);
    let page = user_page(&app, &priya, &VERA).await.press("Sign out everywhere").await;
    assert_eq!(page.banner(), "Vera Novak is signed out everywhere.", "{page}");
    for browser in [one, other] {
        assert_eq!(browser.visit("/admin").await.h1(), "Sign in");
    }
    assert_eq!(page.press("Sign out everywhere").await.banner(), "Vera Novak was not signed in.");
    assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("user_signed_out"));
}

#[sqlx::test]
async fn users_cannot_demote_themselves_and_one_administrator_stays(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let own = format!("/admin/users/{}", app.user_id(&PRIYA).await);
    let page = priya.visit(&own).await;
    assert_eq!(page.banner(), "Ask another administrator to change your role. Your account", "{page}");
    assert!(!page.has_button("Save") && !page.html.contains("/deactivation"), "{page}");
    assert_eq!(
        priya.visit(&format!("{own}/deactivation")).await.banner(),
        "Ask another administrator to turn off your account."
    );
    let token = priya.visit("/admin").await.submission("Sign out").2.remove(0);
    let before = dump(&app.pool).await;
    let lower = [token.clone(), ("role".to_owned(), "viewer".to_owned())];
    let answer = priya.knock(Method::POST, &own).form(&lower).send().await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    assert!(answer.text().contains("Ask another administrator to change your role."));
    let answer = priya.knock(Method::POST, &format!("{own}/deactivation")).form(&[token]).send().await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    assert_eq!(dump(&app.pool).await, before);

    // Sam has Priya's page open when Priya demotes him; his request is refused.
    let sam = app.sign_in_as(&SAM).await;
    let mut page = user_page(&app, &sam, &PRIYA).await;
    page.choose("Viewer");
    let asked = sam.visit(&format!("{own}/deactivation")).await;
    tamper(&app.pool, "update users set role = 'viewer' where name = 'Sam Lee'").await;
    assert_eq!(page.press("Save").await.status, StatusCode::FORBIDDEN);
    // The domain functions refuse it too, as if the guard had let him pass.
    let app_accounts = &app.app.accounts;
    let fresh = app.fresh(&sam).await;
    let by = cartwright::audit::By::operator();
    let id = uuid::Uuid::parse_str(&app.user_id(&PRIYA).await).expect("an id");
    let refused = app_accounts.lower(by.clone(), id, fresh).await.expect_err("the last one");
    assert_eq!(refused.to_string(), "There must be one administrator. Make somebody else one first.");
    assert!(app_accounts.turn_off(by, id, fresh).await.is_err());
    assert_eq!(asked.press("Turn off").await.status, StatusCode::FORBIDDEN);
    assert_eq!(priya.visit("/admin/users").await.h1(), "Users");
}

#[sqlx::test]
async fn missing_user_is_not_found_on_every_route(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let token = priya.visit("/admin").await.submission("Sign out").2.remove(0);
    let before = dump(&app.pool).await;
    for id in ["0198f3c0f00070008000000000000000", "none", "%27", "1e9"] {
        for path in ["", "/deactivation"] {
            let page = priya.visit(&format!("/admin/users/{id}{path}")).await;
            assert_eq!((page.status, page.h1().as_str()), (StatusCode::NOT_FOUND, "Page not found"), "{page}");
        }
        for path in ["", "/link", "/sessions", "/deactivation", "/activation"] {
            let role = ("role".to_owned(), "viewer".to_owned());
            let fields = if path.is_empty() { vec![token.clone(), role] } else { vec![token.clone()] };
            let answer = priya.knock(Method::POST, &format!("/admin/users/{id}{path}")).form(&fields).send().await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}{path}: {}", answer.text());
        }
    }
    assert_eq!(dump(&app.pool).await, before);
}

#[sqlx::test]
async fn user_name_with_markup_is_text(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let name = "<b onclick=x>Mallory</b>&lt;\"'";
    let page = add(&priya, &Person { name, ..ANA }, "Viewer").await;
    assert_eq!(page.h1(), format!("A link for {name}"));
    let list = priya.visit("/admin/users").await;
    assert!(list.all("tbody th .name").contains(&name.to_owned()), "{list}");
    assert!(!list.has("b"), "{list}");
    assert_eq!(user_page(&app, &priya, &ANA).await.h1(), name);
}

#[sqlx::test]
async fn somebody_who_was_raised_chooses_a_password_that_the_role_needs_before_anything_else(pool: PgPool) {
    // Strong enough for a Viewer, and too easy to guess for an administrator.
    const WEAK: &str = "kettle42";
    let app = TestApp::start(pool).await;
    let judged = |role| password::judge(&WEAK.into(), &app.app.accounts.password_context(role, VERA.email, VERA.name));
    assert_eq!((judged(Role::Viewer), judged(Role::Administrator)), (Ok(()), Err(PasswordError::Guessable)));
    let priya = app.sign_in_as(&PRIYA).await;
    let id = app.user_id(&VERA).await.parse().expect("an id");
    let link = app.app.accounts.make_link_as_operator(id).await.expect("a link");
    app.app.accounts.join(Origin::default(), &link, None, WEAK.into()).await.expect("a password");
    assert_eq!(sign_in(&app.browser(), VERA.email, WEAK).await.h1(), "Admin", "a Viewer signs in");
    let mut page = user_page(&app, &priya, &VERA).await;
    page.choose("Administrator");
    page.press("Save").await;

    let vera = app.browser();
    let mut page = sign_in(&vera, VERA.email, WEAK).await;
    assert_eq!((page.h1().as_str(), page.path.as_str()), ("Choose a new password", "/set-up?too-weak"), "{page}");
    assert_eq!(vera.visit("/admin").await.h1(), "Sign in", "nobody is signed in");
    assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("sign_in_link_made"));
    page.fill("New password", WEAK);
    let mut page = page.press("Save password").await;
    assert_eq!(page.complaint_class("New password"), "PASSWORD_GUESSABLE", "{page}");
    page.fill("New password", "kettle second steep leaf");
    assert_eq!(page.press("Save password").await.h1(), "Admin");
    assert_eq!(sign_in(&app.browser(), VERA.email, "kettle second steep leaf").await.h1(), "Admin");
    assert_eq!(sign_in(&app.browser(), VERA.email, WEAK).await.status, 422);
}
