//! The result of a connection test: a finding, never an error.

use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;

use super::{Check, Class, Outcome, TitleContext};
use crate::direction::bidi_isolate;

/// A limit: the store accepted the credential, but something works only in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "limit", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Limit {
    /// Needed permissions that were not granted, in the order of the scope table.
    ScopesMissing {
        scopes: Vec<String>,
    },
    CustomerDetailsHidden,
    /// Shopify answered from another version, without an error.
    ApiVersionOld {
        asked: String,
        answered: String,
    },
}

impl Limit {
    pub const fn class(&self) -> Class {
        match self {
            Self::ScopesMissing { .. } => Class::ScopesMissing,
            Self::CustomerDetailsHidden => Class::CustomerDetailsHidden,
            Self::ApiVersionOld { .. } => Class::ApiVersionOld,
        }
    }
}

/// A note: information that limits nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Note {
    ExtraScopes {
        count: usize,
    },
    /// Missing optional permissions, by scope name.
    OptionalMissing {
        scopes: Vec<String>,
    },
    /// Shopify's own name for the store differs from the host that was called.
    OtherName {
        host: String,
    },
    /// No order with a customer yet, so nothing is proven about customer details.
    NoCustomerSeen,
    DevelopmentStore,
}

/// Facts about the store from Shopify. Foreign text: at most 255 characters each, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The digits of `gid://shopify/Shop/{digits}`.
    pub shop_id: String,
    /// Shopify's name for it; its host if Shopify names none.
    pub name: String,
    pub myshopify_domain: String,
    pub currency: String,
    pub time_zone: String,
    pub plan: String,
    pub is_plus: bool,
    pub is_development: bool,
    pub app_title: Option<String>,
}

/// Technical details for support only: never a body, a header or a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TechnicalDetails {
    pub status: Option<u16>,
    /// Shopify's `X-Request-Id`: visible ASCII, at most 100 characters.
    pub shopify_request_id: Option<String>,
    pub api_version_asked: Option<String>,
    pub api_version_answered: Option<String>,
    pub dns_ms: Option<u32>,
    pub tcp_ms: Option<u32>,
    /// With a proxy, which does lookup and TCP: time until its tunnel is established.
    #[serde(default)]
    pub tunnel_ms: Option<u32>,
    pub tls_ms: Option<u32>,
    pub http_ms: Option<u32>,
    /// A short phrase written by us, such as `resolves to a private address` or `refused by the proxy`.
    pub remark: Option<String>,
}

/// The result of a test. Facts that only some classes have are optional and flat, so that a template can name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub class: Class,
    /// In rank order; the first gives the class.
    #[serde(deserialize_with = "known_limits")]
    pub limits: Vec<Limit>,
    pub notes: Vec<Note>,
    /// Five, or six if the permissions allow the customer check.
    pub checks: Vec<Check>,
    pub store: Option<Store>,
    /// Granted scope handles as listed by Shopify, at most 200.
    pub granted: Vec<String>,
    /// How many of the 17 permissions are covered.
    pub covered: usize,
    /// `STORE_MOVED`: the target of the redirect, already validated as `{label}.myshopify.com`.
    pub moved_to: Option<String>,
    /// `RATE_LIMITED`: seconds to wait, 1 to 86,400. `TEST_LIMIT`: 1 to 60.
    pub wait_seconds: Option<u32>,
    /// A refused token exchange: Shopify's name for the reason, such as `invalid_client`; lower-case words joined by
    /// `_`.
    #[serde(default)]
    pub error_name: Option<String>,
    /// `NETWORK_TIMEOUT`: seconds that we waited.
    pub waited_seconds: Option<u32>,
    /// `TEST_LIMIT`: the exceeded number of tests per minute; `None` while another test still runs.
    #[serde(default)]
    pub tests_a_minute: Option<u32>,
    /// `TOKEN_STOPPED`: when this credential last worked.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub last_worked_at: Option<OffsetDateTime>,
    /// `DUPLICATE`: the cart that has this store. `WRONG_STORE`: the store that this cart was created with.
    /// `TOKEN_REFUSED`: the cart that uses the same token.
    pub other_name: Option<String>,
    pub other_cart: Option<uuid::Uuid>,
    pub details: TechnicalDetails,
}

/// Tests that one user may run against one store per minute.
pub const TESTS_A_MINUTE: u32 = 10;

/// Skips limits that only another version knows, so that the rest of the verdict stays readable.
fn known_limits<'de, D: Deserializer<'de>>(stored: D) -> Result<Vec<Limit>, D::Error> {
    let stored = Vec::<serde_json::Value>::deserialize(stored)?;
    Ok(stored.into_iter().filter_map(|limit| serde_json::from_value(limit).ok()).collect())
}

impl Store {
    /// The short name of the time zone: the last part of `Europe/London`.
    pub fn place(&self) -> String {
        self.time_zone.rsplit('/').next().unwrap_or_default().replace('_', " ")
    }

    /// `Northwind Tea, shop ID 548380009, Basic plan, GBP, London, app “Order Time”`, without missing parts.
    pub fn introduced(&self) -> String {
        let plan = match self.plan.as_str() {
            plan if plan.is_empty() || plan.ends_with(" plan") => plan.to_owned(),
            plan => format!("{plan} plan"),
        };
        let app = self
            .app_title
            .as_deref()
            .filter(|title| !title.is_empty())
            .map(|title| format!("app “{}”", bidi_isolate(title)));
        let parts = [
            bidi_isolate(&self.name).into_owned(),
            format!("shop ID {}", self.shop_id),
            plan,
            self.currency.clone(),
            self.place(),
            app.unwrap_or_default(),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

impl Verdict {
    /// A verdict with its class and nothing else yet.
    pub fn of(class: Class) -> Self {
        Self {
            class,
            limits: Vec::new(),
            notes: Vec::new(),
            checks: Vec::new(),
            store: None,
            granted: Vec::new(),
            covered: 0,
            moved_to: None,
            wait_seconds: None,
            error_name: None,
            waited_seconds: None,
            tests_a_minute: None,
            last_worked_at: None,
            other_name: None,
            other_cart: None,
            details: TechnicalDetails::default(),
        }
    }

    pub const fn outcome(&self) -> Outcome {
        self.class.outcome()
    }

    /// The title of its class.
    pub fn title(&self, context: &TitleContext<'_>) -> String {
        self.class.title(self, context)
    }

    /// Shopify's name of the store, else the host.
    pub fn store_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.store.as_ref().map_or(host, |store| store.name.as_str())
    }

    /// The scopes of the limit `SCOPES_MISSING`.
    pub fn missing_scopes(&self) -> &[String] {
        let missing = self.limits.iter().find_map(|limit| match limit {
            Limit::ScopesMissing { scopes } => Some(scopes.as_slice()),
            Limit::CustomerDetailsHidden | Limit::ApiVersionOld { .. } => None,
        });
        missing.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: TitleContext<'_> =
        TitleContext { host: "northwind-tea.myshopify.com", credential: "Client ID and Client secret" };

    #[test]
    fn stored_limit_that_is_not_known_any_more_is_skipped() {
        let hidden =
            Verdict { limits: vec![Limit::CustomerDetailsHidden], ..Verdict::of(Class::CustomerDetailsHidden) };
        let mut stored = serde_json::to_value(&hidden).expect("plain data");
        let expires = serde_json::json!({ "limit": "EXPIRES", "at": "2026-11-24T00:05:00Z" });
        stored["limits"].as_array_mut().expect("a list").insert(0, expires);
        assert_eq!(serde_json::from_value::<Verdict>(stored).expect("readable"), hidden);
    }

    #[test]
    fn one_missing_permission_is_singular() {
        let limits = vec![Limit::ScopesMissing { scopes: vec!["write_orders".into()] }];
        let title = Verdict { limits, ..Verdict::of(Class::ScopesMissing) }.title(&CONTEXT);
        assert_eq!(title, "Connected, but 1 permission is missing");
    }

    #[test]
    fn title_names_the_credential_that_is_refused() {
        let title = Verdict::of(Class::TokenStopped).title(&CONTEXT);
        assert_eq!(title, "The Client ID and Client secret stopped working");
    }
}
