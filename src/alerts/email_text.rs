//! The text of an e-mail: subject and lines, plain, with one link. Each cause has its own words; this module
//! composes the messages about one cart, many carts, recoveries, problems of this server and test alerts. Knows nothing
//! about sending.

mod account;
mod many;
mod server;
mod times;

use time::OffsetDateTime;

use super::{
    Alert, SiteInfo, StatusChange,
    payload::{key_page, page_of},
};
use crate::{
    causes::{AlertWords, Class},
    clock::lasted,
    direction::bidi_isolate,
    urls,
};
use times::{moment, near};

/// A message without sender and recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EmailText {
    /// One line.
    pub subject: String,
    pub text: String,
}

/// An alert and the time when it was recorded.
pub(super) type DatedAlert<'a> = (OffsetDateTime, &'a Alert);

const FOOT: &str = "You get this because an administrator entered your address under Admin, Alerts.";

/// Writes one message for all queued alerts, given oldest first. Of each cart only the latest alert counts; if the
/// address's own account was changed, the message contains only those notices. `of` is the number of active carts.
/// Returns `None` if nothing is left to report.
pub(super) fn write(news: &[DatedAlert<'_>], of: i64, house: &SiteInfo) -> Option<EmailText> {
    if let Some((subject, text)) = account::write(news, house) {
        return Some(EmailText { subject, text: [text, account::foot(house)].join("\n\n") });
    }
    let latest = latest(news);
    let (first, lines, link) = match latest[..] {
        [] => return None,
        [(at, alert)] => one(at, alert, house),
        _ => many::write(&latest, of, house),
    };
    Some(EmailText { subject: one_line(&first), text: [lines, link, FOOT.to_owned()].join("\n") })
}

/// The latest alert of each cart, in the order of the carts' first alerts.
fn latest<'a>(news: &[DatedAlert<'a>]) -> Vec<DatedAlert<'a>> {
    let mut latest: Vec<DatedAlert<'a>> = Vec::new();
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
fn one(at: OffsetDateTime, alert: &Alert, house: &SiteInfo) -> (String, String, String) {
    match alert {
        Alert::NeedsAttention(change) => (problem_subject(change), trouble(change, house), page_of(change, house)),
        Alert::Recovered(change) => (
            format!("{} is connected again", bidi_isolate(&change.website_name)),
            format!(
                "\"{}\" lasted {} and ended on {}. You need not do anything.",
                change.title,
                lasted(at - change.since),
                moment(at)
            ),
            page_of(change, house),
        ),
        Alert::ServerProblem(problem) => {
            (server::problem_subject(problem), server::problem(problem, house), carts_page(house))
        }
        Alert::ServerRecovered(problem) => (problem.cause.over().into(), server::over(at, problem), carts_page(house)),
        Alert::ActivityHead { head } => {
            let position = head.split(':').next().unwrap_or_default();
            (format!("Head of the activity at position {position}"), head.clone(), house.link(urls::ACTIVITY))
        }
        Alert::ApiKeyEndsSoon(ending) => (
            format!("The API key {} ends soon", bidi_isolate(&ending.name)),
            format!(
                "The API key {} (ends in {}) works until {}. Then the program that uses it is refused.\nWhat to do: rotate the \
                 key, give the new one to the program, and revoke this one.",
                bidi_isolate(&ending.name),
                ending.ending,
                moment(ending.ends_at)
            ),
            key_page(ending, house),
        ),
        Alert::Trial => (
            format!("Trial alert from {}", house.product),
            "If you can read this, alerts reach you.".into(),
            house.link(urls::ALERTS),
        ),
        Alert::AccountChanged(notice) => (account::subject(notice).into(), String::new(), String::new()),
    }
}

/// Link to the carts that need attention.
fn carts_page(house: &SiteInfo) -> String {
    house.link(urls::FAILING_CARTS)
}

/// The subject of a single alert, also for the delivery log.
pub(super) fn subject(alert: &Alert, house: &SiteInfo) -> String {
    one_line(&match alert {
        Alert::NeedsAttention(change) => name_and_status(change),
        other => one(OffsetDateTime::UNIX_EPOCH, other, house).0,
    })
}

fn name_and_status(change: &StatusChange) -> String {
    let is = if is_partly(change) { "needs attention" } else { "is not connected" };
    format!("{} {is}", bidi_isolate(&change.website_name))
}

fn is_partly(change: &StatusChange) -> bool {
    change.status == super::CartStatus::NeedsAttention
}

fn problem_subject(change: &StatusChange) -> String {
    format!("{}: {}", name_and_status(change), cause(&change.title))
}

/// The title in a form for use within a sentence: "the access token stopped working".
fn cause(title: &str) -> String {
    let title = title.strip_prefix("Connected, but ").unwrap_or(title);
    let is_name = title.starts_with("Shopify") || title.starts_with("Client ID");
    let mut letters = title.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_lowercase().chain(letters).collect(),
        _ => title.to_owned(),
    }
}

fn trouble(change: &StatusChange, house: &SiteInfo) -> String {
    let words =
        Class::from_stored(&change.class).map_or(AlertWords::title_only as fn(&str) -> _, |class| class.cause().alert);
    let words = words(&change.title);
    let ours = match &house.egress_addresses {
        ours if ours.is_empty() => "the outgoing addresses of {product}; whoever runs it knows them".to_owned(),
        ours => format!("our addresses: {ours}"),
    };
    let fill = |text: &str| {
        text.replace("{egress_addresses}", &ours)
            .replace("{product}", &house.product)
            .replace("{host}", &change.store_host)
            .replace("{store}", &bidi_isolate(&change.website_name))
            .replace("{title}", &change.title)
            .replace("{credential}", change.credential.noun())
            .replace("{replace}", change.credential.replace_button())
            .replace("{permissions}", &joined(&change.missing_permissions))
    };
    let since = moment(change.since);
    let name = bidi_isolate(&change.website_name);
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

/// Reduces a header value to one line: a line break in a name would start another header.
pub(super) fn one_line(text: &str) -> String {
    let tame: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(250).collect();
    tame.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Site facts for the sample messages.
#[cfg(test)]
fn house() -> SiteInfo {
    SiteInfo {
        product: "Order Time".into(),
        origin: "https://orders.northwind.example".into(),
        egress_addresses: crate::outbound::egress_addresses::EgressAddresses::default(),
    }
}

#[cfg(test)]
mod tests;
