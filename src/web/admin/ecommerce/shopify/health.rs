//! The tab Health: how a cart has done, what troubles it and since when, and *Check now*. Everything is drawn on the server; the
//! tables say the same as the charts.

use std::time::Duration;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    CartHead, Kind,
    health_words::{Action, clock, lasted, trouble},
};
use crate::{
    app::App,
    ecommerce::{
        Cart, CartId, Progress, Refusal, RunningTest, Status, TestReport,
        health::{Health as Found, PastCheck, Problem, StoreFacts},
        shopify::{API_VERSION, API_VERSION_ENDS_AT, scopes::PERMISSIONS},
        title::{self, Naming},
        verdict::{Class, Outcome, TESTS_A_MINUTE, Verdict},
    },
    web::{
        charts::{Line, Strip, passed_share, typical},
        error::Error,
        filters::{self, Moment},
        form::{Form, Path},
        page::Page,
        session::Session,
        shell::{Banner, Shell, Tone},
    },
};

/// How long *Check now* waits for its result; the check itself may take longer and is recorded all the same.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time before its end at which a minted token is renewed.
const RENEWED_BEFORE: time::Duration = time::Duration::hours(4);

/// The page. *Check now* posts `csrf` to `…/health`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/health.html")]
pub struct Health {
    pub shell: Shell,
    pub cart: CartHead,
    /// "Checked every 15 minutes.", or why not; empty where the banner says how often.
    pub plan: &'static str,
    pub last: Option<LastCheck>,
    /// Whether there is something that *Check now* could check.
    pub can_check: bool,
    pub trouble: Option<TroubleView>,
    pub strip: Strip,
    /// Such as "99.6%"; `None` before the first check.
    pub share: Option<String>,
    pub line: Option<Line>,
    /// "typical 198 ms, slowest 1.2 s".
    pub times: Option<String>,
    pub facts: Vec<Fact>,
    pub problems: Vec<ProblemRow>,
    pub checks: Vec<CheckRow>,
    pub days: Vec<DayRow>,
    /// What *Copy diagnostics* copies.
    pub diagnostics: String,
}

/// The newest check in one sentence.
#[derive(Clone, Debug)]
pub struct LastCheck {
    pub at: Moment,
    /// Its time, or what it found.
    pub what: String,
}

/// What is wrong now.
#[derive(Clone, Debug)]
pub struct TroubleView {
    pub tone: Tone,
    /// Bold.
    pub title: String,
    pub sentences: Vec<String>,
    pub action: Option<Action>,
    /// The label of [`Action::Replace`] and the hidden fields that it posts to General.
    pub replace: (&'static str, Vec<(&'static str, String)>),
}

/// A part of the line about the store: words, perhaps a time among them.
#[derive(Clone, Debug)]
pub struct Fact {
    pub before: String,
    pub at: Option<Moment>,
    pub after: String,
}

#[derive(Clone, Debug)]
pub struct ProblemRow {
    pub began: Moment,
    pub ended: Option<Moment>,
    pub lasted: String,
    pub title: String,
    pub how: String,
}

#[derive(Clone, Debug)]
pub struct CheckRow {
    pub at: Moment,
    pub passed: bool,
    pub title: String,
    pub took: Option<String>,
}

#[derive(Clone, Debug)]
pub struct DayRow {
    pub day: String,
    pub checks: u32,
    pub failed: u32,
    pub slowest: Option<String>,
}

/// Nothing but the form token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckForm {}

/// GET `/admin/ecommerce/shopify/{cart}/health`.
pub async fn show(State(app): State<App>, shell: Shell, Path(id): Path<Uuid>) -> Result<Page<Health>, Error> {
    let cart = app.ecommerce.find(CartId(id)).await?.ok_or(Error::NotFound)?;
    let found = app.ecommerce.health(cart.id).await?.ok_or(Error::NotFound)?;
    let report = match cart.last_test {
        Some(id) => app.ecommerce.find_test(id).await?,
        None => None,
    };
    let is_on = app.ecommerce.integration().await?.is_active;
    let head = CartHead::of(&app, &cart).await?;
    let diagnostics = app.ecommerce.diagnostics(&cart, app.clock.now()).await?;
    let page = Health::of(&app, shell, head, &cart, &found, report.as_ref(), is_on);
    Ok(Page::ok(Health { diagnostics, ..page }))
}

/// POST `/admin/ecommerce/shopify/{cart}/health`: *Check now*.
pub async fn create(
    State(app): State<App>,
    session: Session,
    Path(id): Path<Uuid>,
    Form(CheckForm {}): Form<CheckForm>,
) -> Result<Response, Error> {
    let banner = match app.ecommerce.check_now(session.visitor(), CartId(id)).await {
        Ok(running) => match tokio::time::timeout(PATIENCE, report(running)).await {
            Ok(Some(report)) => checked(&report),
            Ok(None) | Err(_) => Banner {
                title: "The check is still running.".into(),
                text: "Load this page again in a few seconds.".into(),
                short: "Checking".into(),
                tone: Tone::Info,
                ..Banner::default()
            },
        },
        Err(Refusal::Broken(broken)) => return Err(broken.into()),
        Err(Refusal::Gone) if app.ecommerce.find(CartId(id)).await?.is_none() => return Err(Error::NotFound),
        Err(_) => Banner {
            title: "There is nothing to check.".into(),
            text: "Enter the credential of this cart first.".into(),
            tone: Tone::Info,
            ..Banner::default()
        },
    };
    session.leave(&app, &banner).await?;
    Ok(Redirect::to(&format!("/admin/ecommerce/shopify/{}/health", CartId(id))).into_response())
}

async fn report(mut running: RunningTest) -> Option<Box<TestReport>> {
    loop {
        match running.progress.recv().await? {
            Progress::Check(_) => {}
            Progress::Report(report) => return Some(report),
        }
    }
}

fn checked(report: &TestReport) -> Banner {
    let class = report.verdict.class;
    metrics::counter!("cartwright_connection_tests_total", "class" => class.as_str()).increment(1);
    let (title, short) = match class {
        Class::TestLimit => (format!("{}.", report.title()), "Not checked"),
        _ => (format!("Checked just now: {}.", report.title()), "Checked"),
    };
    let tone = match report.verdict.outcome() {
        Outcome::NotConnected if class == Class::TestLimit => Tone::Warn,
        Outcome::Connected => Tone::Ok,
        Outcome::Limited => Tone::Warn,
        Outcome::NotConnected => Tone::Bad,
    };
    let text = match report.verdict.wait_seconds.filter(|_| class == Class::TestLimit) {
        Some(seconds) => format!("Wait {seconds} seconds, then check again."),
        None => String::new(),
    };
    Banner { title, text, short: short.into(), tone, link: None }
}

impl Health {
    fn of(
        app: &App,
        shell: Shell,
        head: CartHead,
        cart: &Cart,
        found: &Found,
        report: Option<&TestReport>,
        is_on: bool,
    ) -> Self {
        let now = app.clock.now();
        let host = cart.address.host();
        let kind = cart.credential.as_ref().map_or_else(Kind::default, |saved| saved.kind);
        let naming = Naming { host: &host, credential: kind.noun(), tests_a_minute: TESTS_A_MINUTE, now };
        let named = |class| title::of_class(class, &Verdict::of(class), &naming);
        let is_stray = cart.is_practice && !app.site.practices();
        let plan = match (is_on, is_stray, cart.is_active) {
            (false, ..) => "Not checked while Ecommerce Integration is off.",
            (_, true, _) => "Not checked while the practice store is off.",
            (.., false) => "Not checked while this cart is inactive.",
            // The banner says how often.
            (true, false, true) if head.status.status == Status::NotConnected => "",
            (true, false, true) => "Checked every 15 minutes.",
        };
        let status = head.status.status;
        let last = found.recent.last().map(|check| LastCheck {
            at: Moment::new(check.at, now),
            what: check.took_ms.map_or_else(|| named(check.class), filters::duration),
        });
        let slowest = found.recent.iter().filter_map(|check| check.took_ms).max();
        let times = typical(&found.recent).zip(slowest).map(|(typical, slowest)| {
            format!("typical {}, slowest {}", filters::duration(typical), filters::duration(slowest))
        });
        Self {
            can_check: cart.credential.is_some() && !is_stray && shell.can_change(),
            trouble: trouble(cart, status, kind, found.next_check_at, now),
            strip: Strip::of(&found.days, now.to_offset(time::UtcOffset::UTC).date()),
            share: passed_share(&found.days),
            line: Line::of(&found.recent, 96),
            facts: facts(cart, found, report, now),
            problems: found.problems.iter().map(|problem| ProblemRow::of(problem, now)).collect(),
            checks: found.recent.iter().rev().map(|check| CheckRow::of(check, now, named(check.class))).collect(),
            days: found.days.iter().rev().map(DayRow::of).collect(),
            diagnostics: String::new(),
            times,
            last,
            plan,
            cart: head,
            shell,
        }
    }

    fn title(&self) -> String {
        format!("{}Health: {}", self.shell.title_prefix(), self.cart.name)
    }

    const fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }
}

/// The line about the store: what Shopify last said, and how long what is saved will do.
fn facts(cart: &Cart, found: &Found, report: Option<&TestReport>, now: OffsetDateTime) -> Vec<Fact> {
    let words = |before: String| Fact { before, at: None, after: String::new() };
    let tested = || {
        let verdict = &report?.verdict;
        let api_version = verdict.details.api_version_answered.clone();
        Some(StoreFacts { store: verdict.store.clone()?, covered: verdict.covered, api_version })
    };
    let said = found.store.clone().or_else(tested);
    let mut facts = Vec::new();
    if let Some(StoreFacts { store, .. }) = &said {
        let plan = if store.plan.is_empty() { String::new() } else { format!("{} plan", store.plan) };
        let parts = [format!("Store {}", store.name), plan, store.currency.clone(), store.place()];
        facts.extend(parts.into_iter().filter(|part| !part.is_empty()).map(words));
    }
    if let Some(saved) = &cart.credential {
        facts.push(match (saved.kind, found.minted_at, found.minted_ends_at) {
            (Kind::ClientCredentials, Some(at), Some(ends)) => {
                let next = clock(ends - RENEWED_BEFORE, now);
                let after = format!(", next before {}", next.trim_start_matches("at "));
                Fact { before: "Token renewed ".into(), at: Some(Moment::new(at, now)), after }
            }
            _ => words(format!(
                "{} added {} by {}",
                saved.kind.noun_first(),
                filters::date(saved.added_at),
                saved.added_by
            )),
        });
    }
    if let Some(StoreFacts { covered, api_version, .. }) = &said {
        facts.push(words(format!("{covered} of {} permissions", PERMISSIONS.len())));
        let version = api_version.as_deref().unwrap_or(API_VERSION);
        let until = if version == API_VERSION {
            format!(", supported until {} {}", API_VERSION_ENDS_AT.month(), API_VERSION_ENDS_AT.year())
        } else {
            String::new()
        };
        facts.push(words(format!("API version {version}{until}")));
    }
    facts
}

impl ProblemRow {
    fn of(problem: &Problem, now: OffsetDateTime) -> Self {
        let how = match (&problem.ended_at, &problem.ended_by) {
            (None, _) => "It lasts".to_owned(),
            (Some(_), None) => "Ended by itself".to_owned(),
            (Some(_), Some(name)) => format!("Ended by a change of {name}'s"),
        };
        Self {
            began: Moment::exactly(problem.began_at),
            ended: problem.ended_at.map(Moment::exactly),
            lasted: lasted(problem.ended_at.unwrap_or(now) - problem.began_at),
            title: problem.title.clone(),
            how,
        }
    }
}

impl CheckRow {
    fn of(check: &PastCheck, now: OffsetDateTime, title: String) -> Self {
        let title = if check.class == Class::Connected { "Passed".into() } else { title };
        // How many were missing then is not kept with a check.
        let title =
            if check.class == Class::ScopesMissing { "Connected, but permissions are missing".into() } else { title };
        Self {
            at: Moment::new(check.at, now),
            passed: check.passed(),
            title,
            took: check.took_ms.map(filters::duration),
        }
    }
}

impl DayRow {
    fn of(day: &crate::ecommerce::health::Day) -> Self {
        Self {
            day: filters::date(day.day.midnight().assume_utc()),
            checks: day.checks,
            failed: day.failed,
            slowest: day.slowest_ms.map(filters::duration),
        }
    }
}
