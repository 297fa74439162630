//! Detects repeated submissions by a keyed digest of everything that a save can change. The same form submitted twice
//! is one save; the same form with other content is not.

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{CartSubmission, SaveError, SavedCart};
use crate::{
    carts::{
        Cart, Carts, CredentialInput, Visitor,
        credential_input::CredentialSource,
        draft_secret::typed_or_draft,
        settings::{CartSettings, Setting, SettingsInput},
        sql,
    },
    database::Connection,
    platforms::{ClientId, CredentialKind, StoreAddress},
    vault::Fingerprints,
};

impl Carts {
    /// Covers every field, the secret included, and is therefore always an HMAC under a key of the ring.
    pub(super) fn digest(&self, submission: &CartSubmission, settings: Option<&SettingsInput>) -> Fingerprints {
        let CartSubmission { id, name, address, offered, wants_active } = submission;
        let (id, host) = (id.to_string(), address.host());
        let (client_id, secret) = match offered {
            CredentialInput::Typed(credential) => (credential.client_id(), credential.secret().expose_secret()),
            CredentialInput::Blank { client_id, .. } => (client_id.as_ref(), ""),
        };
        let settings = settings.map(words).unwrap_or_default();
        let mut parts = vec![
            id.as_str(),
            name.as_str(),
            host.as_str(),
            offered.kind().as_str(),
            client_id.map_or("", ClientId::as_str),
            secret,
            on(*wants_active),
        ];
        parts.extend(settings.iter().map(String::as_str));
        self.credentials.vault.fingerprints("submission", &parts)
    }

    /// Returns the result of the first submission of this form, if it had the same content.
    pub(super) async fn came_before(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        submitted: Uuid,
        digest: &Fingerprints,
        blank: Option<&BlankSecret>,
    ) -> sqlx::Result<Option<SavedCart>> {
        match sql::carts::find_by_submission(work, submitted, digest.all()).await? {
            Some(made) if self.is_draft_used_up(work, visitor, blank, &made).await? => Ok(Some(made.into_saved())),
            Some(_) | None => Ok(None),
        }
    }

    /// Whether the cart created by a form holds the current draft secret of the form; `true` if there is no draft
    /// secret.
    async fn is_draft_used_up(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        blank: Option<&BlankSecret>,
        made: &sql::carts::SubmittedCart,
    ) -> sqlx::Result<bool> {
        let Some(blank) = blank else { return Ok(true) };
        Ok(match self.draft_credential(work, visitor, blank, None).await? {
            CredentialSource::Credential(credential) => {
                made.holds(&self.credentials.fingerprints(&blank.address, &credential))
            }
            CredentialSource::Nothing { .. } => true,
        })
    }

    /// Whether this form has a draft secret that has passed a test since the form was saved.
    pub(super) async fn has_passed_since(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        blank: Option<&BlankSecret>,
        cart: &Cart,
    ) -> Result<bool, SaveError> {
        let Some(blank) = blank else { return Ok(false) };
        Ok(match self.draft_credential(work, visitor, blank, Some(cart)).await? {
            CredentialSource::Credential(new) => {
                let tested = self.latest_test(work, &blank.address, &new, Some(cart)).await?;
                tested.is_some_and(|tested| tested.pass.is_some())
            }
            CredentialSource::Nothing { .. } => false,
        })
    }

    async fn draft_credential(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        blank: &BlankSecret,
        cart: Option<&Cart>,
    ) -> sqlx::Result<CredentialSource> {
        let BlankSecret { submitted, address, kind, client_id } = blank;
        let offered = CredentialInput::Blank { kind: *kind, client_id: client_id.clone() };
        let cart = cart.map(|cart| cart.id);
        typed_or_draft(work, &self.credentials.vault, visitor, *submitted, cart, address, offered).await
    }
}

/// A form with a blank secret field: it refers to its draft secret. A typed secret is part of the digest.
pub(super) struct BlankSecret {
    submitted: Uuid,
    address: StoreAddress,
    kind: CredentialKind,
    client_id: Option<ClientId>,
}

impl BlankSecret {
    pub(super) fn of(submission: &CartSubmission) -> Option<Self> {
        let CartSubmission { id, address, offered, .. } = submission;
        match offered {
            CredentialInput::Typed(_) => None,
            CredentialInput::Blank { kind, client_id } => {
                Some(Self { submitted: *id, address: address.clone(), kind: *kind, client_id: client_id.clone() })
            }
        }
    }
}

const fn on(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

/// The content of every field of the other settings.
fn words(asked: &SettingsInput) -> Vec<String> {
    let SettingsInput { offered, settings } = asked;
    let CartSettings { switches, locations, item_group } = settings;
    let offered = offered.iter().copied().map(Setting::as_str).collect::<Vec<_>>().join(" ");
    let locations = locations.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let switches = Setting::switches().map(|switch| on(switches.contains(&switch)).to_owned());
    [offered, locations, item_group.clone()].into_iter().chain(switches).collect()
}
