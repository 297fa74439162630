//! Renders every page with sample data, in normal and extreme states, and tests what must hold for each of them. Tests
//! only. `LOOK_DIR=… cargo test --lib web::samples::rules::look -- --ignored` writes the pages as files, for viewing.

mod activity;
mod alerts;
mod api_keys;
mod bulk_actions;
mod carts;
mod check_promises;
mod editor;
mod errors;
mod guide;
mod health;
mod home;
// Shared with the tests of served pages.
#[path = "../../../tests/kit/html_rules.rs"]
mod html_rules;
mod readable;
mod rules;
mod settings;
mod sign_in;
mod snapshots;
mod users;
mod verdicts;
mod words;

use askama::Template;
use time::{OffsetDateTime, macros::datetime};

use super::admin::ecommerce::{StatusView, shopify::CartHead};
use super::admin::fields::{Complaint, FormField};
use super::admin::{
    banner::{Banner, Tone},
    shell::{Person, Shell},
};
use crate::carts::Status;
use crate::outbound::egress_addresses::EgressAddresses;

/// The time of every sample.
const NOW: OffsetDateTime = datetime!(2026-11-23 19:31:00 UTC);

/// Longer than anything that a form accepts, with every character that HTML must escape.
const LONG: &str =
    "Northwind <Tea> & \"Spices\" of the Sunken Gardens and Other Unbreakablyhyphenlesslongnamed Places Ltd.";

fn shell() -> Shell {
    Shell {
        product: "Order Time".into(),
        person: Some(Person {
            name: "Priya Shah".into(),
            email: "priya@northwind.example".into(),
            can_change: true,
            theme: "system",
        }),
        csrf: "sample-token".into(),
        path: "/admin".into(),
        practice: false,
        banner: None,
        support: Some("mailto:help@northwind.example".into()),
        egress_addresses: Some(EgressAddresses::parse("8.8.4.4, 2606:4700::/48").expect("public addresses")),
    }
}

fn viewer() -> Shell {
    let mut shell = shell();
    shell.person.as_mut().expect("a signed-in user").can_change = false;
    shell
}

fn with_banner(title: &str, text: &str) -> Shell {
    let banner = Banner {
        title: title.into(),
        text: text.into(),
        link: Some(("/admin/ecommerce".into(), "See all carts".into())),
        short: "Saved".into(),
        tone: Tone::Ok,
    };
    Shell { banner: Some(banner), ..shell() }
}

fn complaint(class: &'static str, sentence: &str) -> Complaint {
    Complaint::new(class, sentence)
}

fn field(value: &str) -> FormField {
    FormField { value: value.into(), complaint: None, note: None }
}

fn head(status: Status, line: Option<&str>) -> CartHead {
    CartHead { id: uuid::Uuid::nil().to_string(), name: "Northwind Tea".into(), status: status_view(status, line) }
}

fn status_view(status: Status, line: Option<&str>) -> StatusView {
    StatusView { status, line: line.map(Into::into), unchecked: None, is_practice: false }
}

fn draw(page: &impl Template) -> String {
    page.render().expect("a page renders")
}

/// Every sample with its file name.
fn pages() -> Vec<(String, String)> {
    [
        sign_in::pages(),
        home::pages(),
        carts::pages(),
        bulk_actions::pages(),
        activity::pages(),
        alerts::pages(),
        api_keys::pages(),
        editor::pages(),
        health::pages(),
        users::pages(),
        errors::pages(),
    ]
    .concat()
}
