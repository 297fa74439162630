//! The form of the alert settings, and how it is parsed.

use serde::Deserialize;

use crate::alerts::{
    AlertSettings, AlertSettingsInput, Recipient, RecipientsError, Untrusted, WebhookAddress, WebhookChange,
};
use crate::app::App;
use crate::pasted;
use crate::platforms::redact;
use crate::web::admin::confirm::PendingAction;
use crate::web::admin::error::Error;
use crate::web::admin::fields::{Complaint, FormField};
use crate::web::admin::form::Secret;
use crate::web::urls;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertsForm {
    version: i64,
    email_on: Option<String>,
    /// Absent if the server sends no e-mail.
    emails: Option<String>,
    address: String,
    /// From *Confirm it is you*.
    pub(super) password: Option<Secret>,
    pub(super) intent: Option<String>,
}

impl AlertsForm {
    /// The action to confirm.
    pub(super) fn pending_action(&self) -> PendingAction {
        let typed = [("email_on", self.email_on.clone()), ("emails", self.emails.clone())];
        let typed = typed.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        let fields = [("version", self.version.to_string()), ("address", self.address.clone())];
        PendingAction {
            text: "change who gets notified".into(),
            action: urls::ALERTS.into(),
            fields: fields.into_iter().chain(typed).collect(),
            cancel: urls::ALERTS.into(),
        }
    }
}

/// The form as rendered.
#[derive(Clone, Debug, Default)]
pub struct AlertForm {
    pub version: i64,
    pub email_on: bool,
    pub emails: FormField,
    pub address: FormField,
    /// Whether e-mail is saved as on, with at least one recipient.
    pub is_mailing: bool,
}

impl AlertForm {
    pub(super) fn saved(settings: &AlertSettings) -> Self {
        let address = settings.webhook.as_ref().map(|webhook| webhook.shown_address.clone()).unwrap_or_default();
        Self {
            version: settings.version,
            email_on: settings.email_on,
            emails: FormField { value: settings.emails.join(", "), ..FormField::default() },
            address: FormField { value: address, ..FormField::default() },
            is_mailing: settings.email_on && !settings.emails.is_empty(),
        }
    }
}

/// Parses the form. Returns it to be rendered as typed, with every complaint at once, and the settings to save only if
/// there is none.
pub(super) async fn understand(
    app: &App,
    product: &str,
    typed: AlertsForm,
) -> Result<(AlertForm, Option<AlertSettingsInput>), Error> {
    let saved = AlertForm::saved(&app.alerts.settings().await?);
    let email_on = typed.email_on.is_some();
    let mut form = AlertForm { version: typed.version, email_on, is_mailing: saved.is_mailing, ..AlertForm::default() };
    let email = match typed.emails.filter(|_| app.alerts.has_mail()) {
        None => {
            (form.email_on, form.emails) = (saved.email_on, saved.emails);
            None
        }
        Some(emails) => {
            let list = Recipient::parse_list(&emails);
            let list = if email_on && list == Ok(Vec::new()) { Err(RecipientsError::Empty) } else { list };
            form.emails.value = redact(&emails);
            form.emails.complaint = list.as_ref().err().map(|error| Complaint::new(error.class(), error.to_string()));
            list.ok().map(|list| (email_on, list))
        }
    };
    form.address.value = redact(&typed.address);
    let webhook = match pasted::trim(&typed.address) {
        "" => Ok(WebhookChange::Remove),
        shown if shown == saved.address.value => Ok(WebhookChange::Keep),
        text => match WebhookAddress::parse(text) {
            Err(error) => Err(Complaint::new(error.class(), error.to_string())),
            Ok(address) => match app.alerts.check(&address) {
                Ok(()) => Ok(WebhookChange::Set(address)),
                Err(untrusted) => Err(complaint(untrusted, product)),
            },
        },
    };
    form.address.complaint = webhook.as_ref().err().cloned();
    let wanted = webhook.ok().filter(|_| form.emails.complaint.is_none()).map(|webhook| AlertSettingsInput {
        email,
        webhook,
        version: typed.version,
    });
    Ok((form, wanted))
}

fn complaint(untrusted: Untrusted, product: &str) -> Complaint {
    match untrusted {
        Untrusted::PrivateName => Complaint::new(
            "PRIVATE_NETWORK",
            format!("That address is in a private network. {product} does not call those."),
        ),
        Untrusted::Port(port) => Complaint::new(
            "PORT",
            format!("{product} calls port 443 only. Ask the person who runs it to allow port {port} for this host."),
        ),
    }
}
