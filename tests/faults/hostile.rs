//! Hostile Shopify responses through the running server: each gives the right class, in time and in bounded memory, and
//! the token reaches only its own store.

use std::time::Duration;

use cartwright::practice::{Canned, Flaw, PracticeStore, RawAnswer, Scenario};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use super::support::{
    browser::Browser,
    cluster::Folder,
    process::{Server, cartwright},
    world::{World, shopify},
};

/// 20 MB, in KiB.
const GROWS_AT_MOST: u64 = 20 << 10;
/// The limit is 15 s; the rest is slack for a busy machine.
const COMPLETE_WITHIN: Duration = Duration::from_secs(22);

/// Tests each store and expects its class.
async fn each_is(world: &World, cases: Vec<(&str, Scenario, &str)>) {
    let mut person = world.people[0].clone();
    for (handle, scenario, class) in cases {
        let token = world.store(handle, scenario);
        let page = person.test(handle, &token).await;
        assert_eq!((page.status(), page.class().as_deref()), (200, Some(class)), "{handle}: {}", page.html);
        assert!(!page.html.contains(&token), "{handle}");
        let own = format!("{handle}.myshopify.com");
        let hosts = world.shopify.journal().hosts_that_saw(&token);
        assert!(hosts.iter().all(|host| *host == own), "{handle}: {hosts:?}");
        assert!(!world.shopify.journal().was_seen_in_clear(&token), "{handle}");
    }
}

/// Also bounds the growth of the server's memory; a first test warms up all caches.
async fn each_is_in_bounded_memory(cases: Vec<(&str, Scenario, &str)>) {
    let world = World::with(1).await;
    each_is(&world, vec![("practice-warm", Scenario::Well, "CONNECTED")]).await;
    let before = world.server.resident();
    each_is(&world, cases).await;
    let grown = world.server.resident().saturating_sub(before);
    println!("grown by {grown} KiB from {before} KiB");
    assert!(grown < GROWS_AT_MOST, "{grown} KiB");
}

fn redirect(status: u16, location: &str) -> Scenario {
    let headers = vec![("location".to_owned(), location.to_owned())];
    Scenario::Raw(RawAnswer { status, headers, body: Vec::new() })
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_never_followed() {
    let world = World::with(1).await;
    world.store("elsewhere", Scenario::Well);
    let mut person = world.people[0].clone();
    for status in [301, 302, 303, 307, 308] {
        for (number, location) in
            ["https://elsewhere.myshopify.com/admin/api", "http://elsewhere.myshopify.com/", "https://evil.example/"]
                .into_iter()
                .enumerate()
        {
            let handle = format!("astray-{status}-{number}");
            let token = world.store(&handle, redirect(status, location));
            let page = person.test(&handle, &token).await;
            assert_eq!(page.status(), 200);
            let class = page.class().expect("a verdict");
            assert!(matches!(class.as_str(), "STORE_MOVED" | "NOT_SHOPIFY"), "{status} {location}: {class}");
            assert_eq!(world.shopify.journal().hosts_that_saw(&token), [format!("{handle}.myshopify.com")]);
        }
    }
    let journal = world.shopify.journal();
    assert_eq!(journal.requests_to("elsewhere.myshopify.com").len(), 0);
    let others = journal.connections().into_iter().filter(|one| !one.target.starts_with("astray-")).count();
    assert_eq!(others, 0, "only the entered stores are contacted");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_certificates() {
    let world = World::with(1).await;
    let flaw = |flaw| Scenario::Certificate(flaw);
    let handles = ["wrong-name", "expired", "self-signed", "too-old", "no-tls"];
    let scenarios =
        [flaw(Flaw::WrongName), flaw(Flaw::Expired), flaw(Flaw::SelfSigned), Scenario::TlsTooOld, Scenario::NotTls];
    each_is(
        &world,
        handles.into_iter().zip(scenarios).map(|(handle, scenario)| (handle, scenario, "TLS_UNTRUSTED")).collect(),
    )
    .await;
    assert!(world.shopify.journal().connections().len() >= handles.len(), "the stores were not reached");
    assert_eq!(world.shopify.journal().requests().len(), 0, "HTTP was sent over an untrusted connection");
}

/// A valid certificate of an authority that the server does not trust.
#[tokio::test(flavor = "multi_thread")]
async fn bad_certificates_of_an_unknown_issuer() {
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url());
    let world = World::around(folder, shopify, Server::start(serve), 1).await;
    each_is(&world, vec![("practice-tea", Scenario::Well, "TLS_UNTRUSTED")]).await;
    assert_eq!(world.shopify.journal().connections().len(), 1);
    assert_eq!(world.shopify.journal().requests().len(), 0, "HTTP was sent over an untrusted connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_answers_are_refused_in_bounded_memory() {
    each_is_in_bounded_memory(vec![
        ("gzipped", Scenario::Says(Canned::Gzipped), "NOT_SHOPIFY"),
        ("bomb", Scenario::Says(Canned::GzipBomb), "NOT_SHOPIFY"),
        ("bomb-again", Scenario::Says(Canned::GzipBomb), "NOT_SHOPIFY"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_answers_are_refused_in_bounded_memory() {
    each_is_in_bounded_memory(vec![
        ("endless", Scenario::EndlessBody, "NOT_SHOPIFY"),
        ("many-headers", Scenario::Says(Canned::ManyHeaders), "NOT_SHOPIFY"),
        ("huge-header", Scenario::Says(Canned::HugeHeader), "NOT_SHOPIFY"),
        ("deep", Scenario::Says(Canned::Deep), "NOT_SHOPIFY"),
        ("megabyte", Scenario::Says(Canned::OneMegabyte), "NOT_SHOPIFY"),
        ("chunked", Scenario::Says(Canned::OneMegabyteChunked), "NOT_SHOPIFY"),
        ("garbage", Scenario::Garbage, "NOT_SHOPIFY"),
        ("truncated", Scenario::CloseMidBody, "NETWORK_UNREACHABLE"),
        ("closed", Scenario::CloseWithoutAnswer, "NETWORK_UNREACHABLE"),
        ("reset", Scenario::Reset, "NETWORK_UNREACHABLE"),
        ("refused", Scenario::ConnectRefused, "NETWORK_UNREACHABLE"),
        ("portal", Scenario::Says(Canned::Portal), "NOT_SHOPIFY"),
    ])
    .await;
}

/// One administrator per test, because a user may run only one test at a time.
#[tokio::test(flavor = "multi_thread")]
async fn every_test_completes_within_15_s() {
    let cases = [
        ("silent", Scenario::Hang),
        ("dripping", Scenario::DrippingBody),
        ("dripping-head", Scenario::DrippingHead),
        ("before-tls", Scenario::HangBeforeTls),
    ];
    let last = cases.len();
    let world = World::with(last + 1).await;
    let mut tests = JoinSet::new();
    for ((handle, scenario), person) in cases.into_iter().zip(&world.people) {
        let (token, mut person) = (world.store(handle, scenario), person.clone());
        let form = person.new_cart("Test Connection", handle, &token).await;
        tests.spawn(async move { (handle, person.submit(&form).await.expect("complete page")) });
    }
    let mut person = world.people[last].clone();
    let form = slow_minting(&world, &mut person).await;
    tests.spawn(async move { ("slow-minting", person.submit(&form).await.expect("complete page")) });
    for (handle, page) in tests.join_all().await {
        assert_eq!((page.status(), page.class().as_deref()), (200, Some("NETWORK_TIMEOUT")), "{handle}");
        assert!(page.html.trim_end().ends_with("</html>"), "{handle} is truncated");
        println!("{handle}: {:?}", page.answer.took);
        assert!(page.answer.took < COMPLETE_WITHIN, "{handle}: {:?}", page.answer.took);
    }
}

/// A store that takes 8 s to issue a token and then never responds.
async fn slow_minting(world: &World, person: &mut Browser) -> super::support::page::Form {
    let mut store = PracticeStore::sample("slow-minting").with(Scenario::Hang);
    store.on_exchange = Some(Scenario::Delayed(Duration::from_secs(8)));
    let store = world.shopify.stores().put("slow-minting", store);
    let form = person.new_cart("Test Connection", "slow-minting", "").await;
    let form = form.fill("credential_kind", "client_credentials").fill("client_id", &store.client_id);
    form.fill("client_secret", store.client_secret.expose_secret())
}
