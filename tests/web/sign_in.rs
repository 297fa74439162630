//! Sessions: ids, expiry, sign-in attempts and what they reveal.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PASSWORD, PRIYA, SAM},
    dump::{count, dump, events, tamper},
};

async fn try_to_sign_in(browser: &Browser, email: &str, password: &str) -> Page {
    let mut page = browser.visit("/sign-in").await;
    page.fill("Email address", email);
    page.fill("Password", password);
    page.press("Sign in").await
}

fn id_of(browser: &Browser) -> String {
    browser.cookies().remove("cartwright").expect("a session")
}

/// The response to a repeated click is never shown, so it must not consume the message of the first.
#[sqlx::test]
async fn message_stays_until_a_page_shows_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    page.uncheck("Active");
    let press = page.knock("Save");
    press.clone().send().await;
    sqlx::query("update sessions set last_seen_at = now() - interval '2 minutes'")
        .execute(&app.pool)
        .await
        .expect("updated");
    press.send().await;
    priya.knock(Method::GET, &page.path).header("sec-fetch-mode", "cors").send().await;
    assert!(priya.visit(&page.path).await.banner().starts_with("Northwind Tea is inactive."));
    assert_eq!(priya.visit(&page.path).await.banner(), "", "the message is shown once");
}

mod session_ids {
    use super::*;

    #[sqlx::test]
    async fn session_id_has_256_random_bits_and_is_stored_as_a_hash(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (one, other) = (app.sign_in_as(&PRIYA).await, app.sign_in_as(&PRIYA).await);
        assert_ne!(id_of(&one), id_of(&other));
        for id in [id_of(&one), id_of(&other)] {
            use base64::Engine;
            let bits = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&id).expect("base64url");
            assert_eq!(bits.len(), 32);
            let hex: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
            for (table, rows) in dump(&app.pool).await {
                let rows = rows.join("\n");
                assert!(!rows.contains(&id) && !rows.contains(&hex), "{table}");
            }
        }
    }

    #[sqlx::test]
    async fn signing_in_gives_a_new_session_id(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        let planted = cartwright::accounts::BrowserSecret::generate().to_cookie();
        let browser = app.browser();
        browser.put_cookie("cartwright", &planted);
        browser.put_cookie("cartwright-form", &planted);
        let page = try_to_sign_in(&browser, PRIYA.email, PASSWORD).await;
        assert_eq!(page.h1(), "Admin", "{page}");
        assert_ne!(id_of(&browser), planted);
        let thief = app.browser();
        thief.put_cookie("cartwright", &planted);
        assert_eq!(thief.visit("/admin").await.h1(), "Sign in");
    }

    #[sqlx::test]
    async fn signing_in_again_ends_the_previous_session(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        let old = id_of(&priya);
        // The sign-in form of another tab, still open.
        let mut page = app.browser().visit("/sign-in").await;
        page.fill("Email address", PRIYA.email);
        page.fill("Password", PASSWORD);
        let (_, _, mut fields) = page.submission("Sign in");
        let token = priya.visit("/admin").await.submission("Sign out").2.remove(0).1;
        fields[0].1 = token;
        let answer = priya.knock(Method::POST, "/sign-in").form(&fields).send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_ne!(id_of(&priya), old);
        let thief = app.browser();
        thief.put_cookie("cartwright", &old);
        assert_eq!(thief.visit("/admin").await.h1(), "Sign in", "the old id still opens the site");
    }
}

mod sessions_end {
    use super::*;

    #[sqlx::test]
    async fn signing_out_ends_the_session_on_the_server(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (priya, other) = (app.sign_in_as(&PRIYA).await, app.sign_in_as(&PRIYA).await);
        let old = id_of(&priya);
        let page = priya.visit("/admin").await.press("Sign out").await;
        assert_eq!((page.h1().as_str(), page.banner().as_str()), ("Sign in", "You are signed out."), "{page}");
        let thief = app.browser();
        thief.put_cookie("cartwright", &old);
        assert_eq!(thief.visit("/admin").await.h1(), "Sign in");
        assert_eq!(other.visit("/admin").await.h1(), "Admin", "the other browser was signed out as well");
        assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("signed_out"));
    }

    #[sqlx::test]
    async fn thirty_minutes_without_activity_end_the_session(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        tamper(&app.pool, "update sessions set last_seen_at = now() - interval '29 minutes'").await;
        assert_eq!(priya.visit("/admin").await.h1(), "Admin");
        tamper(&app.pool, "update sessions set last_seen_at = now() - interval '31 minutes'").await;
        let mut page = priya.visit("/admin/ecommerce?show=active").await;
        assert_eq!(page.h1(), "Sign in");
        assert_eq!(
            page.banner(),
            "You were signed out after 30 minutes without activity. Sign in to carry on. Nothing you saved was lost."
        );
        page.fill("Email address", PRIYA.email);
        page.fill("Password", PASSWORD);
        let page = page.press("Sign in").await;
        assert_eq!(page.path, "/admin/ecommerce?show=active", "{page}");
    }

    #[sqlx::test]
    async fn twelve_hours_end_even_an_active_session(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        for hour in 1..12 {
            tamper(&app.pool, "update sessions set created_at = created_at - interval '1 hour'").await;
            assert_eq!(priya.visit("/admin").await.h1(), "Admin", "after {hour} hours");
        }
        tamper(&app.pool, "update sessions set created_at = created_at - interval '1 hour'").await;
        let page = priya.visit("/admin").await;
        assert_eq!(page.h1(), "Sign in");
        assert_eq!(
            page.banner(),
            "You were signed out after 12 hours. Sign in to carry on. Nothing you saved was lost.",
            "{page}"
        );
    }

    #[sqlx::test]
    async fn disabled_user_is_signed_out_at_once(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (priya, sam) = (app.sign_in_as(&PRIYA).await, app.sign_in_as(&SAM).await);
        tamper(&app.pool, &format!("update users set disabled_at = now() where email = '{}'", PRIYA.email)).await;
        assert_eq!(priya.visit("/admin").await.h1(), "Sign in");
        assert_eq!(sam.visit("/admin").await.h1(), "Admin");
        let page = try_to_sign_in(&app.browser(), PRIYA.email, PASSWORD).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    }

    #[sqlx::test]
    async fn every_page_offers_sign_out(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.priya_with_integration_on().await;
        let blanks = crate::support::routes::Blanks::make(&app, &priya).await;
        for door in crate::support::routes::doors(&blanks) {
            if door.is_unsafe() || !door.path.starts_with("/admin") {
                continue;
            }
            let page = priya.visit(&door.path).await;
            // Files and plain text have no buttons.
            if page.headers["content-type"] == "text/html; charset=utf-8" {
                assert!(page.has_button("Sign out"), "{page}");
            }
        }
        for path in ["/help", "/nowhere", "/admin/nowhere"] {
            assert!(priya.visit(path).await.has_button("Sign out"), "{path}");
        }
    }
}

mod session_clock {
    use super::*;

    /// Advances the database's clock for every session.
    async fn later(app: &TestApp, minutes: u32) {
        let back = format!("- make_interval(mins => {minutes})");
        let all =
            ["created_at", "last_seen_at", "authenticated_at"].map(|column| format!("{column} = {column} {back}"));
        tamper(&app.pool, &format!("update sessions set {}", all.join(", "))).await;
    }

    #[sqlx::test]
    async fn regular_requests_keep_a_session_for_twelve_hours(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        for round in 1..=39 {
            later(&app, 20).await;
            let page = priya.visit("/admin").await;
            let expected = if round < 36 { "Admin" } else { "Sign in" };
            assert_eq!(page.h1(), expected, "after {} minutes", round * 20);
        }
    }

    #[sqlx::test]
    async fn server_clock_does_not_affect_sessions(pool: PgPool) {
        use cartwright::clock::Clock;
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        for days in [-2, 2] {
            let moved = Clock::Fixed(Clock::System.now() + time::Duration::days(days));
            let elsewhere = app.with_clock(moved);
            elsewhere.put_cookie("cartwright", &id_of(&priya));
            assert_eq!(elsewhere.visit("/admin").await.h1(), "Admin", "server clock off by {days} days");
        }
        later(&app, 31).await;
        assert_eq!(priya.visit("/admin").await.h1(), "Sign in");
    }

    #[sqlx::test]
    async fn database_clock_set_back_prolongs_no_session(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        tamper(
            &app.pool,
            "update sessions set created_at = created_at + interval '2 days', last_seen_at = last_seen_at + interval '2 days'",
        )
        .await;
        assert_eq!(priya.visit("/admin").await.h1(), "Sign in");
    }
}

mod unknown_account {
    use super::*;

    /// Removes what differs per attempt: the masked CSRF token and the input.
    fn without_token(page: &Page, email: &str) -> String {
        let token = page.attribute("input[name=csrf]", "value").expect("a token");
        page.html.replace(&token, "TOKEN").replace(email, "EMAIL")
    }

    #[sqlx::test]
    async fn unknown_account_looks_exactly_like_a_wrong_password(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        let known = try_to_sign_in(&app.browser(), PRIYA.email, "leaf kettle third steep").await;
        let unknown = try_to_sign_in(&app.browser(), "nobody@northwind.example", "leaf kettle third steep").await;
        assert_eq!(known.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(unknown.status, known.status);
        assert_eq!(unknown.path, known.path);
        let names = |page: &Page| {
            let mut names: Vec<_> = page.headers.keys().map(|name| name.as_str().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&unknown), names(&known));
        let sentence = "Check your email address and password. One of them is not right.";
        assert_eq!(known.summary(), [sentence]);
        for page in [&known, &unknown] {
            assert_eq!(page.complaint("Email address"), Some(("SIGN_IN_WRONG".into(), sentence.into())));
            assert_eq!(page.complaint("Password"), Some(("SIGN_IN_WRONG".into(), sentence.into())));
            assert_eq!(page.value("Password"), "");
        }
        assert_eq!(without_token(&unknown, "nobody@northwind.example"), without_token(&known, PRIYA.email));
    }

    #[sqlx::test]
    async fn empty_sign_in_form_says_what_is_missing(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let page = try_to_sign_in(&app.browser(), "", "").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.summary(), ["Enter your email address", "Enter your password"]);
        assert!(page.title().starts_with("Error: "), "{page}");
        assert_eq!(count(&app.pool, "throttle").await, 0, "nothing was tried");
    }
}

mod throttle {
    use super::*;

    #[sqlx::test]
    async fn fifty_concurrent_attempts_allow_five(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        let mut page = app.browser().visit("/sign-in").await;
        page.fill("Email address", PRIYA.email);
        page.fill("Password", "leaf kettle third steep");
        let tries = (0..50).map(|_| page.knock("Sign in").send());
        let answers = futures_util::future::join_all(tries).await;
        let with = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
        assert_eq!((with(422), with(429)), (5, 45), "{:?}", answers.iter().map(|one| one.status).collect::<Vec<_>>());
        let late = answers.iter().find(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).expect("one row");
        let wait: u64 = late.header("retry-after").expect("retry-after").parse().expect("seconds");
        assert!((1..=300).contains(&wait), "{wait}");
        assert!(late.text().contains("Too many sign-in tries. Try again in 5 minutes."), "{}", late.text());
        // Even the right password is refused now.
        assert_eq!(try_to_sign_in(&app.browser(), PRIYA.email, PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    }

    #[sqlx::test]
    async fn letter_case_and_spaces_give_no_further_attempts(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        let spellings = [
            "priya@northwind.example",
            "PRIYA@northwind.example",
            " priya@northwind.example",
            "Priya@Northwind.Example ",
            "priya@northwind.EXAMPLE",
        ];
        for email in spellings {
            assert_eq!(try_to_sign_in(&app.browser(), email, "leaf kettle third steep").await.status, 422, "{email}");
        }
        assert_eq!(try_to_sign_in(&app.browser(), "pRiYa@northwind.example", PASSWORD).await.status, 429);
    }

    #[sqlx::test]
    async fn forty_wrong_passwords_from_one_address_lock_no_other_address(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        for _ in 0..40 {
            try_to_sign_in(&app.browser(), PRIYA.email, "leaf kettle third steep").await;
        }
        assert_eq!(try_to_sign_in(&app.browser(), PRIYA.email, PASSWORD).await.status, 429);
        assert_eq!(priya.visit("/admin").await.h1(), "Admin");
        let elsewhere = app.browser().from([198, 51, 100, 7]);
        assert_eq!(try_to_sign_in(&elsewhere, PRIYA.email, PASSWORD).await.h1(), "Admin");
        tamper(&app.pool, "update throttle set ends_at = ends_at - interval '5 minutes'").await;
        assert_eq!(try_to_sign_in(&app.browser(), PRIYA.email, PASSWORD).await.h1(), "Admin");
    }

    /// An account allows twenty attempts from all addresses, which do not count for other accounts.
    #[sqlx::test]
    async fn attempts_of_one_account_do_not_affect_others(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        app.add(&SAM).await;
        for place in 0..20 {
            let somewhere = app.browser().from([198, 51, 100, place]);
            assert_eq!(try_to_sign_in(&somewhere, PRIYA.email, "leaf kettle third steep").await.status, 422, "{place}");
        }
        let elsewhere = app.browser().from([203, 0, 113, 7]);
        assert_eq!(try_to_sign_in(&elsewhere, PRIYA.email, PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(try_to_sign_in(&elsewhere, SAM.email, PASSWORD).await.h1(), "Admin");
    }

    /// Sends wrong passwords from twenty networks, so that the account accepts no new browser.
    async fn use_up_the_account(app: &TestApp) {
        for place in 0..20 {
            let somewhere = app.browser().from([198, 51, 100, place]);
            assert_eq!(try_to_sign_in(&somewhere, PRIYA.email, "leaf kettle third steep").await.status, 422, "{place}");
        }
        assert_eq!(try_to_sign_in(&app.browser(), PRIYA.email, PASSWORD).await.status, 429);
    }

    #[sqlx::test]
    async fn strangers_never_lock_out_a_known_browser(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let known = app.sign_in_as(&PRIYA).await;
        assert_eq!(known.visit("/admin").await.press("Sign out").await.h1(), "Sign in");
        use_up_the_account(&app).await;
        assert_eq!(try_to_sign_in(&known, PRIYA.email, PASSWORD).await.h1(), "Admin");
    }

    #[sqlx::test]
    async fn known_browser_has_ten_attempts_for_its_own_account_only(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&SAM).await;
        let known = app.sign_in_as(&PRIYA).await;
        assert_eq!(known.visit("/admin").await.press("Sign out").await.h1(), "Sign in");
        let statuses = async |email| {
            let mut statuses = Vec::new();
            for _ in 0..11 {
                statuses.push(try_to_sign_in(&known, email, "leaf kettle third steep").await.status.as_u16());
            }
            statuses
        };
        assert_eq!(statuses(PRIYA.email).await, [&[422; 10][..], &[429]].concat());
        assert_eq!(statuses(SAM.email).await, [&[422; 5][..], &[429; 6]].concat());
    }

    #[sqlx::test]
    async fn changed_password_invalidates_other_device_cookies(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let (other, this) = (app.sign_in_as(&PRIYA).await, app.sign_in_as(&PRIYA).await);
        let new = "five plain random words more";
        let mut page = this.visit("/admin/account").await;
        page.fill("Current password", PASSWORD);
        page.fill("New password", new);
        page.press("Change password").await;
        assert_eq!(this.visit("/admin").await.press("Sign out").await.h1(), "Sign in");
        use_up_the_account(&app).await;
        assert_eq!(try_to_sign_in(&other, PRIYA.email, new).await.status, 429);
        assert_eq!(try_to_sign_in(&this, PRIYA.email, new).await.h1(), "Admin");
    }

    #[sqlx::test]
    async fn strangers_do_not_lock_the_repeated_password_prompt(pool: PgPool) {
        let app = TestApp::start(pool).await;
        let priya = app.sign_in_as(&PRIYA).await;
        use_up_the_account(&app).await;
        let change = async |current: &str| {
            let mut page = priya.visit("/admin/account").await;
            page.fill("Current password", current);
            page.fill("New password", "five plain random words more");
            page.press("Change password").await.status.as_u16()
        };
        for _ in 0..5 {
            assert_eq!(change("leaf kettle third steep").await, 422);
        }
        assert_eq!(change(PASSWORD).await, 429, "five tries for each session");
        let another = app.browser();
        another.put_cookie("cartwright-device", &priya.cookies()["cartwright-device"]);
        assert_eq!(try_to_sign_in(&another, PRIYA.email, PASSWORD).await.h1(), "Admin");
    }

    #[sqlx::test]
    async fn unknown_account_names_lock_no_network(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        for email in ["/127.0.0.1", "127.0.0.1", "//127.0.0.1"] {
            for place in 0..31 {
                try_to_sign_in(&app.browser().from([198, 51, 100, place]), email, "leaf kettle third steep").await;
            }
        }
        assert_eq!(try_to_sign_in(&app.browser(), PRIYA.email, PASSWORD).await.h1(), "Admin");
        let stored: String = sqlx::query_scalar("select coalesce(string_agg(throttle::text, ''), '') from throttle")
            .fetch_one(&app.pool)
            .await
            .expect("rows");
        assert!(!stored.contains("127.0.0.1") && !stored.contains("198.51.100"), "{stored}");
    }

    #[sqlx::test]
    async fn refused_attempt_writes_nothing(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        for _ in 0..5 {
            try_to_sign_in(&app.browser(), PRIYA.email, "leaf kettle third steep").await;
        }
        let written = async || -> (String, i64) {
            sqlx::query_as(
                "select (select string_agg(throttle::text || xmin::text || xmax::text, ' ' order by kind) from throttle),
                        (select count(*) from audit_events)",
            )
            .fetch_one(&app.pool)
            .await
            .expect("rows")
        };
        let before = written().await;
        for _ in 0..50 {
            assert_eq!(try_to_sign_in(&app.browser(), PRIYA.email, "leaf kettle third steep").await.status, 429);
        }
        assert_eq!(written().await, before);
    }

    #[sqlx::test]
    async fn untrusted_forwarded_address_is_ignored(pool: PgPool) {
        let app = TestApp::start(pool).await;
        app.add(&PRIYA).await;
        let mut page = app.browser().visit("/sign-in").await;
        page.fill("Email address", PRIYA.email);
        page.fill("Password", "leaf kettle third steep");
        let mut statuses = Vec::new();
        for last in 0..7 {
            let knock = page.knock("Sign in").header("x-forwarded-for", &format!("198.51.100.{last}"));
            statuses.push(knock.header("forwarded", &format!("for=198.51.100.{last}")).send().await.status.as_u16());
        }
        assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
    }
}
