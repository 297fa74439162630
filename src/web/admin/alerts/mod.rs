//! The alert settings: recipients by e-mail and by webhook, and the delivery results. The signing secret appears in
//! exactly one response: the one that created it.

mod form;
pub mod secret;
pub mod test_alerts;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;

use super::confirm::confirm;
use super::error::Error;
use super::fields::FieldProblem;
use super::filters;
use super::filters::Moment;
use super::form::Form;
use super::page::HtmlPage;
use super::session::CurrentSession;
use super::{banner::Banner, shell::Shell};
use crate::alerts::{AlertSettings, ChangeError, LoggedDelivery, SigningSecret};
use crate::app::App;
use crate::web::urls;

pub use form::{AlertForm, AlertsForm};

/// Posts `csrf`, `version`, `email_on`, `emails` and `address` to `/admin/alerts`, and only the form token to `secret`
/// and `trials` below it.
#[derive(Debug, Template)]
#[template(path = "admin/alerts.html")]
pub struct AlertsPage {
    pub shell: Shell,
    /// Whether the server can send e-mail.
    pub has_mail: bool,
    pub form: AlertForm,
    pub webhook: Option<WebhookView>,
    pub delivered: Vec<DeliveryLine>,
    /// Shown once, in this response.
    pub new_secret: Option<NewSecret>,
    /// Whether another user saved while this form was open.
    pub overtaken: bool,
}

/// The saved webhook.
#[derive(Clone, Debug)]
pub struct WebhookView {
    pub ending: String,
    pub is_readable: bool,
    pub gone_at: Option<Moment>,
    /// When the webhook started to fail, and when it is retried.
    pub failing: Option<(Moment, Option<Moment>)>,
}

/// A line under *Delivered*.
#[derive(Clone, Debug)]
pub struct DeliveryLine {
    pub at: Moment,
    pub way: &'static str,
    pub recipient: String,
    pub outcome: String,
    pub is_delivered: bool,
    /// Whether the message may have arrived although that is not known.
    pub is_uncertain: bool,
    pub subject: String,
}

/// A signing secret that was just created.
#[derive(Debug)]
pub struct NewSecret {
    pub secret: SigningSecret,
    /// Whether it was created because the webhook's host changed.
    pub host_changed: bool,
}

impl NewSecret {
    fn text(&self) -> &str {
        self.secret.secret().expose_secret()
    }
}

impl AlertsPage {
    pub(super) fn of(app: &App, shell: Shell, settings: AlertSettings) -> Self {
        let now = app.clock.now();
        let form = AlertForm::saved(&settings);
        let webhook = settings.webhook.map(|webhook| WebhookView {
            ending: webhook.secret_ending,
            is_readable: webhook.is_readable,
            gone_at: webhook.gone_at.map(|at| Moment::new(at, now)),
            failing: webhook
                .failing_since
                .map(|since| (Moment::new(since, now), webhook.next_call.map(Moment::exactly))),
        });
        let line = |line: LoggedDelivery| DeliveryLine {
            at: Moment::new(line.at, now),
            way: if line.channel == "email" { "E-mail" } else { "Webhook" },
            recipient: line.recipient,
            outcome: line.outcome,
            is_delivered: line.is_delivered,
            is_uncertain: line.is_uncertain,
            subject: line.subject,
        };
        let delivered = settings.delivered.into_iter().map(line).collect();
        Self { shell, has_mail: app.alerts.has_mail(), form, webhook, delivered, new_secret: None, overtaken: false }
    }

    fn problems(&self) -> Vec<FieldProblem> {
        FieldProblem::list(&[("emails", &self.form.emails.complaint), ("address", &self.form.address.complaint)])
    }

    fn has_secret(&self) -> bool {
        self.webhook.as_ref().is_some_and(|webhook| webhook.is_readable)
    }

    /// Whether there is any recipient for a test alert.
    const fn has_recipients(&self) -> bool {
        self.webhook.is_some() || (self.has_mail && self.form.is_mailing)
    }
}

/// GET `/admin/alerts`.
pub async fn show(State(app): State<App>, shell: Shell) -> Result<HtmlPage<AlertsPage>, Error> {
    let settings = app.alerts.settings().await?;
    Ok(HtmlPage::ok(AlertsPage::of(&app, shell, settings)))
}

/// POST `/admin/alerts`: saves both channels, after asking for the password. A new signing secret is shown in the
/// response itself.
pub async fn update(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Form(mut typed): Form<AlertsForm>,
) -> Result<Response, Error> {
    let loads = typed.intent.is_some();
    let (password, pending) = (typed.password.take(), typed.pending_action());
    let (mut form, wanted) = form::understand(&app, &shell.product, typed).await?;
    if loads {
        (form.emails.complaint, form.address.complaint) = (None, None);
        let page = AlertsPage { form, ..AlertsPage::of(&app, shell, app.alerts.settings().await?) };
        return Ok(HtmlPage::ok(page).into_response());
    }
    let Some(wanted) = wanted else {
        let page = AlertsPage { form, ..AlertsPage::of(&app, shell, app.alerts.settings().await?) };
        return Ok(HtmlPage::refused(page).into_response());
    };
    let fresh = match confirm(&app, &mut shell, &mut session, password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    let saved = Banner { title: "The alert settings are saved.".into(), short: "Saved".into(), ..Banner::default() };
    match app.alerts.change(session.by(), wanted, fresh).await {
        Ok(changed) => {
            let Some(secret) = changed.new_secret else {
                session.leave(&app, &saved).await?;
                return Ok(Redirect::to(urls::ALERTS).into_response());
            };
            let new_secret = Some(NewSecret { secret, host_changed: changed.host_changed });
            let shell = Shell { banner: Some(saved), ..shell };
            let page = AlertsPage::of(&app, shell, app.alerts.settings().await?);
            Ok(HtmlPage::ok(AlertsPage { new_secret, ..page }).into_response())
        }
        Err(ChangeError::Overtaken) => {
            let page = AlertsPage::of(&app, shell, app.alerts.settings().await?);
            let form = AlertForm { version: page.form.version, is_mailing: page.form.is_mailing, ..form };
            Ok(HtmlPage(AlertsPage { form, overtaken: true, ..page }, StatusCode::CONFLICT).into_response())
        }
        Err(other) => Err(other.into()),
    }
}
