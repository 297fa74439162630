//! The text about a change of a user's account: what, when, who, from where, and what to do about it.

use super::{DatedAlert, moment};
use crate::{
    alerts::{AccountChange, AccountNotice, Alert, SiteInfo},
    direction::bidi_isolate,
};

/// Subject and text for these notices to one address, oldest first. Ignores all other alerts.
pub(super) fn write(news: &[DatedAlert<'_>], house: &SiteInfo) -> Option<(String, String)> {
    let notices: Vec<_> = news
        .iter()
        .filter_map(|(at, alert)| match alert {
            Alert::AccountChanged(notice) => Some((*at, notice)),
            Alert::NeedsAttention(_)
            | Alert::Recovered(_)
            | Alert::ServerProblem(_)
            | Alert::ServerRecovered(_)
            | Alert::Trial
            | Alert::ApiKeyEndsSoon(_)
            | Alert::ActivityHead { .. } => None,
        })
        .collect();
    let subject = match notices[..] {
        [] => return None,
        [(_, notice)] => subject(notice).to_owned(),
        _ => format!("{} changes of your account", notices.len()),
    };
    let texts: Vec<String> = notices.iter().map(|(at, notice)| text(*at, notice, house)).collect();
    Some((subject, texts.join("\n\n")))
}

pub(super) fn foot(house: &SiteInfo) -> String {
    format!("You get this because you have an account at {}, {}.", house.product, house.origin)
}

pub(super) const fn subject(notice: &AccountNotice) -> &'static str {
    match notice.change {
        AccountChange::Password | AccountChange::PasswordByLink => "Your password was changed",
        AccountChange::Email { .. } => "Your email address was changed",
        AccountChange::Role { .. } => "Your role was changed",
        AccountChange::TurnedOff => "Your account was turned off",
        AccountChange::TurnedOn => "Your account was turned on",
    }
}

fn text(at: time::OffsetDateTime, notice: &AccountNotice, house: &SiteInfo) -> String {
    let product = &house.product;
    let what = match &notice.change {
        AccountChange::Password | AccountChange::PasswordByLink => format!("your password at {product} was changed."),
        AccountChange::Email { before, after } => {
            format!("your email address at {product} was changed from {before} to {after}.")
        }
        AccountChange::Role { before, after } => {
            format!("your role at {product} was changed from {before} to {after}. Sign in again.")
        }
        AccountChange::TurnedOff => format!("your account at {product} was turned off. You cannot sign in any more."),
        AccountChange::TurnedOn => format!("your account at {product} was turned on again, with the password you had."),
    };
    let who = match (&notice.by, &notice.change) {
        (Some(by), _) => by.clone(),
        (None, AccountChange::PasswordByLink) => "you, or someone with a sign-in link of yours".to_owned(),
        (None, _) => "you, or someone who was signed in as you".to_owned(),
    };
    let mut lines = vec![
        format!("{}, {what}", bidi_isolate(&notice.person)),
        format!("When: {}", moment(at)),
        format!("Who: {who}"),
    ];
    let from: Vec<&str> = [&notice.ip, &notice.browser].into_iter().flatten().map(String::as_str).collect();
    if !from.is_empty() {
        lines.push(format!("From: {}", from.join(", ")));
    }
    lines.push(match notice.by {
        None => "Was it not you? Ask an administrator at once to sign you out everywhere and to make a new sign-in link for you."
            .to_owned(),
        Some(_) => "Did you not expect this? Ask an administrator at once.".to_owned(),
    });
    lines.join("\n")
}
