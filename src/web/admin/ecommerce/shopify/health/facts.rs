//! The line about the store: what Shopify last reported, and how long the saved credential lasts.

use time::OffsetDateTime;

use super::super::Kind;
use super::words::clock;
use crate::{
    carts::{
        Cart, TestReport,
        health::{HealthHistory, StoreFacts},
    },
    direction::bidi_isolate,
    platforms::shopify::{API_VERSION, API_VERSION_ENDS_AT, scopes::PERMISSIONS},
    web::admin::filters::{self, Moment},
};

/// How long before its expiry an issued token is refreshed.
const RENEWED_BEFORE: time::Duration = time::Duration::hours(4);

/// A part of the line about the store: text, with an optional time in it.
#[derive(Clone, Debug)]
pub struct Fact {
    pub before: String,
    pub at: Option<Moment>,
    pub after: String,
}

impl Fact {
    fn words(before: String) -> Self {
        Self { before, at: None, after: String::new() }
    }
}

pub(super) fn facts(cart: &Cart, found: &HealthHistory, report: Option<&TestReport>, now: OffsetDateTime) -> Vec<Fact> {
    let said = found.store.clone().or_else(|| tested(report?));
    let mut facts = Vec::new();
    if let Some(said) = &said {
        facts.extend(of_store(said));
    }
    facts.extend(of_credential(cart, found, now));
    if let Some(said) = &said {
        facts.extend(of_app(said));
    }
    facts
}

/// What the cart's last test reported, until a check has reported something.
fn tested(report: &TestReport) -> Option<StoreFacts> {
    let verdict = &report.verdict;
    let api_version = verdict.details.api_version_answered.clone();
    Some(StoreFacts { store: verdict.store.clone()?, covered: verdict.covered, api_version })
}

fn of_store(StoreFacts { store, .. }: &StoreFacts) -> impl Iterator<Item = Fact> {
    let plan = if store.plan.is_empty() { String::new() } else { format!("{} plan", store.plan) };
    let parts = [format!("Store {}", bidi_isolate(&store.name)), plan, store.currency.clone(), store.place()];
    parts.into_iter().filter(|part| !part.is_empty()).map(Fact::words)
}

fn of_credential(cart: &Cart, found: &HealthHistory, now: OffsetDateTime) -> Option<Fact> {
    let saved = cart.credential.as_ref()?;
    Some(match (saved.kind, found.minted_at, found.minted_ends_at) {
        (Kind::ClientCredentials, Some(at), Some(ends)) => {
            let next = clock(ends - RENEWED_BEFORE, now);
            let after = format!(", next before {}", next.trim_start_matches("at "));
            Fact { before: "Token renewed ".into(), at: Some(Moment::new(at, now)), after }
        }
        _ => Fact::words(format!(
            "{} added {} by {}",
            saved.kind.noun_first(),
            filters::date(saved.added_at),
            bidi_isolate(&saved.added_by)
        )),
    })
}

fn of_app(StoreFacts { covered, api_version, .. }: &StoreFacts) -> [Fact; 2] {
    let version = api_version.as_deref().unwrap_or(API_VERSION);
    let until = if version == API_VERSION {
        format!(", supported until {} {}", API_VERSION_ENDS_AT.month(), API_VERSION_ENDS_AT.year())
    } else {
        String::new()
    };
    [
        Fact::words(format!("{covered} of {} permissions", PERMISSIONS.len())),
        Fact::words(format!("API version {version}{until}")),
    ]
}
