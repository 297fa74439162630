//! Fixed answers: one for each known failure of Shopify, or of something that answers in its place. Bodies and headers
//! follow shopify.dev and published captures, checked November 2026. A table, so it may be long.

use serde_json::{Value, json};

use super::{
    bulk,
    endpoint::Endpoint,
    reply::{Reply, ReplyBody},
};

/// Declares the answers: their names, their speakers, and the class that a connection test should report.
macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $speaker:ident $class:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Canned { $($(#[$doc])* $name,)* }

        impl Canned {
            /// All answers, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The class that a connection test should report, as `data-class` names it.
            pub const fn class(self) -> &'static str {
                match self { $(Self::$name => $class,)* }
            }

            const fn speaker(self) -> AnswerSource {
                match self { $(Self::$name => AnswerSource::$speaker,)* }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerSource {
    /// The guard in front of all stores, to every caller and for every request.
    Guard,
    /// The Admin API, to a caller with a valid token.
    Api,
    /// Not Shopify, to every caller and for every request.
    Stranger,
}

answers! {
    Unauthorized Api "TOKEN_REFUSED";
    Frozen Guard "STORE_FROZEN";
    /// With the sentence of the documentation's sample.
    FrozenByPlan Guard "STORE_FROZEN";
    ApprovalNeeded Api "NOT_ALLOWED";
    UserMayNot Api "NOT_ALLOWED";
    KindRefused Api "TOKEN_KIND_REFUSED";
    Fraudulent Guard "STORE_LOCKED";
    /// As for an address that is not on the app's IP allowlist; its sentence is not documented.
    Forbidden Api "ADDRESS_REFUSED";
    /// Without any sign of Shopify.
    ForbiddenPage Api "NOT_SHOPIFY";
    NoStore Guard "STORE_NOT_FOUND";
    NoStorePage Guard "STORE_NOT_FOUND";
    /// 404 although the store exists.
    WrongPath Api "OUR_BUG";
    WrongMethod Api "OUR_BUG";
    NotAcceptable Api "OUR_BUG";
    UnsupportedMedia Api "OUR_BUG";
    Unprocessable Api "OUR_BUG";
    Locked Guard "STORE_LOCKED";
    /// `Retry-After: 2.0`.
    TooMany Guard "RATE_LIMITED";
    TooManyPage Guard "RATE_LIMITED";
    /// A wait far beyond our limit.
    TooManyForAnHour Guard "RATE_LIMITED";
    Rejected Guard "REQUEST_REJECTED";
    RejectedEmpty Guard "REQUEST_REJECTED";
    Down Guard "SHOPIFY_DOWN";
    BadGateway Guard "SHOPIFY_DOWN";
    Unavailable Guard "SHOPIFY_DOWN";
    GatewayTimeout Guard "SHOPIFY_DOWN";
    OriginUnknown Guard "SHOPIFY_DOWN";
    TemporarilyDisabled Guard "SHOPIFY_DOWN";
    UnlistedFault Guard "SHOPIFY_DOWN";
    BadRequest Api "OUR_BUG";
    UnexpectedBytes Api "OUR_BUG";
    Teapot Guard "NOT_SHOPIFY";
    RequestTimeout Guard "NETWORK_TIMEOUT";
    Throttled Api "RATE_LIMITED";
    /// GraphQL errors whose message alone says what is wrong.
    ThrottledWithoutCode Api "RATE_LIMITED";
    InternalWithoutCode Api "SHOPIFY_DOWN";
    DeniedWithoutCode Api "NOT_ALLOWED";
    InactiveAsText Api "STORE_LOCKED";
    ThrottledNullData Api "RATE_LIMITED";
    InternalError Api "SHOPIFY_DOWN";
    ShopInactive Api "STORE_LOCKED";
    AccessDenied Api "NOT_ALLOWED";
    InstallationDenied Api "NOT_ALLOWED";
    UndefinedField Api "OUR_BUG";
    CostsTooMuch Api "OUR_BUG";
    UnlistedCode Api "OUR_BUG";
    ErrorsAsText Api "OUR_BUG";
    ErrorsAsObject Api "OUR_BUG";
    /// The shop is there, the installation is null, and there is no error.
    PartialData Api "NOT_SHOPIFY";
    DataNull Api "NOT_SHOPIFY";
    EmptyObject Api "NOT_SHOPIFY";
    JsonArray Api "NOT_SHOPIFY";
    JsonText Api "NOT_SHOPIFY";
    /// An ID that is not a shop's.
    OddShopId Api "NOT_SHOPIFY";
    ScopesAsText Api "NOT_SHOPIFY";
    Truncated Api "NOT_SHOPIFY";
    EmptyBody Api "NOT_SHOPIFY";
    NotUtf8 Api "NOT_SHOPIFY";
    Portal Stranger "NOT_SHOPIFY";
    PortalAsJson Stranger "NOT_SHOPIFY";
    /// A firewall's page that only a browser can pass.
    Challenge Stranger "REQUEST_REJECTED";
    /// A corporate proxy that requires a sign-in.
    ProxySignIn Stranger "NOT_SHOPIFY";
    ProxySignIn407 Stranger "NOT_SHOPIFY";
    /// Refusals with a status that Shopify uses, but without any sign of Shopify.
    FirewallPage Stranger "NOT_SHOPIFY";
    PaidWifi Stranger "NOT_SHOPIFY";
    LockedPage Stranger "NOT_SHOPIFY";
    /// An API gateway that has no such path.
    GatewayNotFound Stranger "NOT_SHOPIFY";
    /// Network Authentication Required.
    PortalStatus Stranger "NOT_SHOPIFY";
    /// A correct answer with a wrong content type.
    JsonAsPage Api "NOT_SHOPIFY";
    NoContentType Api "NOT_SHOPIFY";
    NoContent Stranger "NOT_SHOPIFY";
    Deep Api "NOT_SHOPIFY";
    OneMegabyte Api "NOT_SHOPIFY";
    OneMegabyteChunked Api "NOT_SHOPIFY";
    Gzipped Api "NOT_SHOPIFY";
    /// A small body that decompresses to 256 MiB.
    GzipBomb Stranger "NOT_SHOPIFY";
    ManyHeaders Api "NOT_SHOPIFY";
    HugeHeader Api "NOT_SHOPIFY";
}

impl Canned {
    /// Whether the Admin API sends this to a caller with a valid token. The token exchange then works as usual.
    pub fn is_from_api(self) -> bool {
        self.speaker() == AnswerSource::Api
    }

    pub(super) fn answers(self, endpoint: Endpoint) -> bool {
        !self.is_from_api() || endpoint != Endpoint::Exchange
    }

    /// The answer; `good` is the answer of a store without problems.
    pub fn reply(self, good: &Value) -> Reply {
        match self.speaker() {
            AnswerSource::Guard => self.guard_says(),
            AnswerSource::Stranger => self.stranger_says(),
            AnswerSource::Api if self.is_graphql() => Reply::json(200, &self.graphql(good)),
            AnswerSource::Api => self.api_says(good),
        }
    }

    fn guard_says(self) -> Reply {
        let says = |status, sentence: &str| Reply::json(status, &json!({"errors": sentence}));
        match self {
            Self::Frozen => says(402, "Unavailable Shop"),
            Self::FrozenByPlan => says(402, "This shop's plan does not have access to this feature"),
            Self::Fraudulent => says(403, "Unavailable Shop"),
            Self::NoStore => says(404, "Not Found").anonymous(),
            Self::NoStorePage => Reply::page(404, "Something went wrong"),
            Self::Locked => says(423, "This shop is unavailable"),
            Self::TooMany => says(429, "Exceeded 2 calls per second for api client.").header("retry-after", "2.0"),
            Self::TooManyForAnHour => says(429, "Throttled").header("retry-after", "3600"),
            Self::TooManyPage => Reply::page(429, "Too Many Requests"),
            Self::Rejected => Reply::page(430, "Shopify Security Rejection"),
            Self::RejectedEmpty => Reply::new(430, ReplyBody::Whole(Vec::new())),
            Self::Down => says(500, "Internal Server Error"),
            Self::BadGateway => Reply::page(502, "Bad Gateway"),
            Self::Unavailable => Reply::text(503, "text/plain", "Service Unavailable"),
            Self::GatewayTimeout => says(504, "This request took too long to process"),
            Self::OriginUnknown => Reply::page(530, "Origin DNS Error"),
            Self::TemporarilyDisabled => says(540, "Temporarily Disabled"),
            Self::RequestTimeout => Reply::page(408, "Request Timeout"),
            Self::UnlistedFault => Reply::page(521, "Web server is down"),
            _ => Reply::text(418, "text/plain", "I am a teapot"),
        }
    }

    fn stranger_says(self) -> Reply {
        match self {
            Self::PortalAsJson => Reply::page(200, "Sign in to Hotel Wi-Fi").header("content-type", "application/json"),
            Self::Challenge => Reply::page(403, "Just a moment...").header("cf-mitigated", "challenge"),
            Self::ProxySignIn => Reply::page(401, "Authentication required")
                .header("www-authenticate", "Basic realm=\"Corporate Proxy\""),
            Self::ProxySignIn407 => Reply::page(407, "Proxy Authentication Required")
                .header("proxy-authenticate", "Basic realm=\"Corporate Proxy\""),
            Self::FirewallPage => Reply::page(403, "Blocked by your organization's web filter"),
            Self::PaidWifi => Reply::page(402, "Your access time has ended"),
            Self::LockedPage => Reply::page(423, "This site is locked"),
            Self::GatewayNotFound => {
                Reply::json(404, &json!({"message": "no Route matched with those values"})).anonymous()
            }
            Self::PortalStatus => Reply::page(511, "Network Authentication Required"),
            Self::NoContent => Reply::new(204, ReplyBody::Whole(Vec::new())),
            Self::GzipBomb => Reply::new(200, ReplyBody::Whole(bulk::gzip_bomb()))
                .header("content-type", "application/json")
                .header("content-encoding", "gzip"),
            _ => Reply::page(200, "Sign in to Hotel Wi-Fi"),
        }
    }

    fn api_says(self, good: &Value) -> Reply {
        let says = |status, sentence: &str| Reply::json(status, &json!({"errors": sentence}));
        let raw = |bytes: Vec<u8>| Reply::json(200, good).body(|_| ReplyBody::Whole(bytes));
        match self {
            Self::Unauthorized => unauthorized(),
            Self::ApprovalNeeded => says(403, "[API] This action requires merchant approval for read_orders scope."),
            Self::UserMayNot => says(403, "User does not have access"),
            Self::KindRefused => says(403, "[API] Non-expiring access tokens are no longer accepted for this app."),
            Self::ForbiddenPage => Reply::page(403, "Access denied"),
            Self::WrongPath => says(404, "Not Found"),
            Self::WrongMethod => says(405, "Method Not Allowed"),
            Self::NotAcceptable => says(406, "Not Acceptable"),
            Self::UnsupportedMedia => says(415, "Unsupported Media Type"),
            Self::Unprocessable => says(422, "Unprocessable Entity"),
            Self::BadRequest => bad_request(),
            Self::UnexpectedBytes => says(783, "Unexpected token"),
            Self::JsonText => raw(b"\"Not Found\"".to_vec()),
            Self::Truncated => {
                let whole = good.to_string();
                raw(whole.as_bytes()[..whole.len() / 2].to_vec())
            }
            Self::EmptyBody => raw(Vec::new()),
            Self::NotUtf8 => raw(b"{\"data\":\"\xff\xfe\"}".to_vec()),
            Self::JsonAsPage => raw(good.to_string().into_bytes()).header("content-type", "text/html; charset=utf-8"),
            Self::NoContentType => Reply::new(200, ReplyBody::Whole(good.to_string().into_bytes())).by_store(),
            Self::Deep => raw(bulk::nested(100_000)),
            Self::OneMegabyte => raw(bulk::padded(good)),
            Self::OneMegabyteChunked => raw(bulk::padded(good)).body(ReplyBody::Chunked),
            Self::Gzipped => raw(bulk::gzip_stored(good.to_string().as_bytes())).header("content-encoding", "gzip"),
            Self::ManyHeaders => (0..3000)
                .fold(Reply::json(200, good), |reply, number| reply.header(&format!("x-padding-{number}"), "practice")),
            Self::HugeHeader => Reply::json(200, good).header("x-padding", &"practice".repeat(80_000)),
            _ => says(403, "Forbidden"),
        }
    }

    const fn is_graphql(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::ThrottledWithoutCode
                | Self::InternalWithoutCode
                | Self::DeniedWithoutCode
                | Self::InactiveAsText
                | Self::ThrottledNullData
                | Self::InternalError
                | Self::ShopInactive
                | Self::AccessDenied
                | Self::InstallationDenied
                | Self::UndefinedField
                | Self::CostsTooMuch
                | Self::UnlistedCode
                | Self::ErrorsAsText
                | Self::ErrorsAsObject
                | Self::PartialData
                | Self::DataNull
                | Self::EmptyObject
                | Self::JsonArray
                | Self::OddShopId
                | Self::ScopesAsText
        )
    }

    /// Bodies with status 200 and the right content type.
    fn graphql(self, good: &Value) -> Value {
        match self {
            Self::Throttled => throttled(),
            Self::ThrottledWithoutCode => with(&throttled(), "/errors", json!([{"message": "Throttled"}])),
            Self::InternalWithoutCode => {
                json!({"errors": [{"message": "Internal error. Something went wrong on our end."}]})
            }
            Self::DeniedWithoutCode => json!({"errors": [{"message": "Access denied for shop field."}]}),
            Self::InactiveAsText => json!({"errors": "This shop is inactive."}),
            Self::ThrottledNullData => with(&throttled(), "/data", Value::Null),
            Self::InternalError => graphql_error(
                "INTERNAL_SERVER_ERROR",
                "Internal error. Looks like something went wrong on our end.\nRequest ID: 1b355a21-practice",
            ),
            Self::ShopInactive => graphql_error("SHOP_INACTIVE", "This shop is inactive."),
            Self::AccessDenied => {
                let answer = graphql_error("ACCESS_DENIED", "Access denied for shop field.");
                with(&answer, "/data", Value::Null)
            }
            Self::InstallationDenied => {
                let answer = graphql_error("ACCESS_DENIED", "Access denied for currentAppInstallation field.");
                let data = with(&good["data"], "/currentAppInstallation", Value::Null);
                with(&answer, "/data", data)
            }
            Self::UndefinedField => graphql_error("undefinedField", "Field 'plan' doesn't exist on type 'Shop'"),
            Self::CostsTooMuch => {
                graphql_error("MAX_COST_EXCEEDED", "Query cost is 1203, which exceeds the limit of 1000")
            }
            Self::UnlistedCode => graphql_error("SOMETHING_NEW", "Something new."),
            Self::ErrorsAsText => json!({"errors": "Not what you think"}),
            Self::ErrorsAsObject => json!({"errors": {"query": ["Not what you think"]}}),
            Self::PartialData => with(good, "/data/currentAppInstallation", Value::Null),
            Self::DataNull => json!({"data": null}),
            Self::JsonArray => json!([good]),
            Self::OddShopId => with(good, "/data/shop/id", json!("gid://shopify/Product/548380009")),
            Self::ScopesAsText => {
                with(good, "/data/currentAppInstallation/accessScopes", json!("write_orders,read_customers"))
            }
            _ => json!({}),
        }
    }
}

/// The answer to a missing, wrong or revoked token.
pub(super) fn unauthorized() -> Reply {
    let sentence = "[API] Invalid API key or access token (unrecognized login or wrong password)";
    Reply::json(401, &json!({"errors": sentence}))
        .header("www-authenticate", "Basic Realm=\"Shopify API Authentication\"")
}

pub(super) fn bad_request() -> Reply {
    Reply::json(400, &json!({"errors": {"query": "Required parameter missing or invalid"}}))
}

/// An error in a GraphQL answer with status 200.
pub(super) fn graphql_error(code: &str, message: &str) -> Value {
    json!({"errors": [{"message": message, "extensions": {"code": code}}]})
}

fn throttled() -> Value {
    json!({
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {
            "requestedQueryCost": 203, "actualQueryCost": null,
            "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 3, "restoreRate": 100.0}
        }}
    })
}

/// Replaces the value at this JSON pointer, and adds it if only its last step is missing.
fn with(value: &Value, place: &str, other: Value) -> Value {
    let mut value = value.clone();
    let (parent, last) = place.rsplit_once('/').expect("a pointer starts with a slash");
    if let Some(Value::Object(object)) = value.pointer_mut(parent) {
        object.insert(last.to_owned(), other);
    }
    value
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn good() -> Value {
        json!({"data": {"shop": {"id": "gid://shopify/Shop/1"}, "currentAppInstallation": {"accessScopes": []}}})
    }

    #[test]
    fn answers_are_distinct_and_none_is_good() {
        let mut seen = Vec::new();
        for canned in Canned::ALL {
            let reply = canned.reply(&good());
            assert_ne!(reply, Reply::json(200, &good()), "{canned:?}");
            assert!(!seen.contains(&reply), "{canned:?} repeats another");
            seen.push(reply);
        }
    }

    #[test]
    fn every_status_of_the_table_is_covered() {
        let statuses: HashSet<u16> = Canned::ALL.iter().map(|canned| canned.reply(&good()).status).collect();
        for status in [200, 400, 401, 402, 403, 404, 405, 406, 423, 429, 430, 500, 502, 503, 504, 530, 540, 783] {
            assert!(statuses.contains(&status), "{status}");
        }
    }

    #[test]
    fn only_existing_stores_send_their_number() {
        assert!(!Canned::NoStore.reply(&good()).is_from_store);
        assert!(!Canned::Portal.reply(&good()).is_from_store);
        assert!(Canned::WrongPath.reply(&good()).is_from_store);
    }
}
