//! The texts of the tab Health: the banner of a cart with a problem, the first remedy and its button, times. The full
//! remedy of each class is in the verdict's template.

use time::OffsetDateTime;

use super::TroubleView;
use crate::carts::{
    Cart, Status,
    state::{CartState, Checks, Unscheduled},
};
use crate::causes::{Class, Remedy, Retry, Severity};
use crate::web::admin::banner::Tone;
use crate::web::admin::ecommerce::StatusFacts;
use crate::web::admin::ecommerce::shopify::{Kind, editor::form_state::saved};
use crate::web::admin::filters;

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
pub fn first_step(class: Class, kind: Kind, handle: &str) -> (&'static str, Action) {
    let step = class.cause().next_step;
    let action = match step.remedy {
        Remedy::Replace => Action::Replace,
        Remedy::OpenGeneral => Action::General("Open General"),
        Remedy::Visit { url, text } => Action::Out { href: url.replace("{handle}", handle), text },
    };
    (if kind.is_token() { step.with_token } else { step.with_secret }, action)
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
    let hidden = saved::connection_fields(&saved::of_cart(cart));
    let version = ("version", cart.version.to_string());
    let replace = (kind.replace(), hidden.into_iter().chain([version]).collect());
    let again = next.map(|next| format!("We check again {}.", within(next - now)));
    match status {
        Status::NotConnected => {
            let mut sentences = vec![format!("{reason}. {step}")];
            if class.cause().retry == Retry::HourlyThenDaily && checks == Checks::Scheduled {
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
            let ours = (class.severity() == Severity::Ours).then(|| step.to_owned());
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
