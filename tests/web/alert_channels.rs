//! The alert settings page and the allowed targets: host names instead of IP addresses, public unless the operator
//! allows more, and a signing secret that belongs to one host and is shown once.

use axum::http::StatusCode;
use cartwright::alerts::Ways;
use sqlx::PgPool;

use crate::support::{
    Browser, MailServer, Page, Receiver, Reply, Speaks, TestApp,
    alerts::{broke, deliver_all, mail_ways, pass, queue, save_webhook, ways},
    cast::{PRIYA, SAM, VERA},
    dump::{count, dump, events, tamper},
};

const PAGE: &str = "/admin/alerts";

async fn priya_and(pool: PgPool, ways: &Ways) -> (TestApp, Browser) {
    let app = TestApp::start(pool).await.with_alert_ways(ways);
    let priya = app.sign_in_as(&PRIYA).await;
    (app, priya)
}

/// The stored signing secret (ciphertext) and its host.
async fn sealed(pool: &PgPool) -> (String, Vec<u8>) {
    sqlx::query_as("select host, secret from alert_webhooks").fetch_one(pool).await.expect("a webhook")
}

#[sqlx::test]
async fn alerts_are_off_by_default(pool: PgPool) {
    let (app, priya) = priya_and(pool, &Ways::default()).await;
    let page = priya.visit("/admin").await.follow("Alerts").await;
    assert_eq!((page.path.as_str(), page.h1().as_str()), (PAGE, "Alerts"));
    let said = page.text("main");
    for sentence in
        ["E-mail is not set up on this server. Ask the person who runs it to add a mail server.", "No alerts yet."]
    {
        assert!(said.contains(sentence), "{sentence} in {said}");
    }
    assert_eq!(page.value("Address"), "");
    for button in ["Try it", "New secret"] {
        assert!(!page.has_button(button), "{button} is hidden");
    }
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!((count(&app.pool, "alerts").await, count(&app.pool, "alert_deliveries").await), (0, 0));
    assert_eq!(page.press("Save").await.banner(), "The alert settings are saved.");
    assert!(!events(&app.pool).await.iter().any(|event| event == "alerts_changed"), "nothing was changed");
    assert!(!app.sign_in_as(&VERA).await.visit("/admin").await.html.contains(PAGE), "a viewer gets no link");
}

#[sqlx::test]
async fn webhook_address_is_validated_before_any_call(pool: PgPool) {
    let (app, priya) = priya_and(pool, &Ways::default()).await;
    for (typed, class, sentence) in [
        ("http://ops.northwind.example", "NOT_HTTPS", "Enter an address that starts with https://"),
        ("ops.northwind.example/hooks", "NOT_HTTPS", "Enter an address that starts with https://"),
        ("https://10.0.0.1/hooks", "IS_NUMBER", "Enter a name, not a number such as 10.0.0.1"),
        ("https://2130706433", "IS_NUMBER", "Enter a name, not a number such as 10.0.0.1"),
        ("https://[::1]/", "IS_NUMBER", "Enter a name, not a number such as 10.0.0.1"),
        (
            "https://localhost:9/hooks",
            "PRIVATE_NETWORK",
            "That address is in a private network. Order Time does not call those.",
        ),
        (
            "https://ops.northwind.example/#x",
            "ADDRESS_FORM",
            "Enter an address like https://ops.northwind.example/hooks/carts, without spaces and without a #",
        ),
    ] {
        let mut page = priya.visit(PAGE).await;
        page.fill("Address", typed);
        let page = page.press("Save").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        assert_eq!(page.complaint("Address"), Some((class.into(), sentence.to_owned())), "{typed}");
        assert_eq!(page.summary(), [sentence], "{typed}");
        assert_eq!(page.value("Address"), typed, "the input is kept");
        assert!(page.title().starts_with("Error: "), "{page}");
    }
    let mut page = priya.visit(PAGE).await;
    page.fill("Address", "https://user:word-canary@ops.northwind.example");
    let page = page.press("Save").await;
    assert_eq!(page.complaint_class("Address"), "HAS_PASSWORD");
    assert!(!page.html.contains("word-canary"), "a page must not contain the secret: {page}");
    assert_eq!(count(&app.pool, "alert_webhooks").await, 0);
}

#[sqlx::test]
async fn email_addresses_are_validated_and_cannot_inject_headers(pool: PgPool) {
    let server = MailServer::start(Speaks::Wrapped).await;
    let (app, priya) = priya_and(pool, &mail_ways(&server)).await;
    let many = (0..21).map(|n| format!("a{n}@b.example")).collect::<Vec<_>>().join(", ");
    for (typed, class) in [
        ("", "EMAILS_EMPTY"),
        ("priya", "EMAIL_FORM"),
        ("priya@northwind.example\r\nBcc: evil@example.com", "EMAIL_FORM"),
        ("priya@northwind.example\nevil@example.com", "EMAIL_FORM"),
        (many.as_str(), "EMAILS_TOO_MANY"),
    ] {
        let mut page = priya.visit(PAGE).await;
        page.check("Send e-mail to");
        page.fill("E-mail addresses", typed);
        page.fill("Address", "https://ops.northwind.example/kept");
        let page = page.press("Save").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed:?}: {page}");
        assert_eq!(page.complaint_class("E-mail addresses"), class, "{typed:?}");
        assert!(page.is_checked("Send e-mail to"), "{page}");
        assert_eq!(page.value("Address"), "https://ops.northwind.example/kept");
    }
    assert_eq!(count(&app.pool, "alert_webhooks").await, 0, "nothing of a refused form is saved");
    let mut page = priya.visit(PAGE).await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", "Priya@northwind.example; ops@northwind.example");
    let page = page.press("Save").await;
    assert_eq!(page.banner(), "The alert settings are saved.");
    assert_eq!(page.value("E-mail addresses"), "priya@northwind.example, ops@northwind.example");
    assert!(page.is_checked("Send e-mail to"));
}

#[sqlx::test]
async fn signing_secret_is_shown_once_and_stored_as_ciphertext(pool: PgPool) {
    let receiver = Receiver::start().await;
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
    let (page, secret) = save_webhook(&priya, &receiver).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text(".once").contains("Copy the signing secret now. We do not show it again."), "{page}");
    assert!(!page.html.contains("You changed the address"), "the first secret needs no reason");
    assert!(page.title().starts_with("Saved – "), "{page}");
    let ending = &secret[secret.len() - 4..];
    for _ in 0..2 {
        let page = priya.visit(PAGE).await;
        assert!(page.html.contains(&format!("Signing secret ends in {ending}")), "{page}");
        assert!(!page.html.contains(&secret) && !page.has("#signing-secret"), "shown twice: {page}");
    }
    let middle = &secret[8..40];
    let in_hex: String = middle.bytes().map(|byte| format!("{byte:02x}")).collect();
    for (table, rows) in dump(&app.pool).await {
        let rows = rows.join("\n");
        assert!(!rows.contains(middle) && !rows.contains(&in_hex), "the secret is in {table}");
    }

    let page = priya.visit(PAGE).await.press("New secret").await;
    let next = page.text("#signing-secret");
    assert_ne!(next, secret);
    assert_eq!(page.banner(), "There is a new signing secret.");
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "alerts_changed").count(), 2);
    let told: Vec<String> = sqlx::query_scalar("select data::text from audit_events where event = 'alerts_changed'")
        .fetch_all(&app.pool)
        .await
        .expect("the activity");
    assert!(told.iter().all(|row| !row.contains(&secret[..12]) && !row.contains(&next[..12])), "{told:?}");
}

#[sqlx::test]
async fn new_host_replaces_the_secret_and_new_path_keeps_it(pool: PgPool) {
    let receiver = Receiver::start().await;
    let mut ways = ways(&receiver.ca_pem);
    ways.hosts.push("ops.northwind.example".into());
    let (app, priya) = priya_and(pool, &ways).await;
    save_webhook(&priya, &receiver).await;
    let before = sealed(&app.pool).await;
    let mut page = priya.visit(PAGE).await;
    page.fill("Address", &format!("{}/elsewhere?x=1", receiver.address()));
    let page = page.press("Save").await;
    assert!(!page.has("#signing-secret"), "{page}");
    assert_eq!(sealed(&app.pool).await, before);
    let told: String = sqlx::query_scalar("select data::text from audit_events order by at desc, id desc limit 1")
        .fetch_one(&app.pool)
        .await
        .expect("the activity");
    assert!(told.contains("localhost, another path") && !told.contains("hooks"), "a path may contain a key: {told}");

    let mut page = priya.visit(PAGE).await;
    page.fill("Address", "https://ops.northwind.example/hooks");
    let page = page.press("Save").await;
    assert!(page.text(".once").contains("You changed the address, so there is a new signing secret."), "{page}");
    let after = sealed(&app.pool).await;
    assert_eq!(after.0, "ops.northwind.example");
    assert_ne!(after.1, before.1);

    let mut page = priya.visit(PAGE).await;
    page.fill("Address", "");
    page.press("Save").await;
    assert_eq!(count(&app.pool, "alert_webhooks").await, 0);
}

#[sqlx::test]
async fn host_changed_in_the_database_gets_no_signature(pool: PgPool) {
    let receiver = Receiver::start().await;
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
    save_webhook(&priya, &receiver).await;
    queue(&app.pool, &[broke(1)]).await;
    for (host, address) in [
        ("evil.example", "https://evil.example/hooks"),
        ("evil.example", &receiver.address()),
        ("localhost", "https://evil.example/hooks"),
    ] {
        tamper(&app.pool, &format!("update alert_webhooks set host = '{host}', address = '{address}'")).await;
        pass(&app.pool, 3600.0).await;
        assert_eq!(deliver_all(&app.app.alerts).await, 0);
        let page = priya.visit(PAGE).await;
        assert!(
            page.html.contains("We cannot read the signing secret, so nothing is sent. Select New secret."),
            "{page}"
        );
    }
    assert!(receiver.heard().is_empty());
    tamper(&app.pool, &format!("update alert_webhooks set host = 'localhost', address = '{}'", receiver.address()))
        .await;
    pass(&app.pool, 3600.0).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1, "control: at its own host it opens");
}

#[sqlx::test]
async fn host_that_becomes_private_is_not_called(pool: PgPool) {
    let receiver = Receiver::start().await;
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
    save_webhook(&priya, &receiver).await;
    queue(&app.pool, &[broke(1)]).await;
    // The same server without the permission for this host, as if the host had been public when it was saved.
    let strict = Ways { hosts: Vec::new(), ..ways(&receiver.ca_pem) };
    let app = app.with_alert_ways(&strict);
    assert_eq!(deliver_all(&app.app.alerts).await, 0);
    assert!(receiver.heard().is_empty());
    let page = priya.visit(PAGE).await;
    assert!(page.all("td .told").iter().any(|result| result == "is in a private network"), "{page}");
    let page = page.press("Try it").await;
    assert_eq!(page.banner(), "Sent a trial alert. localhost answered 200.", "the browser still uses the first server");
}

#[sqlx::test]
async fn test_alert_reports_the_result_per_recipient(pool: PgPool) {
    let (receiver, server) = (Receiver::start().await, MailServer::start(Speaks::Wrapped).await);
    let mut ways = mail_ways(&server);
    let both = format!("{}{}", receiver.ca_pem, server.ca_pem);
    ways.extra_roots_pem = Some(both.into_bytes());
    let (app, priya) = priya_and(pool, &ways).await;
    let (mut page, _) = save_webhook(&priya, &receiver).await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", "priya@northwind.example, gone@northwind.example");
    let page = page.press("Save").await;
    server.refuse("gone@northwind.example", 550);
    let page = page.press("Try it").await;
    assert_eq!(
        page.banner(),
        "The trial alert did not reach everybody. localhost answered 200. The mail server took the message to \
         priya@northwind.example. gone@northwind.example was not reached: the mail server refused the message (550)."
    );
    let heard = receiver.heard();
    assert_eq!((heard.len(), heard[0].json()["type"].as_str()), (1, Some("alert.trial")));
    let mail = &server.taken()[0];
    assert_eq!(mail.header("Subject"), "Trial alert from Order Time");
    assert!(mail.body().starts_with("If you can read this, alerts reach you.\n"), "{mail:?}");

    let mut page = page;
    page.uncheck("Send e-mail to");
    let page = page.press("Save").await.press("Try it").await;
    assert_eq!(page.banner(), "Sent a trial alert. localhost answered 200.");
    receiver.will([Reply::Status(500)]);
    let page = page.press("Try it").await;
    assert_eq!(page.banner(), "The trial alert did not arrive. localhost answered 500.");
    let lines = page.all("tbody tr td:nth-child(2)");
    assert_eq!(lines.first().map(String::as_str), Some("Webhooklocalhost"), "{lines:?}");
    let mut page = page;
    for _ in 0..8 {
        page = page.press("Try it").await;
    }
    assert!(page.banner().starts_with("Too many trial alerts. Wait "), "{}", page.banner());
    assert!(events(&app.pool).await.contains(&"alert_sent".to_owned()));
}

#[sqlx::test]
async fn concurrent_alert_settings_changes_conflict(pool: PgPool) {
    let mut ways = Ways::default();
    ways.hosts.extend(["ops.northwind.example".to_owned(), "sam.northwind.example".to_owned()]);
    let (app, priya) = priya_and(pool, &ways).await;
    let sam = app.sign_in_as(&SAM).await;
    let mut mine = priya.visit(PAGE).await;
    let mut theirs = sam.visit(PAGE).await;
    theirs.fill("Address", "https://sam.northwind.example/hooks");
    theirs.press("Save").await;
    mine.fill("Address", "https://ops.northwind.example/hooks");
    let page = mine.press("Save").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.banner().starts_with("Someone else changed these settings while you did."), "{page}");
    assert_eq!(page.value("Address"), "https://ops.northwind.example/hooks");
    assert_eq!(sealed(&app.pool).await.0, "sam.northwind.example");
    let page: Page = page.press("Save").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
    assert_eq!(sealed(&app.pool).await.0, "ops.northwind.example");
}
