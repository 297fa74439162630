//! The store's locations to choose from: a block of the editor that can be reloaded separately, and always shows the
//! last list that was read.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::State,
    http::HeaderMap,
    response::{Html, IntoResponse, Response},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    connection_test::PARTIAL,
    editor::{self, Editor},
    general::Stage,
    settings::ReasonView,
    shown_result,
};
use crate::{
    app::App,
    ecommerce::{CartId, LocationsRead, shopify::locations::Locations},
    web::{
        error::Error,
        filters::{self, Moment},
        form::{EmptyForm, Form, Path},
        page::HtmlPage,
        session::CurrentSession,
        shell::Shell,
    },
};

/// Number of locations shown at once; the others are folded.
const SHOWN: usize = 20;

/// Rendered with `{{ locations|safe }}`. Its element has the id `locations`, and its button submits the page's form
/// `again`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_locations.html")]
pub struct LocationsBlock {
    pub all: Vec<LocationView>,
    /// Names of chosen locations that no longer exist in the store.
    pub gone: Vec<String>,
    /// Whether none of the chosen locations exists any more.
    pub are_all_gone: bool,
    /// `None` if never read.
    pub read: Option<ReadTime>,
    /// The title of the error that stopped the last read.
    pub failure: Option<String>,
    pub reason: Option<ReasonView>,
    /// Whether the reason is shown elsewhere, for all settings at once.
    pub is_untested: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationView {
    pub id: String,
    pub name: String,
    pub is_ticked: bool,
    pub is_gone: bool,
}

/// When the list was read: as a moment, and as "the list of 21 November".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTime {
    pub moment: Moment,
    pub day: String,
}

impl LocationsBlock {
    pub fn new(
        locations: Locations,
        ticked: &BTreeSet<String>,
        reason: Option<ReasonView>,
        now: OffsetDateTime,
    ) -> Self {
        let gone: Vec<String> = locations.gone().map(|location| location.name.clone()).collect();
        let chosen = locations.all.iter().filter(|location| location.is_chosen).count();
        let read = locations.read_at.map(|at| ReadTime { moment: Moment::new(at, now), day: filters::day(at, now) });
        let view = |location: crate::ecommerce::shopify::locations::Location| LocationView {
            is_ticked: ticked.contains(&location.id),
            id: location.id,
            name: location.name,
            is_gone: location.is_gone,
        };
        Self {
            are_all_gone: !gone.is_empty() && gone.len() == chosen,
            gone,
            read,
            failure: None,
            is_untested: false,
            reason,
            all: locations.all.into_iter().map(view).collect(),
        }
    }

    /// Whether there is anything to choose: more than one location, or one to untick.
    pub fn is_choice(&self) -> bool {
        self.all.len() > 1 || self.all.iter().any(|location| location.is_ticked)
    }

    /// The visible and the folded locations.
    fn halves(&self) -> (&[LocationView], &[LocationView]) {
        self.all.split_at(self.all.len().min(SHOWN))
    }

    pub fn name(&self, id: &str) -> String {
        self.all.iter().find(|location| location.id == id).map_or_else(|| id.to_owned(), |found| found.name.clone())
    }
}

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
    let asking = app.ecommerce.read_locations(session.by(), id).await?.ok_or(Error::NotFound)?;
    let cart = app.ecommerce.find(id).await?.ok_or(Error::NotFound)?;
    let mut form = editor::of_cart(&cart);
    editor::resume(&app, &session, &cart, &mut form).await?;
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
