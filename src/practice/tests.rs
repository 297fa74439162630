//! Tests of the stand-in as its clients see it: through the proxy, over TLS, with a real HTTP client.

use std::time::Duration;

use reqwest::{Certificate, Client, Proxy, Response, StatusCode, redirect};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::*;

/// Far longer than any answer takes. A test that waits this long has failed.
const LONG: Duration = Duration::from_secs(20);

async fn start() -> Practice {
    Practice::start(Options::test()).await.unwrap()
}

fn client(practice: &Practice) -> Client {
    // another test may have installed it first
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .proxy(Proxy::all(practice.proxy_url()).unwrap())
        .tls_certs_only([Certificate::from_pem(practice.ca_pem().as_bytes()).unwrap()])
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(LONG)
        .build()
        .unwrap()
}

/// Queries a store with its own token.
async fn ask(practice: &Practice, handle: &str, operation: Operation) -> reqwest::Result<Response> {
    let token = practice.stores().find(handle).map(|store| store.access_token.clone()).unwrap_or_default();
    ask_with(practice, handle, operation.document(), token.expose_secret()).await
}

async fn ask_with(practice: &Practice, handle: &str, document: &str, token: &str) -> reqwest::Result<Response> {
    client(practice)
        .post(format!("https://{handle}.myshopify.com/admin/api/2026-10/graphql.json"))
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .header("x-shopify-access-token", token)
        .body(json!({"query": document}).to_string())
        .send()
        .await
}

fn open(practice: &Practice, handle: &str, scenario: Scenario) {
    practice.stores().put(handle, PracticeStore::sample(handle).with(scenario));
}

async fn value(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn healthy_store_answers_both_documents() {
    let practice = start().await;
    open(&practice, "northwind-tea", Scenario::Well);
    let response = ask(&practice, "northwind-tea", Operation::ConnectionTest).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-shopify-api-version"], "2026-10");
    for header in ["x-request-id", "x-shopid"] {
        assert!(response.headers().contains_key(header), "{header}");
    }
    let answer = value(response).await;
    let store = practice.stores().find("northwind-tea").unwrap();
    assert_eq!(answer["data"]["shop"]["id"], format!("gid://shopify/Shop/{}", store.shop_id));
    assert_eq!(answer["data"]["shop"]["myshopifyDomain"], "northwind-tea.myshopify.com");
    assert!(answer["extensions"]["cost"]["requestedQueryCost"].is_number());
    let answer = value(ask(&practice, "northwind-tea", Operation::CustomerVisibility).await.unwrap()).await;
    assert!(answer["data"]["orders"]["nodes"][0]["customer"]["displayName"].is_string());
}

#[tokio::test]
async fn journal_shows_which_host_received_a_token() {
    let practice = start().await;
    open(&practice, "one", Scenario::Well);
    open(&practice, "two", Scenario::Well);
    ask(&practice, "one", Operation::ConnectionTest).await.unwrap();
    ask(&practice, "two", Operation::CustomerVisibility).await.unwrap();
    let token = practice.stores().find("one").unwrap().access_token.clone();
    assert_eq!(practice.journal().hosts_that_saw(token.expose_secret()), ["one.myshopify.com"]);
    assert!(!practice.journal().was_seen_in_clear(token.expose_secret()));
    let requests = practice.journal().requests_to("two.myshopify.com");
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].operation, Some(Operation::CustomerVisibility));
    assert_eq!(requests[0].path, "/admin/api/2026-10/graphql.json");
    assert_eq!(requests[0].server_name.as_deref(), Some("two.myshopify.com"));
    let targets: Vec<_> = practice.journal().connections().into_iter().map(|connection| connection.target).collect();
    assert_eq!(targets, ["one.myshopify.com:443", "two.myshopify.com:443"]);
}

#[tokio::test]
async fn unknown_token_document_and_store_are_rejected() {
    let practice = start().await;
    open(&practice, "one", Scenario::Well);
    let document = Operation::ConnectionTest.document();
    let response = ask_with(&practice, "one", document, "wrong").await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Basic Realm=\"Shopify API Authentication\"");
    let token = practice.stores().find("one").unwrap().access_token.clone();
    let response = ask_with(&practice, "one", "{ shop { email } }", token.expose_secret()).await.unwrap();
    assert_eq!(value(response).await["errors"][0]["extensions"]["code"], "undefinedField");
    let response = ask(&practice, "two", Operation::ConnectionTest).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(!response.headers().contains_key("x-shopid"));
}

#[tokio::test]
async fn token_exchange_issues_a_token_that_works_until_revoked() {
    let practice = start().await;
    open(&practice, "one", Scenario::Well);
    let store = practice.stores().find("one").unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", store.client_id.as_str()),
        ("client_secret", store.client_secret.expose_secret()),
    ];
    let address = "https://one.myshopify.com/admin/oauth/access_token";
    let request = client(&practice).post(address).header("content-type", "application/x-www-form-urlencoded");
    let response = request.body(serde_urlencoded::to_string(form).unwrap()).send().await.unwrap();
    let minted = value(response).await;
    let token = minted["access_token"].as_str().unwrap();
    let document = Operation::ConnectionTest.document();
    assert_eq!(ask_with(&practice, "one", document, token).await.unwrap().status(), StatusCode::OK);
    practice.stores().end_minted_tokens("one");
    assert_eq!(ask_with(&practice, "one", document, token).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn failed_exchange_is_json_or_html_and_does_not_affect_the_api() {
    let practice = start().await;
    let address = "https://one.myshopify.com/admin/oauth/access_token";
    for refusal in ExchangeError::ALL {
        open(&practice, "one", Scenario::Exchange(*refusal));
        let asked = client(&practice).post(address).header("accept", "application/json").send().await.unwrap();
        assert!(asked.status().is_client_error(), "{refusal:?}");
        assert!(value(asked).await["error_description"].is_string(), "{refusal:?}");
        practice.stores().set("one", Scenario::ExchangePage(*refusal));
        let asked = client(&practice).post(address).header("accept", "application/json").send().await.unwrap();
        assert!(asked.text().await.unwrap().contains("- Oauth error "), "{refusal:?}");
    }
    assert_eq!(ask(&practice, "one", Operation::ConnectionTest).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn every_fixed_answer_arrives_with_its_status() {
    let practice = start().await;
    for canned in Canned::ALL {
        open(&practice, "one", Scenario::Says(*canned));
        let answer = ask(&practice, "one", Operation::ConnectionTest).await;
        if matches!(canned, Canned::ManyHeaders | Canned::HugeHeader) {
            assert!(answer.is_err(), "{canned:?}: more than a client accepts");
            continue;
        }
        assert_eq!(answer.unwrap().status().as_u16(), canned.reply(&json!({})).status, "{canned:?}");
    }
}

#[tokio::test]
async fn guard_answers_affect_the_exchange_and_api_answers_do_not() {
    let practice = start().await;
    let address = "https://one.myshopify.com/admin/oauth/access_token";
    for (scenario, status) in [(Canned::AccessDenied, 400), (Canned::Unauthorized, 400), (Canned::Frozen, 402)] {
        open(&practice, "one", Scenario::Says(scenario));
        let response = client(&practice).post(address).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{scenario:?}");
    }
}

#[tokio::test]
async fn one_request_can_fail_while_another_succeeds() {
    let practice = start().await;
    open(&practice, "one", Scenario::Well);
    practice.stores().change("one", |store| store.on_customers = Some(Scenario::Says(Canned::Down)));
    assert_eq!(ask(&practice, "one", Operation::ConnectionTest).await.unwrap().status().as_u16(), 200);
    assert_eq!(ask(&practice, "one", Operation::CustomerVisibility).await.unwrap().status().as_u16(), 500);
}

#[tokio::test]
async fn raw_answers_and_redirects_arrive_unchanged() {
    let practice = start().await;
    let headers = vec![("x-one".to_owned(), "1".to_owned()), ("x-one".to_owned(), "2".to_owned())];
    open(&practice, "one", Scenario::Raw(RawAnswer { status: 299, headers, body: b"odd".to_vec() }));
    let response = ask(&practice, "one", Operation::ConnectionTest).await.unwrap();
    assert_eq!(response.status().as_u16(), 299);
    assert_eq!(response.headers().get_all("x-one").iter().count(), 2);
    assert_eq!(response.text().await.unwrap(), "odd");
    open(&practice, "one", Scenario::Redirect(301, Some("https://evil.example/")));
    let response = ask(&practice, "one", Operation::ConnectionTest).await.unwrap();
    assert_eq!(response.headers()["location"], "https://evil.example/");
}

#[tokio::test]
async fn failures_before_http_receive_no_request() {
    let practice = start().await;
    for scenario in [
        Scenario::ConnectRefused,
        Scenario::Reset,
        Scenario::Certificate(Flaw::WrongName),
        Scenario::Certificate(Flaw::Expired),
        Scenario::Certificate(Flaw::SelfSigned),
        Scenario::TlsTooOld,
        Scenario::NotTls,
    ] {
        open(&practice, "one", scenario.clone());
        let token = practice.stores().find("one").unwrap().access_token.clone();
        let error = ask(&practice, "one", Operation::ConnectionTest).await.unwrap_err();
        assert!(error.is_connect(), "{scenario:?}: {error:?}");
        assert!(practice.journal().requests().is_empty(), "{scenario:?}");
        assert!(!practice.journal().was_seen_in_clear(token.expose_secret()), "{scenario:?}");
    }
}

#[tokio::test]
async fn failures_after_the_request_receive_it() {
    let practice = start().await;
    for scenario in [Scenario::CloseWithoutAnswer, Scenario::CloseMidBody] {
        open(&practice, "one", scenario.clone());
        practice.journal().clear();
        let broken = match ask(&practice, "one", Operation::ConnectionTest).await {
            Ok(response) => response.bytes().await.is_err(),
            Err(_) => true,
        };
        assert!(broken, "{scenario:?}");
        assert_eq!(practice.journal().requests().len(), 1, "{scenario:?}");
    }
    open(&practice, "one", Scenario::Garbage);
    assert!(ask(&practice, "one", Operation::ConnectionTest).await.is_err());
}

#[tokio::test]
async fn endless_and_dripping_bodies_start_and_do_not_end() {
    let practice = start().await;
    open(&practice, "one", Scenario::EndlessBody);
    let mut response = ask(&practice, "one", Operation::ConnectionTest).await.unwrap();
    let mut read = 0;
    while read < 1 << 20 {
        read += response.chunk().await.unwrap().expect("no end").len();
    }
    practice.stores().set("one", Scenario::DrippingBody);
    let mut response = ask(&practice, "one", Operation::ConnectionTest).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn held_store_answers_when_released() {
    let practice = start().await;
    open(&practice, "one", Scenario::Held);
    let (answer, ()) = tokio::join!(ask(&practice, "one", Operation::ConnectionTest), async {
        timeout(LONG, practice.journal().wait_for_requests(1)).await.unwrap();
        practice.stores().set("one", Scenario::Says(Canned::Locked));
    });
    assert_eq!(answer.unwrap().status().as_u16(), 423);
}

#[tokio::test]
async fn hanging_store_receives_the_request_and_does_not_answer() {
    let practice = start().await;
    open(&practice, "one", Scenario::Hang);
    tokio::select! {
        answer = ask(&practice, "one", Operation::ConnectionTest) => panic!("{answer:?}"),
        heard = timeout(LONG, practice.journal().wait_for_requests(1)) => heard.unwrap(),
    }
}

#[tokio::test]
async fn dripping_head_never_becomes_an_answer() {
    let practice = start().await;
    open(&practice, "one", Scenario::DrippingHead);
    let asked = timeout(Duration::from_millis(100), ask(&practice, "one", Operation::ConnectionTest));
    assert!(asked.await.is_err());
}

#[tokio::test]
async fn store_hanging_before_tls_receives_only_a_client_hello() {
    let practice = start().await;
    open(&practice, "one", Scenario::HangBeforeTls);
    let heard = async {
        loop {
            tokio::task::yield_now().await;
            let connections = practice.journal().connections();
            if let Some(first) = connections.first().and_then(|connection| connection.before_tls.first()) {
                return *first;
            }
        }
    };
    tokio::select! {
        answer = ask(&practice, "one", Operation::ConnectionTest) => panic!("{answer:?}"),
        first = timeout(LONG, heard) => assert_eq!(first.unwrap(), 22, "a handshake record"),
    }
    assert!(practice.journal().requests().is_empty());
}

#[tokio::test]
async fn each_certificate_flaw_has_its_own_error() {
    let practice = start().await;
    for (flaw, reason) in
        [(Flaw::WrongName, "NotValidForName"), (Flaw::Expired, "Expired"), (Flaw::SelfSigned, "UnknownIssuer")]
    {
        open(&practice, "one", Scenario::Certificate(flaw));
        let error = format!("{:?}", ask(&practice, "one", Operation::ConnectionTest).await.unwrap_err());
        assert!(error.contains(reason), "{flaw:?}: {error}");
    }
}

#[tokio::test]
async fn proxy_reaches_neither_this_machine_nor_another_port() {
    let outside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let practice = Practice::start(Options::newcomer()).await.unwrap();
    let port = outside.local_addr().unwrap().port();
    for line in [
        "CONNECT 127.0.0.1:443 HTTP/1.1".to_owned(),
        "CONNECT localhost:443 HTTP/1.1".to_owned(),
        "CONNECT [::1]:443 HTTP/1.1".to_owned(),
        format!("CONNECT 127.0.0.1:{port} HTTP/1.1"),
        "CONNECT practice-tea.myshopify.com:80 HTTP/1.1".to_owned(),
        format!("GET http://127.0.0.1:{port}/ HTTP/1.1"),
    ] {
        let answer = timeout(LONG, say(&practice, &line)).await.unwrap();
        let is_refused = answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 502");
        assert!(is_refused, "{line}: {answer}");
    }
    assert!(timeout(Duration::from_millis(20), outside.accept()).await.is_err());
}

/// Sends one request line to the proxy and returns the whole answer.
async fn say(practice: &Practice, line: &str) -> String {
    let mut stream = TcpStream::connect(practice.proxy_url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(format!("{line}\r\nHost: x\r\nProxy-Authorization: Basic eDp5\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn proxy_target_and_authorization_are_recorded() {
    let practice = start().await;
    say(&practice, "CONNECT example.com:443 HTTP/1.1").await;
    let connection = practice.journal().connections().pop().unwrap();
    assert_eq!((connection.target.as_str(), connection.fate), ("example.com:443", ConnectionOutcome::Refused));
    assert_eq!(connection.proxy_authorization.unwrap().expose_secret(), "Basic eDp5");
}

#[tokio::test]
async fn named_stores_behave_as_labelled() {
    let practice = Practice::start(Options::newcomer()).await.unwrap();
    let shown = |handle: &'static str| {
        let practice = &practice;
        async move { ask(practice, handle, Operation::ConnectionTest).await.unwrap() }
    };
    assert_eq!(shown("practice-tea").await.status().as_u16(), 200);
    assert_eq!(shown("practice-paused").await.status().as_u16(), 402);
    assert_eq!(shown("practice-gone").await.status().as_u16(), 404);
    assert_eq!(shown("practice-unheard-of").await.status().as_u16(), 404);
    assert_eq!(shown("practice-old-version").await.headers()["x-shopify-api-version"], "2026-07");
    assert_eq!(shown("practice-moved").await.status().as_u16(), 301);
}

#[tokio::test]
async fn dropping_the_stand_in_closes_its_port() {
    let practice = start().await;
    let address = practice.address;
    drop(practice);
    // the listener is dropped with its task, which the runtime ends soon after
    let is_closed = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, is_closed).await.unwrap();
}
