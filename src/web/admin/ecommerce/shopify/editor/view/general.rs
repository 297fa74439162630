//! The tab General of the editor, for a new cart and a saved one. Plain data, filled by [`Editor`](super::page::Editor).

use askama::Template;

use super::{connection_test::TestView, guide::Guide, practice_panel::PracticePanel, settings::SettingsSection};
use crate::web::urls;
use crate::{
    carts::Status,
    direction::bidi_isolate,
    web::admin::{
        ecommerce::shopify::{
            CartHead, Kind,
            editor::form_state::{EditorForm, SecretState},
            programs::ProgramsLine,
        },
        fields::FieldProblem,
        filters,
        shell::Shell,
    },
};

/// Where a streamed page is split: the lines and the region go here.
pub const TEST_MARK: &str = "<!--test-->";

/// Where a streamed page inserts its guide, whose ticks depend on the test.
pub const GUIDE_MARK: &str = "<!--guide-->";

/// The editor. Contains the mark [`TEST_MARK`] once, where a streamed test is inserted.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/general.html")]
pub struct General {
    pub shell: Shell,
    /// `None` while the cart is new.
    pub cart: Option<CartHead>,
    pub form: EditorForm,
    pub stage: Stage,
    /// The result to show above the form.
    pub test: Option<TestView>,
    pub guide: Guide,
    pub practice: Option<PracticePanel>,
    /// The other settings, available after the first save.
    pub settings: Option<SettingsSection>,
    /// Which program uses the connection of a saved cart.
    pub programs: Option<ProgramsLine>,
}

/// The content of the rendered form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing, or the saved values.
    #[default]
    Loaded,
    /// Typed values that are not saved: after a test, a complaint or a button of the form. Leaving the page asks first.
    Typed,
    /// The same, around a running test; the title says so.
    Testing,
}

impl General {
    /// Splits the page into what comes before the test and what comes after it.
    pub fn halves(html: &str) -> (&str, &str) {
        html.split_once(TEST_MARK).unwrap_or((html, ""))
    }

    fn problems(&self) -> Vec<FieldProblem> {
        let form = &self.form;
        let (token, secret) = (&form.access_token.complaint, &form.client_secret.complaint);
        let mut fields = vec![("website_name", &form.website_name.complaint), ("api_url", &form.api_url.complaint)];
        match form.kind {
            Kind::AccessToken => fields.push(("access_token", token)),
            Kind::ClientCredentials => {
                fields.extend([("client_id", &form.client_id.complaint), ("client_secret", secret)]);
            }
        }
        fields.push(("item_group", &form.item_group.complaint));
        FieldProblem::list(&fields)
    }

    /// The text after the colon of the h1.
    fn name(&self) -> &str {
        self.cart.as_ref().map_or("Shopify", |cart| cart.name.as_str())
    }

    fn title(&self) -> String {
        let page = format!("ECommerce Integration Editor: {}", bidi_isolate(self.name()));
        match (&self.shell.banner, self.stage) {
            _ if !self.problems().is_empty() => format!("Error: {page}"),
            (_, Stage::Testing) => format!("Testing – {page}"),
            (Some(_), _) => format!("{}{}", self.shell.title_prefix(), bidi_isolate(self.name())),
            _ => page,
        }
    }

    fn save_url(&self) -> String {
        self.cart.as_ref().map_or_else(|| urls::NEW_CART.into(), |cart| urls::cart_general(&cart.id))
    }

    fn test_url(&self) -> String {
        self.cart.as_ref().map_or_else(|| urls::NEW_CART_TESTS.into(), |cart| urls::cart_tests(&cart.id))
    }

    fn is_draft(&self) -> bool {
        self.cart.as_ref().is_some_and(|cart| cart.status.status == Status::Draft)
    }

    fn active_hint(&self) -> &'static str {
        match &self.cart {
            None => "Start syncing once the test has passed.",
            Some(_) if self.is_draft() => "This cart turns on when its test passes.",
            Some(_) => "Sync this cart.",
        }
    }

    /// *Active* for users who may not change it.
    fn active_words(&self) -> &'static str {
        match self.form.active {
            true if self.is_draft() => "On when the test passes",
            true => "On",
            false => "Off",
        }
    }

    fn host(&self) -> &str {
        self.form.understood.as_ref().map_or("", |understood| understood.host.as_str())
    }
}
