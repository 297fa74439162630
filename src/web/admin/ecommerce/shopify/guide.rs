//! The set-up guide beside the form, for both kinds of credential; the style sheet shows the one that is chosen.
//! Steps are ticked by what a test has seen and by nothing else.

use std::fmt::Write as _;

use askama::Template;

use super::{Kind, Permission, egress_list::EgressList, handles};
use crate::web::filters;

/// Draws itself with `{{ guide|safe }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_guide.html")]
pub struct Guide {
    pub product: String,
    /// The understood store; links and sentences name it.
    pub handle: Option<String>,
    /// All 17, in the order of the table.
    pub permissions: Vec<Permission>,
    /// Opened, permissions, installed, copied: the app with an access token.
    pub token_done: [bool; 4],
    /// Made, permissions, installed, copied: the app of the Dev Dashboard.
    pub client_done: [bool; 4],
    /// On a saved cart the whole guide is folded away.
    pub is_folded: bool,
    /// On the help page: both ways one after the other, no ticks.
    pub is_reference: bool,
    /// What the IP allowlist of an app must hold.
    pub egress: EgressList,
}

impl Guide {
    /// Ticks the steps of this kind and no others.
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

    /// Both ways stand on the help page, so the second button's name says where it belongs.
    const fn second(&self) -> &'static str {
        if self.is_reference { "for the Dev Dashboard" } else { "" }
    }

    fn copy_needed(&self) -> String {
        let needed = self.permissions.iter().filter(|permission| permission.is_needed).count();
        format!("Copy the {needed} needed")
    }

    /// The store's apps, or Shopify's admin while the store is not known; `app.js` fills in what is being typed.
    fn develop_apps(&self) -> String {
        self.handle.as_ref().map_or_else(
            || "https://admin.shopify.com".to_owned(),
            |handle| format!("https://admin.shopify.com/store/{handle}/settings/apps/development"),
        )
    }

    /// Done, and whether it is the first that is not.
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

    /// The steps as a mail to a colleague: nothing from the form.
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

/// Everything but letters, digits and `-._~` as `%XX` (RFC 6068 wants `%20`, not `+`).
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
