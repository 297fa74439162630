//! The texts of the tab Health: the banner of a cart with a problem, the first remedy and its button, times. The full
//! remedy of each class is in the verdict's template.

use time::OffsetDateTime;

use super::super::{Kind, editor};
use super::TroubleView;
use crate::ecommerce::{
    Cart, Status,
    state::{CartState, Checks, Unscheduled},
    status::Severity,
    verdict::Class,
};
use crate::web::admin::ecommerce::StatusFacts;
use crate::web::filters;
use crate::web::shell::Tone;

/// The next action offered to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens an empty secret field in the editor.
    Replace,
    /// Links to the tab General.
    General(&'static str),
    /// Links to an external page, in a new tab.
    Out { href: String, text: &'static str },
}

/// The first remedy for a class, for a cart with this handle and kind of credential.
pub fn first_step(class: Class, kind: Kind, handle: &str) -> (String, Action) {
    let out = |href: &str, text| Action::Out { href: href.to_owned(), text };
    let dashboard = || out("https://dev.shopify.com/dashboard", "Open the Dev Dashboard");
    let admin = |path: &str, text| out(&format!("https://admin.shopify.com/store/{handle}/{path}"), text);
    let (step, action) = match class {
        Class::TokenRefused | Class::TokenStopped if kind.is_token() => {
            ("Check that the app is still installed, and copy its current token.", Action::Replace)
        }
        Class::TokenRefused | Class::TokenStopped => {
            ("Check that the app is still installed, and copy its Client secret again.", Action::Replace)
        }
        Class::TokenKindRefused => {
            ("Make an app of your own in the Dev Dashboard, and choose Client ID and Client secret here.", dashboard())
        }
        Class::NotAllowed => (
            "Open the app, then Configuration, check the 17 permissions and select Save.",
            admin("settings/apps/development", "Open your app"),
        ),
        Class::AddressRefused => {
            ("In the Dev Dashboard open the app, then Settings, then IP allowlist, and add our addresses.", dashboard())
        }
        Class::StoreNotFound => (
            "Open your store in Shopify, look at the address, and compare it with API URL.",
            out("https://admin.shopify.com", "Open Shopify admin"),
        ),
        Class::StoreMoved => {
            ("Enter the store's new address, then its credential again, and test.", Action::General("Open General"))
        }
        Class::StoreFrozen => (
            "Ask the store owner to sign in to Shopify and settle the bill.",
            admin("settings/billing", "Open Shopify billing"),
        ),
        Class::StoreLocked => {
            ("Ask the store owner to contact Shopify Support.", out("https://help.shopify.com", "Shopify Help Center"))
        }
        Class::WrongStore | Class::Duplicate => {
            ("Enter the address and the credential of this cart's own store.", Action::General("Open General"))
        }
        Class::CcWrongOrg => {
            ("Make the app in the store's own organization, and use its Client ID and Client secret.", dashboard())
        }
        Class::CcNotInstalled => ("In the Dev Dashboard open the app, and install it on this store.", dashboard()),
        Class::CcRefused => ("Copy both again from the app's Settings page.", Action::Replace),
        Class::OurKey => ("Enter it again, or ask support to restore the key.", Action::Replace),
        Class::NetworkDns
        | Class::NetworkUnreachable
        | Class::NetworkTimeout
        | Class::TlsUntrusted
        | Class::NotShopify => (
            "This is nearly always a network problem on our side.",
            out("https://www.shopifystatus.com", "Check Shopify's status"),
        ),
        Class::RateLimited | Class::RequestRejected | Class::ShopifyDown => (
            "Nothing is known to be wrong with your settings.",
            out("https://www.shopifystatus.com", "Check Shopify's status"),
        ),
        Class::OurBug => (
            "This is a fault on our side, not the store's. Leave your settings as they are.",
            Action::General("Open General"),
        ),
        Class::Connected
        | Class::ScopesMissing
        | Class::CustomerDetailsHidden
        | Class::Expires
        | Class::ApiVersionOld
        | Class::TestLimit => ("Test the connection to see what is missing.", Action::General("Open General")),
    };
    (step.to_owned(), action)
}

/// The banner of a cart that needs attention or is not connected. Its reason is the same as in the list and on the
/// badge.
pub(super) fn trouble(
    cart: &Cart,
    facts: &StatusFacts<'_>,
    kind: Kind,
    next: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Option<TroubleView> {
    let CartState { status, checks } = facts.cart.state();
    let class = cart.last_class?;
    let reason = facts.reason().unwrap_or_default();
    let since = cart.failing_since.map(|since| clock(since, now));
    let (step, action) = first_step(class, kind, cart.address.handle());
    let hidden = editor::connection_fields(&editor::of_cart(cart));
    let version = ("version", cart.version.to_string());
    let replace = (kind.replace(), hidden.into_iter().chain([version]).collect());
    let again = next.map(|next| format!("We check again {}.", within(next - now)));
    match status {
        Status::NotConnected => {
            let mut sentences = vec![format!("{reason}. {step}")];
            let wears_out = !matches!(
                class,
                Class::StoreFrozen
                    | Class::StoreLocked
                    | Class::StoreMoved
                    | Class::StoreNotFound
                    | Class::AddressRefused
            );
            if wears_out && class.severity() == Severity::Refused && checks == Checks::Scheduled {
                sentences.push(
                    "We now check once an hour, then once a day, so that Shopify does not lock the store.".into(),
                );
            } else {
                sentences.extend(again);
            }
            let title = match since {
                Some(since) => format!("Orders stopped coming in {since}"),
                None => "Orders have stopped coming in".into(),
            };
            Some(TroubleView { tone: Tone::Bad, title, sentences, action: Some(action), replace })
        }
        Status::NeedsAttention => {
            let began =
                since.map(|since| format!("Since {}.", since.trim_start_matches("at ").trim_start_matches("on ")));
            let ours = (class.severity() == Severity::Ours).then_some(step);
            let sentences = began.into_iter().chain(ours).chain(again).collect();
            let title = reason.trim_end_matches('.').to_owned();
            Some(TroubleView { tone: Tone::Warn, title, sentences, action: Some(action), replace })
        }
        Status::Draft | Status::Connected | Status::Inactive => None,
    }
}

/// How often the cart is checked, or why it is not; empty if the banner says when.
pub(super) const fn plan(state: CartState) -> &'static str {
    match (state.checks, state.status) {
        (Checks::Scheduled, Status::NeedsAttention | Status::NotConnected) => "",
        (Checks::Scheduled, _) => "Checked every 15 minutes.",
        (Checks::Overdue(_), _) => "Background checks are not running. Ask whoever runs this server to start them.",
        (Checks::Unscheduled(Unscheduled::PracticeIsOff), _) => "Not checked while the practice store is off.",
        (Checks::Unscheduled(Unscheduled::NoCredential), _) => "Not checked: no credential is saved.",
        (Checks::Unscheduled(Unscheduled::Draft), _) => "Not checked before its test has passed.",
        (Checks::Unscheduled(Unscheduled::IntegrationIsOff), _) => "Not checked while Ecommerce Integration is off.",
        (Checks::Unscheduled(Unscheduled::Inactive), _) => "Not checked while this cart is inactive.",
    }
}

/// The text shown before the first check.
pub(super) const fn no_checks(state: CartState) -> &'static str {
    match state.checks {
        Checks::Scheduled => "No checks yet. The first runs in a few minutes.",
        Checks::Overdue(_) | Checks::Unscheduled(_) => "No checks yet.",
    }
}

/// "at 08:14 UTC" within a day, else "on 21 November 2026 at 08:14 UTC".
pub(crate) fn clock(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    let time = format!("at {:02}:{:02} UTC", utc.hour(), utc.minute());
    if now - at < time::Duration::DAY { time } else { format!("on {} {time}", filters::date(at)) }
}

/// "in 4 minutes".
fn within(left: time::Duration) -> String {
    match left.whole_seconds() {
        ..60 => "within a minute".into(),
        60..120 => "in 1 minute".into(),
        seconds @ 120..7200 => format!("in {} minutes", seconds / 60),
        seconds => format!("in {} hours", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn refused_credential_offers_to_replace_it() {
        for class in [Class::TokenStopped, Class::CcRefused, Class::OurKey] {
            assert_eq!(first_step(class, Kind::AccessToken, "tea").1, Action::Replace);
        }
        let (step, _) = first_step(Class::TokenStopped, Kind::ClientCredentials, "tea");
        assert!(step.contains("Client secret"), "{step}");
    }

    #[test]
    fn paused_store_links_to_its_bill() {
        let (_, action) = first_step(Class::StoreFrozen, Kind::AccessToken, "tea");
        let href = "https://admin.shopify.com/store/tea/settings/billing".to_owned();
        assert_eq!(action, Action::Out { href, text: "Open Shopify billing" });
    }

    #[test]
    fn times_are_written_in_words() {
        let now = datetime!(2026-11-21 12:00 UTC);
        assert_eq!(clock(datetime!(2026-11-21 08:14 UTC), now), "at 08:14 UTC");
        assert_eq!(clock(datetime!(2026-11-02 08:14 UTC), now), "on 2 November 2026 at 08:14 UTC");
        assert_eq!(within(time::Duration::seconds(-5)), "within a minute");
        assert_eq!(within(time::Duration::minutes(4)), "in 4 minutes");
        assert_eq!(within(time::Duration::hours(23)), "in 23 hours");
    }
}
