//! The alert settings page and the allowed targets: host names instead of IP addresses, public unless the operator
//! allows more, and a signing secret that belongs to one host and is shown once.

use axum::http::StatusCode;
use cartwright::alerts::Transports;
use sqlx::PgPool;

use crate::support::{
    Browser, MailServer, Page, Receiver, Reply, Speaks, TestApp,
    alerts::{broke, deliver_all, mail_ways, pass, queue, save_webhook, trust, ways},
    cast::{PRIYA, SAM, VERA},
    dump::{count, dump, events, tamper},
};

const PAGE: &str = "/admin/alerts";

async fn priya_and(pool: PgPool, ways: &Transports) -> (TestApp, Browser) {
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
    let (app, priya) = priya_and(pool, &Transports::default()).await;
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
    let (app, priya) = priya_and(pool, &Transports::default()).await;
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
            "https://ops.northwind.internal/hooks",
            "PRIVATE_NETWORK",
            "That address is in a private network. Order Time does not call those.",
        ),
        (
            "https://ops.northwind.example:6379/hooks",
            "PORT",
            "Order Time calls port 443 only. Ask the person who runs it to allow port 6379 for this host.",
        ),
        (
            "https://ops.northwind.example/…",
            "PATH_HIDDEN",
            "Enter the whole address. The dots stand for a path that is not shown again",
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
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
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
async fn webhook_path_is_stored_sealed_and_shown_nowhere(pool: PgPool) {
    let receiver = Receiver::start().await;
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
    let origin = format!("https://localhost:{}", receiver.port);
    let save = async |address: &str| {
        let mut page = priya.visit(PAGE).await;
        page.fill("Address", address);
        page.press("Save").await
    };
    save(&format!("{origin}/services/path-canary?key=query-canary")).await;
    let page = priya.visit(PAGE).await;
    assert_eq!(page.value("Address"), format!("{origin}/…"));
    // Saving the unchanged page keeps the path.
    assert_eq!(page.press("Save").await.banner(), "The alert settings are saved.");
    queue(&app.pool, &[broke(1)]).await;
    receiver.will([Reply::Redirect(308, "/services/path-canary/?key=query-canary".into())]);
    assert_eq!(deliver_all(&app.app.alerts).await, 0);
    pass(&app.pool, 60.0).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1);
    assert!(receiver.heard().iter().all(|heard| heard.line == "POST /services/path-canary?key=query-canary HTTP/1.1"));
    let page = priya.visit(PAGE).await;
    assert!(page.html.contains("it points to another path of the same host"), "{page}");
    assert!(!page.html.contains("canary"), "{page}");
    for (table, rows) in dump(&app.pool).await {
        assert!(!rows.join("\n").contains("canary"), "the path is in {table}");
    }

    // An address without a path is shown in full.
    save(&origin).await;
    assert_eq!(priya.visit(PAGE).await.value("Address"), format!("{origin}/"));
}

#[sqlx::test]
async fn address_stored_as_text_by_an_earlier_version_is_sealed(pool: PgPool) {
    let receiver = Receiver::start().await;
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
    save_webhook(&priya, &receiver).await;
    let as_text = async |host: &str, address: &str| {
        let statement = format!(
            "update alert_webhooks set host = '{host}', address = '{address}', sealed_address = null, shown_address = null"
        );
        tamper(&app.pool, &statement).await;
    };
    as_text("localhost", &receiver.address()).await;
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1);
    assert_eq!(receiver.heard()[0].line, format!("POST /hooks/{} HTTP/1.1", Receiver::KEY));
    assert_eq!(count(&app.pool, "alert_webhooks where address is not null").await, 0);
    assert!(!app.app.alerts.seal_addresses().await.expect("sealed"), "there is nothing left to seal");

    // Text for another host than the row's is neither sealed nor called.
    as_text("localhost", "https://evil.example/hooks").await;
    assert!(app.app.alerts.seal_addresses().await.expect("sealed"));
    assert_eq!(count(&app.pool, "alert_webhooks").await, 0);
}

#[sqlx::test]
async fn host_changed_in_the_database_gets_no_signature(pool: PgPool) {
    let receiver = Receiver::start().await;
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
    save_webhook(&priya, &receiver).await;
    queue(&app.pool, &[broke(1)]).await;
    let (host, address, secret): (String, Vec<u8>, Vec<u8>) =
        sqlx::query_as("select host, sealed_address, secret from alert_webhooks")
            .fetch_one(&app.pool)
            .await
            .expect("it");
    for change in [
        "host = 'evil.example'",
        "host = 'evil.example', shown_address = 'https://evil.example/'",
        "sealed_address = secret",
        "secret = sealed_address",
        // With the address as text, the host of both is the attacker's choice, but the secret is sealed for the first.
        "host = 'evil.example', address = 'https://evil.example/', sealed_address = null, shown_address = null",
    ] {
        tamper(&app.pool, &format!("update alert_webhooks set {change}")).await;
        pass(&app.pool, 3600.0).await;
        assert_eq!(deliver_all(&app.app.alerts).await, 0, "{change}");
        let page = priya.visit(PAGE).await;
        let sentence = "We cannot read the saved address or its signing secret, so nothing is sent.";
        assert!(page.html.contains(sentence) && !page.has_button("New secret"), "{change}: {page}");
        sqlx::query(
            "update alert_webhooks set host = $1, sealed_address = $2, secret = $3, shown_address = 'x', address = null",
        )
        .bind(&host)
        .bind(&address)
        .bind(&secret)
        .execute(&app.pool)
        .await
        .expect("put back");
    }
    assert!(receiver.heard().is_empty());
    pass(&app.pool, 3600.0).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1, "control: as saved it opens");

    tamper(&app.pool, "update alert_webhooks set secret = sealed_address").await;
    let (page, _) = save_webhook(&priya, &receiver).await;
    assert!(page.has("#signing-secret"), "a secret that cannot be read is replaced: {page}");
}

#[sqlx::test]
async fn untrusted_host_and_port_are_not_called(pool: PgPool) {
    let receiver = Receiver::start().await;
    let (app, priya) = priya_and(pool, &ways(&receiver.ca_pem)).await;
    save_webhook(&priya, &receiver).await;
    let strict = |hosts: &str| Transports { trusted_hosts: trust(hosts), ..ways(&receiver.ca_pem) };
    let told = async || priya.visit(PAGE).await.all("td .told");
    // Saved while the operator trusted the host, which is no longer trusted.
    queue(&app.pool, &[broke(1)]).await;
    let app = app.with_alert_ways(&strict(""));
    assert_eq!(deliver_all(&app.app.alerts).await, 0);
    assert_eq!(told().await, ["has no public address"]);
    let app = app.with_alert_ways(&strict("localhost:1"));
    pass(&app.pool, 60.0).await;
    tamper(&app.pool, "update alert_webhooks set failing_since = null").await;
    assert_eq!(deliver_all(&app.app.alerts).await, 0);
    assert_eq!(told().await[0], "was not called: this server calls port 443 only");
    assert!(receiver.heard().is_empty());
    let app = app.with_alert_ways(&strict(&format!("localhost:{}", receiver.port)));
    pass(&app.pool, 600.0).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1);
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
        "The test alert did not reach everybody. localhost answered 200. The mail server took the message to \
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
    assert_eq!(page.banner(), "Sent a test alert. localhost answered 200.");
    receiver.will([Reply::Status(500)]);
    let page = page.press("Try it").await;
    assert_eq!(page.banner(), "The test alert did not arrive. localhost answered 500.");
    let lines = page.all("tbody tr td:nth-child(2)");
    assert_eq!(lines.first().map(String::as_str), Some("Webhooklocalhost"), "{lines:?}");
    let mut page = page;
    for _ in 0..8 {
        page = page.press("Try it").await;
    }
    assert!(page.banner().starts_with("Too many test alerts. Wait "), "{}", page.banner());
    assert!(events(&app.pool).await.contains(&"alert_sent".to_owned()));
}

#[sqlx::test]
async fn concurrent_alert_settings_changes_conflict(pool: PgPool) {
    let (app, priya) = priya_and(pool, &Transports::default()).await;
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
