//! A canary is a secret that is recognizable anywhere. It passes through the whole life of a credential (entered,
//! tested, saved, replaced, tested again, disconnected) and must reach its own store and nothing else.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose};
use cartwright::practice::{Canned, PracticeStore, Scenario};
use sqlx::PgPool;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{
    Browser, MailServer, Page, Receiver, Reply, Speaks, TestApp, alerts,
    cast::SAM,
    dump::dump,
    routes::{Blanks, cart_of, doors},
};

/// Captures every log line of this thread, at all levels and targets: more than an operator can enable.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Captures while both guards live. The second dispatcher is never written to: with a single one, `tracing` would
    /// cache the interest of other tests' threads, which do not capture, for this thread too.
    pub fn listen(&self) -> (tracing::subscriber::DefaultGuard, tracing::Dispatch) {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(self.clone())
            .with_ansi(false)
            .finish();
        let second = tracing::Dispatch::new(tracing_subscriber::registry());
        (tracing::subscriber::set_default(subscriber), second)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("the log")).into_owned()
    }
}

/// Returns 32 unique digits; `seed` distinguishes the canaries.
fn digits(seed: u8) -> String {
    (0..16).map(|place: u8| format!("{:02x}", place.wrapping_mul(37) ^ seed)).collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Every encoding in which a secret could occur: verbatim, its middle, hex, and base64 at each of three offsets.
fn disguises(secret: &str) -> Vec<String> {
    let middle = &secret[8..30];
    let mut all = vec![middle.to_owned(), middle.to_uppercase(), hex(middle)];
    for engine in [general_purpose::STANDARD_NO_PAD, general_purpose::URL_SAFE_NO_PAD] {
        for offset in 0..3 {
            let encoded = engine.encode(format!("{}{middle}", "x".repeat(offset)));
            // The first and last groups also encode neighbouring bytes.
            all.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    all
}

#[track_caller]
fn assert_free_of(secrets: &[String], what: &str, text: &str) {
    for secret in secrets {
        for disguise in disguises(secret) {
            if let Some(at) = text.find(&disguise) {
                let begin = text[..at].char_indices().rev().take(200).last().map_or(0, |(index, _)| index);
                panic!("a secret is in {what}, after {:?}", &text[begin..at]);
            }
        }
    }
}

struct Canaries {
    token: String,
    next_token: String,
    client_secret: String,
    stray: String,
    refused: String,
}

impl Canaries {
    fn new() -> Self {
        Self {
            token: format!("shpat_{}", digits(0x11)),
            next_token: format!("shpat_{}", digits(0x22)),
            client_secret: format!("shpss_{}", digits(0x33)),
            stray: format!("shpat_{}", digits(0x44)),
            refused: format!("shprt_{}", digits(0x55)),
        }
    }

    fn all(&self) -> Vec<String> {
        [&self.token, &self.next_token, &self.client_secret, &self.stray, &self.refused].map(Clone::clone).to_vec()
    }
}

async fn fill(browser: &Browser, name: &str, handle: &str) -> Page {
    let mut page = browser.visit("/admin/ecommerce/shopify/new").await;
    page.fill("Website Name", name);
    page.fill("API URL", handle);
    page
}

/// An access token from its first entry to the disconnection.
async fn live_of_a_token(app: &TestApp, priya: &Browser, sam: &Browser, canaries: &Canaries) {
    let stores = app.practice.stores();
    stores.put(
        "northwind-tea",
        PracticeStore { access_token: canaries.token.clone().into(), ..PracticeStore::sample("northwind-tea") },
    );
    // Refused because of the name, then tested with a token that Shopify refuses, then tested successfully.
    let mut page = fill(priya, "", "northwind-tea").await;
    page.fill("Access Token", &canaries.token);
    let mut page = page.press("Save").await;
    assert_eq!(page.complaint_class("Website Name"), "NAME_EMPTY", "{page}");
    page.fill("Website Name", "Northwind Tea");
    stores.set("northwind-tea", Scenario::Says(Canned::Unauthorized));
    assert_eq!(page.press("Test Connection").await.class(), "TOKEN_REFUSED");
    stores.set("northwind-tea", Scenario::Well);
    let mut page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    page.check("Active");
    let page = page.press("Save").await;
    assert_eq!(page.banner(), "Northwind Tea is saved and connected. See all carts", "{page}");
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED");
    let cart = cart_of(&page.path);

    // Replaced while Sam changes the cart: a conflict, then saved anyway.
    let mut replacing = page.press("Replace token").await;
    replacing.fill("Access Token", &canaries.next_token);
    let mut theirs = sam.visit(&page.path).await;
    theirs.fill("Website Name", "Northwind Tea London");
    theirs.press("Save").await;
    let conflict = replacing.press("Save").await;
    assert_eq!(conflict.status, 409, "{conflict}");
    stores.change("northwind-tea", |store| store.access_token = canaries.next_token.clone().into());
    let page = conflict.press("Save my changes instead").await;
    assert_eq!(page.status, 200, "{page}");
    // The draft token is tested.
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    let page = page.press("Save").await;
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED");
    stores.set("northwind-tea", Scenario::Says(Canned::Unauthorized));
    assert_eq!(page.press("Test Connection").await.class(), "TOKEN_STOPPED");

    let page = priya.visit(&format!("/admin/ecommerce/shopify/{cart}/disconnection")).await;
    let page = page.press("Disconnect").await;
    assert_eq!(page.status, 200, "{page}");
}

/// A Client ID and Client secret, and the token issued for them.
async fn live_of_a_pair(app: &TestApp, priya: &Browser, canaries: &Canaries) {
    let sample = PracticeStore::sample("northwind-b2b");
    let store = PracticeStore { client_secret: canaries.client_secret.clone().into(), ..sample };
    let store = app.practice.stores().put("northwind-b2b", store);
    let mut page = fill(priya, "Northwind Wholesale", "northwind-b2b").await;
    page.choose("Client ID and Client secret");
    page.fill("Client ID", &store.client_id);
    page.fill("Client secret", &canaries.client_secret);
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    let page = page.press("Save").await;
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED", "{page}");
}

/// Secrets in wrong fields or together with invalid input.
async fn strays(priya: &Browser, canaries: &Canaries) {
    for (name, address, token) in [
        ("Stray one", "https://www.northwindtea.com", &canaries.stray),
        ("Stray two", canaries.stray.as_str(), &canaries.stray),
        ("Stray three", "northwind-three", &canaries.refused),
    ] {
        for button in ["Save", "Test Connection"] {
            let mut page = fill(priya, name, address).await;
            page.fill("Access Token", token);
            let page = page.press(button).await;
            assert_eq!(page.status, 422, "{page}");
        }
    }
    let mut page =
        fill(priya, "Stray four", &format!("https://key:{}@northwind-four.myshopify.com/admin", canaries.stray)).await;
    page.fill("Access Token", &canaries.refused);
    assert_eq!(page.press("Save").await.status, 422);
}

#[sqlx::test]
async fn secret_reaches_its_own_store_and_nothing_else(pool: PgPool) {
    let log = Log::default();
    let listening = log.listen();
    let app = TestApp::start(pool.clone()).await;
    let priya = app.priya_with_integration_on().await;
    let sam = app.sign_in_as(&SAM).await;
    let canaries = Canaries::new();
    live_of_a_token(&app, &priya, &sam, &canaries).await;
    strays(&priya, &canaries).await;
    let typed_and_held = dump(&app.pool).await;
    live_of_a_pair(&app, &priya, &canaries).await;
    let blanks = Blanks::make_beside(&app, &priya).await;
    for door in doors(&blanks).iter().filter(|door| !door.is_unsafe()) {
        priya.knock(door.method.clone(), &door.path).send().await;
    }
    drop(listening);

    let (secrets, journal) = (canaries.all(), app.practice.journal());
    let tea = ["northwind-tea.myshopify.com"];
    assert_eq!(journal.hosts_that_saw(&canaries.token), tea);
    assert_eq!(journal.hosts_that_saw(&canaries.next_token), tea);
    assert_eq!(journal.hosts_that_saw(&canaries.client_secret), ["northwind-b2b.myshopify.com"]);
    for never in [&canaries.stray, &canaries.refused] {
        assert!(journal.hosts_that_saw(never).is_empty());
    }
    for secret in &secrets {
        assert!(!journal.was_seen_in_clear(secret));
    }

    let answers = app.answers();
    assert!(answers.len() > 60 && answers.iter().any(|answer| answer.path == "/-/metrics" && answer.status == 200));
    for answer in answers {
        let what = format!("the answer to {} {}", answer.method, answer.path);
        assert_free_of(&secrets, &what, &format!("{} {:?} {}", answer.path, answer.headers, answer.text()));
    }
    for rows in [typed_and_held, dump(&app.pool).await] {
        assert!(rows["audit_events"].len() > 10 && rows["connection_tests"].len() > 5 && !rows["carts"].is_empty());
        for (table, rows) in rows {
            assert_free_of(&secrets, &table, &rows.join("\n"));
        }
    }
    let log = log.text();
    for heard in
        ["TRACE", "insert into carts", "hyper_util::client", "cartwright::web::frame::trace: request request_id="]
    {
        assert!(log.contains(heard), "{heard} was not logged in {} bytes", log.len());
    }
    assert_free_of(&secrets, "the log", &log);
    pool.close().await;
}

/// No alert contains a credential, and the alerts' own secrets are shown at most once.
#[sqlx::test]
async fn alerts_contain_no_credential_and_no_secret_of_their_own(pool: PgPool) {
    let log = Log::default();
    let listening = log.listen();
    let (receiver, server) = (Receiver::start().await, MailServer::start(Speaks::StartTls).await);
    let mut ways = alerts::mail_ways(&server);
    ways.extra_roots_pem = Some(format!("{}{}", receiver.ca_pem, server.ca_pem).into_bytes());
    let app = TestApp::start(pool.clone()).await.with_alert_ways(&ways);
    let priya = app.priya_with_integration_on().await;
    let canaries = Canaries::new();
    live_of_a_token(&app, &priya, &app.sign_in_as(&SAM).await, &canaries).await;
    let (mut page, first) = alerts::save_webhook(&priya, &receiver).await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", "priya@northwind.example");
    let second = page.press("Save").await.press("New secret").await.text("#signing-secret");
    priya.visit("/admin/alerts").await.press("Try it").await;
    receiver.will([Reply::Status(500)]);
    alerts::queue(&app.pool, &[alerts::broke(1), alerts::broke(2)]).await;
    let waiting = dump(&app.pool).await;
    for _ in 0..2 {
        alerts::pass(&app.pool, 60.0).await;
        alerts::deliver_all(&app.app.alerts).await;
    }
    for path in ["/admin", "/admin/alerts", "/-/metrics"] {
        priya.visit(path).await;
    }
    drop(listening);

    let heard: Vec<String> = receiver.heard().iter().map(|heard| format!("{heard:?}")).collect();
    let mails: Vec<String> = server.taken().iter().map(|mail| format!("{mail:?}")).collect();
    assert_eq!((heard.len(), mails.len()), (4, 2), "webhook: test, two alerts, one retry; e-mail: test, one alert");
    let (signing, credentials) = (vec![first, second], canaries.all());
    let all = [signing.clone(), credentials.clone()].concat();
    let kept = [all.clone(), vec![Receiver::KEY.to_owned()]].concat();
    for told in heard.iter().chain(&mails) {
        assert_free_of(&all, "an alert", told);
    }
    let answers: Vec<String> = app.answers().iter().map(|one| format!("{:?} {}", one.headers, one.text())).collect();
    for secret in &signing {
        assert_eq!(answers.iter().filter(|answer| answer.contains(secret.as_str())).count(), 1, "shown once");
    }
    for (table, rows) in waiting.into_iter().chain(dump(&app.pool).await) {
        assert_free_of(&kept, &table, &rows.join("\n"));
    }
    let (log, password) = (log.text(), server.password());
    assert!(log.contains("insert into alerts") && log.contains("TRACE"), "nothing was logged");
    assert_free_of(&kept, "the log", &log);
    assert_free_of(&[Receiver::KEY.to_owned()], "the pages", &answers.concat());
    assert!(!log.contains(&password) && !answers.concat().contains(&password), "the mail server's password leaked");
    assert!(!server.in_clear().contains(&password));
    pool.close().await;
}

#[sqlx::test]
async fn api_key_is_in_one_response_and_nowhere_else(pool: PgPool) {
    let log = Log::default();
    let listening = log.listen();
    let receiver = Receiver::start().await;
    let app = TestApp::start(pool.clone()).await.with_alert_ways(&alerts::ways(&receiver.ca_pem));
    let priya = app.priya_with_integration_on().await;
    alerts::save_webhook(&priya, &receiver).await;
    let mut page = priya.visit("/admin/api-keys/new").await;
    page.fill("Name", "sync-prod");
    let first = page.press("Make key").await.text("#api-key");
    let page = priya.visit("/admin/api-keys").await.follow("sync-prod").await;
    let second = page.press("Rotate").await.text("#api-key");
    let keys = vec![first.clone(), second.clone()];
    // A key that is pasted where it does not belong is not rendered again.
    let mut stray = priya.visit("/admin/api-keys/new").await;
    stray.fill("Name", &first);
    stray.fill("Only these carts", &second);
    assert_eq!(stray.press("Make key").await.status, 422);
    for key in &keys {
        let program = app.app.api_keys.authenticate(key, "198.51.100.7".parse().ok()).await.expect("an answer");
        assert!(program.is_some());
    }
    sqlx::query("update api_keys set created_at = now() - interval '80 days', ends_at = now() + interval '10 days'")
        .execute(&app.pool)
        .await
        .expect("the end is near");
    app.app.sweep().await.expect("swept");
    let waiting = dump(&app.pool).await;
    alerts::deliver_all(&app.app.alerts).await;
    page.follow("Revoke").await.press("Revoke key").await;
    for path in ["/admin", "/admin/api-keys", "/admin/activity", "/admin/activity.csv", "/admin/alerts", "/-/metrics"] {
        priya.visit(path).await;
    }
    drop(listening);

    let heard: Vec<String> = receiver.heard().iter().map(|heard| format!("{heard:?}")).collect();
    assert_eq!(
        heard.iter().filter(|told| told.contains("api-key.ends-soon")).count(),
        2,
        "one for each key: {heard:?}"
    );
    for told in &heard {
        assert_free_of(&keys, "an alert", told);
    }
    let answers: Vec<String> = app.answers().iter().map(|one| format!("{:?} {}", one.headers, one.text())).collect();
    for key in &keys {
        assert_eq!(answers.iter().filter(|answer| answer.contains(&key[8..30])).count(), 1, "shown once");
    }
    for (table, rows) in waiting.into_iter().chain(dump(&app.pool).await) {
        assert_free_of(&keys, &table, &rows.join("\n"));
    }
    let log = log.text();
    assert!(log.contains("insert into api_keys") && log.contains("TRACE"), "nothing was logged");
    assert_free_of(&keys, "the log", &log);
    pool.close().await;
}

#[test]
fn canary_is_found_in_every_encoding() {
    let secret = format!("shpat_{}", digits(0x11));
    let all = [
        secret.clone(),
        hex(&secret),
        general_purpose::STANDARD.encode(&secret),
        general_purpose::STANDARD.encode(format!("ab{secret}c")),
    ];
    for text in all {
        let secrets = [secret.clone()];
        assert!(std::panic::catch_unwind(|| assert_free_of(&secrets, "a test", &text)).is_err(), "{text}");
    }
}

/// A secret inside the address field, or in a form that cannot be processed now.
#[sqlx::test]
async fn secret_inside_an_address_is_not_rendered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let token = Canaries::new().token;
    let address = format!("https://key:{token}@evil.example/admin?token={token}");
    let mut page = fill(&priya, "Northwind Tea", &address).await;
    page.fill("Access Token", &token);
    let page = page.press("Save").await;
    assert_eq!(page.complaint_class("API URL"), "LOOKALIKE", "{page}");
    assert!(!page.to_string().contains(&token), "{page}");
    let mut page = fill(&priya, "Northwind Tea", &address).await;
    app.app.pool.close().await;
    page.fill("Access Token", &token);
    let page = page.press("Save").await;
    assert_eq!(page.status, 503);
    assert!(page.to_string().contains("Northwind Tea") && !page.to_string().contains(&token), "{page}");
}

#[sqlx::test]
async fn unknown_sign_in_address_is_in_no_log(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let log = Log::default();
    let _listening = log.listen();
    let secrets = [format!("Kettle-{}", digits(9)), format!("shpat_{}", digits(11))];
    for secret in &secrets {
        let mut page = app.browser().visit("/sign-in").await;
        page.fill("Email address", secret);
        page.fill("Password", secret);
        assert_eq!(page.press("Sign in").await.status, 422);
    }
    assert!(log.text().contains("/sign-in"), "the log is captured");
    let stored = format!("{:?}", dump(&app.pool).await).to_lowercase();
    for disguise in secrets.iter().flat_map(|secret| disguises(secret)) {
        assert!(!log.text().contains(&disguise) && !stored.contains(&disguise.to_lowercase()), "{disguise}");
    }
}
