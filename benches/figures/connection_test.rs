//! Test Connection through the page, from submit to the last byte of the verdict, against a bare client that sends the
//! same two requests to the same Shopify stand-in through the same proxy. Both open a new connection without TLS
//! session resumption for each test, as production does, because a reused connection proves nothing about the present.
//! A third series reuses an open connection.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use cartwright::{
    audit::By,
    platforms::shopify::API_VERSION,
    practice::{Options, Practice, PracticeStore, Scenario},
};
use secrecy::ExposeSecret;

use super::{
    browser::{Browser, hidden},
    ground::{Ground, Served},
    report::{Goal, Report},
    rounds::{Rounds, ms, percentile},
};

/// The GraphQL documents that the page sends; the bare client sends the same.
const DOCUMENTS: [&str; 2] = [
    include_str!("../../src/platforms/shopify/connection_test.graphql"),
    include_str!("../../src/platforms/shopify/customer_visibility.graphql"),
];
/// Response delay of a store that is reached over the Internet.
const FAR: Duration = Duration::from_millis(100);
const ROUNDS: usize = 5;
const TESTS: usize = 10;
const ADMINISTRATORS: usize = 12;

struct Sides {
    served: Served,
    practice: Practice,
    cold: reqwest::Client,
    warm: reqwest::Client,
    /// Session cookies of administrators.
    people: Vec<String>,
    /// Tests started so far. Picks the next user and store, because a user may test a store only ten times a minute.
    begun: usize,
}

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let practice = Practice::start(Options::test()).await?;
    let egress = super::ground::way_to(&practice)?;
    let served = Served::start(ground.schema("tests").await?, &egress).await?;
    served.app.integration.switch(By::operator(), true).await?;
    let mut people = Vec::new();
    for number in 0..ADMINISTRATORS {
        people.push(served.administrator(number).await?.cookies());
    }
    let (cold, warm) = (bare_client(&practice, 0)?, bare_client(&practice, 1)?);
    let mut sides = Sides { served, practice, cold, warm, people, begun: 0 };
    for (name, scenario, tests, goal) in [
        ("a store that answers in 100 ms", Scenario::Delayed(FAR), TESTS / 2, Goal::AtMost(1.1)),
        ("a store that answers at once", Scenario::Well, TESTS, Goal::None),
    ] {
        let [mut ours, mut cold, mut warm]: [Rounds; 3] = Default::default();
        for _ in 0..ROUNDS {
            let mut times: [Vec<f64>; 3] = Default::default();
            for _ in 0..tests {
                let handle = sides.next_store(&scenario);
                times[0].push(ms(sides.page(&handle).await?));
                times[1].push(ms(sides.bare(&sides.cold, &handle).await?));
                // The first request opens the connection.
                sides.bare(&sides.warm, &handle).await?;
                times[2].push(ms(sides.bare(&sides.warm, &handle).await?));
            }
            for (rounds, times) in [&mut ours, &mut cold, &mut warm].into_iter().zip(&times) {
                rounds.add(percentile(times, 50));
            }
        }
        report.figure(&format!("Test Connection, p50, {name}"), "ms", &ours, Goal::None);
        report.figure("  a bare client, the same two requests", "ms", &cold, Goal::None);
        report.figure("  a bare client on a connection that is open", "ms", &warm, Goal::None);
        report.figure("  Test Connection / bare client", "×", &ours.ratio_to(&cold), goal);
        report.figure("  Test Connection / bare client on an open connection", "×", &ours.ratio_to(&warm), Goal::None);
    }
    sides.served.close().await;
    ground.close().await?;
    Ok(())
}

/// Builds a client with the same roots, protocol, proxy and settings as the server's, and up to `kept` idle
/// connections.
pub fn bare_client(practice: &Practice, kept: usize) -> anyhow::Result<reqwest::Client> {
    use rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, pem::PemObject},
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(practice.ca_pem().as_bytes())?)?;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.resumption = rustls::client::Resumption::disabled();
    let client = reqwest::Client::builder()
        .proxy(reqwest::Proxy::all(practice.proxy_url())?)
        .http1_only()
        .pool_max_idle_per_host(kept)
        .tls_backend_preconfigured(tls);
    Ok(client.build()?)
}

impl Sides {
    fn next_store(&mut self, scenario: &Scenario) -> String {
        self.begun += 1;
        let handle = format!("shop-{}", self.begun);
        self.practice.stores().put(&handle, PracticeStore::sample(&handle).with(scenario.clone()));
        handle
    }

    async fn page(&self, handle: &str) -> anyhow::Result<Duration> {
        const NEW: &str = "/admin/ecommerce/shopify/new";
        let store = self.practice.stores().find(handle).context("store exists")?;
        let cookies = &self.people[self.begun % self.people.len()];
        let mut browser = Browser::open(self.served.address, cookies).await?;
        let page = browser.get(NEW).await?.text();
        let url = format!("https://{handle}.myshopify.com/admin/");
        let fields = [
            ("csrf", hidden(&page, "csrf")?),
            ("submission", hidden(&page, "submission")?),
            ("website_name", handle),
            ("api_url", &url),
            ("credential_kind", "access_token"),
            ("access_token", store.access_token.expose_secret()),
        ];
        let began = Instant::now();
        let answer = browser.post(&format!("{NEW}/connection-tests"), &fields).await?;
        let took = began.elapsed();
        let text = answer.text();
        ensure!(text.contains("data-class=\"CONNECTED\""), "{handle}: {}", &text[text.len().saturating_sub(3_000)..]);
        Ok(took)
    }

    async fn bare(&self, client: &reqwest::Client, handle: &str) -> anyhow::Result<Duration> {
        let store = self.practice.stores().find(handle).context("store exists")?;
        let url = format!("https://{handle}.myshopify.com/admin/api/{API_VERSION}/graphql.json");
        let began = Instant::now();
        for document in DOCUMENTS {
            let request = client.post(&url).header("x-shopify-access-token", store.access_token.expose_secret());
            let body = serde_json::json!({ "query": document }).to_string();
            let answer =
                request.header("content-type", "application/json").header("accept", "application/json").body(body);
            let answer = answer.send().await?;
            ensure!(answer.status() == 200, "{}", answer.status());
            let body: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
            ensure!(body.get("data").is_some(), "{body}");
        }
        Ok(began.elapsed())
    }
}
