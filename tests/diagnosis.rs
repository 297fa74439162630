//! Every condition that the stand-in can be in, through the real client, and what the page then says. `docs/diagnosis.md` is that
//! table; `DIAGNOSIS=renew cargo test --test diagnosis` writes it anew.

use std::{fmt::Write, time::Duration};

use askama::Template;
use cartwright::{
    clock::Clock,
    ecommerce::shopify::{
        address::StoreAddress,
        client::{Client, Egress},
        connection_test::{Subject, run_within},
        credential::{Credential, CredentialKind},
    },
    practice::{Canned, Flaw, Options, Practice, PracticeStore, Refusal, Scenario},
    web::admin::ecommerce::shopify::{
        connection_test::{Standing, TestView},
        permissions,
    },
};
use scraper::{Html, Selector};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;

const HANDLE: &str = "northwind-tea";
const FILE: &str = "docs/diagnosis.md";

fn scenarios() -> Vec<Scenario> {
    use Scenario::{
        AlsoCalled, AnsweredAs, Certificate, CloseMidBody, CloseWithoutAnswer, ConnectRefused, CustomersHidden,
        Development, DrippingBody, DrippingHead, EndlessBody, Exchange, ExchangePage, Garbage, Hang, HangBeforeTls,
        NoOrders, NoVersionHeader, NotTls, OrderWithoutCustomer, Redirect, Reset, Says, ScopesExtra, ScopesMissing,
        TlsTooOld, Well,
    };
    let mut all = vec![
        Well,
        ScopesMissing(&["write_inventory", "read_payment_terms"]),
        ScopesExtra,
        CustomersHidden,
        NoOrders,
        OrderWithoutCustomer,
        AnsweredAs("2026-07"),
        NoVersionHeader,
        AlsoCalled("northwind-tea-co"),
        Development,
        ConnectRefused,
        Reset,
        HangBeforeTls,
        Certificate(Flaw::WrongName),
        Certificate(Flaw::Expired),
        Certificate(Flaw::SelfSigned),
        TlsTooOld,
        NotTls,
        Redirect(301, Some("https://northwind-tea-co.myshopify.com/admin")),
        Redirect(302, Some("https://evil.example/")),
        Redirect(307, Some("http://northwind-tea-co.myshopify.com/")),
        Redirect(308, Some("/admin/auth/login")),
        Redirect(303, None),
        Hang,
        CloseWithoutAnswer,
        CloseMidBody,
        EndlessBody,
        DrippingBody,
        DrippingHead,
        Garbage,
    ];
    all.extend(Canned::ALL.iter().copied().map(Says));
    all.extend(Refusal::ALL.iter().copied().map(Exchange));
    all.extend(Refusal::ALL.iter().copied().map(ExchangePage));
    all
}

/// What the page says to a person in this condition: outcome, class, title, first sentence of the cause.
async fn said(practice: &Practice, client: &Client, scenario: &Scenario) -> [String; 4] {
    let store = practice.stores().put(HANDLE, PracticeStore::sample(HANDLE).with(scenario.clone()));
    let kind = match scenario {
        Scenario::Exchange(_) | Scenario::ExchangePage(_) => CredentialKind::ClientCredentials,
        _ => CredentialKind::AccessToken,
    };
    let (id, secret) = match kind {
        CredentialKind::AccessToken => (None, &store.access_token),
        CredentialKind::ClientCredentials => (Some(store.client_id.clone()), &store.client_secret),
    };
    let secret = SecretString::from(secret.expose_secret());
    let credential = Credential::from_stored(kind, id, secret).expect("a credential");
    let address = StoreAddress::from_handle(HANDLE).expect("a handle");
    let (told, _checks) = mpsc::unbounded_channel();
    let subject = Subject { address: &address, credential: &credential, expected_shop_id: None };
    let verdict = run_within(Duration::from_secs(2), client, subject, &told).await;
    let (class, outcome) = (verdict.class.as_str(), verdict.outcome().as_str());
    let view = TestView {
        host: address.host(),
        handle: HANDLE.into(),
        cart_name: None,
        kind,
        product: "Order Time".into(),
        support: None,
        tested_at: Clock::System.now(),
        now: Clock::System.now(),
        reference: String::new(),
        standing: Standing::Unsaved,
        may_be_day_token: false,
        permissions: permissions(),
        tests_a_minute: 10,
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

/// `Says(GatewayTimeout)` → "gateway timeout", so that a person can read the list.
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

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_has_its_class_and_its_words() {
    let practice = Practice::start(Options::test()).await.expect("the stand-in");
    let egress = Egress {
        proxy: Some(practice.proxy_url().parse().expect("a proxy")),
        extra_roots_pem: Some(practice.ca_pem().as_bytes().to_vec()),
    };
    let client = Client::new(&egress).expect("a client");
    let mut table = String::from(
        "# What a test says\n\nEvery condition of the stand-in, through the real client, and what the page says to a person. Written by \
         `DIAGNOSIS=renew cargo test --test diagnosis`,\nchecked by every test run.\n\n\
         | condition | outcome | class | title | cause begins |\n|---|---|---|---|---|\n",
    );
    for scenario in scenarios() {
        let [outcome, class, title, cause] = said(&practice, &client, &scenario).await;
        if let Some(expected) = scenario.class() {
            assert_eq!(class, expected, "{scenario:?}");
        }
        assert!(!title.is_empty(), "{scenario:?} has a title");
        assert!(outcome == "connected" || !cause.is_empty(), "{scenario:?} has a cause");
        writeln!(table, "| {} | {outcome} | `{class}` | {title} | {cause} |", words(&scenario)).expect("a line");
    }
    if std::env::var_os("DIAGNOSIS").is_some() {
        std::fs::write(FILE, &table).expect("written");
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        kept == table,
        "{FILE} is not what the pages say; DIAGNOSIS=renew cargo test --test diagnosis writes it anew"
    );
}
