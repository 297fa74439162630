//! The connection test over real HTTP, TLS and proxy connections to a local server.

mod world;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

use super::*;
use crate::causes::{Note, Outcome};
use crate::platforms::shopify::client::Egress;
use crate::platforms::shopify::credential::{AccessToken, ClientId, ClientSecret};
use crate::platforms::shopify::scopes;

use self::world::{Certificate, HOST, SHORT, Says, World};

fn http(status: &str, headers: &str, body: &str) -> Says {
    let length = body.len();
    Says::Bytes(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"))
}

fn json(status: &str, body: &str) -> Says {
    let headers =
        "Content-Type: application/json; charset=utf-8\r\nX-Request-Id: req-1\r\nX-Shopify-API-Version: 2026-10\r\n";
    http(status, headers, body)
}

/// A store's successful response with these scopes.
fn opened(scopes: &[&str]) -> Says {
    json("200 OK", &opened_body(scopes))
}

fn opened_body(scopes: &[&str]) -> String {
    let scopes: Vec<_> = scopes.iter().map(|scope| serde_json::json!({ "handle": scope })).collect();
    serde_json::json!({"data": {
        "shop": {"id": "gid://shopify/Shop/548380009", "name": "Northwind Tea", "myshopifyDomain": HOST,
            "currencyCode": "GBP", "ianaTimezone": "Europe/London",
            "plan": {"publicDisplayName": "Basic", "partnerDevelopment": false, "shopifyPlus": false}},
        "currentAppInstallation": {"id": "gid://shopify/AppInstallation/1", "accessScopes": scopes,
            "app": {"id": "gid://shopify/App/1", "title": "Order Time", "handle": "x", "apiKey": "y"}}
    }})
    .to_string()
}

fn all_scopes() -> Vec<&'static str> {
    scopes::PERMISSIONS.iter().map(|permission| permission.scope).collect()
}

fn without(gone: &[&str]) -> Vec<&'static str> {
    all_scopes().into_iter().filter(|scope| !gone.contains(scope)).collect()
}

fn order_of(customer: &str) -> Says {
    json("200 OK", &format!(r#"{{"data":{{"orders":{{"nodes":[{{"id":"1","customer":{customer}}}]}}}}}}"#))
}

fn canary() -> String {
    format!("shpat_{}", "c4na".repeat(8))
}

fn token() -> Credential {
    Credential::AccessToken(AccessToken::parse(&canary()).unwrap().0)
}

fn client_credentials() -> Credential {
    Credential::ClientCredentials {
        id: ClientId::parse("the-client-id").unwrap(),
        secret: ClientSecret::parse(&format!("shpss_{}", "5ec7".repeat(8))).unwrap().0,
    }
}

fn states(verdict: &Verdict) -> String {
    let letter = |check: &Check| match check.state {
        CheckState::Passed => '+',
        CheckState::Failed => '!',
        CheckState::NotChecked => '-',
    };
    verdict.checks.iter().map(letter).collect()
}

#[tokio::test]
async fn accepted_credential_passes_and_reports_every_check() {
    let world = World::that_says([opened(&all_scopes()), order_of(r#"{"id":"2","displayName":"Mei"}"#)]).await;
    let (verdict, told) = world.test(&token()).await;
    assert_eq!((verdict.class, states(&verdict).as_str()), (Class::Connected, "++++++"));
    assert_eq!(told, verdict.checks);
    let found: Vec<_> = told.iter().map(|check| check.found.as_deref()).collect();
    let introduced = "Northwind Tea, shop ID 548380009, Basic plan, GBP, London, app “Order Time”";
    assert_eq!(found, [None, None, Some(introduced), Some("17 of 17"), Some("2026-10"), None]);
    let details = &verdict.details;
    assert_eq!((details.status, details.shopify_request_id.as_deref()), (Some(200), Some("req-1")));
    assert!(details.tls_ms.is_some() && details.http_ms.is_some(), "{details:?}");
    assert_eq!((details.dns_ms, details.tcp_ms), (None, None), "done by the proxy");
    assert!(details.tunnel_ms.is_some(), "{details:?}");
    assert!(told[1].took_ms.is_some() && told[2].took_ms.is_some());
}

#[tokio::test]
async fn request_has_exactly_the_expected_headers_and_body() {
    let world = World::that_says([opened(&[])]).await;
    world.test(&token()).await;
    let requests = world.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
    assert_eq!(lines.remove(0), "post /admin/api/2026-10/graphql.json http/1.1");
    lines.sort();
    assert_eq!(
        lines,
        [
            "accept: application/json".to_owned(),
            format!("content-length: {}", body.len()),
            "content-type: application/json".to_owned(),
            format!("host: {HOST}"),
            format!("user-agent: cartwright/{}", env!("CARGO_PKG_VERSION")),
            format!("x-shopify-access-token: {}", canary()),
        ]
    );
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, serde_json::json!({ "query": CONNECTION_TEST }));
}

#[tokio::test]
async fn proxy_sees_only_the_host() {
    let world = World::that_says([opened(&[])]).await;
    world.test(&token()).await;
    assert_eq!(*world.seen.tunnels.lock().unwrap(), [format!("CONNECT {HOST}:443 HTTP/1.1")]);
}

#[tokio::test]
async fn a_client_id_is_exchanged_first_and_its_token_used() {
    let minted = r#"{"access_token":"minted-token","scope":"","expires_in":86399}"#;
    let seen = order_of(r#"{"id":"2","displayName":"Mei"}"#);
    let world = World::that_says([json("200 OK", minted), opened(&all_scopes()), seen]).await;
    let (verdict, _) = world.test(&client_credentials()).await;
    assert_eq!((verdict.class, states(&verdict).as_str()), (Class::Connected, "++++++"));
    let requests = world.requests();
    assert!(requests[0].starts_with("POST /admin/oauth/access_token HTTP/1.1\r\n"));
    let (_, form) = requests[0].split_once("\r\n\r\n").unwrap();
    let secret = "5ec7".repeat(8);
    assert_eq!(form, format!("grant_type=client_credentials&client_id=the-client-id&client_secret=shpss_{secret}"));
    for request in &requests[1..] {
        assert!(request.contains("x-shopify-access-token: minted-token") && !request.contains(&secret));
    }
}

#[tokio::test]
async fn a_refused_exchange_ends_the_test_at_the_credential() {
    let world = World::that_says([json("400 Bad Request", r#"{"error":"shop_not_permitted"}"#)]).await;
    let (verdict, told) = world.test(&client_credentials()).await;
    assert_eq!((verdict.class, states(&verdict).as_str()), (Class::CcWrongOrg, "++!--"));
    assert_eq!(told, verdict.checks);
    assert_eq!(world.requests().len(), 1);
}

#[tokio::test]
async fn a_refused_token_fails_the_credential_and_a_closed_store_fails_the_store() {
    for (status, class, checks) in [
        ("401 Unauthorized", Class::TokenRefused, "++!--"),
        ("403 Forbidden", Class::AddressRefused, "+!---"),
        ("402 Payment Required", Class::StoreFrozen, "+!---"),
        ("404 Not Found", Class::StoreNotFound, "+!---"),
        ("423 Locked", Class::StoreLocked, "+!---"),
        ("430 Shopify Security Rejection", Class::RequestRejected, "+!---"),
        ("429 Too Many Requests", Class::RateLimited, "+!---"),
        ("503 Service Unavailable", Class::ShopifyDown, "+!---"),
        ("406 Not Acceptable", Class::OurBug, "++---"),
    ] {
        let world = World::that_says([json(status, r#"{"errors":"no"}"#)]).await;
        let (verdict, _) = world.test(&token()).await;
        assert_eq!((verdict.class, states(&verdict).as_str()), (class, checks), "{status}");
        assert_eq!(verdict.outcome(), Outcome::NotConnected);
        assert_eq!(verdict.details.status.map(|s| s.to_string()).as_deref(), status.get(..3));
    }
}

#[tokio::test]
async fn store_other_than_the_expected_one_is_rejected() {
    let world = World::that_says([opened(&all_scopes())]).await;
    let (verdict, _) = world.test_within(DEADLINE, &token(), Some("1")).await;
    assert_eq!((verdict.class, states(&verdict).as_str()), (Class::WrongStore, "++!--"));
    assert_eq!(verdict.store.unwrap().name, "Northwind Tea");
}

#[tokio::test]
async fn limits_are_listed_in_their_order_and_the_first_gives_the_class() {
    let old = opened_body(&without(&["write_inventory", "read_channels"]));
    let headers = "Content-Type: application/json\r\nX-Shopify-API-Version: 2026-07\r\n";
    let hidden = r#"{"errors":[{"message":"x","extensions":{"code":"ACCESS_DENIED"}}]}"#;
    let world = World::that_says([http("200 OK", headers, &old), json("200 OK", hidden)]).await;
    let (verdict, _) = world.test(&token()).await;
    assert_eq!((verdict.class, states(&verdict).as_str()), (Class::ScopesMissing, "+++!!!"));
    let answered = "2026-07".to_owned();
    assert_eq!(
        verdict.limits,
        [
            Limit::ScopesMissing { scopes: vec!["write_inventory".into()] },
            Limit::CustomerDetailsHidden,
            Limit::ApiVersionOld { asked: API_VERSION.into(), answered },
        ]
    );
    assert_eq!(verdict.notes, [Note::OptionalMissing { scopes: vec!["read_channels".into()] }]);
}

#[tokio::test]
async fn missing_optional_scopes_and_unseen_customers_are_notes() {
    let gone = ["read_gdpr_data_request", "read_gift_cards", "read_channels", "write_custom_fulfillment_services"];
    let mut granted = without(&gone);
    granted.push("write_themes");
    let world = World::that_says([opened(&granted), order_of("null")]).await;
    let (verdict, _) = world.test(&token()).await;
    assert_eq!((verdict.class, states(&verdict).as_str()), (Class::Connected, "+++++-"));
    assert_eq!(verdict.covered, 13);
    let scopes = gone.map(str::to_owned).to_vec();
    assert_eq!(verdict.notes, [Note::ExtraScopes { count: 1 }, Note::OptionalMissing { scopes }, Note::NoCustomerSeen]);
}

#[tokio::test]
async fn failed_customer_check_leaves_the_verdict_unchanged() {
    for second in [Says::Close, json("500 Internal Server Error", "{}"), Says::Silence] {
        let world = World::that_says([opened(&all_scopes()), second]).await;
        let (verdict, _) = world.test_within(SHORT * 2, &token(), None).await;
        assert_eq!((verdict.class, states(&verdict).as_str()), (Class::Connected, "+++++-"));
    }
}

#[tokio::test]
async fn scope_list_is_judged_before_it_is_truncated() {
    let many: Vec<String> = (0..300).map(|number| format!("read_x{number}")).collect();
    let granted: Vec<&str> = many.iter().map(String::as_str).chain(all_scopes()).collect();
    let world = World::that_says([opened(&granted), order_of(r#"{"id":"2","displayName":"Mei"}"#)]).await;
    let (verdict, _) = world.test(&token()).await;
    assert_eq!((verdict.class, states(&verdict).as_str()), (Class::Connected, "++++++"));
    assert_eq!((verdict.covered, verdict.granted.len()), (17, GRANTED_MAX));
}

#[tokio::test]
async fn customer_check_is_skipped_without_its_permissions() {
    let world = World::that_says([opened(&without(&["write_customers"]))]).await;
    let (verdict, _) = world.test(&token()).await;
    assert_eq!(states(&verdict), "+++!+");
    assert_eq!(world.requests().len(), 1);
}

#[tokio::test]
async fn different_myshopify_domain_is_a_note() {
    let body = opened_body(&[]).replace(HOST, "6nzh0y-y6.myshopify.com");
    let world = World::that_says([json("200 OK", &body)]).await;
    let (verdict, _) = world.test(&token()).await;
    assert!(verdict.notes.contains(&Note::OtherName { host: "6nzh0y-y6.myshopify.com".into() }), "{verdict:?}");
}

#[tokio::test]
async fn redirect_is_a_finding_and_is_not_followed() {
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"] {
        for (location, class, moved_to) in [
            ("https://nt-co.myshopify.com/admin/api/x", Class::StoreMoved, Some("nt-co.myshopify.com")),
            ("https://www.northwindtea.com/", Class::NotShopify, None),
            ("https://northwind-tea.myshopify.com/password", Class::NotShopify, None),
        ] {
            let answer = http(status, &format!("Location: {location}\r\n"), "");
            let world = World::that_says([answer, opened(&all_scopes())]).await;
            let (verdict, _) = world.test(&token()).await;
            assert_eq!((verdict.class, verdict.moved_to.as_deref()), (class, moved_to), "{status} {location}");
            assert_eq!(*world.seen.tunnels.lock().unwrap(), [format!("CONNECT {HOST}:443 HTTP/1.1")]);
        }
    }
}

#[tokio::test]
async fn foreign_or_malformed_answer_is_never_success() {
    let html = "<html><title>Sign in to WiFi</title></html>";
    let zip = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let many = "X-Many: 1\r\n".repeat(150);
    let long = format!("X-Long: {}\r\n", "a".repeat(600_000));
    let huge = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{";
    let chunk = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    let (page, packed, large) = (
        "not JSON, perhaps a web page",
        "a compressed answer, although we asked for none",
        "an answer of more than 256 KiB",
    );
    for (says, remark) in [
        (http("200 OK", "Content-Type: text/html\r\n", html), page),
        (json("200 OK", html), "broken JSON"),
        (json("200 OK", r#"{"data":{"shop":"#), "broken JSON"),
        (http("200 OK", zip, &opened_body(&all_scopes())), packed),
        (Says::Bytes(huge.into()), large),
        (Says::Endless, large),
        (http("200 OK", &many, "{}"), "not an HTTP answer"),
        (http("200 OK", &long, "{}"), "not an HTTP answer"),
        (Says::Bytes("SSH-2.0-OpenSSH_9.2\r\n\r\n".into()), "not an HTTP answer"),
        (Says::Bytes(chunk.into()), "not an HTTP answer"),
    ] {
        let world = World::that_says([says]).await;
        let (verdict, _) = world.test(&token()).await;
        assert_eq!(verdict.details.remark.as_deref(), Some(remark));
        assert_eq!((verdict.class, states(&verdict).as_str()), (Class::NotShopify, "+!---"), "{remark}");
    }
}

#[tokio::test]
async fn identity_encoding_is_accepted() {
    let headers = "Content-Type: application/json\r\nContent-Encoding: Identity\r\n";
    let world = World::that_says([http("200 OK", headers, &opened_body(&[]))]).await;
    let (verdict, _) = world.test(&token()).await;
    assert_eq!(verdict.class, Class::ScopesMissing);
}

#[tokio::test]
async fn broken_connection_does_not_blame_the_token() {
    let short = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    for says in [Says::Close, Says::Bytes("HTTP/1.1 200 OK\r\n".into()), Says::Bytes(short.into())] {
        let world = World::that_says([says]).await;
        let (verdict, _) = world.test(&token()).await;
        assert_eq!((verdict.class, states(&verdict).as_str()), (Class::NetworkUnreachable, "+!---"), "{verdict:?}");
    }
}

#[tokio::test]
async fn refused_tunnel_is_attributed_to_the_proxy() {
    let world = World::that_says([Says::NoTunnel]).await;
    let (verdict, _) = world.test(&token()).await;
    let remark = verdict.details.remark.as_deref();
    assert_eq!((verdict.class, remark), (Class::NetworkUnreachable, Some("refused by the proxy")));
}

#[tokio::test]
async fn unreachable_proxy_is_named_as_the_cause() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let egress = Egress { proxy: Some(format!("http://{closed}").parse().unwrap()), extra_roots_pem: None };
    let world = World { client: ShopifyClient::new(&egress).unwrap(), seen: Arc::default() };
    let (verdict, _) = world.test(&token()).await;
    let remark = verdict.details.remark.as_deref();
    assert_eq!((verdict.class, remark), (Class::NetworkUnreachable, Some("the proxy could not be reached")));
}

#[tokio::test]
async fn silent_and_trickling_servers_end_at_the_deadline() {
    for says in [Says::Silence, Says::Drip] {
        let world = World::that_says([says]).await;
        let began = Instant::now();
        let (verdict, _) = world.test_within(SHORT, &token(), None).await;
        assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
        assert_eq!((verdict.class, states(&verdict).as_str()), (Class::NetworkTimeout, "+!---"));
        assert_eq!(verdict.waited_seconds, Some(1));
    }
}

#[tokio::test]
async fn a_slow_exchange_shares_the_same_deadline() {
    let world = World::that_says([Says::Silence]).await;
    let (verdict, _) = world.test_within(SHORT, &client_credentials(), None).await;
    assert_eq!(verdict.class, Class::NetworkTimeout);
    assert_eq!(world.requests().len(), 1);
}

#[tokio::test]
async fn untrusted_certificate_receives_no_http() {
    for (certificate, remark) in [
        (Certificate::OtherName, "the certificate is for another name"),
        (Certificate::Expired, "the certificate has expired"),
        (Certificate::UnknownIssuer, "the certificate's issuer is not known"),
    ] {
        let world = World::with(certificate, [opened(&all_scopes())]).await;
        let (verdict, _) = world.test(&token()).await;
        assert_eq!((verdict.class, states(&verdict).as_str()), (Class::TlsUntrusted, "+!---"));
        assert_eq!(verdict.details.remark.as_deref(), Some(remark));
        assert!(world.requests().is_empty());
    }
}

#[tokio::test]
async fn test_ends_without_a_receiver() {
    let world = World::that_says([opened(&[])]).await;
    let (told, heard) = unbounded_channel();
    drop(heard);
    let (address, credential) = (StoreAddress::from_host(HOST).unwrap(), token());
    let subject = TestedStore { address: &address, credential: &credential, expected_shop_id: None };
    assert_eq!(run(&world.client, subject, &told).await.class, Class::ScopesMissing);
}

#[tokio::test]
async fn errors_contain_no_secret() {
    let echo = |text: &str| json("403 Forbidden", &format!(r#"{{"errors":"{text}"}}"#));
    for says in [Says::Close, Says::NoTunnel, echo(&canary()), http("200 OK", "", &canary()), Says::Bytes(canary())] {
        let world = World::that_says([says.clone()]).await;
        let (verdict, told) = world.test(&token()).await;
        let stored = serde_json::to_string(&verdict).unwrap();
        let again = World::that_says([says]).await;
        let address = StoreAddress::from_host(HOST).unwrap();
        let Credential::AccessToken(token) = token() else { panic!() };
        let answer = again.client.graphql(&address, &token, CONNECTION_TEST, &CallTimer::default()).await;
        let error = answer.as_ref().err().map(ToString::to_string);
        let printed = format!("{verdict:?} {told:?} {stored} {answer:?} {error:?} {:?}", again.client);
        for secret in [canary(), "c4nac4na".to_owned(), "canary-of-proxy".to_owned()] {
            assert!(!printed.contains(&secret), "{printed}");
        }
    }
}
