//! The set-up guide next to the form, for both kinds of credential; the style sheet shows the selected one. Steps are
//! ticked only by what a test has proven.

use std::fmt::Write as _;

use askama::Template;

use super::egress_list::EgressList;
use crate::web::admin::ecommerce::shopify::{Kind, PermissionView, handles};
use crate::web::admin::filters;

/// Rendered with `{{ guide|safe }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_guide.html")]
pub struct Guide {
    pub product: String,
    /// Handle of the parsed store, for links and sentences.
    pub handle: Option<String>,
    /// All 17, in the order of the table.
    pub permissions: Vec<PermissionView>,
    /// Steps done with an access token: app opened, permissions, installed, copied.
    pub token_done: [bool; 4],
    /// Steps done with the Dev Dashboard: app created, permissions, installed, copied.
    pub client_done: [bool; 4],
    /// Whether the guide is folded, as on a saved cart.
    pub is_folded: bool,
    /// Set on the help page: both guides one after the other, without ticks.
    pub is_reference: bool,
    /// The addresses for an app's IP allowlist.
    pub egress: EgressList,
}

impl Guide {
    /// Ticks the steps of this kind and clears those of the other.
    pub fn tick(&mut self, kind: Kind, done: [bool; 4]) {
        (self.token_done, self.client_done) = if kind.is_token() { (done, [false; 4]) } else { ([false; 4], done) };
    }

    fn comma_list(&self) -> String {
        handles(&self.permissions, ",")
    }

    fn one_per_line(&self) -> String {
        handles(&self.permissions, "\n")
    }

    fn needed_list(&self) -> String {
        handles(self.permissions.iter().filter(|permission| permission.is_needed), ",")
    }

    /// Suffix of the second button's name, since the help page shows both guides.
    const fn second(&self) -> &'static str {
        if self.is_reference { "for the Dev Dashboard" } else { "" }
    }

    fn copy_needed(&self) -> String {
        let needed = self.permissions.iter().filter(|permission| permission.is_needed).count();
        format!("Copy the {needed} needed")
    }

    /// The store's app settings, or Shopify's admin while the store is unknown; `app.js` updates the link during
    /// typing.
    fn develop_apps(&self) -> String {
        self.handle.as_ref().map_or_else(
            || "https://admin.shopify.com".to_owned(),
            |handle| format!("https://admin.shopify.com/store/{handle}/settings/apps/development"),
        )
    }

    /// Whether a step is done, the next one, or a later one.
    fn state(done: [bool; 4], step: usize) -> &'static str {
        let next = done.iter().position(|done| !done);
        match (done[step], next == Some(step)) {
            (true, _) => "done",
            (false, true) => "next",
            (false, false) => "later",
        }
    }

    fn count(done: [bool; 4]) -> usize {
        done.iter().filter(|done| **done).count()
    }

    fn allowlist_for_mail(&self) -> String {
        let addresses = self.egress.line();
        addresses
            .map(|line| format!("\nIf the app has an IP allowlist, add these addresses:\n{line}\n"))
            .unwrap_or_default()
    }

    /// The steps as an e-mail to a colleague; it contains nothing from the form.
    fn mail(&self) -> String {
        let product = &self.product;
        let body = format!(
            "Connect a Shopify store to {product}\n\n\
             If you already have a custom app with an access token:\n\
             1. In Shopify go to Settings, then Apps (it may say Apps and sales channels), then Develop apps. Select your app.\n\
             2. Select Configuration, then Configure next to Admin API. Tick the permissions below, then select Save.\n\
             3. Select Install app, then Install.\n\
             4. Select API credentials, then Reveal token once, and paste it into Access Token in {product}.\n\n\
             If not:\n\
             1. In the Dev Dashboard (https://dev.shopify.com/dashboard) select Apps, Create app, Start from Dev Dashboard.\n\
             2. In Versions paste the permissions below into Scopes, then select Release.\n\
             3. Install it on the store. The app and the store must belong to the same Shopify organization.\n\
             4. Copy Client ID and Client secret from Settings, and paste both in {product}.\n\n\
             Permissions:\n{}\n{}",
            self.comma_list(),
            self.allowlist_for_mail()
        );
        format!("mailto:?subject={}&body={}", percent(&format!("Connect Shopify to {product}")), percent(&body))
    }
}

/// Percent-encodes everything but letters, digits and `-._~` (RFC 6068 wants `%20`, not `+`).
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
