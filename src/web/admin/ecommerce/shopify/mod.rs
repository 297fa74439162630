//! The editor of a Shopify cart: General, the connection test, and the confirmations before deletion and disconnection.

pub mod activity;
mod confirmation;
pub mod deletion;
pub mod diagnostics;
pub mod disconnection;
pub mod editor;
pub mod health;
pub mod programs;

use super::{StatusFacts, StatusView};
use crate::{
    app::App,
    carts::Cart,
    platforms::shopify::{credential::CredentialKind, scopes},
    web::admin::error::Error,
};

pub use crate::platforms::shopify::credential::CredentialKind as Kind;

/// How credentials are named on the pages; the words always follow the kind.
impl CredentialKind {
    /// At the start of a sentence: "Access token".
    pub const fn noun_first(self) -> &'static str {
        match self {
            Self::AccessToken => "Access token",
            Self::ClientCredentials => "Client ID and Client secret",
        }
    }

    /// The label of its secret field.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AccessToken => "Access Token",
            Self::ClientCredentials => "Client secret",
        }
    }

    /// The button that opens an empty field next to a saved secret.
    pub const fn replace(self) -> &'static str {
        match self {
            Self::AccessToken => "Replace token",
            Self::ClientCredentials => "Replace Client secret",
        }
    }

    const fn is_token(self) -> bool {
        matches!(self, Self::AccessToken)
    }
}

/// The 17 permissions, in table order.
pub fn permissions() -> Vec<PermissionView> {
    let words = |permission: &scopes::AppPermission| PermissionView {
        scope: permission.scope.into(),
        say: permission.say.into(),
        without: permission.without.into(),
        is_needed: permission.is_needed(true),
    };
    scopes::PERMISSIONS.iter().map(words).collect()
}

/// A permission in words, from the one table of scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionView {
    /// Such as `write_inventory`.
    pub scope: String,
    /// Such as "Inventory".
    pub say: String,
    /// What stops working, such as "stock levels will not update in Shopify".
    pub without: String,
    /// Whether the permission is required rather than nice to have.
    pub is_needed: bool,
}

/// Scope names for the clipboard, separated by `between`.
pub(crate) fn handles<'a>(permissions: impl IntoIterator<Item = &'a PermissionView>, between: &str) -> String {
    permissions.into_iter().map(|permission| permission.scope.as_str()).collect::<Vec<_>>().join(between)
}

/// The saved cart that a page is about.
#[derive(Clone, Debug)]
pub struct CartHead {
    /// As in the URL.
    pub id: String,
    /// Its saved Website Name.
    pub name: String,
    pub status: StatusView,
}

impl CartHead {
    /// The heading of every page about this cart.
    pub async fn of(app: &App, cart: &Cart) -> Result<Self, Error> {
        let is_on = app.integration.is_active().await?;
        Ok(Self::new(cart, &StatusFacts::of(cart, is_on, app.site.practices(), app.clock.now())))
    }

    pub(crate) fn new(cart: &Cart, facts: &StatusFacts<'_>) -> Self {
        Self { id: cart.id.to_string(), name: cart.website_name.clone(), status: facts.view() }
    }
}
