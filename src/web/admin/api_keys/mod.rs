//! Keys of programs that use the API: the list, one key, and what an administrator does with it. The text of a key is in
//! exactly one response: the one that made it.

mod issued;
mod new;
pub mod revocation;
pub mod rotation;

use askama::Template;
use axum::extract::State;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::Error;
use super::filters::{self, Moment};
use super::form::Path;
use super::page::HtmlPage;
use super::shell::Shell;
use crate::api_keys::{ApiKeyState, KnownApiKey, Scope};
use crate::app::App;
use crate::carts::CartId;
use crate::web::urls;

pub use issued::IssuedKeyPage;
pub use new::{KeyForm, NewKeyForm, NewKeyPage, create, new};

/// Carts of a key that are listed by name.
const CARTS_SHOWN: i64 = 100;

/// The list of all keys, those that do not work any more last.
#[derive(Debug, Template)]
#[template(path = "admin/api_keys/list.html")]
pub struct KeysPage {
    pub shell: Shell,
    pub keys: Vec<KeyView>,
}

/// One key.
#[derive(Debug, Template)]
#[template(path = "admin/api_keys/show.html")]
pub struct KeyPage {
    pub shell: Shell,
    pub key: KeyView,
    /// Address and name of the carts that it is limited to, and of those that exist; `None` for all carts.
    pub carts: Option<Vec<(String, String)>>,
    /// Why it was not rotated.
    pub refused: Option<String>,
}

impl KeyPage {
    /// Number of carts of the key that were deleted or are not listed.
    fn other_carts(&self) -> usize {
        self.key.carts.unwrap_or(0).saturating_sub(self.carts.as_ref().map_or(0, Vec::len))
    }
}

/// A key as the list and its own page show it.
#[derive(Clone, Debug)]
pub struct KeyView {
    pub id: String,
    pub name: String,
    pub ending: String,
    pub state: ApiKeyState,
    /// Each scope with its meaning.
    pub scopes: Vec<(String, &'static str)>,
    /// The number of carts that it is limited to; `None` for all carts.
    pub carts: Option<usize>,
    /// Empty for all addresses.
    pub networks: Vec<String>,
    pub made: Moment,
    pub made_by: String,
    /// When it ends or ended, such as "5 December 2026".
    pub ends: String,
    pub revoked: Option<(Moment, String)>,
    pub last_used: Option<Moment>,
    pub last_address: Option<String>,
}

impl KeyView {
    pub(super) fn of(key: KnownApiKey, now: OffsetDateTime) -> Self {
        let (last_used, last_address) = key.last_used.map_or((None, None), |(at, ip)| (Some(Moment::new(at, now)), ip));
        let meaning = |name: &str| Scope::parse(name).map_or("A newer version knows what it allows.", Scope::meaning);
        Self {
            id: key.id.as_simple().to_string(),
            name: key.name,
            ending: key.ending,
            state: key.state,
            scopes: key.scopes.into_iter().map(|name| (name.clone(), meaning(&name))).collect(),
            carts: key.carts.map(|carts| carts.len()),
            networks: key.networks.unwrap_or_default(),
            made: Moment::new(key.created_at, now),
            made_by: key.created_by,
            ends: filters::date(key.ends_at),
            revoked: key.revoked.map(|(at, by)| (Moment::new(at, now), by)),
            last_used,
            last_address,
        }
    }

    fn carts_words(&self) -> String {
        match self.carts {
            None => "All carts".into(),
            Some(1) => "1 cart".into(),
            Some(count) => format!("{count} carts"),
        }
    }
}

/// GET `/admin/api-keys`.
pub async fn list(State(app): State<App>, shell: Shell) -> Result<HtmlPage<KeysPage>, Error> {
    let now = app.clock.now();
    let keys = app.api_keys.list().await?.into_iter().map(|key| KeyView::of(key, now)).collect();
    Ok(HtmlPage::ok(KeysPage { shell, keys }))
}

/// GET `/admin/api-keys/{key}`.
pub async fn show(State(app): State<App>, shell: Shell, Path(id): Path<Uuid>) -> Result<HtmlPage<KeyPage>, Error> {
    Ok(HtmlPage::ok(page(&app, shell, id, None).await?))
}

async fn page(app: &App, shell: Shell, id: Uuid, refused: Option<String>) -> Result<KeyPage, Error> {
    let key = app.api_keys.find(id).await?.ok_or(Error::NotFound)?;
    let carts = match &key.carts {
        None => None,
        Some(ids) => {
            let carts = app.carts.refs(ids, CARTS_SHOWN).await?;
            Some(carts.into_iter().map(|cart| (urls::cart_general(CartId(cart.id)), cart.name)).collect())
        }
    };
    Ok(KeyPage { shell, key: KeyView::of(key, app.clock.now()), carts, refused })
}

async fn find(app: &App, id: Uuid) -> Result<KeyView, Error> {
    Ok(KeyView::of(app.api_keys.find(id).await?.ok_or(Error::NotFound)?, app.clock.now()))
}
