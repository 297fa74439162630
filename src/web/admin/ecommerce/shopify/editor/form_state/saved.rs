//! The editor's form filled from what is saved: the cart, and the draft secret of this browser.

use super::{EditorForm, SavedSecret, SecretState, posted::line};
use crate::{
    app::App,
    carts::{Cart, CartId},
    platforms::shopify::address::StoreAddress,
    web::admin::{error::Error, fields::FormField, filters, session::CurrentSession},
};

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

/// Marks the secret as received if this form has a draft secret.
pub async fn show_draft_secret(
    app: &App,
    session: &CurrentSession,
    form: &mut EditorForm,
    cart: Option<CartId>,
    address: Option<&StoreAddress>,
) -> Result<(), Error> {
    let Some((address, id)) = address.zip(form.submission.parse().ok()) else { return Ok(()) };
    if let Some(draft_info) = app.draft_secrets.find_info(&session.visitor(), id, cart, address).await?
        && draft_info.kind == form.kind
        && form.secret_mut().complaint.is_none()
    {
        form.receive(draft_info.ending);
    }
    Ok(())
}

/// Continues this browser's form that still has a draft secret for the cart, so that a new secret can be tested.
pub async fn resume(app: &App, session: &CurrentSession, cart: &Cart, form: &mut EditorForm) -> Result<(), Error> {
    let Some(waiting) = app.draft_secrets.find_form(&session.visitor(), cart).await? else { return Ok(()) };
    form.submission = waiting.to_string();
    show_draft_secret(app, session, form, Some(cart.id), Some(&cart.address)).await
}
