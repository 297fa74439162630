//! All that a connection test can say: a finding, never an error. The words stand in the templates, one small file a class;
//! only the title stands here too, because alerts, the API and the activity need it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The three outcomes of a test, as `data-outcome` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Connected,
    Limited,
    NotConnected,
}

impl Outcome {
    /// The value of `data-outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Limited => "limited",
            Self::NotConnected => "not-connected",
        }
    }

    /// Whether a cart with exactly this credential may be switched on.
    pub const fn passes(self) -> bool {
        !matches!(self, Self::NotConnected)
    }
}

/// The one precise cause, as `data-class` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Class {
    Connected,
    // Limits, in rank order
    ScopesMissing,
    CustomerDetailsHidden,
    Expires,
    ApiVersionOld,
    // The store was not reached
    NetworkDns,
    NetworkUnreachable,
    NetworkTimeout,
    TlsUntrusted,
    NotShopify,
    StoreNotFound,
    StoreMoved,
    StoreFrozen,
    StoreLocked,
    RateLimited,
    RequestRejected,
    ShopifyDown,
    // The credential was not accepted
    TokenRefused,
    TokenStopped,
    TokenKindRefused,
    NotAllowed,
    WrongStore,
    Duplicate,
    CcWrongOrg,
    CcNotInstalled,
    CcRefused,
    // Ours
    OurKey,
    OurBug,
    TestLimit,
}

/// What works only in part although the store let us in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "limit", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Limit {
    /// Needed permissions that were not granted, in the order of the scope table.
    ScopesMissing {
        scopes: Vec<String>,
    },
    CustomerDetailsHidden,
    Expires {
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// Shopify fell forward to another version without an error.
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
            Self::Expires { .. } => Class::Expires,
            Self::ApiVersionOld { .. } => Class::ApiVersionOld,
        }
    }
}

/// Worth knowing, nothing lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Note {
    ExtraScopes {
        count: usize,
    },
    /// Permissions that are nice to have, by scope name.
    OptionalMissing {
        scopes: Vec<String>,
    },
    /// Shopify's own name for the store differs from the host that was asked.
    OtherName {
        host: String,
    },
    /// No order with a customer yet, so nothing was proven about customer details.
    NoCustomerSeen,
    DevelopmentStore,
}

/// The lines of a test, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    Address,
    Store,
    Credential,
    Permissions,
    Version,
    Customers,
}

impl CheckKind {
    /// The value of `data-check`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Store => "store",
            Self::Credential => "credential",
            Self::Permissions => "permissions",
            Self::Version => "version",
            Self::Customers => "customers",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    Passed,
    Failed,
    NotChecked,
}

/// One line of a test, told as it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub kind: CheckKind,
    pub state: CheckState,
    /// What was found, such as `15 of 17` or `2026-10`; foreign text, capped and without control characters.
    pub found: Option<String>,
    /// Milliseconds that this check took, where it had a time of its own.
    pub took_ms: Option<u32>,
}

/// What Shopify says the store is. Foreign text: at most 255 characters each, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The digits of `gid://shopify/Shop/{digits}`.
    pub shop_id: String,
    /// Shopify's name of it; its host where Shopify names none.
    pub name: String,
    pub myshopify_domain: String,
    pub currency: String,
    pub time_zone: String,
    pub plan: String,
    pub is_plus: bool,
    pub is_development: bool,
    pub app_title: Option<String>,
}

/// What support needs and nobody else: never a body, a header or a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub status: Option<u16>,
    /// Shopify's `X-Request-Id`: visible ASCII, at most 100 characters.
    pub shopify_request_id: Option<String>,
    pub api_version_asked: Option<String>,
    pub api_version_answered: Option<String>,
    pub dns_ms: Option<u32>,
    pub tcp_ms: Option<u32>,
    /// Behind a proxy, whose business look-up and TCP are: until its tunnel stood.
    #[serde(default)]
    pub tunnel_ms: Option<u32>,
    pub tls_ms: Option<u32>,
    pub http_ms: Option<u32>,
    /// A short phrase of ours, such as `resolves to a private address` or `refused by the proxy`.
    pub remark: Option<String>,
}

/// What a test said. Facts that only some classes have are optional and flat, so that a template can name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub class: Class,
    /// In rank order; the first gives the class.
    pub limits: Vec<Limit>,
    pub notes: Vec<Note>,
    /// Five, or six where the permissions allow the customer check.
    pub checks: Vec<Check>,
    pub store: Option<Store>,
    /// Granted scope handles as Shopify listed them, at most 200.
    pub granted: Vec<String>,
    /// How many of the 17 are covered.
    pub covered: usize,
    /// `STORE_MOVED`: where Shopify pointed, already judged to be `{label}.myshopify.com`.
    pub moved_to: Option<String>,
    /// `RATE_LIMITED`, `TEST_LIMIT`: seconds to wait, 1 to 60.
    pub wait_seconds: Option<u32>,
    /// `NETWORK_TIMEOUT`: seconds that we waited.
    pub waited_seconds: Option<u32>,
    /// `TEST_LIMIT`: how many tests a minute are too many; `None` while one still runs.
    #[serde(default)]
    pub tests_a_minute: Option<u32>,
    /// `TOKEN_STOPPED`: when this very credential last worked.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub last_worked_at: Option<OffsetDateTime>,
    /// `DUPLICATE`: the cart that has this store. `WRONG_STORE`: the store this cart was made with. `TOKEN_REFUSED`: the cart
    /// that uses this same token.
    pub other_name: Option<String>,
    pub other_cart: Option<uuid::Uuid>,
    pub details: Details,
}

/// Tests that one administrator may run against one store in a minute.
pub const TESTS_A_MINUTE: u32 = 10;

impl Store {
    /// The time zone as people say it: the last part of `Europe/London`.
    pub fn place(&self) -> String {
        self.time_zone.rsplit('/').next().unwrap_or_default().replace('_', " ")
    }

    /// `Northwind Tea, shop ID 548380009, Basic plan, GBP, London, app “Order Time”`, without what Shopify left out.
    pub fn introduced(&self) -> String {
        let plan = match self.plan.as_str() {
            plan if plan.is_empty() || plan.ends_with(" plan") => plan.to_owned(),
            plan => format!("{plan} plan"),
        };
        let app = self.app_title.as_deref().filter(|title| !title.is_empty()).map(|title| format!("app “{title}”"));
        let parts = [
            self.name.clone(),
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
    /// A verdict that knows its class and nothing else yet.
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
            waited_seconds: None,
            tests_a_minute: None,
            last_worked_at: None,
            other_name: None,
            other_cart: None,
            details: Details::default(),
        }
    }

    pub const fn outcome(&self) -> Outcome {
        self.class.outcome()
    }
}

impl Class {
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Connected => Outcome::Connected,
            Self::ScopesMissing | Self::CustomerDetailsHidden | Self::Expires | Self::ApiVersionOld => Outcome::Limited,
            _ => Outcome::NotConnected,
        }
    }

    /// The line of a test that this class fails; `None` where no line is to blame, as for a mistake of ours.
    pub const fn failed_check(self) -> Option<CheckKind> {
        match self {
            Self::NetworkDns
            | Self::NetworkUnreachable
            | Self::NetworkTimeout
            | Self::TlsUntrusted
            | Self::NotShopify
            | Self::StoreNotFound
            | Self::StoreMoved
            | Self::StoreFrozen
            | Self::StoreLocked
            | Self::RateLimited
            | Self::RequestRejected
            | Self::ShopifyDown => Some(CheckKind::Store),
            Self::TokenRefused
            | Self::TokenStopped
            | Self::TokenKindRefused
            | Self::NotAllowed
            | Self::WrongStore
            | Self::Duplicate
            | Self::CcWrongOrg
            | Self::CcNotInstalled
            | Self::CcRefused => Some(CheckKind::Credential),
            Self::ScopesMissing => Some(CheckKind::Permissions),
            Self::ApiVersionOld => Some(CheckKind::Version),
            Self::CustomerDetailsHidden => Some(CheckKind::Customers),
            Self::Connected | Self::Expires | Self::OurKey | Self::OurBug | Self::TestLimit => None,
        }
    }

    /// The value of `data-class`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "CONNECTED",
            Self::ScopesMissing => "SCOPES_MISSING",
            Self::CustomerDetailsHidden => "CUSTOMER_DETAILS_HIDDEN",
            Self::Expires => "EXPIRES",
            Self::ApiVersionOld => "API_VERSION_OLD",
            Self::NetworkDns => "NETWORK_DNS",
            Self::NetworkUnreachable => "NETWORK_UNREACHABLE",
            Self::NetworkTimeout => "NETWORK_TIMEOUT",
            Self::TlsUntrusted => "TLS_UNTRUSTED",
            Self::NotShopify => "NOT_SHOPIFY",
            Self::StoreNotFound => "STORE_NOT_FOUND",
            Self::StoreMoved => "STORE_MOVED",
            Self::StoreFrozen => "STORE_FROZEN",
            Self::StoreLocked => "STORE_LOCKED",
            Self::RateLimited => "RATE_LIMITED",
            Self::RequestRejected => "REQUEST_REJECTED",
            Self::ShopifyDown => "SHOPIFY_DOWN",
            Self::TokenRefused => "TOKEN_REFUSED",
            Self::TokenStopped => "TOKEN_STOPPED",
            Self::TokenKindRefused => "TOKEN_KIND_REFUSED",
            Self::NotAllowed => "NOT_ALLOWED",
            Self::WrongStore => "WRONG_STORE",
            Self::Duplicate => "DUPLICATE",
            Self::CcWrongOrg => "CC_WRONG_ORG",
            Self::CcNotInstalled => "CC_NOT_INSTALLED",
            Self::CcRefused => "CC_REFUSED",
            Self::OurKey => "OUR_KEY",
            Self::OurBug => "OUR_BUG",
            Self::TestLimit => "TEST_LIMIT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_class_is_the_same_in_pages_and_in_json() {
        for class in [Class::Connected, Class::CcWrongOrg, Class::ApiVersionOld, Class::TestLimit, Class::OurBug] {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
    }
}
