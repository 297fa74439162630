//! Test Connection through the page: what users see for everything that Shopify, or something in its place, can do.

use std::{fs, time::Duration};

use axum::http::{Method, StatusCode};
use cartwright::{
    causes::{Class, TESTS_A_MINUTE},
    platforms::shopify::redact_secrets,
    practice::{Canned, ExchangeError, Flaw, PracticeStore, RawAnswer, Scenario},
};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    dump::{count, events},
    expose,
    routes::cart_of,
};

/// Its title and text are in `docs/diagnosis.md`.
#[track_caller]
fn assert_shows(page: &Page, class: &str, what: &str) {
    assert_eq!(page.status, StatusCode::OK, "{what}: {page}");
    let expected = Class::from_stored(class).expect("a class").outcome().as_str();
    let (outcome, shown, title) = page.verdict();
    assert_eq!((outcome.as_str(), shown.as_str(), title.is_empty()), (expected, class, false), "{what}");
    let states: Vec<String> = page.all("section[aria-label='Connection test'] li[data-check]");
    assert!((5..=6).contains(&states.len()), "{what}: {states:?}");
    assert!(states[0].starts_with("Address understood"), "{what}: {states:?}");
}

/// Tests a new form with the store's own token and checks which hosts saw it.
async fn run(app: &TestApp, priya: &Browser, handle: &str, scenario: Scenario) -> Page {
    // The limits of ten tests a minute per store and a hundred per user would end a long table.
    sqlx::query("delete from throttle").execute(&app.pool).await.expect("limits reset");
    app.practice.stores().put(handle, PracticeStore::sample(handle).with(scenario));
    let page = app.fill_new(priya, "Northwind Tea", handle).await.press("Test Connection").await;
    let token = app.practice.stores().find(handle).expect("a store").access_token.clone();
    let host = format!("{handle}.myshopify.com");
    assert!(app.practice.journal().hosts_that_saw(expose(&token)).iter().all(|other| *other == host));
    assert!(!app.practice.journal().was_seen_in_clear(expose(&token)));
    page
}

#[sqlx::test]
async fn each_known_answer_has_its_class(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    for (number, canned) in Canned::ALL.iter().enumerate() {
        let handle = format!("canned-{number}");
        let page = run(&app, &priya, &handle, Scenario::Says(*canned)).await;
        assert_shows(&page, canned.class(), &format!("{canned:?}"));
    }
    assert_eq!(count(&app.pool, "connection_tests").await, i64::try_from(Canned::ALL.len()).expect("fits"));
    let tested = events(&app.pool).await.into_iter().filter(|event| event == "tested").count();
    assert_eq!(tested, Canned::ALL.len(), "one audit event per test");
}

#[sqlx::test]
async fn transport_failures_and_variants_have_their_class(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let raw = |status, headers: &[(&str, &str)], body: &[u8]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Scenario::Raw(RawAnswer { status, headers, body: body.to_vec() })
    };
    let moved = "https://northwind-tea-co.myshopify.com/admin/api/2026-10/graphql.json";
    let table = [
        (Scenario::Well, "CONNECTED"),
        (Scenario::Delayed(Duration::from_millis(50)), "CONNECTED"),
        (Scenario::ScopesExtra, "CONNECTED"),
        (Scenario::NoOrders, "CONNECTED"),
        (Scenario::OrderWithoutCustomer, "CONNECTED"),
        (Scenario::NoVersionHeader, "CONNECTED"),
        (Scenario::AlsoCalled("northwind-else"), "CONNECTED"),
        (Scenario::Development, "CONNECTED"),
        (Scenario::Plus, "CONNECTED"),
        (Scenario::ScopesMissing(&["read_channels", "read_gdpr_data_request"]), "CONNECTED"),
        (Scenario::ScopesMissing(&["write_inventory", "read_shipping"]), "SCOPES_MISSING"),
        (Scenario::CustomersHidden, "CUSTOMER_DETAILS_HIDDEN"),
        (Scenario::AnsweredAs("2026-07"), "API_VERSION_OLD"),
        (Scenario::ConnectRefused, "NETWORK_UNREACHABLE"),
        (Scenario::Reset, "NETWORK_UNREACHABLE"),
        (Scenario::CloseWithoutAnswer, "NETWORK_UNREACHABLE"),
        (Scenario::CloseMidBody, "NETWORK_UNREACHABLE"),
        (Scenario::Certificate(Flaw::WrongName), "TLS_UNTRUSTED"),
        (Scenario::Certificate(Flaw::Expired), "TLS_UNTRUSTED"),
        (Scenario::Certificate(Flaw::SelfSigned), "TLS_UNTRUSTED"),
        (Scenario::TlsTooOld, "TLS_UNTRUSTED"),
        (Scenario::NotTls, "TLS_UNTRUSTED"),
        (Scenario::Redirect(301, Some(moved)), "STORE_MOVED"),
        (Scenario::Redirect(307, Some("https://northwind-tea-co.myshopify.com")), "STORE_MOVED"),
        (Scenario::Redirect(302, Some("https://evil.example/admin")), "NOT_SHOPIFY"),
        (Scenario::Redirect(302, Some("http://northwind-tea-co.myshopify.com/")), "NOT_SHOPIFY"),
        (Scenario::Redirect(308, Some("https://northwind-tea-co.myshopify.com@evil.example/")), "NOT_SHOPIFY"),
        (Scenario::Redirect(303, None), "NOT_SHOPIFY"),
        (Scenario::EndlessBody, "NOT_SHOPIFY"),
        (Scenario::Garbage, "NOT_SHOPIFY"),
        (Scenario::Redirect(302, Some("https://admin.shopify.com/store/northwind-tea-co")), "STORE_MOVED"),
        (raw(402, &[("content-type", "application/json")], br#"{"errors":"Unavailable Shop"}"#), "STORE_FROZEN"),
        (raw(402, &[], b""), "NOT_SHOPIFY"),
        (raw(401, &[("content-type", "text/html")], b"<html>"), "NOT_SHOPIFY"),
        (raw(403, &[("cf-mitigated", "challenge")], b""), "REQUEST_REJECTED"),
        (raw(403, &[("x-request-id", "1b355a21")], b""), "ADDRESS_REFUSED"),
        (raw(200, &[("content-type", "application/json")], b"[[[["), "NOT_SHOPIFY"),
    ];
    for (number, (scenario, class)) in table.into_iter().enumerate() {
        let handle = format!("around-{number}");
        let what = format!("{scenario:?}");
        let page = run(&app, &priya, &handle, scenario).await;
        assert_shows(&page, class, &what);
    }
    assert!(app.practice.journal().requests_to("northwind-tea-co.myshopify.com").is_empty());
}

#[sqlx::test]
async fn each_token_exchange_error_has_its_class(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let both = ExchangeError::ALL.iter().flat_map(|one| [Scenario::Exchange(*one), Scenario::ExchangePage(*one)]);
    for (number, scenario) in both.chain([Scenario::Well, Scenario::Says(Canned::Frozen)]).enumerate() {
        sqlx::query("delete from throttle").execute(&app.pool).await.expect("limits reset");
        let (handle, class) = (format!("pair-{number}"), scenario.class().expect("a class"));
        let what = format!("{scenario:?}");
        let store = app.practice.stores().put(&handle, PracticeStore::sample(&handle).with(scenario));
        let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
        page.fill("Website Name", "Northwind Tea");
        page.fill("API URL", &handle);
        page.choose("Client ID and Client secret");
        page.fill("Client ID", &store.client_id);
        page.fill("Client secret", expose(&store.client_secret));
        let page = page.press("Test Connection").await;
        assert_shows(&page, class, &what);
        assert_eq!(
            app.practice.journal().hosts_that_saw(expose(&store.client_secret)),
            [format!("{handle}.myshopify.com")]
        );
    }
}

/// The lines of the table with escapes resolved.
fn addresses() -> Vec<(String, String)> {
    let table =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/addresses.tsv")).expect("the table");
    let lines: Vec<_> =
        table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect();
    assert!(lines.len() > 150, "only {} lines", lines.len());
    lines.into_iter().map(|(typed, expected)| (unescape(typed), expected.to_owned())).collect()
}

fn unescape(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (read, length) = match rest.as_bytes()[0] {
            b't' => ('\t', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b'0' => ('\0', 1),
            b'\\' => ('\\', 1),
            b'u' => {
                let end = rest.find('}').expect("a closed escape");
                let code = u32::from_str_radix(&rest[2..end], 16).expect("hex");
                (char::from_u32(code).expect("a character"), end + 1)
            }
            other => panic!("unknown escape: {}", char::from(other)),
        };
        out.push(read);
        rest = &rest[length..];
    }
    out + rest
}

#[sqlx::test]
async fn invalid_address_is_reported_at_its_field_without_a_call(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    for (typed, expected) in addresses() {
        let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
        page.fill("Website Name", "Northwind Tea");
        page.fill("API URL", &typed);
        let page = page.press("Test Connection").await;
        if typed.contains('\0') {
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "no form holds U+0000: {page}");
            continue;
        }
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed:?}: {page}");
        assert!(page.title().starts_with("Error: "), "{typed:?}");
        if let Some((_, handle)) = expected.split_once(':') {
            // The address is valid; only the token is missing.
            assert_eq!(page.complaint("API URL"), None, "{typed:?}");
            assert_eq!(page.value("API URL"), format!("https://{handle}.myshopify.com/admin"), "{typed:?}");
            assert_eq!(page.complaint_class("Access Token"), "TOKEN_EMPTY", "{typed:?}");
        } else {
            assert_eq!(page.complaint_class("API URL"), expected, "{typed:?}: {page}");
            // A text field holds no line breaks.
            let shown = |text: &str| text.replace(['\n', '\r'], "");
            let kept = if expected == "IS_TOKEN" { String::new() } else { redact_secrets(&typed) };
            assert_eq!(shown(&page.value("API URL")), shown(&kept), "{typed:?}");
        }
    }
    app.assert_nothing_was_called();
    assert_eq!(count(&app.pool, "connection_tests").await, 0);
    assert_eq!(
        count(&app.pool, "throttle where kind in ('person_test', 'store_test')").await,
        0,
        "refused addresses do not count"
    );
}

#[sqlx::test]
async fn misplaced_credential_is_reported_at_its_field(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let digits = "a1".repeat(16);
    let kept = ". We have not kept what you typed.";
    let wrong =
        |kind: &str| format!("That is a {kind}. Copy the Admin API access token instead. It starts with shpat_{kept}");
    let tokens = [
        (String::new(), "TOKEN_EMPTY", "Enter the access token".to_owned()),
        (
            format!("shpss_{digits}"),
            "TOKEN_IS_SECRET",
            format!(
                "That is the API secret key. Copy the Admin API access token instead. It starts with shpat_. For an app from the Dev Dashboard, choose Client ID and Client secret{kept}"
            ),
        ),
        (format!("shprt_{digits}"), "TOKEN_WRONG_KIND", wrong("refresh token")),
        (format!("shptka_{digits}"), "TOKEN_WRONG_KIND", wrong("Theme Access password")),
        (format!("prtapi_{digits}"), "TOKEN_WRONG_KIND", wrong("Partner API token")),
        (
            "https://northwind-tea.myshopify.com/admin".to_owned(),
            "TOKEN_IS_ADDRESS",
            format!("That is an address. Paste it into API URL, then enter the access token{kept}"),
        ),
        (
            format!("shpat_{digits} x"),
            "TOKEN_BAD_CHARACTERS",
            format!(
                "The access token has a space or an unusual character in it. Copy it again, with nothing before or after it{kept}"
            ),
        ),
    ];
    for (typed, class, sentence) in tokens {
        for button in ["Test Connection", "Save"] {
            let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
            page.fill("Website Name", "Northwind Tea");
            page.fill("API URL", "northwind-tea");
            page.fill("Access Token", &typed);
            let page = page.press(button).await;
            assert_eq!(page.complaint("Access Token"), Some((class.to_owned(), sentence.clone())), "{page}");
            assert_eq!((page.status.as_u16(), page.value("Access Token").as_str()), (422, ""));
            assert_eq!(page.value("Website Name"), "Northwind Tea");
        }
    }
    let pairs = [
        (String::new(), format!("shpss_{digits}"), "Client ID", "CLIENT_ID_EMPTY"),
        (digits.clone(), String::new(), "Client secret", "CLIENT_SECRET_EMPTY"),
        (format!("shpss_{digits}"), String::new(), "Client ID", "CLIENT_ID_IS_SECRET"),
        (digits.clone(), format!("shpat_{digits}"), "Client secret", "CLIENT_SECRET_IS_TOKEN"),
        ("priya@northwind.example".into(), format!("shpss_{digits}"), "Client ID", "CLIENT_ID_IS_EMAIL"),
        (digits.clone(), digits.clone(), "Client secret", "CLIENT_SECRET_IS_ID"),
        (format!("it is shpat_{digits}x"), String::new(), "Client ID", "CLIENT_ID_BAD_CHARACTERS"),
    ];
    for (id, secret, field, class) in pairs {
        let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
        page.fill("Website Name", "Northwind Tea");
        page.fill("API URL", "northwind-tea");
        page.choose("Client ID and Client secret");
        page.fill("Client ID", &id);
        page.fill("Client secret", &secret);
        let page = page.press("Test Connection").await;
        assert_eq!((page.status.as_u16(), page.complaint_class(field).as_str()), (422, class), "{page}");
        assert!(
            !page.html.contains(&format!("shpss_{digits}")) && !page.html.contains(&format!("shpat_{digits}")),
            "{page}"
        );
    }
    for (name, class) in [("", "NAME_EMPTY"), ("  ", "NAME_EMPTY"), (&*"é".repeat(81), "NAME_TOO_LONG")] {
        let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
        page.fill("Website Name", name);
        let page = page.press("Test Connection").await;
        assert_eq!(page.complaint_class("Website Name"), class, "{page}");
        assert_eq!(page.complaint_class("API URL"), "API_URL_EMPTY", "all complaints at once");
        let summary = page.all(".summary a").len();
        assert_eq!(summary, 3, "{page}");
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn refused_token_that_worked_before_has_stopped(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Unauthorized));
    let page = page.press("Test Connection").await;
    assert_eq!(
        page.verdict(),
        ("not-connected".into(), "TOKEN_STOPPED".into(), "The access token stopped working".into())
    );
    let cause = page.text("section[aria-label='Connection test'] .cause");
    assert!(
        cause.starts_with("It last worked on ") && cause.contains(" UTC. Since then someone may have uninstalled"),
        "{cause}"
    );
    let list = priya.visit("/admin/ecommerce").await;
    assert_eq!(list.all("td .badge"), ["Not connected"], "{list}");
    assert!(list.text("td .under").starts_with("The access token stopped working "), "{list}");
    app.practice.stores().set("northwind-tea", Scenario::Well);
    assert_eq!(
        priya
            .visit(&format!("/admin/ecommerce/shopify/{}/general", cart_of(&page.path)))
            .await
            .press("Test Connection")
            .await
            .class(),
        "CONNECTED"
    );
    assert_eq!(priya.visit("/admin/ecommerce").await.all("td .badge"), ["Connected"]);
}

#[sqlx::test]
async fn cart_that_reaches_another_store_reports_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    app.practice.stores().set("northwind-tea", Scenario::OtherShop(77));
    let page = page.press("Test Connection").await;
    assert_eq!(page.verdict(), ("not-connected".into(), "WRONG_STORE".into(), "This is a different store".into()));
    assert!(
        page.text("section[aria-label='Connection test'] .cause")
            .starts_with("This cart was set up for Northwind Tea."),
        "{page}"
    );
}

#[sqlx::test]
async fn same_shop_under_another_address_is_found_by_its_id(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let first = app.open_store("northwind-tea");
    let cart = cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    let twin = PracticeStore { shop_id: first.shop_id, ..PracticeStore::sample("northwind-twin") };
    app.practice.stores().put("northwind-twin", twin);
    let page = app.fill_new(&priya, "Northwind Twin", "northwind-twin").await.press("Test Connection").await;
    assert_eq!(page.verdict(), ("not-connected".into(), "DUPLICATE".into(), "This store is already connected".into()));
    let link = format!("/admin/ecommerce/shopify/{cart}/general");
    assert_eq!(page.follow("Open Northwind Tea").await.path, link);
}

#[sqlx::test]
async fn the_eleventh_test_in_a_minute_is_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.open_store("northwind-b2b");
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    for round in 0..TESTS_A_MINUTE {
        page = page.press("Test Connection").await;
        assert_eq!(page.class(), "CONNECTED", "test {round}");
    }
    let heard = app.practice.journal().requests().len();
    let page = page.press("Test Connection").await;
    let (outcome, class, title) = page.verdict();
    assert_eq!((outcome.as_str(), class.as_str()), ("not-connected", "TEST_LIMIT"), "{page}");
    assert_eq!(title, "You have tested 10 times in a minute");
    assert!(page.text("section[aria-label='Connection test'] .todo").contains("seconds, then test again."), "{page}");
    assert_eq!(app.practice.journal().requests().len(), heard, "the eleventh test reached Shopify");
    // The limit counts per store and per user.
    assert_eq!(
        app.fill_new(&priya, "Northwind B2B", "northwind-b2b").await.press("Test Connection").await.class(),
        "CONNECTED"
    );
    let sam = app.sign_in_as(&crate::support::cast::SAM).await;
    assert_eq!(
        app.fill_new(&sam, "Northwind Tea", "northwind-tea").await.press("Test Connection").await.class(),
        "CONNECTED"
    );
    // Invalid input does not count.
    sqlx::query("update throttle set ends_at = ends_at - interval '1 minute'")
        .execute(&app.pool)
        .await
        .expect("a minute");
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED");
}

#[sqlx::test]
async fn a_second_press_during_a_test_is_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.practice.stores().put("northwind-tea", PracticeStore::sample("northwind-tea").with(Scenario::Held));
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    let second = async {
        tokio::time::timeout(Duration::from_secs(10), app.practice.journal().wait_for_requests(1))
            .await
            .expect("a request");
        let second = page.press("Test Connection").await;
        app.practice.stores().set("northwind-tea", Scenario::Well);
        second
    };
    let (first, second) = tokio::join!(page.press("Test Connection"), second);
    assert_eq!(
        second.verdict(),
        ("not-connected".into(), "TEST_LIMIT".into(), "A test is already running".into()),
        "{second}"
    );
    assert_eq!(first.class(), "CONNECTED", "{first}");
}

#[sqlx::test]
async fn partial_request_gets_only_the_checks_and_the_region(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    let answer = page.knock("Test Connection").header("x-partial", "1").send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let text = answer.text();
    let (lines, region) = text.split_at(text.find("<section ").expect("a region"));
    let lines: Vec<&str> = lines.lines().filter(|line| !line.is_empty()).collect();
    for (line, name) in lines.iter().zip(["address", "store", "credential", "permissions", "version", "customers"]) {
        assert!(line.starts_with(&format!("<li data-check=\"{name}\"")) && line.ends_with("</li>"), "{line}");
    }
    assert_eq!(lines.len(), 6, "{text}");
    assert!(region.trim_end().ends_with("</section>") && region.contains("data-class=\"CONNECTED\""), "{region}");
    // The full page shows the same.
    let whole = page.press("Test Connection").await;
    assert_eq!(whole.class(), "CONNECTED");
    assert!(whole.title().starts_with("Testing – ECommerce Integration Editor"), "{}", whole.title());
    assert_eq!(whole.all(".testing li[data-check]").len(), 6, "{whole}");
    assert_eq!(whole.value("Website Name"), "Northwind Tea");
}

#[sqlx::test]
async fn finished_test_has_its_own_address(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.practice
        .stores()
        .put("northwind-tea", PracticeStore::sample("northwind-tea").with(Scenario::Says(Canned::Locked)));
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    let id: String =
        sqlx::query_scalar("select id::text from connection_tests").fetch_one(&app.pool).await.expect("one row");
    let again = priya.visit(&format!("/admin/ecommerce/shopify/new/connection-tests/{id}")).await;
    assert_eq!(again.verdict(), page.verdict());
    let reference =
        page.all(".facts div").into_iter().find(|row| row.starts_with("Our reference")).expect("a reference");
    assert!(reference.ends_with(&id.replace('-', "")), "{reference}");
    let part = priya.knock(Method::GET, &again.path).header("x-partial", "1").send().await;
    assert!(part.text().trim_start().starts_with("<section "), "{}", part.text());
}
