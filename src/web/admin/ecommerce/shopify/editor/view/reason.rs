//! Why a setting cannot be used, in words.

use time::OffsetDateTime;

use crate::{
    carts::settings::{Setting, UnavailableReason},
    platforms::shopify::scopes,
    web::admin::filters,
};

/// The permission that most merchants need, since they ship orders themselves.
const OWN_SHIPPING_SCOPE: &str = "write_merchant_managed_fulfillment_orders";

/// Why a control cannot be used, shown next to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonView {
    pub words: String,
    /// The permission to add, if adding one helps.
    pub scope: Option<&'static str>,
    /// The setting that the copy button is for: two controls may need the same permission.
    pub of: &'static str,
}

impl ReasonView {
    /// The reason in words.
    pub fn new(reason: &UnavailableReason, setting: Setting, now: OffsetDateTime) -> Self {
        let of = setting.label();
        let plain = |words: &str| Self { words: words.to_owned(), scope: None, of };
        match reason {
            UnavailableReason::NeverTested => {
                plain("Test the connection first. Then we know what your Shopify app may do.")
            }
            UnavailableReason::Missing { scope } => {
                let say = scopes::say(scope);
                let words = format!("Needs the {say} permission (`{scope}`), which your Shopify app does not have.");
                Self { words, scope: Some(scope), of }
            }
            UnavailableReason::MissingAny { scopes: any } => {
                let says: Vec<&str> = any.iter().map(|scope| scopes::say(scope)).collect();
                let (last, rest) = says.split_last().expect("there are three scopes");
                let words = format!(
                    "Needs one of these permissions: {} or {last}. If you ship yourself, take {}.",
                    rest.join(", "),
                    scopes::say(OWN_SHIPPING_SCOPE)
                );
                Self { words, scope: Some(OWN_SHIPPING_SCOPE), of }
            }
            UnavailableReason::Paused { scope, since } => {
                let since = since.map(|since| format!(" since {}", filters::day(since, now))).unwrap_or_default();
                let say = scopes::say(scope);
                plain(&format!(
                    "On, but paused{since}: your Shopify app no longer has the {say} permission. It starts again by itself when the permission is back."
                ))
            }
        }
    }

    pub fn copy(&self) -> String {
        format!("Copy `{}`", self.scope.unwrap_or_default())
    }

    /// Two controls may need the same permission, so their buttons have different names.
    pub fn copy_more(&self) -> String {
        format!("for {}", self.of)
    }
}
