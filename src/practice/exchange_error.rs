//! The refusals of `POST /admin/oauth/access_token`, as JSON or as a web page. From shopify.dev, checked November 2026.

use serde_json::json;

use super::reply::Reply;

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExchangeError {
    /// App and store are in different organizations.
    WrongOrganization,
    NotInstalled,
    UnknownClient,
    /// The same with the older error name.
    UnknownClientOlder,
    /// Sources disagree about the status, so there are two variants.
    WrongSecret,
    WrongSecret401,
    /// Observed for an app that is not installed.
    InvalidRequest,
    UnauthorizedClient,
    /// An error name that is not known yet.
    UnlistedName,
    /// The server does not support client credentials.
    UnsupportedGrant,
}

impl ExchangeError {
    pub const ALL: &'static [Self] = &[
        Self::WrongOrganization,
        Self::NotInstalled,
        Self::UnknownClient,
        Self::UnknownClientOlder,
        Self::WrongSecret,
        Self::WrongSecret401,
        Self::InvalidRequest,
        Self::UnauthorizedClient,
        Self::UnlistedName,
        Self::UnsupportedGrant,
    ];

    /// The class that a connection test should report, as `data-class` names it.
    pub const fn class(self) -> &'static str {
        match self {
            Self::WrongOrganization => "CC_WRONG_ORG",
            Self::NotInstalled | Self::InvalidRequest => "CC_NOT_INSTALLED",
            Self::UnsupportedGrant => "OUR_BUG",
            _ => "CC_REFUSED",
        }
    }

    /// Status, `error` and `error_description`.
    const fn words(self) -> (u16, &'static str, &'static str) {
        let unknown = "Could not find Shopify API application with api_key";
        match self {
            Self::WrongOrganization => {
                (400, "shop_not_permitted", "Client credentials cannot be performed on this shop.")
            }
            Self::NotInstalled => (400, "app_not_installed", "The application is not installed on this shop."),
            Self::UnknownClient => (400, "application_cannot_be_found", unknown),
            Self::UnknownClientOlder => (400, "invalid_request", unknown),
            Self::WrongSecret => (400, "invalid_client", "The client secret does not match."),
            Self::WrongSecret401 => (401, "invalid_client", "Client authentication failed."),
            Self::InvalidRequest => (400, "invalid_request", "The request could not be completed."),
            Self::UnauthorizedClient => (400, "unauthorized_client", "The client is not authorized."),
            Self::UnlistedName => (400, "app_under_review", "The app is under review."),
            Self::UnsupportedGrant => (400, "unsupported_grant_type", "The grant type is not supported."),
        }
    }

    pub(super) fn reply(self, is_page: bool) -> Reply {
        let (status, error, description) = self.words();
        if is_page {
            let title = format!("{status} - Oauth error {error}");
            let text = format!("<html><head><title>{title}</title></head><body><p>{description}</p></body></html>\n");
            Reply::text(status, "text/html; charset=utf-8", &text).by_store()
        } else {
            Reply::json(status, &json!({"error": error, "error_description": description}))
        }
    }
}
