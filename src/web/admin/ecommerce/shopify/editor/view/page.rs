//! Builds the editor's page from a cart, a form and a test, and the result region of a finished test.

use super::{
    connection_test::{TestView, TestedState},
    egress_list::EgressList,
    general::{General, Stage},
    guide::Guide,
    practice_panel,
    settings::{SettingsSection, switched_on},
};
use crate::web::urls;
use crate::{
    app::App,
    carts::{Cart, TestReport, state::CartFacts},
    causes::{CheckKind, CheckState, Verdict},
    web::admin::{
        ecommerce::shopify::{
            CartHead,
            editor::form_state::{EditorForm, saved::show_saved_secret},
            permissions,
            programs::ProgramsLine,
        },
        error::Error,
        shell::Shell,
    },
};

/// Everything that the editor's page is rendered from.
#[derive(Debug)]
pub struct Editor<'a> {
    pub app: &'a App,
    pub shell: Shell,
    pub cart: Option<Cart>,
    pub form: EditorForm,
    pub report: Option<TestReport>,
    /// The part of the form that changed since this test.
    pub changed: Option<&'static str>,
}

impl Editor<'_> {
    /// Renders the page; a running test inserts its own result at the mark.
    pub async fn page(self, stage: Stage) -> Result<General, Error> {
        let Self { app, shell, cart, mut form, report, changed } = self;
        if let Some(cart) = &cart {
            show_saved_secret(cart, &mut form);
        }
        let head = match &cart {
            Some(cart) => Some(CartHead::of(app, cart).await?),
            None => None,
        };
        let test = match &report {
            Some(report) => Some(TestView { changed, ..test_view(app, &shell, report, cart.as_ref()).await }),
            None => None,
        };
        let settings = match &cart {
            Some(cart) => {
                let other = app.carts.find_settings(cart.id).await?;
                Some(SettingsSection::new(&shell, other, &form, app.clock.now()))
            }
            None => None,
        };
        let programs = match &cart {
            Some(cart) => ProgramsLine::of_connection(app, &shell, cart).await?,
            None => None,
        };
        let handle =
            form.understood.as_ref().and_then(|understood| understood.host.split('.').next().map(str::to_owned));
        let mut guide = Guide {
            product: shell.product.clone(),
            handle,
            permissions: permissions(),
            token_done: [false; 4],
            client_done: [false; 4],
            is_folded: cart.is_some(),
            is_reference: false,
            egress: EgressList::of(&shell),
        };
        guide.tick(form.kind, steps(report.as_ref().map(|report| &report.verdict), cart.as_ref()));
        Ok(General {
            practice: practice_panel::panel(app, cart.as_ref()),
            settings,
            programs,
            cart: head,
            stage,
            test,
            guide,
            form,
            shell,
        })
    }
}

/// The guide's steps that a test has proven done: an app, its permissions, its installation, its credential.
fn steps(verdict: Option<&Verdict>, cart: Option<&Cart>) -> [bool; 4] {
    let passed = |wanted: CheckKind| {
        verdict.is_some_and(|verdict| {
            verdict.checks.iter().any(|check| check.kind == wanted && check.state == CheckState::Passed)
        })
    };
    let saved = verdict.is_none() && cart.is_some_and(|cart| cart.passed_at.is_some());
    let accepted = saved || passed(CheckKind::Credential);
    let permitted = passed(CheckKind::Permissions) || (saved && cart.is_some_and(|cart| cart.missing_count == 0));
    [accepted, permitted, accepted, accepted]
}

/// The result region of a finished test.
pub async fn test_view(app: &App, shell: &Shell, report: &TestReport, cart: Option<&Cart>) -> TestView {
    // A passed test that a later save was linked to covers what is saved as well.
    let is_saved = |cart: &Cart| report.was_saved || cart.last_test == Some(report.id);
    let standing = match cart {
        Some(cart) if cart.credential.is_none() => TestedState::Unsaved,
        Some(cart) if is_saved(cart) => {
            // If the switch cannot be read, do not announce a check.
            let is_on = app.integration.is_active().await.unwrap_or(false);
            TestedState::Saved(CartFacts::of_cart(cart, is_on, app.site.practices(), app.clock.now()).state().checks)
        }
        Some(_) => TestedState::DiffersFromSaved,
        None => TestedState::Unsaved,
    };
    let diagnostics = match app.connection_tests.diagnostics_of_test(report, cart, app.clock.now()).await {
        Ok(text) => text,
        Err(error) => {
            // Show the result even if the database has become unavailable.
            tracing::warn!(test = %report.id, error = %error, "could not collect diagnostics");
            String::new()
        }
    };
    let credential = cart.and_then(|cart| cart.credential.as_ref());
    let a_day_ago = report.tested_at - time::Duration::HOUR * 20;
    let test_url = cart.map_or_else(|| urls::NEW_CART_TESTS.to_owned(), |cart| urls::cart_tests(cart.id));
    let synced = match cart {
        Some(cart) if standing.is_checked() => synced(app, shell, cart).await,
        _ => None,
    };
    TestView {
        synced,
        host: report.address.host(),
        handle: report.address.handle().to_owned(),
        cart_name: cart.map(|cart| cart.shop_name.clone().unwrap_or_else(|| cart.website_name.clone())),
        kind: report.kind,
        product: shell.product.clone(),
        support: shell.support.clone(),
        egress: EgressList::of_result(shell),
        tested_at: report.tested_at,
        reference: report.id.simple().to_string(),
        standing,
        may_be_day_token: credential.is_some_and(|credential| credential.added_at < a_day_ago),
        permissions: permissions(),
        test_url: if shell.can_change() { test_url } else { String::new() },
        done: steps(Some(&report.verdict), None),
        is_fresh: false,
        diagnostics,
        changed: None,
        verdict: report.verdict.clone(),
    }
}

/// What the cart's settings sync; `None` if they could not be read, since the result is shown all the same.
async fn synced(app: &App, shell: &Shell, cart: &Cart) -> Option<Vec<String>> {
    match app.carts.find_settings(cart.id).await {
        Ok(other) => Some(switched_on(&other, &shell.product)),
        Err(error) => {
            tracing::warn!(cart = %cart.id, error = %error, "could not read the settings");
            None
        }
    }
}
