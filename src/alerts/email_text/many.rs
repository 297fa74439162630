//! One message for several carts: carts that fail together are reported together.

use time::OffsetDateTime;

use super::{Alert, DatedAlert, SiteInfo, StatusChange, cause, moment, one_line};
use crate::{direction::bidi_isolate, urls};

/// Maximum number of carts that are listed by name.
const MOST_NAMES: usize = 20;

/// Returns subject, text and link.
pub(super) fn write(news: &[DatedAlert<'_>], of: i64, house: &SiteInfo) -> (String, String, String) {
    let pick = |wanted: fn(&Alert) -> Option<&StatusChange>| -> Vec<&StatusChange> {
        news.iter().filter_map(|(_, alert)| wanted(alert)).collect()
    };
    let broken = pick(|alert| if let Alert::NeedsAttention(change) = alert { Some(change) } else { None });
    let well = pick(|alert| if let Alert::Recovered(change) = alert { Some(change) } else { None });
    let others: Vec<(String, String)> = news.iter().filter_map(|(at, alert)| other(*at, alert, house)).collect();
    let mut subjects = Vec::new();
    let mut lines = Vec::new();
    if !broken.is_empty() {
        subjects.push(format!("{} {} attention", carts(broken.len()), verb(broken.len(), "needs", "need")));
        lines.extend(broken_lines(&broken, of));
    }
    if !well.is_empty() {
        let who = if broken.is_empty() { carts(well.len()) } else { well.len().to_string() };
        subjects.push(format!("{who} {} connected again", verb(well.len(), "is", "are")));
        lines.push(format!("Connected again: {}. You need not do anything there.", names(&well)));
    }
    lines.extend(others.iter().map(|(_, text)| text.clone()));
    let common = same_title(&broken).filter(|_| well.is_empty() && others.is_empty());
    let mut subject = match common {
        Some(title) => format!("{}: {}", subjects.join(", "), cause(title)),
        None => subjects.join(", "),
    };
    if subject.is_empty() {
        subject = others.iter().map(|(subject, _)| subject.as_str()).collect::<Vec<_>>().join("; ");
    }
    let page = if broken.is_empty() { urls::CARTS } else { urls::FAILING_CARTS };
    (subject, lines.join("\n"), house.link(page))
}

fn broken_lines(broken: &[&StatusChange], of: i64) -> Vec<String> {
    let since = broken.iter().map(|change| change.since).min().map(moment).unwrap_or_default();
    // The count of carts is newer than the alerts: some may have been deleted since.
    let of = of.max(i64::try_from(broken.len()).unwrap_or(i64::MAX));
    let of_all = format!("{} of {of} {}", broken.len(), if of == 1 { "cart" } else { "carts" });
    if same_title(broken).is_some() {
        return vec![format!(
            "Since {since}, {of_all}: {}. It looks like one cause, so you get one message.",
            names(broken)
        )];
    }
    let mut lines = vec![format!("Since {since}, {of_all}:")];
    lines.extend(
        broken
            .iter()
            .take(MOST_NAMES)
            .map(|change| format!("- {}: {}", bidi_isolate(&one_line(&change.website_name)), cause(&change.title))),
    );
    if broken.len() > MOST_NAMES {
        lines.push(format!("and {} more.", broken.len() - MOST_NAMES));
    }
    lines
}

/// Subject and text of an alert that is not about one cart.
fn other(at: OffsetDateTime, alert: &Alert, house: &SiteInfo) -> Option<(String, String)> {
    match alert {
        Alert::Trial => Some((super::subject(alert, house), super::subject(alert, house))),
        Alert::ServerProblem(_) | Alert::ServerRecovered(_) | Alert::ActivityHead { .. } | Alert::ApiKeyEndsSoon(_) => {
            let (subject, text, _) = super::one(at, alert, house);
            Some((subject, text))
        }
        Alert::NeedsAttention(_) | Alert::Recovered(_) | Alert::AccountChanged(_) => None,
    }
}

/// The title, if all changes have the same one.
fn same_title<'a>(changes: &[&'a StatusChange]) -> Option<&'a str> {
    let first = changes.first()?;
    changes.iter().all(|change| change.title == first.title).then_some(first.title.as_str())
}

fn names(changes: &[&StatusChange]) -> String {
    let listed: Vec<String> = changes
        .iter()
        .take(MOST_NAMES)
        .map(|change| bidi_isolate(&one_line(&change.website_name)).into_owned())
        .collect();
    match changes.len().saturating_sub(MOST_NAMES) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

fn carts(n: usize) -> String {
    if n == 1 { "1 cart".into() } else { format!("{n} carts") }
}

const fn verb(n: usize, one: &'static str, many: &'static str) -> &'static str {
    if n == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::super::{house, write};
    use super::*;
    use crate::alerts::{CartStatus, change::tests::change};

    fn broken(n: usize, title: &str) -> Vec<Alert> {
        (0..n)
            .map(|n| {
                let mut one = change(CartStatus::Connected, CartStatus::NotConnected);
                one.cart = Uuid::from_u128(n as u128 + 1);
                one.website_name = format!("Store {n}");
                one.title = title.into();
                Alert::NeedsAttention(one)
            })
            .collect()
    }

    fn told(alerts: &[Alert]) -> (String, String) {
        let news: Vec<DatedAlert<'_>> =
            alerts.iter().map(|alert| (datetime!(2026-11-21 08:54:40 UTC), alert)).collect();
        let letter = write(&news, 40, &house()).expect("a message");
        (letter.subject, letter.text)
    }

    #[test]
    fn carts_with_one_cause_are_reported_together() {
        let (subject, text) = told(&broken(12, "Shopify has a problem at the moment"));
        assert_eq!(subject, "12 carts need attention: Shopify has a problem at the moment");
        assert!(text.starts_with("Since 21 November 2026 at 08:14 UTC, 12 of 40 carts: Store 0, Store 1, "), "{text}");
        assert!(text.contains("Store 11. It looks like one cause, so you get one message.\n"), "{text}");
        assert!(text.contains("\nhttps://orders.northwind.example/admin/ecommerce?show=needs-attention\n"), "{text}");
    }

    #[test]
    fn at_most_twenty_carts_are_named() {
        let (_, text) = told(&broken(25, "This store is locked"));
        assert!(text.contains("Store 19 and 5 more. It looks"), "{text}");
    }

    #[test]
    fn different_causes_and_recoveries_are_listed_separately() {
        let mut alerts = broken(2, "This store is locked");
        alerts.extend(broken(3, "Shopify has a problem at the moment").split_off(2));
        let mut well = change(CartStatus::NotConnected, CartStatus::Connected);
        well.website_name = "Northwind Wholesale".into();
        alerts.push(Alert::Recovered(well));
        let (subject, text) = told(&alerts);
        assert_eq!(subject, "3 carts need attention, 1 is connected again");
        assert!(text.contains("3 of 40 carts:\n- Store 0: this store is locked\n"), "{text}");
        assert!(text.contains("- Store 2: Shopify has a problem at the moment\nConnected again: Northwind Wholesale. You need not do anything there.\n"), "{text}");
    }
}
