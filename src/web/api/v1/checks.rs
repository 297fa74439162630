//! Tests the saved connection of a cart now, like *Test Connection* on its page.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use std::time::Duration;

use crate::{
    app::App,
    carts::{Progress, TestRefused, TestReport},
    causes::{CheckState, Class, Outcome},
    clock,
    web::{
        api::{
            caller::{ApiCaller, SeenCart},
            media,
            problem::{Problem, ProblemKind},
        },
        urls,
    },
};

/// When a test is worth repeating while another one runs: a test ends within this time.
const RETRY_RUNNING: Duration = Duration::from_secs(15);

/// The result of a test. A refusal by the store is a result too.
#[derive(Serialize, ToSchema)]
#[schema(as = Check)]
pub struct CheckBody {
    /// Identifies the test, also for the people who look after the connection.
    id: String,
    #[schema(value_type = OutcomeName)]
    outcome: Outcome,
    /// The condition, named as on screen and in webhooks.
    #[schema(value_type = String, example = "CONNECTED")]
    class: Class,
    /// The condition in one sentence.
    title: String,
    /// Needed permissions that were not granted.
    missing_permissions: Vec<String>,
    #[schema(format = DateTime)]
    tested_at: String,
    /// What was tested, in this order.
    checks: Vec<CheckLineBody>,
}

/// The three outcomes of a test; describes [`Outcome`].
#[derive(ToSchema)]
#[schema(as = CheckOutcome, rename_all = "kebab-case")]
pub enum OutcomeName {
    Connected,
    Limited,
    NotConnected,
}

/// One check of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckLine)]
pub struct CheckLineBody {
    /// What was checked.
    #[schema(example = "credential")]
    check: &'static str,
    #[schema(value_type = CheckStateName)]
    state: CheckState,
    /// What was found, such as `15 of 17`.
    found: Option<String>,
    took_ms: Option<u32>,
}

/// What became of a check; describes [`CheckState`].
#[derive(ToSchema)]
#[schema(as = CheckState, rename_all = "kebab-case")]
pub enum CheckStateName {
    Passed,
    Failed,
    NotChecked,
}

impl CheckBody {
    fn of(report: &TestReport) -> Self {
        let lines = report.verdict.checks.iter().map(|check| CheckLineBody {
            check: check.kind.as_str(),
            state: check.state,
            found: check.found.clone(),
            took_ms: check.took_ms,
        });
        Self {
            id: report.id.as_simple().to_string(),
            outcome: report.verdict.outcome(),
            class: report.verdict.class,
            title: report.title(),
            missing_permissions: report.verdict.missing_scopes().to_vec(),
            tested_at: clock::utc_text(report.tested_at),
            checks: lines.collect(),
        }
    }
}

/// Test the connection of a cart
///
/// Tests what is saved, and waits for the result. It counts as a check: the status of the cart follows from it, and a cart
/// that waits for its first passed test turns on.
#[utoipa::path(
    post,
    path = urls::API_CHECKS,
    operation_id = "checkCart",
    tag = "Carts",
    params(("cart" = String, Path, description = "The id of the cart.")),
    responses(
        (status = 200, description = "The result, whatever it is.", body = CheckBody),
        (status = 409, description = "Nothing is saved that could be tested, or the cart was changed meanwhile.")
    )
)]
pub async fn create(State(app): State<App>, caller: ApiCaller, SeenCart(cart): SeenCart) -> Result<Response, Problem> {
    let started = app.connection_tests.check_now(caller.visitor(), cart.id).await;
    let mut running = started.map_err(|refused| problem_of(refused).about(cart.id))?;
    while let Some(progress) = running.progress.recv().await {
        if let Progress::Report(report) = progress {
            return of_report(&report).map_err(|problem| problem.about(cart.id));
        }
    }
    Err(anyhow::anyhow!("a test ended without its report").into())
}

/// A test that was not sent, because of a limit, is no result.
fn of_report(report: &TestReport) -> Result<Response, Problem> {
    if report.verdict.class != Class::TestLimit {
        return Ok(media::json(StatusCode::OK, &CheckBody::of(report)));
    }
    let wait = report.verdict.wait_seconds.map_or(RETRY_RUNNING, |seconds| Duration::from_secs(seconds.into()));
    let detail = format!("{}. Nothing was sent to the store.", report.title());
    Err(Problem::new(ProblemKind::TooManyRequests, detail).with_class(Class::TestLimit).retry_after(wait))
}

fn problem_of(refused: TestRefused) -> Problem {
    match refused {
        TestRefused::Gone => {
            Problem::new(ProblemKind::NotActive, "The cart is disconnected: there is nothing to test.")
        }
        TestRefused::PracticeOff => {
            Problem::new(ProblemKind::NotActive, "The cart belongs to the practice store, which is off.")
        }
        TestRefused::Conflict(_) | TestRefused::StoreChanged | TestRefused::SecretMissing { .. } => {
            Problem::new(ProblemKind::Conflict, "The cart was changed meanwhile. Repeat the request.")
        }
        TestRefused::Broken(broken) => broken.into(),
    }
}
