//! The JSON of the responses to the two queries, as far as we read it. Fields that Shopify may omit are optional.

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionData {
    pub shop: Shop,
    pub current_app_installation: Installation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shop {
    pub id: String,
    pub name: Option<String>,
    pub myshopify_domain: Option<String>,
    pub currency_code: Option<String>,
    pub iana_timezone: Option<String>,
    pub plan: Option<Plan>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    pub public_display_name: Option<String>,
    pub partner_development: Option<bool>,
    pub shopify_plus: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Installation {
    pub access_scopes: Vec<GrantedScope>,
    pub app: Option<InstalledApp>,
}

#[derive(Deserialize)]
pub(super) struct GrantedScope {
    pub handle: String,
}

#[derive(Deserialize)]
pub(super) struct InstalledApp {
    pub title: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OrdersData {
    pub orders: Orders,
}

#[derive(Deserialize)]
pub(super) struct Orders {
    pub nodes: Vec<Order>,
}

#[derive(Deserialize)]
pub(super) struct Order {
    pub customer: Option<Customer>,
}

/// The name is only compared with null and dropped; its text is not kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer {
    pub display_name: Option<IgnoredAny>,
}
