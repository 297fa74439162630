//! The last check: whether the customers of an order can be read.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::super::answer::{self, Customers};
use super::super::client::{CallTimer, ShopifyClient};
use super::super::credential::Credential;
use super::super::scopes;
use super::check_reporter::CheckReporter;
use super::{TestedStore, TokenExchange};
use crate::causes::{CheckKind, CheckState, Class, Limit, Note, Verdict};

const CUSTOMER_VISIBILITY: &str = include_str!("../customer_visibility.graphql");

pub(super) fn may_see_customers(verdict: &Verdict) -> bool {
    ["read_orders", "read_customers"].iter().all(|scope| scopes::grants(&verdict.granted, scope))
}

/// A scope does not prove that customer data is readable; one order does. If the query itself fails, the verdict stays
/// as it was.
pub(super) async fn check_customers(
    left: Duration,
    client: &ShopifyClient,
    subject: &TestedStore<'_>,
    minted: &TokenExchange,
    verdict: &mut Verdict,
    lines: &mut CheckReporter<'_>,
) {
    let began = Instant::now();
    let seen = ask(left, client, subject, minted).await;
    let state = match seen {
        Customers::Visible => CheckState::Passed,
        Customers::Hidden => CheckState::Failed,
        Customers::NoneSeen | Customers::Unknown => CheckState::NotChecked,
    };
    let took_ms = u32::try_from(began.elapsed().as_millis()).ok();
    lines.tell(CheckKind::Customers, state, None, took_ms);
    match seen {
        Customers::Hidden => {
            let before_version = verdict.limits.iter().filter(|l| l.class() == Class::ScopesMissing).count();
            verdict.limits.insert(before_version, Limit::CustomerDetailsHidden);
        }
        Customers::NoneSeen => verdict.notes.push(Note::NoCustomerSeen),
        Customers::Visible if verdict.store.as_ref().is_some_and(|store| store.is_development) => {
            verdict.notes.push(Note::DevelopmentStore);
        }
        Customers::Visible | Customers::Unknown => {}
    }
}

async fn ask(left: Duration, client: &ShopifyClient, subject: &TestedStore<'_>, minted: &TokenExchange) -> Customers {
    let token = match subject.credential {
        Credential::AccessToken(token) => Some(token),
        Credential::ClientCredentials { .. } => minted.get().map(|minted| &minted.token),
    };
    let Some(token) = token else { return Customers::Unknown };
    let meter = CallTimer::default();
    let asked = timeout(left, client.graphql(subject.address, token, CUSTOMER_VISIBILITY, &meter)).await;
    let answer = asked.ok().and_then(Result::ok);
    answer.map_or(Customers::Unknown, |answer| answer::customers(subject.address, &answer))
}
