//! Fetches the locations of a store.

use askama::Template;
use axum::{
    extract::State,
    http::HeaderMap,
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;

use super::{PARTIAL, shown_result};
use crate::{
    app::App,
    carts::{CartId, LocationsRead},
    web::admin::{
        ecommerce::shopify::editor::{
            form_state::saved,
            view::{general::Stage, page::Editor},
        },
        error::Error,
        form::{EmptyForm, Form, Path},
        page::HtmlPage,
        session::CurrentSession,
        shell::Shell,
    },
};

/// POST `/admin/ecommerce/shopify/{cart}/locations`: fetches the locations. `app.js` replaces the block; without script
/// the page is rendered again.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(EmptyForm {}): Form<EmptyForm>,
) -> Result<Response, Error> {
    let id = CartId(id);
    let asking = app.locations.read(session.by(), id).await?.ok_or(Error::NotFound)?;
    let cart = app.carts.find(id).await?.ok_or(Error::NotFound)?;
    let mut form = saved::of_cart(&cart);
    saved::resume(&app, &session, &cart, &mut form).await?;
    let (report, changed) = shown_result::of(&app, &session, &form, Some(&cart)).await?.unzip();
    let editor = Editor { app: &app, shell, cart: Some(cart), form, report, changed: changed.flatten() };
    let mut page = editor.page(Stage::Loaded).await?;
    if let (Some(settings), LocationsRead::Kept(title)) = (&mut page.settings, asking) {
        settings.locations.failure = Some(title);
    }
    match &page.settings {
        Some(settings) if headers.contains_key(PARTIAL) => Ok(Html(settings.locations.render()?).into_response()),
        _ => Ok(HtmlPage::ok(page).into_response()),
    }
}
