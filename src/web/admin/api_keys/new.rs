//! Makes a key, which is shown once.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::issued::IssuedKeyPage;
use crate::api_keys::{
    ApiKeyName, CreateKeyError, KEY_CARTS_MAX, KeyLifetime, KeyNetworks, KeyScopes, NewApiKey, Scope,
};
use crate::app::App;
use crate::carts::{CartListError, find_listed};
use crate::pasted;
use crate::platforms::redact_secrets;
use crate::web::admin::confirm::{PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::fields::{Complaint, FieldProblem, FormField};
use crate::web::admin::filters;
use crate::web::admin::form::{Form, Secret};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::shell::Shell;
use crate::web::urls;

/// The lifetimes that the form offers, in days.
const LIFETIMES: [i32; 5] = [7, 30, 90, 180, 365];

/// Posts `csrf`, `name`, `scopes[]`, `carts`, `networks` and `days` to its own address.
#[derive(Debug, Template)]
#[template(path = "admin/api_keys/new.html")]
pub struct NewKeyPage {
    pub shell: Shell,
    pub form: KeyForm,
}

/// The form as rendered.
#[derive(Clone, Debug)]
pub struct KeyForm {
    pub name: FormField,
    /// Stored names of the checked scopes, separated by white space.
    pub scopes: FormField,
    pub carts: FormField,
    pub networks: FormField,
    pub days: i32,
}

impl Default for KeyForm {
    fn default() -> Self {
        Self {
            name: FormField::default(),
            scopes: FormField { value: Scope::CartsRead.as_str().into(), ..FormField::default() },
            carts: FormField::default(),
            networks: FormField::default(),
            days: KeyLifetime::DEFAULT.days(),
        }
    }
}

impl KeyForm {
    /// Index, name, meaning, and whether it is checked, of each scope.
    fn choices(&self) -> Vec<(usize, &'static str, &'static str, bool)> {
        let is_checked = |scope: Scope| self.scopes.value.split_whitespace().any(|name| name == scope.as_str());
        let choice = |(index, scope): (usize, Scope)| (index, scope.as_str(), scope.meaning(), is_checked(scope));
        Scope::ALL.into_iter().enumerate().map(choice).collect()
    }

    /// Each offered lifetime, its words, and whether it is chosen.
    fn lifetimes(&self) -> Vec<(i32, String, bool)> {
        let words = |days| match days {
            365 => "1 year".to_owned(),
            days => format!("{days} days"),
        };
        LIFETIMES.into_iter().map(|days| (days, words(days), days == self.days)).collect()
    }
}

impl NewKeyPage {
    fn problems(&self) -> Vec<FieldProblem> {
        FieldProblem::list(&[
            ("name", &self.form.name.complaint),
            ("scopes", &self.form.scopes.complaint),
            ("carts", &self.form.carts.complaint),
            ("networks", &self.form.networks.complaint),
        ])
    }
}

/// GET `/admin/api-keys/new`.
pub async fn new(shell: Shell) -> HtmlPage<NewKeyPage> {
    HtmlPage::ok(NewKeyPage { shell, form: KeyForm::default() })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKeyForm {
    name: String,
    #[serde(rename = "scopes[]", default)]
    scopes: String,
    carts: String,
    networks: String,
    days: i32,
    /// From *Confirm it is you*.
    password: Option<Secret>,
    intent: Option<String>,
}

impl NewKeyForm {
    fn pending_action(&self) -> PendingAction {
        PendingAction {
            text: "make an API key".into(),
            action: urls::NEW_API_KEY.into(),
            fields: vec![
                ("name", self.name.clone()),
                ("scopes[]", self.scopes.clone()),
                ("carts", self.carts.clone()),
                ("networks", self.networks.clone()),
                ("days", self.days.to_string()),
            ],
            cancel: urls::API_KEYS.into(),
        }
    }

    /// The form as typed, without what looks like a secret.
    fn typed(&self) -> KeyForm {
        let field = |value: String| FormField { value, ..FormField::default() };
        KeyForm {
            name: field(pasted::redact_tokens(&self.name)),
            scopes: field(self.scopes.clone()),
            carts: field(redact_secrets(&self.carts)),
            networks: field(redact_secrets(&self.networks)),
            days: self.days,
        }
    }
}

/// Parses the form. Returns it to be rendered as typed, with every complaint at once, and the key to make only if there is
/// none.
async fn understand(app: &App, typed: &NewKeyForm) -> Result<(KeyForm, Option<NewApiKey>), Error> {
    let mut form = typed.typed();
    let lifetime =
        KeyLifetime::of_days(typed.days).map_err(|_| Error::UnreadableForm(StatusCode::UNPROCESSABLE_ENTITY))?;
    let complaint = |class, error: &dyn std::fmt::Display| Some(Complaint::new(class, error.to_string()));
    let name = ApiKeyName::parse(&typed.name);
    form.name.complaint = name.as_ref().err().and_then(|error| complaint("KEY_NAME", error));
    let scopes = KeyScopes::parse(&typed.scopes);
    form.scopes.complaint = scopes.as_ref().err().and_then(|error| complaint("KEY_SCOPES", error));
    let networks = KeyNetworks::parse(&typed.networks);
    form.networks.complaint = networks.as_ref().err().and_then(|error| complaint("KEY_NETWORKS", error));
    let carts = match find_listed(&app.pool, &typed.carts, KEY_CARTS_MAX).await {
        Ok(carts) => Some(carts),
        Err(CartListError::Broken(error)) => return Err(error.into()),
        Err(refused) => {
            form.carts.complaint = complaint("KEY_CARTS", &refused);
            None
        }
    };
    let new = match (name, scopes, carts, networks) {
        (Ok(name), Ok(scopes), Some(carts), Ok(networks)) => {
            Some(NewApiKey { name, scopes, carts, networks, lifetime })
        }
        _ => None,
    };
    Ok((form, new))
}

/// POST `/admin/api-keys/new`: makes the key, after asking for the password, and shows it once.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Form(mut typed): Form<NewKeyForm>,
) -> Result<Response, Error> {
    if typed.intent.is_some() {
        return Ok(HtmlPage::ok(NewKeyPage { shell, form: typed.typed() }).into_response());
    }
    let (mut form, new) = understand(&app, &typed).await?;
    let Some(new) = new else {
        return Ok(HtmlPage::refused(NewKeyPage { shell, form }).into_response());
    };
    let (password, pending) = (typed.password.take(), typed.pending_action());
    let fresh = match confirm(&app, &mut shell, &mut session, password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    match app.api_keys.create(session.by(), new, fresh).await {
        Ok(key) => Ok(HtmlPage::ok(IssuedKeyPage { shell, key, replaced: None }).into_response()),
        Err(taken @ CreateKeyError::NameTaken) => {
            form.name.complaint = Some(Complaint::new("KEY_NAME_TAKEN", taken.to_string()));
            Ok(HtmlPage::refused(NewKeyPage { shell, form }).into_response())
        }
        Err(CreateKeyError::Broken(error)) => Err(error.into()),
    }
}
