//! Answers to our documents: the sample shop, with the changes of its scenario. Numbers under `cost` mix integers and
//! floats, as Shopify's do.

use serde_json::{Value, json};

use super::{
    canned::graphql_error,
    documents::Operation,
    scenario::{Hostile, Scenario},
    stores::PracticeStore,
};

/// Permissions that the project does not need.
const EXTRA: [&str; 6] =
    ["read_themes", "write_content", "read_reports", "read_translations", "write_script_tags", "read_price_rules"];

/// A successful answer with status 200, or one with a store's GraphQL errors.
pub(super) fn answer(operation: Operation, handle: &str, store: &PracticeStore) -> Value {
    let mut value = match operation {
        Operation::ConnectionTest => connection_test(handle, store),
        Operation::CustomerVisibility => customer_visibility(store),
        Operation::Locations => locations(store, None),
        Operation::ShopName => json!({"data": {"shop": {"name": store.name}}}),
    };
    value["extensions"] = json!({"cost": {
        "requestedQueryCost": 3, "actualQueryCost": 3,
        "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 1997, "restoreRate": 100.0}
    }});
    value
}

/// The answer to a document that is not ours.
pub(super) fn refuse() -> Value {
    graphql_error("undefinedField", "This stand-in executes only the documents of the project itself")
}

/// The permissions as Shopify lists them: each `write_…` together with its `read_…`.
pub(super) fn scopes(store: &PracticeStore) -> Vec<String> {
    let missing = if let Scenario::ScopesMissing(missing) = store.scenario { missing } else { &[] };
    let extra: &[&str] = if store.scenario == Scenario::ScopesExtra { &EXTRA } else { &[] };
    let granted = store.scopes.iter().map(String::as_str).filter(|scope| !missing.contains(scope));
    let mut listed: Vec<String> = granted.chain(extra.iter().copied()).map(str::to_owned).collect();
    let implied: Vec<String> =
        listed.iter().filter_map(|scope| Some(format!("read_{}", scope.strip_prefix("write_")?))).collect();
    listed.extend(implied);
    listed
}

fn connection_test(handle: &str, store: &PracticeStore) -> Value {
    let scenario = &store.scenario;
    let domain = if let Scenario::AlsoCalled(other) = scenario { other } else { handle };
    let (shop_id, name) = match scenario {
        Scenario::OtherShop(other) => (*other, "Northwind Wholesale".to_owned()),
        Scenario::HostileNames(hostile) => (store.shop_id, hostile.name()),
        _ => (store.shop_id, store.name.clone()),
    };
    let hostile = if let Scenario::HostileNames(hostile) = scenario { Some(Hostile::name(*hostile)) } else { None };
    let plan = match scenario {
        Scenario::Plus => "Shopify Plus",
        Scenario::Development => "Development",
        _ => &store.plan,
    };
    let scopes: Vec<Value> = scopes(store).into_iter().map(|scope| json!({"handle": scope})).collect();
    json!({"data": {
        "shop": {
            "id": format!("gid://shopify/Shop/{shop_id}"),
            "name": name,
            "myshopifyDomain": format!("{domain}.myshopify.com"),
            "currencyCode": store.currency,
            "ianaTimezone": store.time_zone,
            "plan": {
                "publicDisplayName": hostile.as_deref().unwrap_or(plan),
                "partnerDevelopment": *scenario == Scenario::Development,
                "shopifyPlus": *scenario == Scenario::Plus,
            },
        },
        "currentAppInstallation": {
            "id": format!("gid://shopify/AppInstallation/{}", shop_id + 1),
            "accessScopes": scopes,
            "app": {
                "id": format!("gid://shopify/App/{}", shop_id + 2),
                "title": hostile.as_deref().unwrap_or(&store.app_title),
                "handle": "order-time",
                "apiKey": store.client_id,
            },
        },
    }})
}

fn customer_visibility(store: &PracticeStore) -> Value {
    let order = json!({"id": "gid://shopify/Order/450789469", "customer": null});
    let granted = scopes(store);
    let may = |scope: &str| granted.iter().any(|one| one == scope);
    if !may("read_orders") {
        return graphql_error("ACCESS_DENIED", "Access denied for orders field.");
    }
    if !may("read_customers") {
        return graphql_error("ACCESS_DENIED", "Access denied for customer field.");
    }
    match store.scenario {
        Scenario::CustomersHidden => {
            let sentence = "This app is not approved to access the Customer object. See \
                            https://shopify.dev/docs/apps/launch/protected-customer-data for more details.";
            let mut answer = graphql_error("ACCESS_DENIED", sentence);
            answer["data"] = json!({"orders": {"nodes": [order]}});
            answer
        }
        Scenario::NoOrders => json!({"data": {"orders": {"nodes": []}}}),
        Scenario::OrderWithoutCustomer => json!({"data": {"orders": {"nodes": [order]}}}),
        _ => json!({"data": {"orders": {"nodes": [{
            "id": "gid://shopify/Order/450789469",
            "customer": {"id": "gid://shopify/Customer/207119551", "displayName": "Priya Example"},
        }]}}}),
    }
}

/// Locations per page, as the document requests them.
const PAGE: usize = 100;

/// The page of the store's locations after this cursor.
pub(super) fn locations(store: &PracticeStore, after: Option<&str>) -> Value {
    if !scopes(store).iter().any(|one| one == "read_locations") {
        return graphql_error(
            "ACCESS_DENIED",
            "Access denied for locations field. Required access: `read_locations` access scope.",
        );
    }
    let from = after.and_then(|cursor| cursor.strip_prefix("page-")?.parse().ok()).unwrap_or(0_usize);
    let node = |(at, name): (usize, &String)| json!({"id": format!("gid://shopify/Location/{}", store.shop_id * 10_000 + at as u64), "name": name, "isActive": true});
    let nodes: Vec<Value> = store.locations.iter().enumerate().skip(from).take(PAGE).map(node).collect();
    let (next, end) = (from + PAGE < store.locations.len(), from + nodes.len());
    let cursor = (!nodes.is_empty()).then(|| format!("page-{end}"));
    json!({"data": {"locations": {"nodes": nodes, "pageInfo": {"hasNextPage": next, "endCursor": cursor}}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(scenario: Scenario) -> PracticeStore {
        PracticeStore::sample("practice-tea").with(scenario)
    }

    #[test]
    fn write_permission_is_listed_with_its_read_permission() {
        let listed = scopes(&store(Scenario::Well));
        for scope in ["write_orders", "read_orders", "read_shipping"] {
            assert!(listed.iter().any(|one| one == scope), "{scope}");
        }
        let listed = scopes(&store(Scenario::ScopesMissing(&["write_orders"])));
        assert!(!listed.iter().any(|one| one.ends_with("_orders") && !one.contains("fulfillment")));
    }

    #[test]
    fn customers_are_hidden_without_their_read_permission() {
        let answer = customer_visibility(&store(Scenario::ScopesMissing(&["write_customers"])));
        assert_eq!(answer["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
        let answer = customer_visibility(&store(Scenario::Well));
        assert!(answer["data"]["orders"]["nodes"][0]["customer"]["id"].is_string());
    }

    #[test]
    fn locations_come_in_pages_of_100() {
        let many =
            PracticeStore { locations: (0..250).map(|n| format!("Depot {n}")).collect(), ..store(Scenario::Well) };
        let mut seen = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = &locations(&many, after.as_deref())["data"]["locations"];
            seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
        }
        assert_eq!(seen, many.locations);
        let denied = locations(&store(Scenario::ScopesMissing(&["write_locations"])), None);
        assert_eq!(denied["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
    }

    #[test]
    fn scenario_changes_the_shop() {
        let shop = |scenario| connection_test("practice-tea", &store(scenario))["data"]["shop"].clone();
        assert_eq!(shop(Scenario::AlsoCalled("b"))["myshopifyDomain"], "b.myshopify.com");
        assert_eq!(shop(Scenario::OtherShop(7))["id"], "gid://shopify/Shop/7");
        assert_eq!(shop(Scenario::Development)["plan"]["partnerDevelopment"], true);
        assert_eq!(shop(Scenario::Plus)["plan"]["shopifyPlus"], true);
        assert_eq!(shop(Scenario::HostileNames(Hostile::Long))["name"].as_str().unwrap().len(), 10_000);
    }
}
