use super::*;

fn token() -> AccessToken {
    AccessToken::parse(&format!("shpat_{}", "c4na".repeat(8))).unwrap().0
}

fn address() -> StoreAddress {
    StoreAddress::from_handle("northwind-tea").unwrap()
}

/// A client that reaches nothing: no service listens on the discard port.
fn through_nothing() -> ShopifyClient {
    let proxy = "http://127.0.0.1:9".parse().unwrap();
    ShopifyClient::new(&Egress { proxy: Some(proxy), extra_roots_pem: None }).unwrap()
}

#[test]
fn proxies_of_the_environment_are_ignored() {
    let usual = reqwest::Client::builder().tls_backend_preconfigured(Egress::default().tls().unwrap());
    assert!(format!("{:?}", usual.build().unwrap()).contains("proxies"), "the default client uses them");
    let ours = ShopifyClient::new(&Egress::default()).unwrap();
    assert!(!format!("{:?}", ours.http).contains("proxies"));
}

#[test]
fn a_request_prints_neither_token_nor_body() {
    let client = through_nothing();
    let request =
        client.query(&address(), &token(), "query X { x }", &serde_json::Value::Null, &CallTimer::default()).unwrap();
    let printed = format!("{request:?} {:?}", request.try_clone());
    assert!(printed.contains("Sensitive") && !printed.contains("c4na"), "{printed}");
}

#[tokio::test]
async fn call_over_the_limit_waits_for_a_permit() {
    let client = through_nothing();
    let places = client.in_flight.acquire_many(u32::try_from(CALL_CONCURRENCY).unwrap()).await.unwrap();
    let (address, token, meter) = (address(), token(), CallTimer::default());
    let mut call = Box::pin(client.graphql(&address, &token, "query X { x }", &meter));
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    assert!(meter.timings() == Timings::default(), "the call has not started");
    drop(places);
    assert!(call.await.is_err());
}
