//! A user's own account: details, password, signed-in browsers, and the repeated password prompt.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PASSWORD, PRIYA, SAM, VERA},
    dump::{count, dump, events, tamper},
};

const NEW_PASSWORD: &str = "kettle second steep leaf";

fn id_of(browser: &Browser) -> String {
    browser.cookies().remove("cartwright").expect("a session")
}

async fn password_was_entered(app: &TestApp, minutes: u32) {
    let shift = format!("update sessions set authenticated_at = now() - interval '{minutes} minutes'");
    tamper(&app.pool, &shift).await;
}

async fn change_password(browser: &Browser, current: &str, new: &str) -> Page {
    let mut page = browser.visit("/admin/account").await;
    page.fill("Current password", current);
    page.fill("New password", new);
    page.press("Change password").await
}

async fn sign_in(browser: &Browser, email: &str, password: &str) -> Page {
    let mut page = browser.visit("/sign-in").await;
    page.fill("Email address", email);
    page.fill("Password", password);
    page.press("Sign in").await
}

async fn rows(app: &TestApp, of: &str) -> String {
    dump(&app.pool).await[of].join("\n")
}

mod details {
    use super::*;

    #[sqlx::test]
    async fn name_changes_without_password_prompt_and_is_audited(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let vera = app.sign_in_as(&VERA).await;
        password_was_entered(&app, 30).await;
        let mut page = vera.visit("/admin/account").await;
        assert_eq!((page.value("Name"), page.value("Email")), (VERA.name.into(), VERA.email.into()));
        assert!(page.html.contains("Viewer") && !page.has("p.viewer"), "{page}");
        page.fill("Name", "Vera Nováková");
        let page = page.press("Save").await;
        assert_eq!((page.banner().as_str(), page.path.as_str()), ("Your details are saved.", "/admin/account"));
        assert_eq!(page.value("Name"), "Vera Nováková");
        assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("details_changed"));
        let activity = rows(&app, "audit_events").await;
        assert!(activity.contains("Vera Novak") && activity.contains("Vera Nováková"), "{activity}");
        // Saving unchanged values writes no event.
        let before = count(&app.pool, "audit_events").await;
        let page = page.press("Save").await;
        assert_eq!((page.banner().as_str(), count(&app.pool, "audit_events").await), ("", before));
    }

    #[sqlx::test]
    async fn invalid_name_or_address_is_reported_at_its_field(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&SAM).await;
        let priya = app.sign_in_as(&PRIYA).await;
        let mut page = priya.visit("/admin/account").await;
        page.fill("Name", " ");
        page.fill("Email", "priya");
        let page = page.press("Save").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.summary(), ["Enter your name", "Enter an email address like priya@northwind.example"]);
        assert_eq!((page.value("Name"), page.value("Email")), (" ".into(), "priya".into()));
        let mut page = priya.visit("/admin/account").await;
        page.fill("Email", &SAM.email.to_uppercase());
        let page = page.press("Save").await;
        assert_eq!(page.complaint_class("Email"), "EMAIL_TAKEN", "{page}");
        assert_eq!(page.summary(), ["Someone with this email address can already sign in"]);
    }
}

mod confirm {
    use super::*;

    async fn change_email(browser: &Browser) -> Page {
        let mut page = browser.visit("/admin/account").await;
        page.fill("Name", "Priya S.");
        page.fill("Email", "priya.shah@northwind.example");
        page.press("Save").await
    }

    #[sqlx::test]
    async fn address_changes_at_once_nine_minutes_after_the_password(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        password_was_entered(&app, 9).await;
        let page = change_email(&priya).await;
        assert_eq!(page.banner(), "Your details are saved.", "{page}");
        assert_eq!(sign_in(&app.browser(), "priya.shah@northwind.example", PASSWORD).await.h1(), "Admin");
    }

    #[sqlx::test]
    async fn address_change_asks_for_the_password_after_eleven_minutes(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        password_was_entered(&app, 11).await;
        let old = id_of(&priya);
        let mut page = change_email(&priya).await;
        assert_eq!((page.h1().as_str(), page.path.as_str()), ("Confirm it is you", "/admin/account"), "{page}");
        assert_eq!(page.text("main .lead"), "For security, enter your password to change your email address.");
        assert!(rows(&app, "users").await.contains(PRIYA.email), "nothing is saved before the password");
        page.fill("Password", "leaf kettle third steep");
        let mut page = page.press("Continue").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            page.complaint("Password"),
            Some(("PASSWORD_WRONG".into(), "That is not your current password".into())),
            "{page}"
        );
        assert!(page.title().starts_with("Error: "));
        assert_eq!(id_of(&priya), old);
        page.fill("Password", PASSWORD);
        let page = page.press("Continue").await;
        assert_eq!(
            (page.banner().as_str(), page.path.as_str()),
            ("Your details are saved.", "/admin/account"),
            "{page}"
        );
        assert_eq!(
            (page.value("Name"), page.value("Email")),
            ("Priya S.".into(), "priya.shah@northwind.example".into())
        );
        // The session has a new id, and the old id no longer works.
        assert_ne!(id_of(&priya), old);
        let thief = app.browser();
        thief.put_cookie("cartwright", &old);
        assert_eq!(thief.visit("/admin").await.h1(), "Sign in");
        assert_eq!(events(&app.pool).await[2..], ["could_not_confirm", "details_changed"]);
        // The password now counts as freshly entered.
        let mut page = priya.visit("/admin/account").await;
        page.fill("Email", PRIYA.email);
        assert_eq!(page.press("Save").await.banner(), "Your details are saved.");
    }

    #[sqlx::test]
    async fn field_error_after_the_password_prompt_keeps_the_new_session(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&SAM).await;
        let priya = app.sign_in_as(&PRIYA).await;
        password_was_entered(&app, 11).await;
        let mut page = priya.visit("/admin/account").await;
        page.fill("Email", SAM.email);
        let mut page = page.press("Save").await;
        page.fill("Password", PASSWORD);
        let mut page = page.press("Continue").await;
        assert_eq!(page.complaint_class("Email"), "EMAIL_TAKEN", "{page}");
        page.fill("Email", "priya.shah@northwind.example");
        assert_eq!(page.press("Save").await.banner(), "Your details are saved.");
    }

    #[sqlx::test]
    async fn five_wrong_passwords_lock_the_prompt_in_this_session_only(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        password_was_entered(&app, 11).await;
        let mut page = change_email(&priya).await;
        for _ in 0..5 {
            page.fill("Password", "leaf kettle third steep");
            page = page.press("Continue").await;
            assert_eq!(page.complaint_class("Password"), "PASSWORD_WRONG", "{page}");
        }
        page.fill("Password", PASSWORD);
        let page = page.press("Continue").await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(page.summary(), ["Too many sign-in tries. Try again in 5 minutes."]);
        assert!(page.headers.contains_key("retry-after"));
        assert_eq!(sign_in(&app.browser(), PRIYA.email, PASSWORD).await.h1(), "Admin");
        assert_eq!(priya.visit("/admin").await.h1(), "Admin");
    }

    #[sqlx::test]
    async fn draft_token_survives_the_password_prompt(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.priya_with_integration_on().await;
        app.open_store("northwind-tea");
        let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
        assert_eq!(page.class(), "CONNECTED");
        password_was_entered(&app, 11).await;
        let mut asked = change_email(&priya).await;
        asked.fill("Password", PASSWORD);
        assert_eq!(asked.press("Continue").await.banner(), "Your details are saved.");
        assert_eq!(count(&app.pool, "unsaved_credentials").await, 1);
    }
}

mod password {
    use super::*;

    #[sqlx::test]
    async fn password_change_signs_out_every_other_browser(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (priya, laptop, phone) =
            (app.sign_in_as(&PRIYA).await, app.sign_in_as(&PRIYA).await, app.sign_in_as(&PRIYA).await);
        let sam = app.sign_in_as(&SAM).await;
        let old = id_of(&priya);
        let page = change_password(&priya, PASSWORD, NEW_PASSWORD).await;
        assert_eq!(page.banner(), "Your password is changed. 2 other browsers were signed out.", "{page}");
        assert_eq!(page.path, "/admin/account");
        assert_ne!(id_of(&priya), old);
        let thief = app.browser();
        thief.put_cookie("cartwright", &old);
        for browser in [&laptop, &phone, &thief] {
            assert_eq!(browser.visit("/admin").await.h1(), "Sign in");
        }
        assert_eq!(sam.visit("/admin").await.h1(), "Admin");
        let events = events(&app.pool).await;
        assert_eq!(events[events.len() - 2..], ["password_changed", "signed_out_others"]);
        assert_eq!(sign_in(&app.browser(), PRIYA.email, PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(sign_in(&app.browser(), PRIYA.email, NEW_PASSWORD).await.h1(), "Admin");
        // Again, with no other browser signed in.
        tamper(
            &app.pool,
            "delete from sessions where id_hash <> (select id_hash from sessions order by created_at limit 1)",
        )
        .await;
        let page = change_password(&priya, NEW_PASSWORD, PASSWORD).await;
        assert_eq!(page.banner(), "Your password is changed.");
    }

    #[sqlx::test]
    async fn rejected_password_is_explained_and_not_shown_again(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        let before = (rows(&app, "users").await, rows(&app, "sessions").await);
        let long = "leaf kettle ".repeat(22);
        let table = [
            (PASSWORD, "leafket", "New password", "PASSWORD_TOO_SHORT", "Password must be at least 8 characters"),
            (PASSWORD, &long[..257], "New password", "PASSWORD_TOO_LONG", "Password must be 256 characters or fewer"),
            (
                PASSWORD,
                "iloveyou",
                "New password",
                "PASSWORD_COMMON",
                "That password is on the lists that attackers try first. Choose another",
            ),
            ("", NEW_PASSWORD, "Current password", "PASSWORD_EMPTY", "Enter your current password"),
            ("leaf kettle", NEW_PASSWORD, "Current password", "PASSWORD_WRONG", "That is not your current password"),
        ];
        for (current, new, field, class, sentence) in table {
            let page = change_password(&priya, current, new).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
            assert_eq!(page.complaint(field), Some((class.into(), sentence.into())), "{page}");
            assert_eq!(page.summary(), [sentence]);
            assert_eq!((page.value("Current password"), page.value("New password")), (String::new(), String::new()));
            assert!(!page.html.contains(new) && (current.is_empty() || !page.html.contains(current)), "{page}");
        }
        assert_eq!((rows(&app, "users").await, rows(&app, "sessions").await), before);
    }

    #[sqlx::test]
    async fn wrong_current_passwords_count_as_sign_in_attempts(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        for _ in 0..5 {
            let page = change_password(&priya, "leaf kettle third steep", NEW_PASSWORD).await;
            assert_eq!(page.complaint_class("Current password"), "PASSWORD_WRONG");
        }
        let page = change_password(&priya, PASSWORD, NEW_PASSWORD).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{page}");
        assert_eq!(page.complaint_class("Current password"), "SIGN_IN_LIMIT");
        assert_eq!(priya.visit("/admin").await.h1(), "Admin");
    }

    #[sqlx::test]
    async fn no_password_is_stored_or_sent_back(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        change_password(&priya, NEW_PASSWORD, "steep leaf kettle second").await;
        change_password(&priya, PASSWORD, NEW_PASSWORD).await;
        password_was_entered(&app, 11).await;
        let mut page = priya.visit("/admin/account").await;
        page.fill("Email", "priya.shah@northwind.example");
        let mut page = page.press("Save").await;
        page.fill("Password", NEW_PASSWORD);
        page.press("Continue").await;
        for secret in [PASSWORD, NEW_PASSWORD, "steep leaf kettle second"] {
            for answer in app.answers() {
                assert!(!answer.text().contains(secret), "{} {}", answer.method, answer.path);
            }
            for (table, rows) in dump(&app.pool).await {
                assert!(!rows.join("\n").contains(secret), "{table}");
            }
        }
    }

    #[sqlx::test]
    async fn database_error_page_contains_no_password(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        let mut page = priya.visit("/admin/account").await;
        page.fill("Current password", PASSWORD);
        page.fill("New password", NEW_PASSWORD);
        app.app.pool.close().await;
        let page = page.press("Change password").await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!page.html.contains(PASSWORD) && !page.html.contains(NEW_PASSWORD), "{page}");
    }
}

mod sessions {
    use super::*;

    const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1";

    /// Priya's sessions in two browsers, this one and a phone.
    async fn two(app: &TestApp) -> (Browser, Browser) {
        let (here, phone) = (app.sign_in_as(&PRIYA).await, app.sign_in_as(&PRIYA).await);
        let newest = "(select max(created_at) from sessions)";
        tamper(
            &app.pool,
            &format!("update sessions set user_agent = '{SAFARI}', ip = '198.51.100.20' where created_at = {newest}"),
        )
        .await;
        (here, phone)
    }

    #[sqlx::test]
    async fn sessions_are_listed_with_the_current_one_first(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let alone = app.sign_in_as(&SAM).await.visit("/admin/account").await;
        assert!(alone.all("form p").contains(&"You are signed in only here.".to_owned()), "{alone}");
        assert!(!alone.has_button("Sign out everywhere else"));
        let (here, _) = two(&app).await;
        let lines = here.visit("/admin/account").await.all("li.place");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("127.0.0.1 Now, this one · since "), "{lines:?}");
        assert!(lines[1].starts_with("Safari on iPhone · 198.51.100.20 just now · since "), "{lines:?}");
        // An expired session is not listed.
        tamper(
            &app.pool,
            "update sessions set last_seen_at = now() - interval '31 minutes' where ip = '198.51.100.20'",
        )
        .await;
        assert_eq!(here.visit("/admin/account").await.all("li.place").len(), 1);
    }

    #[sqlx::test]
    async fn session_is_ended_by_its_button(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (here, phone) = two(&app).await;
        let page = here.visit("/admin/account").await;
        let button = page.all("li.place button").remove(0);
        assert!(button.starts_with("Sign out of Safari on iPhone, 198.51.100.20, since "), "{button}");
        let again = page.knock(&button);
        let page = page.press(&button).await;
        assert_eq!(page.banner(), "Signed out of Safari on iPhone.", "{page}");
        assert_eq!(phone.visit("/admin").await.h1(), "Sign in");
        assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("signed_out_others"));
        assert_eq!(here.go(again).await.banner(), "That browser was signed out already.");
    }

    #[sqlx::test]
    async fn all_other_sessions_are_ended_at_once(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (here, phone) = two(&app).await;
        let laptop = app.sign_in_as(&PRIYA).await;
        let page = here.visit("/admin/account").await;
        let again = page.knock("Sign out everywhere else");
        let page = page.press("Sign out everywhere else").await;
        assert_eq!(page.banner(), "2 other browsers were signed out.");
        for gone in [&phone, &laptop] {
            assert_eq!(gone.visit("/admin").await.h1(), "Sign in");
        }
        assert_eq!(here.go(again).await.banner(), "You are signed in only here.");
    }

    #[sqlx::test]
    async fn foreign_and_current_sessions_cannot_be_ended(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (here, phone) = two(&app).await;
        let sam = app.sign_in_as(&SAM).await;
        let all: Vec<uuid::Uuid> =
            sqlx::query_scalar("select handle from sessions").fetch_all(&app.pool).await.expect("the sessions");
        let token = sam.visit("/admin").await.submission("Sign out").2.remove(0);
        for handle in all {
            let fields = [token.clone(), ("session".to_owned(), handle.simple().to_string())];
            let answer = sam.knock(Method::POST, "/admin/account/sessions").form(&fields).send().await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
        }
        for browser in [&here, &phone, &sam] {
            assert_eq!(browser.visit("/admin").await.h1(), "Admin");
        }
    }
}
