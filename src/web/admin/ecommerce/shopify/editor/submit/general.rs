//! Handlers of the tab General.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::{EditorSubmit, shown_result};
use crate::web::urls;
use crate::{
    app::App,
    carts::CartId,
    web::admin::{
        ecommerce::shopify::editor::{
            form_state::{posted::PostedForm, saved},
            view::{
                general::{General, Stage},
                page::Editor,
            },
        },
        error::Error,
        form::{Form, Path},
        form_stash::FormStash,
        page::HtmlPage,
        session::CurrentSession,
        shell::Shell,
    },
};

/// GET `/admin/ecommerce/shopify/new`.
pub async fn new(State(app): State<App>, shell: Shell) -> Result<Response, Error> {
    if !app.integration.is_active().await? {
        return Ok(Redirect::to(urls::SWITCH_BEFORE_ADDING).into_response());
    }
    let editor = Editor { app: &app, shell, cart: None, form: saved::blank(), report: None, changed: None };
    Ok(HtmlPage::ok(editor.page(Stage::Loaded).await?).into_response())
}

/// GET `/admin/ecommerce/shopify/{cart}/general`.
pub async fn edit(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    Path(id): Path<Uuid>,
) -> Result<HtmlPage<General>, Error> {
    let cart = app.carts.find(CartId(id)).await?.ok_or(Error::NotFound)?;
    let mut form = saved::of_cart(&cart);
    saved::resume(&app, &session, &cart, &mut form).await?;
    let (report, changed) = shown_result::of(&app, &session, &form, Some(&cart)).await?.unzip();
    let editor = Editor { app: &app, shell, cart: Some(cart), form, report, changed: changed.flatten() };
    Ok(HtmlPage::ok(editor.page(Stage::Loaded).await?))
}

/// POST `/admin/ecommerce/shopify/new`.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    desk: FormStash,
    Form(posted): Form<PostedForm>,
) -> Result<Response, Error> {
    Box::pin(super::save(EditorSubmit { app: &app, shell, desk, session: &session, cart: None }, posted)).await
}

/// POST `/admin/ecommerce/shopify/{cart}/general`.
pub async fn update(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    desk: FormStash,
    Path(id): Path<Uuid>,
    Form(posted): Form<PostedForm>,
) -> Result<Response, Error> {
    Box::pin(super::save(EditorSubmit { app: &app, shell, desk, session: &session, cart: Some(CartId(id)) }, posted))
        .await
}
