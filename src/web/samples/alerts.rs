//! The alert settings: in normal and extreme states, and with a secret that was just created.

use time::Duration;

use super::{LONG, NOW, draw, field, shell};
use crate::web::admin::alerts::{self, AlertForm, AlertsPage, NewSecret, WebhookView};
use crate::web::admin::fields::Complaint;
use crate::web::admin::filters::Moment;

pub(super) fn pages() -> Vec<(String, String)> {
    let line = |way, outcome: &str, is_delivered| alerts::DeliveryLine {
        at: Moment::new(NOW - Duration::hours(2), NOW),
        way,
        recipient: "ops.northwind.example".into(),
        outcome: outcome.into(),
        is_delivered,
        is_uncertain: false,
        subject: LONG.into(),
    };
    let empty = || AlertsPage {
        shell: shell(),
        has_mail: false,
        form: AlertForm { version: 1, ..AlertForm::default() },
        webhook: None,
        delivered: Vec::new(),
        new_secret: None,
        overtaken: false,
    };
    let saved = || AlertsPage {
        has_mail: true,
        form: AlertForm {
            version: 2,
            email_on: true,
            emails: field("priya@northwind.example, ops@northwind.example"),
            address: field("https://ops.northwind.example/…"),
            is_mailing: true,
        },
        webhook: Some(WebhookView { ending: "9c2e".into(), is_readable: true, gone_at: None, failing: None }),
        delivered: vec![
            line("Webhook", "answered 200", true),
            line("E-mail", "the mail server refused the message (550)", false),
        ],
        ..empty()
    };
    let moment = Moment::exactly(NOW);
    let webhook = |gone_at, is_readable| {
        Some(WebhookView { ending: "9c2e".into(), is_readable, gone_at, failing: Some((moment, Some(moment))) })
    };
    let secret = NewSecret { secret: crate::alerts::SigningSecret::generate(), host_changed: true };
    let wrong = || {
        let complaint = |class| Some(Complaint { class, sentence: LONG.into(), link: None });
        let mut page = saved();
        page.form.emails.complaint = complaint("EMAIL_FORM");
        page.form.address.complaint = complaint("NOT_HTTPS");
        page
    };
    vec![
        ("alerts".into(), draw(&empty())),
        ("alerts-saved".into(), draw(&saved())),
        ("alerts-failing".into(), draw(&AlertsPage { webhook: webhook(None, false), ..saved() })),
        ("alerts-gone".into(), draw(&AlertsPage { webhook: webhook(Some(moment), true), overtaken: true, ..saved() })),
        ("alerts-new".into(), draw(&AlertsPage { new_secret: Some(secret), ..saved() })),
        ("alerts-refused".into(), draw(&wrong())),
    ]
}
