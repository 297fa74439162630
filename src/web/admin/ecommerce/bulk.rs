//! Bulk actions: the confirmation before carts are turned off, and the progress page, which reloads itself and may be
//! closed and opened again.

use askama::Template;
use axum::{
    extract::State,
    http::HeaderValue,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

use super::carts::{CartTab, searched};
use crate::web::urls;
use crate::{
    app::App,
    carts::bulk::{BulkAction, BulkActionId, BulkActionKind, BulkSelection},
    web::admin::{
        banner::{Banner, Tone},
        error::Error,
        filters,
        form::{EmptyForm, Form, Path},
        page::HtmlPage,
        session::CurrentSession,
        shell::Shell,
    },
};

/// Seconds until the page of a running bulk action reloads.
const RELOAD_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// Confirmation of a bulk action: before *Turn off*, and before either action after signing in again. Posts the
/// selection again with `confirmed`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/bulk_ask.html")]
pub struct BulkAsk {
    pub shell: Shell,
    pub kind: BulkActionKind,
    pub carts: i64,
    pub hidden: Vec<(&'static str, String)>,
}

impl BulkAsk {
    fn question(&self) -> String {
        format!("{} {}?", self.button(), carts(self.carts))
    }

    const fn turns_off(&self) -> bool {
        matches!(self.kind, BulkActionKind::TurnOff)
    }

    const fn button(&self) -> &'static str {
        match self.kind {
            BulkActionKind::Test => "Test",
            BulkActionKind::TurnOff => "Turn off",
        }
    }
}

/// The progress or the result of a bulk action.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/bulk.html")]
pub struct Bulk {
    pub shell: Shell,
    pub job: BulkAction,
}

impl Bulk {
    fn title(&self) -> String {
        let all = carts(self.job.total.into());
        let are = if self.job.total == 1 { "is" } else { "are" };
        match (self.job.is_running(), self.job.kind) {
            (true, BulkActionKind::Test) => format!("Testing {all}"),
            (true, BulkActionKind::TurnOff) => format!("Turning off {all}"),
            (false, _) if self.job.is_cancelled => format!("Stopped after {} of {all}", self.job.done()),
            (false, BulkActionKind::Test) if self.tested() < i64::from(self.job.total) => {
                format!("{} of {all} {are} tested", self.tested())
            }
            (false, BulkActionKind::Test) => format!("{all} {are} tested"),
            (false, BulkActionKind::TurnOff) => format!("{all} {are} turned off"),
        }
    }

    fn tested(&self) -> i64 {
        let count = |outcome: &str| self.job.outcomes.get(outcome).copied().unwrap_or_default();
        ["connected", "limited", "not-connected"].into_iter().map(count).sum()
    }

    /// "38 connected, 2 with limits, 1 not connected."
    fn words(&self) -> String {
        let words = [
            ("connected", "connected"),
            ("limited", "with limits"),
            ("not-connected", "not connected"),
            ("not-tested", "without a saved credential, not tested"),
            ("off", "turned off"),
            ("off-already", "off already"),
            ("test-limit", "not tested, because a store is tested at most ten times a minute"),
            ("gone", "deleted meanwhile"),
            ("not-permitted", "not done, because the person who started this may no longer make changes"),
        ];
        let count = |outcome: &str| self.job.outcomes.get(outcome).copied().filter(|count| *count > 0);
        let parts: Vec<_> =
            words.iter().filter_map(|(outcome, say)| Some(format!("{} {say}", count(outcome)?))).collect();
        if parts.is_empty() { "None is done yet.".into() } else { format!("{}.", parts.join(", ")) }
    }
}

fn carts(count: i64) -> String {
    if count == 1 { "1 cart".into() } else { format!("{count} carts") }
}

/// The list's form: the selected carts, and the action.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkForm {
    /// Ids separated by spaces.
    #[serde(default, rename = "cart[]")]
    carts: String,
    /// Ticked: everything that the list matches, on all its pages.
    all: Option<String>,
    #[serde(default)]
    show: String,
    #[serde(default)]
    q: String,
    deed: BulkActionKind,
    confirmed: Option<String>,
    intent: Option<String>,
}

impl BulkForm {
    fn selection(&self) -> BulkSelection {
        if self.all.is_some() {
            let search = Some(searched(&self.q)).filter(|search| !search.is_empty());
            return BulkSelection::Matching { filter: CartTab::parse(&self.show).of_domain(), search };
        }
        BulkSelection::Carts(self.carts.split_whitespace().filter_map(|id| id.parse().ok()).collect())
    }

    fn hidden(&self) -> Vec<(&'static str, String)> {
        let mut hidden = vec![("deed", self.deed.as_str().to_owned()), ("confirmed", "yes".into())];
        if self.all.is_some() {
            hidden.extend([("all", "yes".into()), ("show", self.show.clone()), ("q", searched(&self.q))]);
        } else {
            hidden.extend(self.carts.split_whitespace().map(|id| ("cart[]", id.to_owned())));
        }
        hidden
    }
}

/// POST `/admin/ecommerce/bulk`: starts the action, or asks for confirmation first.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    Form(form): Form<BulkForm>,
) -> Result<Response, Error> {
    let kind = form.deed;
    let selection = form.selection();
    if form.intent.is_some() || (kind == BulkActionKind::TurnOff && form.confirmed.is_none()) {
        let carts = app.bulk_actions.count_selected(&selection, kind).await?;
        if carts > 0 {
            return Ok(HtmlPage::ok(BulkAsk { shell, kind, carts, hidden: form.hidden() }).into_response());
        }
        let none = match kind {
            BulkActionKind::Test => "Select at least one cart.",
            BulkActionKind::TurnOff => "None of these carts is active.",
        };
        return back(&app, &session, none).await;
    }
    match app.bulk_actions.start(session.by(), kind, selection).await? {
        Some(job) => Ok(Redirect::to(&urls::bulk_action(job)).into_response()),
        None => back(&app, &session, "Select at least one cart.").await,
    }
}

async fn back(app: &App, session: &CurrentSession, title: &str) -> Result<Response, Error> {
    session.leave(app, &Banner { title: title.into(), tone: Tone::Info, ..Banner::default() }).await?;
    Ok(Redirect::to(urls::CARTS).into_response())
}

/// GET `/admin/ecommerce/bulk/{bulk}`.
pub async fn show(State(app): State<App>, shell: Shell, Path(id): Path<Uuid>) -> Result<Response, Error> {
    let job = app.bulk_actions.find(BulkActionId(id)).await?.ok_or(Error::NotFound)?;
    let is_running = job.is_running();
    let mut answer = HtmlPage::ok(Bulk { shell, job }).into_response();
    if is_running {
        answer.headers_mut().insert("refresh", RELOAD_SECONDS);
    }
    Ok(answer)
}

/// POST `/admin/ecommerce/bulk/{bulk}/cancellation`: skips the items that have not started.
pub async fn destroy(
    State(app): State<App>,
    session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(EmptyForm {}): Form<EmptyForm>,
) -> Result<Response, Error> {
    let job = app.bulk_actions.find(BulkActionId(id)).await?.ok_or(Error::NotFound)?;
    app.bulk_actions.cancel(session.by(), job.id).await?;
    Ok(Redirect::to(&urls::bulk_action(job.id)).into_response())
}
