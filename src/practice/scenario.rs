//! How a practice store behaves: well, badly, or not at all. One value holds everything, so that a test or a user can
//! change it while the server runs. Names the result that a connection test should report, but does not depend on the
//! test.

use std::time::Duration;

use super::{canned::Canned, certificates::Flaw, endpoint::Endpoint, exchange_error::ExchangeError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// No problem.
    Well,
    /// Well, after a delay.
    Delayed(Duration),
    /// No answer until the scenario changes, then the answer of the new one. At most a minute.
    Held,

    // Connected, with a warning
    ScopesMissing(&'static [&'static str]),
    /// Six more than needed.
    ScopesExtra,
    CustomersHidden,
    NoOrders,
    OrderWithoutCustomer,
    /// Another API version than the requested one.
    AnsweredAs(&'static str),
    NoVersionHeader,
    /// Shopify has another name for the store; the handle only.
    AlsoCalled(&'static str),
    /// Another shop's number and name: a different store for a cart that had this one, and an ordinary one for a new
    /// cart.
    OtherShop(u64),
    Development,
    Plus,
    HostileNames(Hostile),

    // Before any HTTP
    ConnectRefused,
    /// The proxy answers with this status instead of opening its tunnel, such as 407 or 502.
    ProxySays(u16),
    /// The connection is reset as soon as it is established.
    Reset,
    HangBeforeTls,
    Certificate(Flaw),
    /// A TLS alert instead of a handshake: no common version.
    TlsTooOld,
    /// A web page instead of a TLS handshake.
    NotTls,

    // HTTP
    Says(Canned),
    /// 3xx with this `Location`, or with none.
    Redirect(u16, Option<&'static str>),
    Raw(RawAnswer),
    Exchange(ExchangeError),
    /// The same as a web page, for a caller that does not request JSON.
    ExchangePage(ExchangeError),

    // After the request was read
    Hang,
    CloseWithoutAnswer,
    CloseMidBody,
    EndlessBody,
    DrippingBody,
    /// A head that never ends, one byte per second. The journal does not record the request.
    DrippingHead,
    /// Bytes that are not HTTP. The journal does not record the request.
    Garbage,
}

/// A literal answer, for tests that bring their own table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Names that try to break pages, logs and terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hostile {
    Markup,
    /// Right-to-left overrides and zero-width characters.
    Bidi,
    /// Line breaks, NUL and an escape sequence.
    Control,
    /// 10,000 characters.
    Long,
}

impl Scenario {
    /// The class that a connection test should report, as `data-class` names it; if it depends on the kind of
    /// credential, the one for the first kind. `None` if there is no fixed class.
    pub fn class(&self) -> Option<&'static str> {
        Some(match self {
            Self::Held | Self::Raw(_) => return None,
            Self::Well
            | Self::Delayed(_)
            | Self::ScopesExtra
            | Self::NoOrders
            | Self::OrderWithoutCustomer
            | Self::NoVersionHeader
            | Self::AlsoCalled(_)
            | Self::Development
            | Self::Plus
            | Self::HostileNames(_) => "CONNECTED",
            Self::OtherShop(_) => "WRONG_STORE",
            Self::ScopesMissing(_) => "SCOPES_MISSING",
            Self::CustomersHidden => "CUSTOMER_DETAILS_HIDDEN",
            Self::AnsweredAs(_) => "API_VERSION_OLD",
            Self::ConnectRefused | Self::ProxySays(_) | Self::Reset | Self::CloseWithoutAnswer | Self::CloseMidBody => {
                "NETWORK_UNREACHABLE"
            }
            Self::HangBeforeTls | Self::Hang | Self::DrippingHead | Self::DrippingBody => "NETWORK_TIMEOUT",
            Self::Certificate(_) | Self::TlsTooOld | Self::NotTls => "TLS_UNTRUSTED",
            Self::Says(canned) => canned.class(),
            Self::Redirect(_, Some(location)) if points_to_a_store(location) => "STORE_MOVED",
            Self::Redirect(..) | Self::EndlessBody | Self::Garbage => "NOT_SHOPIFY",
            Self::Exchange(refusal) | Self::ExchangePage(refusal) => refusal.class(),
        })
    }

    /// Whether the scenario decides the answer of the endpoint. Otherwise the endpoint works normally.
    pub(super) fn answers(&self, endpoint: Endpoint) -> bool {
        match self {
            Self::Says(canned) => canned.answers(endpoint),
            Self::Exchange(_) | Self::ExchangePage(_) => endpoint == Endpoint::Exchange,
            Self::Redirect(..)
            | Self::Raw(_)
            | Self::Hang
            | Self::CloseWithoutAnswer
            | Self::CloseMidBody
            | Self::EndlessBody
            | Self::DrippingBody => true,
            _ => false,
        }
    }
}

/// Whether the location is `https://{label}.myshopify.com` or `https://admin.shopify.com/store/{label}`, with or
/// without a longer path.
fn points_to_a_store(location: &str) -> bool {
    let Some(rest) = location.strip_prefix("https://") else { return false };
    let mut parts = rest.strip_prefix("admin.shopify.com/store/").unwrap_or(rest).split('/');
    let first = parts.next().unwrap_or_default();
    let label = if rest.starts_with("admin.shopify.com/") { Some(first) } else { first.strip_suffix(".myshopify.com") };
    label.is_some_and(|label| {
        !label.is_empty() && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    })
}

impl Hostile {
    pub const ALL: &'static [Self] = &[Self::Markup, Self::Bidi, Self::Control, Self::Long];

    /// A hostile name for a shop, a plan and an app.
    pub fn name(self) -> String {
        match self {
            Self::Markup => "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}".to_owned(),
            Self::Bidi => "Northwind \u{202e}aeT\u{202c} \u{200b}\u{2066}Ltd\u{2069}\u{feff}".to_owned(),
            Self::Control => "Northwind\r\nSet-Cookie: a=b\u{0}\u{1b}[31mTea".to_owned(),
            Self::Long => "Northwind ".repeat(1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_https_store_address_counts_as_a_move() {
        for location in
            ["https://b.myshopify.com", "https://b.myshopify.com/admin", "https://admin.shopify.com/store/b/settings"]
        {
            assert!(points_to_a_store(location), "{location}");
        }
        for location in [
            "http://b.myshopify.com/",
            "https://evil.example/",
            "https://b.myshopify.com.evil.example/",
            "https://.myshopify.com",
            "https://admin.shopify.com/store/",
            "https://admin.shopify.com/store/a.b",
            "https://admin.shopify.com.evil.example/store/b",
            "https://a.b.myshopify.com",
            "https://b.myshopify.com:8443/",
            "/admin",
            "",
        ] {
            assert!(!points_to_a_store(location), "{location}");
        }
    }
}
