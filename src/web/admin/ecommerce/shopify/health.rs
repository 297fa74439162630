//! The tab Health: a cart's check history, its current problem, and *Check now*. Everything is rendered on the server;
//! the tables contain the same data as the charts.
#![deny(clippy::wildcard_enum_match_arm)]

mod facts;
mod rows;
pub mod words;

use std::time::Duration;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use time::OffsetDateTime;
use uuid::Uuid;

pub use facts::Fact;
pub use rows::{CheckRow, DayRow, ProblemRow};
use words::{Action, trouble};

use super::{CartHead, Kind};
use crate::web::admin::ecommerce::StatusFacts;
use crate::web::urls;
use crate::{
    app::App,
    carts::{
        Cart, CartId, Progress, RunningTest, TestRefused, TestReport,
        health::HealthHistory as Found,
        state::{Checks, Unscheduled},
    },
    causes::{Outcome, Severity, TitleContext, Verdict},
    direction::bidi_isolate,
    web::admin::{
        banner::{Banner, Tone},
        charts::{DayChart, LineChart, passed_share, typical},
        error::Error,
        filters::{self, Moment},
        form::{EmptyForm, Form, Path},
        page::HtmlPage,
        session::CurrentSession,
        shell::Shell,
    },
};

/// How long *Check now* waits for its result; a slower check still runs and is recorded.
const CHECK_WAIT: Duration = Duration::from_secs(10);

/// The page. *Check now* posts `csrf` to `…/health`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/health.html")]
pub struct HealthPage {
    pub shell: Shell,
    pub cart: CartHead,
    /// "Checked every 15 minutes.", or why not; empty if the banner says when the next check is.
    pub plan: &'static str,
    /// Shown instead of the charts before the first check.
    pub no_checks: &'static str,
    pub last: Option<LastCheck>,
    /// Whether *Check now* is offered: there is something to check, and the user may make changes.
    pub can_check: bool,
    pub trouble: Option<TroubleView>,
    pub strip: DayChart,
    /// Such as "99.6%"; `None` before the first check.
    pub share: Option<String>,
    pub line: Option<LineChart>,
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
    /// Its response time, or its result.
    pub what: String,
}

/// The current problem.
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

/// GET `/admin/ecommerce/shopify/{cart}/health`.
pub async fn show(State(app): State<App>, shell: Shell, Path(id): Path<Uuid>) -> Result<HtmlPage<HealthPage>, Error> {
    let cart = app.carts.find(CartId(id)).await?.ok_or(Error::NotFound)?;
    let found = app.health.find_history(cart.id).await?.ok_or(Error::NotFound)?;
    let report = match cart.last_test {
        Some(id) => app.connection_tests.find(id).await?,
        None => None,
    };
    let is_on = app.integration.is_active().await?;
    let now = app.clock.now();
    let facts = StatusFacts::of(&cart, is_on, app.site.practices(), now);
    let diagnostics = app.connection_tests.diagnostics(&cart, now).await?;
    let page = HealthPage::of(shell, &cart, &facts, &found, report.as_ref(), now);
    Ok(HtmlPage::ok(HealthPage { diagnostics, ..page }))
}

/// POST `/admin/ecommerce/shopify/{cart}/health`: *Check now*.
pub async fn create(
    State(app): State<App>,
    session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(EmptyForm {}): Form<EmptyForm>,
) -> Result<Response, Error> {
    let banner = match app.connection_tests.check_now(session.visitor(), CartId(id)).await {
        Ok(running) => match tokio::time::timeout(CHECK_WAIT, report(running)).await {
            Ok(Some(report)) => check_banner(&report),
            Ok(None) | Err(_) => Banner {
                title: "The check is still running.".into(),
                text: "Load this page again in a few seconds.".into(),
                short: "Checking".into(),
                tone: Tone::Info,
                ..Banner::default()
            },
        },
        Err(TestRefused::Broken(broken)) => return Err(broken.into()),
        Err(TestRefused::Gone) if app.carts.find(CartId(id)).await?.is_none() => return Err(Error::NotFound),
        Err(_) => Banner {
            title: "There is nothing to check.".into(),
            text: "Enter the credential of this cart first.".into(),
            tone: Tone::Info,
            ..Banner::default()
        },
    };
    session.leave(&app, &banner).await?;
    Ok(Redirect::to(&urls::cart_health(CartId(id))).into_response())
}

async fn report(mut running: RunningTest) -> Option<Box<TestReport>> {
    loop {
        match running.progress.recv().await? {
            Progress::Check(_) => {}
            Progress::Report(report) => return Some(report),
        }
    }
}

fn check_banner(report: &TestReport) -> Banner {
    let class = report.verdict.class;
    metrics::counter!("cartwright_connection_tests_total", "class" => class.as_str()).increment(1);
    let was_checked = class.severity() != Severity::NotACheck;
    let (title, short) = if was_checked {
        (format!("Checked just now: {}.", report.title()), "Checked")
    } else {
        (format!("{}.", report.title()), "Not checked")
    };
    let tone = match report.verdict.outcome() {
        Outcome::Connected => Tone::Ok,
        Outcome::NotConnected if was_checked => Tone::Bad,
        Outcome::NotConnected | Outcome::Limited => Tone::Warn,
    };
    let text = match report.verdict.wait_seconds.filter(|_| !was_checked) {
        Some(seconds) => format!("Wait {seconds} seconds, then check again."),
        None => String::new(),
    };
    Banner { title, text, short: short.into(), tone, link: None }
}

impl HealthPage {
    pub(crate) fn of(
        shell: Shell,
        cart: &Cart,
        facts: &StatusFacts<'_>,
        found: &Found,
        report: Option<&TestReport>,
        now: OffsetDateTime,
    ) -> Self {
        let host = cart.address.host();
        let kind = cart.credential.as_ref().map_or_else(Kind::default, |saved| saved.kind);
        let naming = TitleContext { host: &host, credential: kind.noun() };
        let named = |class| Verdict::of(class).title(&naming);
        let state = facts.cart.state();
        let next = found.next_check_at.filter(|_| state.checks == Checks::Scheduled);
        let last = found.recent.last().map(|check| LastCheck {
            at: Moment::new(check.at, now),
            what: check.took_ms.map_or_else(|| named(check.class), filters::duration),
        });
        let slowest = found.recent.iter().filter_map(|check| check.took_ms).max();
        let times = typical(&found.recent).zip(slowest).map(|(typical, slowest)| {
            format!("typical {}, slowest {}", filters::duration(typical), filters::duration(slowest))
        });
        Self {
            can_check: cart.credential.is_some()
                && state.checks != Checks::Unscheduled(Unscheduled::PracticeIsOff)
                && shell.can_change(),
            trouble: trouble(cart, facts, kind, next, now),
            strip: DayChart::of(&found.days, now.to_offset(time::UtcOffset::UTC).date()),
            share: passed_share(&found.days),
            line: LineChart::of(&found.recent, 96),
            no_checks: words::no_checks(state),
            facts: facts::facts(cart, found, report, now),
            problems: found.problems.iter().map(|problem| ProblemRow::of(problem, now)).collect(),
            checks: found.recent.iter().rev().map(|check| CheckRow::of(check, now, named(check.class))).collect(),
            days: found.days.iter().rev().map(DayRow::of).collect(),
            diagnostics: String::new(),
            times,
            last,
            plan: words::plan(state),
            cart: CartHead::new(cart, facts),
            shell,
        }
    }

    fn title(&self) -> String {
        format!("{}Health: {}", self.shell.title_prefix(), bidi_isolate(&self.cart.name))
    }

    /// Whether any check failed, even if that was not a problem yet.
    fn has_failures(&self) -> bool {
        self.days.iter().any(|day| day.failed > 0)
    }

    const fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }
}
