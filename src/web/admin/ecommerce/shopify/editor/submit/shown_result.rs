//! Selects the result shown above the form, and what has changed in the form since that test. A result says what it was
//! about, so a page never shows "Connected" next to an untested credential, even without script.

use crate::web::admin::ecommerce::shopify::editor::form_state::{EditorForm, SecretState};
use crate::{
    app::App,
    carts::{Cart, TestReport},
    causes::Class,
    platforms::shopify::credential::ClientId,
    web::admin::{error::Error, session::CurrentSession},
};

/// A result and what changed since, such as "access token".
pub type ShownResult = (TestReport, Option<&'static str>);

/// The last test that this user ran from this form, else the last test of what the cart holds.
pub async fn of(
    app: &App,
    session: &CurrentSession,
    form: &EditorForm,
    cart: Option<&Cart>,
) -> Result<Option<ShownResult>, Error> {
    let Ok(id) = form.submission.parse() else { return Ok(None) };
    let own = app.connection_tests.find_last(&session.visitor(), id, cart.map(|cart| cart.id)).await?;
    let report = match (own, cart) {
        (None, Some(cart)) => of_saved(app, cart).await?,
        (own, _) => own,
    };
    // A result of another store does not belong to this form.
    let host = form.understood.as_ref().map(|understood| understood.host.as_str());
    let Some(report) = report.filter(|report| host == Some(report.address.host().as_str())) else { return Ok(None) };
    let changed = changed(app, session, form, cart, &report).await?;
    Ok(Some((report, changed)))
}

/// The last test of a saved cart; `None` without a credential, since no result would apply.
async fn of_saved(app: &App, cart: &Cart) -> Result<Option<TestReport>, Error> {
    match cart.last_test.filter(|_| cart.credential.is_some()) {
        Some(id) => Ok(app.connection_tests.find(id).await?),
        None => Ok(None),
    }
}

/// What changed since this test, if anything did: the kind, then the credential itself.
async fn changed(
    app: &App,
    session: &CurrentSession,
    form: &EditorForm,
    cart: Option<&Cart>,
    report: &TestReport,
) -> Result<Option<&'static str>, Error> {
    if form.kind != report.kind {
        return Ok(Some("kind of credential"));
    }
    let is_token = form.kind.is_token();
    let secret = if is_token { &form.access_token } else { &form.client_secret };
    let (client_id, saved) = (form.client_id.value.as_str(), cart.and_then(|cart| cart.credential.as_ref()));
    let holds = match &secret.state {
        _ if secret.complaint.is_some() => false,
        // The saved secret was tested, and a field that was opened and left blank keeps it.
        SecretState::Saved | SecretState::Replacing if cart.is_some_and(|cart| cart.last_test == Some(report.id)) => {
            is_token || saved.and_then(|saved| saved.client_id.as_deref()) == Some(client_id)
        }
        // A secret that could not be read cannot have been changed since.
        SecretState::Empty => report.verdict.class == Class::OurKey,
        _ => {
            let client_id = ClientId::parse(client_id).ok().filter(|_| !is_token);
            let id = form.submission.parse().unwrap_or_default();
            let cart = cart.map(|cart| cart.id);
            app.connection_tests.still_applies(&session.visitor(), id, cart, client_id.as_ref(), report).await?
        }
    };
    Ok((!holds).then_some(if is_token { "access token" } else { "Client ID or Client secret" }))
}
