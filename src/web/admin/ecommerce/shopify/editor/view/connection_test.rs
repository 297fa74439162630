//! The region *Connection test*: shown in the editor, alone at a test's own URL, and as the last part of a streamed
//! response, by one template. The text of each class is a small file in `verdict/`.

pub mod verdict_words;

use askama::Template;
use time::OffsetDateTime;

use super::check_row::CheckView;
use super::egress_list::EgressList;
use crate::carts::state::{Checks, Unscheduled};
use crate::causes::TitleContext;
use crate::causes::{Check, CheckKind, CheckState, Limit, Note, Outcome, Verdict};
use crate::web::admin::ecommerce::shopify::{Kind, PermissionView};
use crate::web::admin::filters::{self, Moment};
use verdict_words::VerdictWords;

/// Markup after the lines of a streamed whole page and before the region.
pub const TESTING_END: &str = "</ul></div>";

/// Markup before the lines of a streamed whole page; [`TESTING_END`] closes it.
#[derive(Clone, Debug, Template)]
#[template(
    source = "<div class=\"testing\"><p class=\"testing-head\">{{ \"busy\"|icon }}Testing {{ host|host }}</p><ul class=\"checks\">\n",
    ext = "html"
)]
pub struct TestingHead {
    pub host: String,
}

/// Whether what was tested is saved, and whether it will be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestedState {
    /// Nothing is saved yet.
    Unsaved,
    /// The cart holds another credential.
    DiffersFromSaved,
    Saved(Checks),
}

impl TestedState {
    /// Whether a check of exactly what was tested is scheduled.
    pub const fn is_checked(self) -> bool {
        matches!(self, Self::Saved(Checks::Scheduled))
    }

    /// The next step after a passed test.
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::Unsaved | Self::DiffersFromSaved => "**Save** to keep this connection.",
            Self::Saved(Checks::Scheduled) => "This connection is in use.",
            Self::Saved(Checks::Overdue(_)) => "This connection is in use, but background checks are not running.",
            Self::Saved(Checks::Unscheduled(Unscheduled::Inactive)) => "Turn on **Active** when you are ready to sync.",
            Self::Saved(Checks::Unscheduled(Unscheduled::IntegrationIsOff)) => {
                "Turn on Ecommerce Integration when you are ready to sync."
            }
            Self::Saved(Checks::Unscheduled(Unscheduled::PracticeIsOff)) => {
                "This cart belongs to the practice store, which is off."
            }
            Self::Saved(Checks::Unscheduled(Unscheduled::Draft | Unscheduled::NoCredential)) => {
                "**Test again** before you turn this cart on."
            }
        }
    }
}

/// The region; rendered with `{{ test|safe }}` or alone.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_connection_test.html")]
pub struct TestView {
    pub verdict: Verdict,
    /// Such as `northwind-tea.myshopify.com`.
    pub host: String,
    /// The first label of `host`.
    pub handle: String,
    /// The saved Website Name of the cart, if there is one: `WRONG_STORE` and the activity name it.
    pub cart_name: Option<String>,
    pub kind: Kind,
    /// `PRODUCT_NAME`.
    pub product: String,
    /// `SUPPORT_ADDRESS`.
    pub support: Option<String>,
    /// The addresses for an app's IP allowlist.
    pub egress: EgressList,
    pub tested_at: OffsetDateTime,
    /// Our reference, for support.
    pub reference: String,
    pub standing: TestedState,
    /// Labels of the sync settings that are on and may be used; `None` if they were not read.
    pub synced: Option<Vec<String>>,
    /// The token was entered at least 20 hours before the test, so `TOKEN_STOPPED` may be the end of a 24-hour token.
    pub may_be_day_token: bool,
    /// All 17, in table order.
    pub permissions: Vec<PermissionView>,
    /// Where *Test again* posts to: `…/connection-tests`; empty if nothing can be submitted, as for a Viewer.
    pub test_url: String,
    /// The guide's steps that this test has proven done; `app.js` ticks them.
    pub done: [bool; 4],
    /// Whether the test has just ended: the verdict then takes the focus.
    pub is_fresh: bool,
    /// What has changed in the form since the test, such as "access token"; `app.js` shows the same during typing.
    pub changed: Option<&'static str>,
    /// What *Copy diagnostics* copies; safe to publish. Empty for no button.
    pub diagnostics: String,
}

impl TestView {
    fn naming(&self) -> TitleContext<'_> {
        TitleContext { host: &self.host, credential: self.kind.noun() }
    }

    fn done_steps(&self) -> String {
        let done = self.done.iter().enumerate().filter(|(_, done)| **done);
        done.map(|(step, _)| step.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// The first heading of the region.
    pub fn title(&self) -> String {
        self.verdict.title(&self.naming())
    }

    const fn tone(&self) -> &'static str {
        match self.verdict.outcome() {
            Outcome::Connected => "ok",
            Outcome::Limited => "warn",
            Outcome::NotConnected => "bad",
        }
    }

    const fn icon(&self) -> &'static str {
        match self.verdict.outcome() {
            Outcome::Connected => "check",
            Outcome::Limited => "warn",
            Outcome::NotConnected => "x",
        }
    }

    /// Cause and remedy of the class itself.
    fn words(&self) -> VerdictWords<'_> {
        VerdictWords { class: self.verdict.class, test: self }
    }

    /// The limits after the first, each with its title.
    fn more_limits(&self) -> Vec<(String, VerdictWords<'_>)> {
        let rest = self.verdict.limits.iter().map(Limit::class).filter(|class| *class != self.verdict.class);
        rest.map(|class| (class.title(&self.verdict, &self.naming()), VerdictWords { class, test: self })).collect()
    }

    fn checks(&self) -> Vec<CheckView> {
        // A test recorded by an older version has no text for its failed line.
        let words = |check: &Check| {
            let is_ours = self.verdict.class.failed_check() == Some(check.kind);
            let has_words = matches!(check.kind, CheckKind::Store | CheckKind::Credential);
            let line = self.verdict.class.failed_line(self.verdict.details.status.is_some());
            Some(line.to_owned()).filter(|_| is_ours && has_words && check.state == CheckState::Failed)
        };
        let view = |check: &Check| {
            let check = Check { found: check.found.clone().or_else(|| words(check)), ..check.clone() };
            CheckView::new(&check, self.kind, self.verdict.store.as_ref(), self.permissions.len())
        };
        self.verdict.checks.iter().map(view).collect()
    }

    fn tested(&self) -> Moment {
        Moment::exactly(self.tested_at)
    }

    /// Rows of *Technical details*: a name and a value.
    fn details(&self) -> Vec<(&'static str, String)> {
        let details = &self.verdict.details;
        let time = |ms: Option<u32>| ms.map(filters::duration);
        [
            ("DNS", time(details.dns_ms).or_else(|| details.tunnel_ms.map(|_| "left to the proxy".into()))),
            (
                "TCP",
                time(details.tcp_ms)
                    .or_else(|| time(details.tunnel_ms).map(|took| format!("{took}, through the proxy"))),
            ),
            ("TLS", time(details.tls_ms)),
            ("HTTP", time(details.http_ms)),
            ("HTTP status", details.status.map(|status| status.to_string())),
            ("Remark", details.remark.clone()),
            ("Shopify’s x-request-id", details.shopify_request_id.clone()),
            ("API version asked", details.api_version_asked.clone()),
            ("API version answered", details.api_version_answered.clone()),
            ("Our reference", Some(self.reference.clone())),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }

    fn notes(&self) -> Vec<NoteView> {
        self.verdict.notes.iter().map(|note| self.note(note)).collect()
    }

    fn note(&self, note: &Note) -> NoteView {
        let text = match note {
            Note::ExtraScopes { count: 1 } => format!("Your app has 1 permission that {} does not use.", self.product),
            Note::ExtraScopes { count } => {
                format!("Your app has {count} permissions that {} does not use.", self.product)
            }
            Note::OptionalMissing { scopes } => optional_missing(&self.named(scopes)),
            Note::OtherName { host } => format!("Shopify's own name for this store is {host}."),
            Note::NoCustomerSeen => {
                "This store has no orders with a customer yet, so we could not check customer details.".into()
            }
            Note::DevelopmentStore => {
                "This is a development store. It shows customer details that a live store may hide.".into()
            }
        };
        let use_handle = match note {
            Note::OtherName { host } => host.strip_suffix(".myshopify.com").map(str::to_owned),
            _ => None,
        };
        NoteView { text, use_handle }
    }

    /// These scopes with their texts; a scope that the table does not know keeps its own name.
    pub(in super::super) fn named(&self, scopes: &[String]) -> Vec<PermissionView> {
        let unknown = |scope: &String| PermissionView {
            scope: scope.clone(),
            say: scope.clone(),
            without: "a part of the work stops".into(),
            is_needed: true,
        };
        let find = |scope: &String| self.permissions.iter().find(|permission| permission.scope == *scope).cloned();
        scopes.iter().map(|scope| find(scope).unwrap_or_else(|| unknown(scope))).collect()
    }
}

fn optional_missing(missing: &[PermissionView]) -> String {
    let says = missing.iter().map(|permission| permission.say.as_str()).collect::<Vec<_>>().join(", ");
    match missing.len() {
        1 => format!("1 permission that is nice to have is missing: {says}. Nothing you need is lost."),
        n => format!("{n} permissions that are nice to have are missing: {says}. Nothing you need is lost."),
    }
}

/// A line under the checks.
#[derive(Clone, Debug)]
pub struct NoteView {
    text: String,
    /// *Use it* submits the form with `intent=use:{handle}`.
    use_handle: Option<String>,
}
