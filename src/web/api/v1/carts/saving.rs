//! Adds and changes carts, by the operations of the editor's *Save* and *Test Connection*.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use uuid::Uuid;

use super::{
    body::CartBody,
    current, demand_match,
    submission::{CartInput, refused},
};
use crate::{
    app::App,
    carts::{Cart, Progress, SaveError, TestReport, TestSubject},
    causes::Class,
    web::{
        api::{
            caller::{ApiCaller, SeenCart},
            conditional::IfMatch,
            problem::{Problem, ProblemKind},
            request_body::JsonBody,
        },
        urls,
    },
};

/// Deadline of a change: it may test the new credential first, for 14.5 s.
pub const CHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// When too many tests ran, the next may begin after this time.
const TEST_LIMIT_WAIT: Duration = Duration::from_mins(1);

/// Add a cart
///
/// The cart is a draft until a test of it passes. A key that is limited to some carts cannot add one.
#[utoipa::path(
    post,
    path = urls::API_CARTS,
    operation_id = "addCart",
    tag = "Carts",
    request_body = CartInput,
    responses(
        (status = 201, description = "The new cart.", body = CartBody,
         headers(("Location" = String, description = "The address of the cart."), ("ETag" = String, description = "Needed to change it."))),
        (status = 422, description = "See the table of problems.")
    )
)]
pub async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    JsonBody(input): JsonBody<CartInput>,
) -> Result<Response, Problem> {
    if caller.program.carts.is_some() {
        return Err(Problem::new(ProblemKind::LimitedKey, "A key for some carts cannot add another one."));
    }
    let submission = input.submission(Uuid::now_v7(), None)?;
    let (kind, address) = (submission.offered.kind(), submission.address.clone());
    let added = app.carts.add(caller.visitor(), submission).await;
    let added = added.map_err(|error| refused(error, kind, &address))?;
    let cart = app.carts.find(added.cart).await?.ok_or_else(Problem::no_such_cart)?;
    let mut response = current(&app, &cart).await?.written(StatusCode::CREATED);
    let location = HeaderValue::from_str(&urls::api_cart(cart.id)).expect("an id is plain ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Change a cart
///
/// Send the fields to change, and the cart's `ETag` in `If-Match`. A new secret for a cart that works is tested first, and
/// replaces the old one only if it passes.
#[utoipa::path(
    patch,
    path = urls::API_CART,
    operation_id = "changeCart",
    tag = "Carts",
    params(
        ("cart" = String, Path, description = "The id of the cart."),
        ("If-Match" = String, Header, description = "The `ETag` of the cart as it was read.")
    ),
    request_body = CartInput,
    responses(
        (status = 200, description = "The cart after the change.", body = CartBody),
        (status = 412, description = "See the table of problems."),
        (status = 422, description = "See the table of problems."),
        (status = 424, description = "See the table of problems."),
        (status = 428, description = "See the table of problems.")
    )
)]
pub async fn update(
    State(app): State<App>,
    caller: ApiCaller,
    SeenCart(cart): SeenCart,
    if_match: IfMatch,
    JsonBody(input): JsonBody<CartInput>,
) -> Result<Response, Problem> {
    demand_match(&app, &cart, &if_match).await?;
    let id = Uuid::now_v7();
    let submission = input.submission(id, Some(&cart))?;
    let (kind, address) = (submission.offered.kind(), submission.address.clone());
    if input.has_secret() && cart.passed_at.is_some() && cart.address == address {
        let subject = TestSubject {
            submission: id,
            cart: Some((cart.id, cart.version)),
            address: address.clone(),
            offered: input.submission(id, Some(&cart))?.offered,
        };
        let tested = test(&app, &caller, subject).await;
        demand_passed(&cart, &tested.map_err(|error| refused(error, kind, &address))?)?;
    }
    let saved = app.carts.update(caller.visitor(), cart.id, cart.version, submission).await;
    saved.map_err(|error| refused(error, kind, &address))?;
    Ok(current(&app, &cart).await?.written(StatusCode::OK))
}

/// Tests a credential, as *Test Connection* does, and waits for the report.
async fn test(app: &App, caller: &ApiCaller, subject: TestSubject) -> Result<TestReport, SaveError> {
    let mut running = app.connection_tests.start(caller.visitor(), subject).await?;
    while let Some(progress) = running.progress.recv().await {
        if let Progress::Report(report) = progress {
            return Ok(*report);
        }
    }
    Err(SaveError::Broken(sqlx::Error::WorkerCrashed.into()))
}

/// Refuses a new secret that did not pass; the old one stays in use.
fn demand_passed(cart: &Cart, report: &TestReport) -> Result<(), Problem> {
    let class = report.verdict.class;
    if report.verdict.outcome().passes() {
        return Ok(());
    }
    let problem = if class == Class::TestLimit {
        Problem::new(ProblemKind::TooManyRequests, "Too many tests ran within a minute. Nothing was saved.")
            .retry_after(TEST_LIMIT_WAIT)
    } else {
        let detail = "The new secret did not pass the test, so nothing was saved and the old one stays in use.";
        Problem::new(ProblemKind::StoreRefuses, detail)
    };
    Err(problem.with_class(class).about(cart.id))
}
