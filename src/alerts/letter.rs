//! The text of a mail: subject and lines, plain, with one link. What the words are about stands in `words`; here is how one
//! cart, many carts, an end, a key and a trial are told. Nothing here knows how mail is sent.

mod many;

use time::{OffsetDateTime, UtcOffset};

use super::{Alert, House, StatusChange, payload::page_of, words};

/// A message before it has a sender and a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// One line.
    pub subject: String,
    pub text: String,
}

/// News with the moment when it was written down.
pub(super) type News<'a> = (OffsetDateTime, &'a Alert);

const FOOT: &str = "You get this because an administrator entered your address under Admin, Alerts.";

/// One message for everything that waits, oldest first; of each cart only the latest counts. `of` is the number of carts that
/// are active. `None` where nothing is left to tell.
pub(super) fn write(news: &[News<'_>], of: i64, house: &House) -> Option<Letter> {
    let latest = latest(news);
    let (first, lines, link) = match latest[..] {
        [] => return None,
        [(at, alert)] => one(at, alert, house),
        _ => many::write(&latest, of, house),
    };
    Some(Letter { subject: one_line(&first), text: [lines, link, FOOT.to_owned()].join("\n") })
}

/// The last of each cart, in the order in which the carts first spoke.
fn latest<'a>(news: &[News<'a>]) -> Vec<News<'a>> {
    let mut latest: Vec<News<'a>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for &(at, alert) in news {
        if let Some(place) = alert.cart().and_then(|cart| places.get(&cart).copied()) {
            latest[place] = (at, alert);
        } else {
            places.extend(alert.cart().map(|cart| (cart, latest.len())));
            latest.push((at, alert));
        }
    }
    latest
}

/// Subject, text and link of a single alert.
fn one(at: OffsetDateTime, alert: &Alert, house: &House) -> (String, String, String) {
    match alert {
        Alert::NeedsAttention(change) => (trouble_subject(change), trouble(change, house), page_of(change, house)),
        Alert::Recovered(change) => (
            format!("{} is connected again", change.website_name),
            format!(
                "\"{}\" lasted {} and ended on {}. Nothing to do.",
                change.title,
                duration(at - change.since),
                moment(at)
            ),
            page_of(change, house),
        ),
        Alert::ApiKeyMade { name, by } => (
            format!("{by} made an API key that can fetch access tokens"),
            format!("\"{name}\", on {}. If you did not expect this, end the key under Admin, API keys.", moment(at)),
            format!("{}/admin/api-keys", house.origin),
        ),
        Alert::Trial => (
            format!("Trial alert from {}", house.product),
            "If you can read this, alerts reach you.".into(),
            format!("{}/admin/alerts", house.origin),
        ),
    }
}

/// The subject of one alert, also for the log of what was delivered.
pub(super) fn subject(alert: &Alert, house: &House) -> String {
    one_line(&match alert {
        Alert::NeedsAttention(change) => name_and_status(change),
        other => one(OffsetDateTime::UNIX_EPOCH, other, house).0,
    })
}

fn name_and_status(change: &StatusChange) -> String {
    let is = if is_partly(change) { "needs attention" } else { "is not connected" };
    format!("{} {is}", change.website_name)
}

fn is_partly(change: &StatusChange) -> bool {
    change.status == super::CartStatus::NeedsAttention
}

fn trouble_subject(change: &StatusChange) -> String {
    format!("{}: {}", name_and_status(change), cause(&change.title))
}

/// A title in the middle of a sentence: "the access token stopped working".
fn cause(title: &str) -> String {
    let title = title.strip_prefix("Connected, but ").unwrap_or(title);
    let is_name = title.starts_with("Shopify") || title.starts_with("Client ID");
    let mut letters = title.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_lowercase().chain(letters).collect(),
        _ => title.to_owned(),
    }
}

fn trouble(change: &StatusChange, house: &House) -> String {
    let words = words::of(&change.class);
    let fill = |text: &str| {
        text.replace("{product}", &house.product)
            .replace("{host}", &change.store_host)
            .replace("{store}", &change.website_name)
            .replace("{title}", &change.title)
            // The change does not say which kind of credential it was, but its title does.
            .replace("{credential}", if change.title.contains("Client ID") { "Client secret" } else { "access token" })
            .replace("{permissions}", &joined(&change.missing_permissions))
    };
    let since = moment(change.since);
    let name = &change.website_name;
    let first = match words.partly {
        Some(_) if !change.what_stops.is_empty() => {
            format!("{name} still syncs, but {} since {since}.", joined(&change.what_stops))
        }
        Some(partly) => format!("{name} still syncs, but {partly} since {since}."),
        None => format!("Orders from {name} stopped coming in on {since}."),
    };
    let worked = change.last_good_at.filter(|_| words.partly.is_none());
    let worked = worked.map(|at| format!(" It last worked {}.", near(at, change.since))).unwrap_or_default();
    let mut lines = vec![first, format!("What happened: {}{worked}", fill(words.happened))];
    lines.push(format!("What to do: {}", numbered(words.todo.iter().map(|step| fill(step)).collect())));
    if words.partly.is_none() {
        lines.push("Orders are safe in Shopify and come in when the connection is back.".into());
    }
    lines.join("\n")
}

fn numbered(steps: Vec<String>) -> String {
    match steps.len() {
        1 => steps.into_iter().collect(),
        _ => steps.iter().enumerate().map(|(n, step)| format!("{}. {step}", n + 1)).collect::<Vec<_>>().join(" "),
    }
}

/// "a", "a and b", "a, b and c".
fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// "21 November 2026 at 08:14 UTC".
fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{} {} {} at {}", at.day(), at.month(), at.year(), clock(at))
}

fn clock(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{:02}:{:02} UTC", at.hour(), at.minute())
}

/// "at 07:59 UTC" on the same day, else with its date.
fn near(at: OffsetDateTime, beside: OffsetDateTime) -> String {
    let is_same_day = at.to_offset(UtcOffset::UTC).date() == beside.to_offset(UtcOffset::UTC).date();
    if is_same_day { format!("at {}", clock(at)) } else { format!("on {}", moment(at)) }
}

/// "40 minutes", "3 hours", "2 days".
fn duration(lasted: time::Duration) -> String {
    let counted = |n: i64, unit: &str| if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") };
    match lasted.whole_minutes() {
        ..1 => "less than a minute".into(),
        minutes @ 1..120 => counted(minutes, "minute"),
        minutes @ 120..2_880 => counted(minutes / 60, "hour"),
        minutes => counted(minutes / 1_440, "day"),
    }
}

/// What stands in a header is one line: a name with a line end inside would become a header of its own.
pub(super) fn one_line(text: &str) -> String {
    let tame: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(250).collect();
    tame.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The house of the samples.
#[cfg(test)]
fn house() -> House {
    House { product: "Order Time".into(), origin: "https://orders.northwind.example".into() }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::alerts::{CartStatus, change::tests::change};

    const AT: OffsetDateTime = datetime!(2026-11-21 08:54:40 UTC);
    const LINK: &str =
        "https://orders.northwind.example/admin/ecommerce/shopify/000000000000000000000000000198f3/health";

    fn letter(alert: &Alert) -> Letter {
        write(&[(AT, alert)], 40, &house()).expect("something to tell")
    }

    #[test]
    fn a_cart_that_is_not_connected() {
        let alert = change(CartStatus::Connected, CartStatus::NotConnected).alert().expect("a turn");
        let Letter { subject, text } = letter(&alert);
        assert_eq!(subject, "Northwind Tea is not connected: the access token stopped working");
        let expected = format!(
            "Orders from Northwind Tea stopped coming in on 21 November 2026 at 08:14 UTC.\n\
             What happened: Shopify no longer accepts the access token. It last worked at 07:59 UTC.\n\
             What to do: 1. Check that the app is still installed in Shopify. 2. Copy its current token. 3. Open the cart, select Replace token and paste it.\n\
             Orders are safe in Shopify and come in when the connection is back.\n\
             {LINK}\n\
             You get this because an administrator entered your address under Admin, Alerts."
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_cart_that_needs_attention() {
        let mut news = change(CartStatus::Connected, CartStatus::NeedsAttention);
        news.class = "SCOPES_MISSING".into();
        news.title = "Connected, but 2 permissions are missing".into();
        news.missing_permissions = vec!["write_inventory".into(), "read_gift_cards".into()];
        news.what_stops =
            vec!["stock levels will not update in Shopify".into(), "gift card payments will not show".into()];
        let Letter { subject, text } = letter(&news.alert().expect("a turn"));
        assert_eq!(subject, "Northwind Tea needs attention: 2 permissions are missing");
        assert!(text.starts_with("Northwind Tea still syncs, but stock levels will not update in Shopify and gift card payments will not show since 21 November 2026 at 08:14 UTC.\n"), "{text}");
        assert!(text.contains("2. Add write_inventory and read_gift_cards and select Save (Release)."), "{text}");
        assert!(!text.contains("last worked") && !text.contains('{'), "{text}");
    }

    #[test]
    fn an_end_a_key_and_a_trial() {
        let over = change(CartStatus::NotConnected, CartStatus::Connected).alert().expect("a turn");
        let Letter { subject, text } = letter(&over);
        assert_eq!(subject, "Northwind Tea is connected again");
        assert!(text.starts_with("\"The access token stopped working\" lasted 40 minutes and ended on 21 November 2026 at 08:54 UTC. Nothing to do.\n"), "{text}");
        let key = letter(&Alert::ApiKeyMade { name: "Sync service".into(), by: "Priya Shah".into() });
        assert_eq!(key.subject, "Priya Shah made an API key that can fetch access tokens");
        assert!(key.text.starts_with("\"Sync service\", on 21 November 2026 at 08:54 UTC. If you did not expect this, end the key under Admin, API keys.\n"));
        let trial = letter(&Alert::Trial);
        assert_eq!(trial.subject, "Trial alert from Order Time");
        assert!(trial.text.starts_with("If you can read this, alerts reach you.\n"));
    }

    #[test]
    fn a_subject_is_one_line_whatever_a_cart_is_called() {
        let mut news = change(CartStatus::Connected, CartStatus::NotConnected);
        news.website_name = "Tea\r\nBcc: evil@example.com\u{0}".into();
        let Letter { subject, .. } = letter(&news.alert().expect("a turn"));
        assert!(!subject.contains(['\r', '\n', '\0']), "{subject:?}");
        assert!(subject.starts_with("Tea Bcc: evil@example.com is not connected"), "{subject}");
    }

    #[test]
    fn what_began_and_ended_before_it_was_sent_is_told_as_over() {
        let start = change(CartStatus::Connected, CartStatus::NotConnected).alert().expect("a turn");
        let end = change(CartStatus::NotConnected, CartStatus::Connected).alert().expect("a turn");
        let told = write(&[(AT, &start), (AT, &end)], 40, &house()).expect("something to tell");
        assert_eq!(told.subject, "Northwind Tea is connected again");
        assert_eq!(write(&[], 40, &house()), None);
    }

    #[test]
    fn every_class_has_words_of_its_own_and_no_blank_is_left() {
        for class in crate::web::samples::ALL_CLASSES {
            let words = words::of(class.as_str());
            let is_trouble = !["CONNECTED", "API_VERSION_OLD", "OUR_BUG", "TEST_LIMIT"].contains(&class.as_str());
            assert_eq!(words != words::of("?"), is_trouble, "{}", class.as_str());
            let mut news = change(CartStatus::Connected, CartStatus::NotConnected);
            news.class = class.as_str().into();
            let text = letter(&news.alert().expect("a turn")).text;
            assert!(!text.contains(['{', '}']), "{text}");
            assert_eq!(text.matches("://").count(), 1, "one link: {text}");
        }
    }
}
