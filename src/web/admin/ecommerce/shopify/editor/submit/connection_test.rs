//! Connection tests: run by *Test Connection*, their results stored behind URLs of their own.

use askama::Template;
use axum::{
    extract::State,
    http::HeaderMap,
    response::{Html, IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::{EditorSubmit, PARTIAL};
use crate::app::App;
use crate::carts::CartId;
use crate::web::admin::ecommerce::shopify::editor::form_state::posted::PostedForm;
use crate::web::admin::ecommerce::shopify::editor::form_state::saved;
use crate::web::admin::ecommerce::shopify::editor::view::general::Stage;
use crate::web::admin::ecommerce::shopify::editor::view::page::{Editor, test_view};
use crate::web::admin::form::{Form, Path};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::shell::Shell;
use crate::web::admin::{error::Error, form_stash::FormStash};
use crate::web::urls;

/// POST `/admin/ecommerce/shopify/new/connection-tests`.
pub async fn create_new(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    desk: FormStash,
    headers: HeaderMap,
    Form(posted): Form<PostedForm>,
) -> Result<Response, Error> {
    let press = EditorSubmit { app: &app, shell, desk, session: &session, cart: None };
    Box::pin(super::test(press, posted, headers.contains_key(PARTIAL))).await
}

/// POST `/admin/ecommerce/shopify/{cart}/connection-tests`.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    desk: FormStash,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Form(posted): Form<PostedForm>,
) -> Result<Response, Error> {
    let press = EditorSubmit { app: &app, shell, desk, session: &session, cart: Some(CartId(id)) };
    Box::pin(super::test(press, posted, headers.contains_key(PARTIAL))).await
}

/// GET `…/new/connection-tests`, as a reload or a restored tab requests it: redirects to the last test whose draft
/// secret still exists, else to the empty form.
pub async fn list_new(State(app): State<App>, session: CurrentSession) -> Result<Response, Error> {
    let to = match app.connection_tests.find_draft(&session.visitor()).await? {
        Some(test) => urls::new_cart_test(test.simple()),
        None => urls::NEW_CART.to_owned(),
    };
    Ok(Redirect::to(&to).into_response())
}

/// GET `…/new/connection-tests/{test}`.
pub async fn show_new(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    headers: HeaderMap,
    Path(test): Path<Uuid>,
) -> Result<Response, Error> {
    show_of(&app, shell, &session, None, test, &headers).await
}

/// GET `/admin/ecommerce/shopify/{cart}/connection-tests/{test}`.
pub async fn show(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    headers: HeaderMap,
    Path((cart, test)): Path<(Uuid, Uuid)>,
) -> Result<Response, Error> {
    show_of(&app, shell, &session, Some(CartId(cart)), test, &headers).await
}

/// The stored result, for a reload and for links from the activity.
async fn show_of(
    app: &App,
    shell: Shell,
    session: &CurrentSession,
    id: Option<CartId>,
    test: Uuid,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let report = app.connection_tests.find(test).await?.filter(|report| report.cart == id).ok_or(Error::NotFound)?;
    let cart = match id {
        Some(id) => Some(app.carts.find(id).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    if headers.contains_key(PARTIAL) {
        return Ok(Html(test_view(app, &shell, &report, cart.as_ref()).await.render()?).into_response());
    }
    let mut form = match &cart {
        Some(cart) => saved::of_cart(cart),
        None => saved::blank(),
    };
    if cart.is_none() {
        form.kind = report.kind;
        form.submission = report.submission.to_string();
        form.api_url.value = report.address.admin_url();
        saved::understand(&mut form, &report.address);
        saved::show_draft_secret(app, session, &mut form, id, Some(&report.address)).await?;
    }
    let page = Editor { app, shell, cart, form, report: Some(report), changed: None }.page(Stage::Loaded).await?;
    Ok(HtmlPage::ok(page).into_response())
}
