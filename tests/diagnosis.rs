//! Verdict and page text for every condition that the Shopify stand-in can simulate, through the real client; for
//! conditions that only our own records show; and for input that is refused before any request. Generates
//! `docs/diagnosis.md`: `DIAGNOSIS=renew cargo test --test diagnosis`.

use std::{collections::BTreeSet, fmt::Write, time::Duration};

use askama::Template;
use cartwright::{
    causes::{Class, Store, Verdict},
    clock::Clock,
    platforms::shopify::{
        address::{AddressError, StoreAddress},
        client::{Egress, ShopifyClient},
        connection_test::{TestedStore, run_within},
        credential::{AccessToken, ClientId, ClientSecret, Credential, CredentialError, CredentialKind},
    },
    practice::{Canned, ExchangeError, Flaw, Hostile, Options, Practice, PracticeStore, Scenario},
    web::admin::ecommerce::shopify::{
        editor::view::connection_test::{TestView, TestedState},
        permissions,
    },
};
use scraper::{Html, Selector};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;

const HANDLE: &str = "northwind-tea";
const FILE: &str = "docs/diagnosis.md";

/// A condition and how the stand-in simulates it.
struct Condition {
    words: String,
    kind: CredentialKind,
    store: PracticeStore,
    class: Option<&'static str>,
}

fn token(scenario: Scenario) -> Condition {
    let class = scenario.class();
    let (words, store) = (words(&scenario), PracticeStore::sample(HANDLE).with(scenario));
    Condition { words, kind: CredentialKind::AccessToken, store, class }
}

/// With a Client ID and Client secret: the token exchange fails this way, every later request succeeds.
fn exchange(scenario: Scenario) -> Condition {
    let class = scenario.class();
    let words = format!("at the exchange: {}", words(&scenario));
    let mut store = PracticeStore::sample(HANDLE);
    store.on_exchange = Some(scenario);
    Condition { words, kind: CredentialKind::ClientCredentials, store, class }
}

/// Everything succeeds except the query for an order's customer.
fn customers(scenario: Scenario, class: &'static str) -> Condition {
    let words = format!("at the question about a customer: {}", words(&scenario));
    let mut store = PracticeStore::sample(HANDLE);
    store.on_customers = Some(scenario);
    Condition { words, kind: CredentialKind::AccessToken, store, class: Some(class) }
}

fn redirects() -> Vec<Scenario> {
    let elsewhere = [
        "https://northwind-tea-co.myshopify.com/admin",
        "https://evil.example/",
        "http://northwind-tea-co.myshopify.com/",
        "https://northwind-tea.myshopify.com/admin/login",
        "http://northwind-tea.myshopify.com/",
        "//northwind-tea-co.myshopify.com/",
        "https://northwind-tea-co.myshopify.com@evil.example/",
        "https://northwind-tea-co.myshopify.com.evil.example/",
        "https://northwind-tea-co.myshopify.com:8443/",
        "https://admin.shopify.com/store/northwind-tea-co",
        "https://admin.shopify.com/store/northwind-tea",
        "/admin/auth/login",
        "/password",
    ];
    let of = |status: u16, to: Option<&'static str>| Scenario::Redirect(status, to);
    let statuses = [301, 302, 303, 307, 308];
    let moved = statuses.into_iter().skip(1).map(|status| of(status, Some(elsewhere[0])));
    elsewhere.into_iter().map(|to| of(301, Some(to))).chain(moved).chain([of(303, None)]).collect()
}

/// A redirect, with its class where `Scenario::class` cannot tell who sent the redirect.
fn of_redirect(scenario: Scenario) -> Condition {
    let own = ["https://northwind-tea.myshopify.com/", "https://admin.shopify.com/store/northwind-tea"];
    let is_own = |to: &str| to.starts_with(own[0]) || to == own[1];
    let back = matches!(&scenario, Scenario::Redirect(_, Some(to)) if is_own(to));
    let mut condition = token(scenario);
    if back {
        condition.class = Some("NOT_SHOPIFY");
    }
    condition
}

fn conditions() -> Vec<Condition> {
    use Scenario::{
        AlsoCalled, AnsweredAs, Certificate, CloseMidBody, CloseWithoutAnswer, ConnectRefused, CustomersHidden,
        Delayed, Development, DrippingBody, DrippingHead, EndlessBody, Exchange, ExchangePage, Garbage, Hang,
        HangBeforeTls, HostileNames, NoOrders, NoVersionHeader, NotTls, OrderWithoutCustomer, Plus, ProxySays,
        Redirect, Reset, Says, ScopesExtra, ScopesMissing, TlsTooOld, Well,
    };
    let nice =
        &["read_gdpr_data_request", "write_product_listings", "read_channels", "write_custom_fulfillment_services"];
    let well = [
        Well,
        Delayed(Duration::from_millis(50)),
        ScopesMissing(&["write_inventory", "read_payment_terms"]),
        ScopesMissing(&["read_gift_cards"]),
        ScopesMissing(nice),
        ScopesExtra,
        CustomersHidden,
        NoOrders,
        OrderWithoutCustomer,
        AnsweredAs("2026-07"),
        NoVersionHeader,
        AlsoCalled("northwind-tea-co"),
        Development,
        Plus,
        HostileNames(Hostile::Markup),
        HostileNames(Hostile::Bidi),
        HostileNames(Hostile::Control),
    ];
    let unreached = [
        ConnectRefused,
        ProxySays(407),
        ProxySays(502),
        Reset,
        HangBeforeTls,
        Certificate(Flaw::WrongName),
        Certificate(Flaw::Expired),
        Certificate(Flaw::NotYet),
        Certificate(Flaw::SelfSigned),
        Certificate(Flaw::UnknownIssuer),
        TlsTooOld,
        NotTls,
        Hang,
        CloseWithoutAnswer,
        CloseMidBody,
        EndlessBody,
        DrippingBody,
        DrippingHead,
        Garbage,
    ];
    let mut all: Vec<Condition> = well.into_iter().map(token).collect();
    // Neither permission is required where Shopify may not offer the feature.
    for condition in &mut all[3..5] {
        condition.class = Some("CONNECTED");
    }
    let mut plus = token(Plus);
    plus.words = "a Plus store without read_gift_cards".into();
    plus.class = Some("SCOPES_MISSING");
    plus.store.scopes.retain(|scope| scope != "read_gift_cards");
    all.push(plus);
    all.extend(unreached.into_iter().map(token));
    all.extend(redirects().into_iter().map(of_redirect));
    all.extend(Canned::ALL.iter().copied().map(Says).map(token));
    all.extend(
        ExchangeError::ALL
            .iter()
            .copied()
            .flat_map(|refusal| [exchange(Exchange(refusal)), exchange(ExchangePage(refusal))]),
    );
    all.extend(Canned::ALL.iter().copied().filter(|canned| !canned.is_from_api()).map(Says).map(exchange));
    let moved = Redirect(301, Some("https://northwind-tea-co.myshopify.com/admin"));
    all.extend([moved, Hang, CloseWithoutAnswer, CloseMidBody].into_iter().map(exchange));
    let mut after = token(Says(Canned::Unauthorized));
    after.kind = CredentialKind::ClientCredentials;
    after.words = "the minted token is refused".into();
    all.push(after);
    all.extend([
        customers(Says(Canned::AccessDenied), "CUSTOMER_DETAILS_HIDDEN"),
        customers(Says(Canned::Throttled), "CONNECTED"),
        customers(Says(Canned::Unavailable), "CONNECTED"),
        customers(Says(Canned::Unauthorized), "CONNECTED"),
        customers(Says(Canned::Portal), "CONNECTED"),
        customers(CloseWithoutAnswer, "CONNECTED"),
    ]);
    all
}

/// Returns what the page shows in this condition: outcome, class, title, first sentence of the cause.
async fn said(practice: &Practice, client: &ShopifyClient, condition: &Condition) -> [String; 4] {
    let store = practice.stores().put(HANDLE, condition.store.clone());
    let (id, secret) = match condition.kind {
        CredentialKind::AccessToken => (None, &store.access_token),
        CredentialKind::ClientCredentials => (Some(store.client_id.clone()), &store.client_secret),
    };
    let secret = SecretString::from(secret.expose_secret());
    let credential = Credential::from_stored(condition.kind, id, secret).expect("a credential");
    let address = StoreAddress::from_handle(HANDLE).expect("a handle");
    let (told, _checks) = mpsc::unbounded_channel();
    let subject = TestedStore { address: &address, credential: &credential, expected_shop_id: None };
    region(run_within(Duration::from_secs(2), client, subject, &told).await, condition.kind)
}

fn region(verdict: Verdict, kind: CredentialKind) -> [String; 4] {
    let (class, outcome) = (verdict.class.as_str(), verdict.outcome().as_str());
    let view = TestView {
        synced: None,
        host: format!("{HANDLE}.myshopify.com"),
        handle: HANDLE.into(),
        cart_name: None,
        kind,
        product: "Order Time".into(),
        support: None,
        egress: cartwright::web::admin::ecommerce::shopify::editor::view::egress_list::EgressList::default(),
        tested_at: Clock::System.now(),
        reference: String::new(),
        standing: TestedState::Unsaved,
        may_be_day_token: false,
        permissions: permissions(),
        test_url: "/admin/ecommerce/shopify/new/connection-tests".into(),
        done: [false; 4],
        is_fresh: true,
        changed: None,
        diagnostics: String::new(),
        verdict,
    };
    let page = Html::parse_fragment(&view.render().expect("the region"));
    let text = |selector: &str| {
        let selector = Selector::parse(selector).expect("a selector");
        let words = page.select(&selector).next().map(|found| found.text().collect::<String>()).unwrap_or_default();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let first = |text: String| text.split_inclusive(". ").next().unwrap_or_default().trim().to_owned();
    let cause = if text(".cause").is_empty() { text("section > p") } else { text(".cause") };
    [outcome.to_owned(), class.to_owned(), text("h2"), first(cause)]
}

/// Turns `Says(GatewayTimeout)` into "gateway timeout" for readers of the list.
fn words(scenario: &Scenario) -> String {
    let text = format!("{scenario:?}");
    let text = text.strip_prefix("Says(").and_then(|inner| inner.strip_suffix(')')).unwrap_or(&text);
    let mut words = String::new();
    let mut quoted = false;
    let mut before = ' ';
    for letter in text.chars() {
        quoted ^= letter == '"';
        if letter.is_ascii_uppercase() && !quoted && before.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(if quoted { letter } else { letter.to_ascii_lowercase() });
        before = letter;
    }
    words.replace('|', "\\|")
}

/// Verdicts that no Shopify response causes: they follow from our records, our key, our limits or our network.
fn ours() -> Vec<(&'static str, Verdict)> {
    let store = || Store {
        shop_id: "77".into(),
        name: "Northwind Wholesale".into(),
        myshopify_domain: "northwind-b2b.myshopify.com".into(),
        currency: "GBP".into(),
        time_zone: "Europe/London".into(),
        plan: "Basic".into(),
        is_plus: false,
        is_development: false,
        app_title: None,
    };
    let named =
        |class| Verdict { other_name: Some("Northwind Tea".into()), store: Some(store()), ..Verdict::of(class) };
    let limited =
        |wait_seconds, tests_a_minute| Verdict { wait_seconds, tests_a_minute, ..Verdict::of(Class::TestLimit) };
    let at = time::macros::datetime!(2030-11-21 08:14 UTC);
    vec![
        (
            "the name is not found, the name server is silent, or the address is a private one (only without a proxy)",
            Verdict::of(Class::NetworkDns),
        ),
        (
            "a refused token, or a refused minted one, that this very form of address and credential has worked with before",
            Verdict { last_worked_at: Some(at), ..Verdict::of(Class::TokenStopped) },
        ),
        ("a refused token that another cart uses", named(Class::TokenRefused)),
        ("another shop ID than the cart was made with", named(Class::WrongStore)),
        ("a shop ID that another cart has, whatever the address", named(Class::Duplicate)),
        ("a saved secret that no key opens", Verdict::of(Class::OurKey)),
        ("the eleventh test of a store in a minute", limited(Some(42), Some(10))),
        ("the hundred and first test of a person in a minute", limited(Some(42), Some(100))),
        ("a press while a test of the same person runs, on whatever replica", limited(None, None)),
    ]
}

/// Input that its field refuses before any request: the input, the class, the sentence. Secrets are generated here.
fn refused() -> Vec<[String; 4]> {
    let digits = "a1".repeat(16);
    let mut rows = Vec::new();
    for typed in [
        "",
        "https://www.northwindtea.com",
        "https://admin.shopify.com",
        "https://dev.shopify.com/dashboard",
        "an access token, or 32 hex digits",
        "priya@northwindtea.com",
        "https://northwind-tea.myshopify.com.evil.example",
        "northwind tea.myshopify.com",
    ] {
        let parsed =
            if typed.starts_with("an access") { StoreAddress::parse(&digits) } else { StoreAddress::parse(typed) };
        let error: AddressError = parsed.expect_err(typed);
        rows.push(["API URL".into(), typed.into(), error.class().into(), error.to_string()]);
    }
    let shop = |prefix: &str| format!("{prefix}_{digits}");
    let mut refuse = |field: &str, what: &str, error: CredentialError| {
        rows.push([field.into(), what.into(), error.class().into(), error.to_string()]);
    };
    for (what, typed) in [
        ("", String::new()),
        ("shpss_…", shop("shpss")),
        ("shprt_…", shop("shprt")),
        ("shptka_…", shop("shptka")),
        ("prtapi_…", shop("prtapi")),
        ("an address", "https://northwind-tea.myshopify.com/admin".into()),
        ("a space, a control character or a letter outside of ASCII within", "a b".into()),
    ] {
        refuse("Access Token", what, AccessToken::parse(&typed).expect_err(what));
    }
    for (what, typed) in [
        ("", String::new()),
        ("shp…_…", shop("shpss")),
        ("priya@northwindtea.com", "priya@northwindtea.com".into()),
        ("an address", "https://northwind-tea.myshopify.com/admin".into()),
        ("the same within", "a b".into()),
    ] {
        refuse("Client ID", what, ClientId::parse(&typed).expect_err(what));
    }
    for (what, typed) in [("", String::new()), ("shpat_…", shop("shpat")), ("the same within", "a b".into())] {
        refuse("Client secret", what, ClientSecret::parse(&typed).expect_err(what));
    }
    let (id, secret) = (ClientId::parse(&digits).expect("an id"), ClientSecret::parse(&digits).expect("a secret").0);
    refuse("Client secret", "the Client ID", Credential::pair(id, secret).expect_err("the same"));
    rows
}

/// Checks that every class has its own template and occurs in one of the tables.
fn assert_complete(classes: &BTreeSet<String>) {
    let folder = std::fs::read_dir("templates/admin/ecommerce/shopify/verdict").expect("the words");
    let name = |path: std::path::PathBuf| path.file_stem().expect("a name").to_string_lossy().to_uppercase();
    let all: BTreeSet<String> = folder.map(|file| name(file.expect("a file").path())).collect();
    assert_eq!(&all, classes, "a class without a condition, or a condition without a template");
}

const HEAD: &str = "# What a test says

Written by `DIAGNOSIS=renew cargo test --test diagnosis`, checked by every test run.

## What Shopify, or something in its place, can do
Every condition of the stand-in, through the real client, and what the page says to a person.

| condition | outcome | class | title | cause begins |
|---|---|---|---|---|
";

const OURS: &str = "
## What only we know
What follows from our records, our key, our limits and our network.

| condition | outcome | class | title | cause begins |
|---|---|---|---|---|
";

const REFUSED: &str = "
## What is refused at its field
Before any request: no name is looked up and nobody is called. `tests/data/addresses.tsv` has two hundred addresses more.

| field | what was typed | class | sentence |
|---|---|---|---|
";

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_has_a_class_and_a_text() {
    let practice = Practice::start(Options::test()).await.expect("the stand-in");
    let egress = Egress {
        proxy: Some(practice.proxy_url().parse().expect("a proxy")),
        extra_roots_pem: Some(practice.ca_pem().as_bytes().to_vec()),
    };
    let client = ShopifyClient::new(&egress).expect("a client");
    let (mut table, mut classes) = (String::from(HEAD), BTreeSet::new());
    let mut line = |table: &mut String, words: &str, said: [String; 4]| {
        let [outcome, class, title, cause] = said.map(|text| text.replace('|', "\\|").replace('<', "&lt;"));
        assert!(!title.is_empty(), "{words} has no title");
        assert!(outcome == "connected" || !cause.is_empty(), "{words} has no cause");
        writeln!(table, "| {words} | {outcome} | `{class}` | {title} | {cause} |").expect("a line");
        classes.insert(class);
    };
    for condition in conditions() {
        let said = said(&practice, &client, &condition).await;
        assert_eq!(Some(said[1].as_str()), condition.class, "{}", condition.words);
        line(&mut table, &condition.words, said);
    }
    table.push_str(OURS);
    for (words, verdict) in ours() {
        line(&mut table, words, region(verdict, CredentialKind::AccessToken));
    }
    assert_complete(&classes);
    table.push_str(REFUSED);
    for [field, typed, class, sentence] in refused() {
        let typed = if typed.is_empty() { "nothing".into() } else { typed };
        writeln!(table, "| {field} | {typed} | `{class}` | {sentence} |").expect("a line");
    }
    if std::env::var_os("DIAGNOSIS").is_some() {
        std::fs::write(FILE, &table).expect("written");
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(kept == table, "{FILE} is out of date; run DIAGNOSIS=renew cargo test --test diagnosis");
}
