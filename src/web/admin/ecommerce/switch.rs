//! Confirmation before the whole integration is turned on or off. GET asks, POST acts.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::app::App;
use crate::web::admin::banner::Banner;
use crate::web::admin::error::Error;
use crate::web::admin::form::{Form, Query};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;

use crate::web::admin::filters;
use crate::web::admin::shell::Shell;
use crate::web::urls;

/// Posts `csrf`, `confirmed` (`yes`) and, to turn on, `active` (`on`) and `next` (`add`) to `/admin/ecommerce/switch`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/switch.html")]
pub struct Switch {
    pub shell: Shell,
    pub ask: SwitchAsk,
}

/// The change to confirm, and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchAsk {
    /// `carts` are active now.
    TurnOff { carts: u64 },
    /// *Add Cart* was selected while the integration is off.
    TurnOnToAdd,
}

impl Switch {
    const fn question(&self) -> &'static str {
        match self.ask {
            SwitchAsk::TurnOff { .. } => "Turn off Ecommerce Integration?",
            SwitchAsk::TurnOnToAdd => "Turn on Ecommerce Integration to add a cart",
        }
    }

    fn text(&self) -> String {
        match self.ask {
            SwitchAsk::TurnOff { carts } => format!(
                "Orders, stock and products stop syncing for {carts} {}, and nothing is checked. Your settings are kept.",
                if carts == 1 { "cart" } else { "carts" }
            ),
            SwitchAsk::TurnOnToAdd => "Nothing syncs until a cart of yours is active.".into(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SwitchQuery {
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchForm {
    active: Option<String>,
    confirmed: Option<String>,
    next: Option<String>,
    intent: Option<String>,
}

/// GET `/admin/ecommerce/switch`: asks for confirmation.
pub async fn edit(State(app): State<App>, shell: Shell, Query(query): Query<SwitchQuery>) -> Result<Response, Error> {
    let is_active = app.integration.is_active().await?;
    match (query.to.as_str(), is_active) {
        ("add", true) => Ok(Redirect::to(urls::ADD_CART).into_response()),
        ("off", true) => ask_off(&app, shell).await,
        ("off", false) => Ok(Redirect::to(urls::CARTS).into_response()),
        _ => Ok(HtmlPage::ok(Switch { shell, ask: SwitchAsk::TurnOnToAdd }).into_response()),
    }
}

/// POST `/admin/ecommerce/switch`: turning off asks first, turning on does not.
pub async fn update(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    Form(form): Form<SwitchForm>,
) -> Result<Response, Error> {
    let on = form.active.is_some();
    let is_active = app.integration.is_active().await?;
    let loads = form.intent.is_some();
    if is_active && !on && (loads || form.confirmed.is_none()) {
        return ask_off(&app, shell).await;
    }
    if loads {
        let to = if is_active { urls::CARTS } else { urls::SWITCH_BEFORE_ADDING };
        return Ok(Redirect::to(to).into_response());
    }
    app.integration.switch(session.by(), on).await?;
    if form.next.as_deref() == Some("add") {
        return Ok(Redirect::to(urls::ADD_CART).into_response());
    }
    if is_active != on {
        let word = if on { "on" } else { "off" };
        let banner =
            Banner { title: format!("Ecommerce Integration is {word}."), short: "Saved".into(), ..Banner::default() };
        session.leave(&app, &banner).await?;
    }
    Ok(Redirect::to(urls::CARTS).into_response())
}

async fn ask_off(app: &App, shell: Shell) -> Result<Response, Error> {
    let carts = u64::try_from(app.carts.counts().await?.active).unwrap_or(0);
    Ok(HtmlPage::ok(Switch { shell, ask: SwitchAsk::TurnOff { carts } }).into_response())
}
