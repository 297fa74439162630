//! The payload of a webhook. Fields may be added, never removed or renamed. It never contains a secret, or data of an
//! order or a customer.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Alert, CartStatus, EndingApiKey, SharedProblem, SiteInfo, StatusChange};
use crate::{causes::SharedCause, clock::utc_text as text, urls};

#[derive(Serialize)]
struct WebhookPayload<'a> {
    r#type: &'static str,
    timestamp: String,
    data: PayloadData<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PayloadData<'a> {
    Cart(CartData<'a>),
    Server(ServerData<'a>),
    Url { url: String },
    Head { head: &'a str, url: String },
    Key { key: PayloadKey<'a>, ends_at: String, url: String },
}

#[derive(Serialize)]
struct PayloadKey<'a> {
    id: String,
    name: &'a str,
    ending: &'a str,
}

#[derive(Serialize)]
struct ServerData<'a> {
    cause: SharedCause,
    class: &'a str,
    title: &'static str,
    carts: i64,
    active_carts: i64,
    what_to_do: Vec<String>,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasted_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    still_failing: Option<i64>,
    url: String,
}

#[derive(Serialize)]
struct CartData<'a> {
    cart: PayloadCart<'a>,
    status: CartStatus,
    previous_status: CartStatus,
    class: &'a str,
    title: &'a str,
    missing_permissions: &'a [String],
    since: String,
    last_good_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasted_seconds: Option<i64>,
    url: String,
}

#[derive(Serialize)]
struct PayloadCart<'a> {
    id: String,
    website_name: &'a str,
    platform: &'static str,
    store: &'a str,
}

/// The request body; the same bytes for each retry.
pub(super) fn body(alert: &Alert, at: OffsetDateTime, house: &SiteInfo) -> String {
    let data = match alert {
        Alert::NeedsAttention(change) => PayloadData::Cart(cart(change, None, house)),
        Alert::Recovered(change) => {
            PayloadData::Cart(cart(change, Some((at - change.since).whole_seconds().max(0)), house))
        }
        Alert::ServerProblem(problem) => PayloadData::Server(ServerData {
            title: problem.cause.title(),
            what_to_do: problem.cause.todo(house),
            ..server(problem, house)
        }),
        Alert::ServerRecovered(problem) => PayloadData::Server(ServerData {
            title: problem.cause.over(),
            lasted_seconds: Some((at - problem.since).whole_seconds().max(0)),
            still_failing: Some(problem.still_failing),
            ..server(problem, house)
        }),
        Alert::ActivityHead { head } => PayloadData::Head { head, url: house.link(urls::ACTIVITY) },
        Alert::ApiKeyEndsSoon(ending) => PayloadData::Key {
            key: PayloadKey { id: ending.key.as_simple().to_string(), name: &ending.name, ending: &ending.ending },
            ends_at: text(ending.ends_at),
            url: key_page(ending, house),
        },
        Alert::Trial => PayloadData::Url { url: house.link(urls::ALERTS) },
        // These notices are queued for e-mail only; the webhook payload would reveal nothing about the user.
        Alert::AccountChanged(_) => PayloadData::Url { url: house.link(urls::ACCOUNT) },
    };
    let payload = WebhookPayload { r#type: alert.kind(), timestamp: text(at), data };
    serde_json::to_string(&payload).expect("a payload is plain data")
}

/// The fields that the alert of a server problem and the alert of its recovery have in common.
fn server<'a>(problem: &'a SharedProblem, house: &SiteInfo) -> ServerData<'a> {
    ServerData {
        cause: problem.cause,
        class: &problem.class,
        title: "",
        carts: problem.carts,
        active_carts: problem.active,
        what_to_do: Vec::new(),
        since: text(problem.since),
        lasted_seconds: None,
        still_failing: None,
        url: house.link(urls::FAILING_CARTS),
    }
}

fn cart<'a>(change: &'a StatusChange, lasted_seconds: Option<i64>, house: &SiteInfo) -> CartData<'a> {
    CartData {
        cart: PayloadCart {
            id: change.cart.as_simple().to_string(),
            website_name: &change.website_name,
            platform: "shopify",
            store: &change.store_host,
        },
        status: change.status,
        previous_status: change.previous,
        class: &change.class,
        title: &change.title,
        missing_permissions: &change.missing_permissions,
        since: text(change.since),
        last_good_at: change.last_good_at.map(text),
        lasted_seconds,
        url: page_of(change, house),
    }
}

/// Link to a cart's health page.
pub(super) fn page_of(change: &StatusChange, house: &SiteInfo) -> String {
    house.link(&urls::cart_health(change.cart.as_simple()))
}

/// Link to the page of an API key.
pub(super) fn key_page(ending: &EndingApiKey, house: &SiteInfo) -> String {
    house.link(&urls::api_key(ending.key.as_simple()))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::alerts::change::tests::change;

    fn house() -> SiteInfo {
        SiteInfo {
            product: "Order Time".into(),
            origin: "https://orders.northwind.example".into(),
            egress_addresses: crate::outbound::egress_addresses::EgressAddresses::default(),
        }
    }

    #[test]
    fn payload_matches_the_documentation() {
        let alert = change(CartStatus::Connected, CartStatus::NotConnected).alert().expect("an alert");
        let body: serde_json::Value =
            serde_json::from_str(&body(&alert, datetime!(2026-11-21 09:15:02.9 +1), &house())).expect("JSON");
        let id = "000000000000000000000000000198f3";
        assert_eq!(
            body,
            serde_json::json!({
                "type": "cart.needs-attention", "timestamp": "2026-11-21T08:15:02Z",
                "data": {
                    "cart": { "id": id, "website_name": "Northwind Tea", "platform": "shopify", "store": "northwind-tea.myshopify.com" },
                    "status": "not-connected", "previous_status": "connected",
                    "class": "TOKEN_STOPPED", "title": "The access token stopped working", "missing_permissions": [],
                    "since": "2026-11-21T08:14:40Z", "last_good_at": "2026-11-21T07:59:41Z",
                    "url": format!("https://orders.northwind.example/admin/ecommerce/shopify/{id}/health") }
            })
        );
    }

    #[test]
    fn recovery_contains_its_duration() {
        let alert = change(CartStatus::NotConnected, CartStatus::Connected).alert().expect("an alert");
        let body = body(&alert, datetime!(2026-11-21 08:54:40 UTC), &house());
        for part in ["\"type\":\"cart.recovered\"", "\"class\":\"TOKEN_STOPPED\"", "\"lasted_seconds\":2400"] {
            assert!(body.contains(part), "{body}");
        }
    }

    #[test]
    fn server_problem_contains_its_cause_and_remedy() {
        let since = datetime!(2026-11-21 08:14:40 UTC);
        let cause = SharedCause::Network;
        let problem =
            SharedProblem { cause, class: "NETWORK_DNS".into(), carts: 40, active: 42, still_failing: 0, since };
        let at = datetime!(2026-11-21 08:54:40 UTC);
        let read = |alert: &Alert| serde_json::from_str::<serde_json::Value>(&body(alert, at, &house())).expect("JSON");
        let told = read(&Alert::ServerProblem(problem.clone()));
        assert_eq!(
            told,
            serde_json::json!({
                "type": "server.problem", "timestamp": "2026-11-21T08:54:40Z",
                "data": {
                    "cause": "network", "class": "NETWORK_DNS", "title": "This server cannot reach Shopify",
                    "carts": 40, "active_carts": 42, "what_to_do": cause.todo(&house()), "since": "2026-11-21T08:14:40Z",
                    "url": "https://orders.northwind.example/admin/ecommerce?show=needs-attention" }
            })
        );
        let over = read(&Alert::ServerRecovered(problem));
        assert_eq!((&over["type"], &over["data"]["lasted_seconds"]), (&"server.recovered".into(), &2400.into()));
        assert_eq!(over["data"]["still_failing"], 0);
    }

    #[test]
    fn activity_head_is_the_documented_payload() {
        let alert = Alert::ActivityHead { head: format!("1204:{}", "ab".repeat(32)) };
        let body: serde_json::Value =
            serde_json::from_str(&body(&alert, datetime!(2026-11-21 08:15:02 UTC), &house())).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "activity.head", "timestamp": "2026-11-21T08:15:02Z",
                "data": {
                    "head": format!("1204:{}", "ab".repeat(32)),
                    "url": "https://orders.northwind.example/admin/activity" }
            })
        );
    }

    #[test]
    fn ending_key_is_the_documented_payload() {
        let key = uuid::Uuid::from_u128(0x0001_98f3);
        let ends_at = datetime!(2026-12-05 08:15:02.7 UTC);
        let alert =
            Alert::ApiKeyEndsSoon(EndingApiKey { key, name: "sync-prod".into(), ending: "77ab".into(), ends_at });
        let body: serde_json::Value =
            serde_json::from_str(&body(&alert, datetime!(2026-11-21 08:15:02 UTC), &house())).expect("JSON");
        let id = "000000000000000000000000000198f3";
        assert_eq!(
            body,
            serde_json::json!({
                "type": "api-key.ends-soon", "timestamp": "2026-11-21T08:15:02Z",
                "data": {
                    "key": { "id": id, "name": "sync-prod", "ending": "77ab" },
                    "ends_at": "2026-12-05T08:15:02Z",
                    "url": format!("https://orders.northwind.example/admin/api-keys/{id}") }
            })
        );
    }

    #[test]
    fn a_trial_has_no_cart() {
        let at = datetime!(2026-11-21 08:15:02 UTC);
        assert_eq!(
            body(&Alert::Trial, at, &house()),
            "{\"type\":\"alert.trial\",\"timestamp\":\"2026-11-21T08:15:02Z\",\"data\":{\"url\":\"https://orders.northwind.example/admin/alerts\"}}"
        );
    }
}
