//! The practice store's panel above the guide. *Fill in* submits the editor's form with `intent=fill:{handle}`, so that
//! no secret appears in a page or a URL.

use askama::Template;
use secrecy::SecretString;

use crate::app::App;
use crate::web::admin::filters;
use crate::{carts::Cart, platforms::shopify::credential::CredentialKind};

/// Rendered with `{{ panel|safe }}`; needs a form with the id `editor` on the page.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_practice_panel.html")]
pub struct PracticePanel {
    /// The three cases that are always visible.
    pub first: Vec<PracticeCase>,
    /// Every other case, folded.
    pub others: Vec<PracticeCase>,
    /// The store that *Set* changes (`intent=set:{handle}`, the case in `practice_now`).
    pub now: String,
}

/// One practice store.
#[derive(Clone, Debug)]
pub struct PracticeCase {
    /// Such as "All is well".
    pub say: String,
    /// Such as `practice-tea`.
    pub handle: String,
}

/// The panel, if the practice store is on and the cart is new or a practice cart.
pub fn panel(app: &App, cart: Option<&Cart>) -> Option<PracticePanel> {
    #[cfg(feature = "practice")]
    if app.site.practice.is_some() && cart.is_none_or(|cart| cart.is_practice) {
        use crate::practice::{FIRST, Stores};
        let case = |case: &crate::practice::Case| PracticeCase { say: case.label.into(), handle: case.handle.into() };
        let (first, others) = Stores::cases().split_at(FIRST);
        let now = cart.map_or("practice-tea", |cart| cart.address.handle()).to_owned();
        return Some(PracticePanel {
            now,
            first: first.iter().map(case).collect(),
            others: others.iter().map(case).collect(),
        });
    }
    let _ = (app, cart);
    None
}

/// Makes a practice store behave like another case from its next request on; returns the case's label if both exist.
pub fn set(app: &App, handle: &str, case: &str) -> Option<&'static str> {
    #[cfg(feature = "practice")]
    if let Some(stores) = &app.site.practice {
        let case = crate::practice::Stores::cases().iter().find(|known| known.handle == case)?;
        return stores.set(handle, case.scenario.clone()).then_some(case.label);
    }
    let _ = (app, handle, case);
    None
}

/// A practice store's address and credential as text, as a user would copy them.
pub struct PracticeCredential {
    pub handle: String,
    pub kind: CredentialKind,
    pub client_id: String,
    pub secret: SecretString,
}

/// The credential of a practice store; `None` if practice is off or there is no such store.
pub fn credential(app: &App, handle: &str) -> Option<PracticeCredential> {
    #[cfg(feature = "practice")]
    if let Some(stores) = &app.site.practice {
        use crate::practice::{CaseCredential, Stores};
        let case = Stores::cases().iter().find(|case| case.handle == handle)?;
        let store = stores.find(handle)?;
        let (kind, secret) = match case.kind {
            CaseCredential::AccessToken => (CredentialKind::AccessToken, store.access_token.clone()),
            CaseCredential::ClientCredentials => (CredentialKind::ClientCredentials, store.client_secret.clone()),
        };
        return Some(PracticeCredential {
            handle: handle.to_owned(),
            kind,
            client_id: store.client_id.clone(),
            secret,
        });
    }
    let _ = (app, handle);
    None
}
