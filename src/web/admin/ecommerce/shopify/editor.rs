//! Builds the editor's page from a cart, a form and a test; shared by `new`, `edit`, a refused save and a streamed
//! test.

use time::OffsetDateTime;

use super::{
    CartHead,
    connection_test::{TestView, TestedState},
    egress_list::EgressList,
    form::line,
    general::{EditorForm, General, SavedSecret, SecretState, Stage},
    guide::Guide,
    permissions,
    settings::{SettingsSection, switched_on},
};
use crate::{
    app::App,
    ecommerce::{
        Cart, CartId, TestReport,
        shopify::address::StoreAddress,
        state::CartFacts,
        verdict::{CheckKind, CheckState, TESTS_A_MINUTE, Verdict},
    },
    web::{
        error::Error,
        fields::FormField,
        filters::{self, Moment},
        session::CurrentSession,
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
                let other = app.ecommerce.other_settings(cart.id).await?;
                Some(SettingsSection::new(&shell, other, &form, app.clock.now()))
            }
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
            practice: super::practice_panel::panel(app, cart.as_ref()),
            settings,
            cart: head,
            stage,
            test,
            guide,
            form,
            shell,
        })
    }
}

/// The form of a new cart: a new submission id, and *Active* ticked, since carts are added in order to sync.
pub fn blank() -> EditorForm {
    EditorForm { submission: uuid::Uuid::new_v4().to_string(), active: true, ..EditorForm::default() }
}

/// The form of a saved cart.
pub fn of_cart(cart: &Cart) -> EditorForm {
    let mut form = EditorForm {
        website_name: FormField { value: cart.website_name.clone(), ..FormField::default() },
        api_url: FormField { value: cart.address.admin_url(), ..FormField::default() },
        active: cart.wants_active(),
        version: Some(cart.version),
        ..blank()
    };
    understand(&mut form, &cart.address);
    if let Some(credential) = &cart.credential {
        form.kind = credential.kind;
        form.client_id.value = credential.client_id.clone().unwrap_or_default();
        form.secret_mut().state = SecretState::Saved;
    }
    form
}

/// The connection fields of a saved cart, for a button elsewhere that opens the editor.
pub fn connection_fields(form: &EditorForm) -> Vec<(&'static str, String)> {
    let mut hidden = vec![
        ("submission", form.submission.clone()),
        ("website_name", form.website_name.value.clone()),
        ("api_url", form.api_url.value.clone()),
        ("credential_kind", form.kind.as_str().to_owned()),
        ("client_id", form.client_id.value.clone()),
    ];
    if form.active {
        hidden.push(("active", "on".to_owned()));
    }
    hidden
}

/// Shows which store the address belongs to.
pub fn understand(form: &mut EditorForm, address: &StoreAddress) {
    if let Ok(understood) = StoreAddress::parse(&address.admin_url()) {
        form.understood = Some(line(&understood));
    }
}

/// Adds what is saved to the form. A secret that cannot be read must be entered again.
pub fn show_saved_secret(cart: &Cart, form: &mut EditorForm) {
    let Some(credential) = cart.credential.as_ref().filter(|credential| credential.kind == form.kind) else {
        return;
    };
    let is_readable = credential.is_readable;
    let view = form.secret_mut();
    if !is_readable {
        if view.state == SecretState::Saved {
            view.state = SecretState::Empty;
        }
        view.note.get_or_insert_with(|| "We cannot read the saved access token. Enter it again.".into());
        view.is_warning = true;
        return;
    }
    view.saved = Some(SavedSecret {
        ending: credential.ending.clone(),
        added_by: credential.added_by.clone(),
        added_on: filters::date(credential.added_at),
        renewed: None,
    });
    if view.state == SecretState::Empty && view.complaint.is_none() {
        view.state = SecretState::Saved;
    } else if view.state == SecretState::Empty {
        view.state = SecretState::Replacing;
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
            let is_on = app.ecommerce.integration().await.is_ok_and(|integration| integration.is_active);
            TestedState::Saved(CartFacts::of_cart(cart, is_on, app.site.practices(), app.clock.now()).state().checks)
        }
        Some(_) => TestedState::DiffersFromSaved,
        None => TestedState::Unsaved,
    };
    let diagnostics = match app.ecommerce.diagnostics_of_test(report, cart, app.clock.now()).await {
        Ok(text) => text,
        Err(error) => {
            // Show the result even if the database has become unavailable.
            tracing::warn!(test = %report.id, error = %error, "could not collect diagnostics");
            String::new()
        }
    };
    let credential = cart.and_then(|cart| cart.credential.as_ref());
    let a_day_ago = report.tested_at - time::Duration::HOUR * 20;
    let base = cart.map_or_else(
        || "/admin/ecommerce/shopify/new".to_owned(),
        |cart| format!("/admin/ecommerce/shopify/{}", cart.id),
    );
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
        now: app.clock.now(),
        reference: report.id.simple().to_string(),
        standing,
        may_be_day_token: credential.is_some_and(|credential| credential.added_at < a_day_ago),
        permissions: permissions(),
        tests_a_minute: TESTS_A_MINUTE,
        test_url: if shell.can_change() { format!("{base}/connection-tests") } else { String::new() },
        done: steps(Some(&report.verdict), None),
        is_fresh: false,
        diagnostics,
        changed: None,
        verdict: report.verdict.clone(),
    }
}

/// What the cart's settings sync; `None` if they could not be read, since the result is shown all the same.
async fn synced(app: &App, shell: &Shell, cart: &Cart) -> Option<Vec<String>> {
    match app.ecommerce.other_settings(cart.id).await {
        Ok(other) => Some(switched_on(&other, &shell.product)),
        Err(error) => {
            tracing::warn!(cart = %cart.id, error = %error, "could not read the settings");
            None
        }
    }
}

/// Marks the secret as received if this form has a draft secret.
pub async fn show_draft_secret(
    app: &App,
    session: &CurrentSession,
    form: &mut EditorForm,
    cart: Option<CartId>,
    address: Option<&StoreAddress>,
) -> Result<(), Error> {
    let Some((address, id)) = address.zip(form.submission.parse().ok()) else { return Ok(()) };
    if let Some(draft_info) = app.ecommerce.draft_info(&session.visitor(), id, cart, address).await?
        && draft_info.kind == form.kind
        && form.secret_mut().complaint.is_none()
    {
        form.receive(draft_info.ending);
    }
    Ok(())
}

/// Continues this browser's form that still has a draft secret for the cart, so that a new secret can be tested.
pub async fn resume(app: &App, session: &CurrentSession, cart: &Cart, form: &mut EditorForm) -> Result<(), Error> {
    let Some(waiting) = app.ecommerce.draft_for_cart(&session.visitor(), cart).await? else { return Ok(()) };
    form.submission = waiting.to_string();
    show_draft_secret(app, session, form, Some(cart.id), Some(&cart.address)).await
}

/// The time of a change, for the conflict page.
pub fn moment(at: OffsetDateTime, app: &App) -> Moment {
    Moment::new(at, app.clock.now())
}
