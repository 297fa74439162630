//! Parses a body that adds or changes a cart, with the parsers of the editor's form. Reports all complaints at once.

use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    carts::{
        Cart, CartSubmission, CredentialInput, SaveComplaint, SaveError, SubmittedField, WebsiteName, missing_secret,
    },
    platforms::shopify::{
        address::StoreAddress,
        credential::{AccessToken, ClientId, ClientSecret, Credential, CredentialError, CredentialKind},
    },
    web::api::{
        conditional::changed_meanwhile,
        problem::{FieldMistake, Problem},
        request_body::SecretField,
    },
};

/// A cart to add, or what to change of one. A field that is left out of a change stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CartInput)]
#[serde(deny_unknown_fields)]
pub struct CartInput {
    /// Needed to add a cart.
    website_name: Option<String>,
    /// The address of the store, in any form that the field API URL takes. Needed to add a cart.
    store_url: Option<String>,
    /// The Admin API access token. Not together with `client_id` and `client_secret`. Never part of an answer.
    access_token: Option<SecretField>,
    client_id: Option<String>,
    /// Never part of an answer.
    client_secret: Option<SecretField>,
    /// Turns the cart on or off. A cart without a passed test turns on when its test passes.
    active: Option<bool>,
}

impl CartInput {
    /// Whether it has a new secret.
    pub(super) fn has_secret(&self) -> bool {
        self.access_token.is_some() || self.client_secret.is_some()
    }

    /// The submission for a new cart, or for a change of this one.
    ///
    /// # Errors
    /// 422 with every complaint.
    pub(super) fn submission(&self, id: Uuid, before: Option<&Cart>) -> Result<CartSubmission, Problem> {
        if self.access_token.is_some() && (self.client_id.is_some() || self.client_secret.is_some()) {
            return Err(Problem::bad_request("Send access_token, or client_id and client_secret, but not both."));
        }
        let mut mistakes = Vec::new();
        let name = self.website_name.as_deref().or(before.map(|cart| cart.website_name.as_str())).unwrap_or_default();
        let name = WebsiteName::parse(name)
            .map_err(|error| mistakes.push(mistake("website_name", error.class(), &error.to_string())));
        let address = match (&self.store_url, before) {
            (None, Some(cart)) => Ok(cart.address.clone()),
            (typed, _) => StoreAddress::parse(typed.as_deref().unwrap_or_default())
                .map(|parsed| parsed.address)
                .map_err(|error| mistakes.push(mistake("store_url", error.class(), &error.to_string()))),
        };
        let offered = self.credential(before, &mut mistakes);
        let wants_active = self.active.unwrap_or_else(|| before.is_some_and(Cart::wants_active));
        match (name, address, offered) {
            (Ok(name), Ok(address), Some(offered)) if mistakes.is_empty() => {
                Ok(CartSubmission { id, name, address, offered, wants_active })
            }
            _ => Err(Problem::of_fields(mistakes)),
        }
    }

    /// The sent credential, or that none was sent; `None` with a mistake.
    fn credential(&self, before: Option<&Cart>, mistakes: &mut Vec<FieldMistake>) -> Option<CredentialInput> {
        let saved = before.and_then(|cart| cart.credential.as_ref());
        let kind = match (&self.access_token, &self.client_id, &self.client_secret) {
            (Some(_), ..) => CredentialKind::AccessToken,
            (None, None, None) => saved.map(|saved| saved.kind).unwrap_or_default(),
            (None, ..) => CredentialKind::ClientCredentials,
        };
        if before.is_none() && !self.has_secret() {
            mistakes.push(of_complaint(missing_secret(kind, false), kind));
        }
        if kind == CredentialKind::AccessToken {
            let Some(SecretField(typed)) = &self.access_token else {
                return Some(CredentialInput::Blank { kind, client_id: None });
            };
            let token = AccessToken::parse(typed.expose_secret());
            let token = token.map_err(|error| mistakes.push(of_credential("access_token", error))).ok()?;
            return Some(CredentialInput::Typed(Credential::AccessToken(token.0)));
        }
        let id = self.client_id.as_deref().or(saved.and_then(|saved| saved.client_id.as_deref())).unwrap_or_default();
        let id = ClientId::parse(id).map_err(|error| mistakes.push(of_credential("client_id", error))).ok();
        let Some(SecretField(typed)) = &self.client_secret else {
            return id.map(|id| CredentialInput::Blank { kind, client_id: Some(id) });
        };
        let secret = ClientSecret::parse(typed.expose_secret());
        let secret = secret.map_err(|error| mistakes.push(of_credential("client_secret", error))).ok()?;
        let pair = Credential::pair(id?, secret.0);
        pair.map(CredentialInput::Typed).map_err(|error| mistakes.push(of_credential("client_secret", error))).ok()
    }
}

fn mistake(field: &'static str, class: &'static str, sentence: &str) -> FieldMistake {
    // Pages render the marks as bold.
    FieldMistake { field, class, message: sentence.replace("**", "") }
}

fn of_credential(field: &'static str, error: CredentialError) -> FieldMistake {
    // As in the form: nothing was kept of a refused secret, and a refused Client ID is none unless it is one.
    let is_secret = field != "client_id" || error == CredentialError::ClientIdIsSecret;
    mistake(field, error.class(), &if is_secret { error.refusal() } else { error.to_string() })
}

fn of_complaint(SaveComplaint { field, class, sentence }: SaveComplaint, kind: CredentialKind) -> FieldMistake {
    let field = match (field, kind) {
        (SubmittedField::WebsiteName, _) => "website_name",
        (SubmittedField::ApiUrl, _) => "store_url",
        (SubmittedField::ItemGroup, _) => "item_group",
        (SubmittedField::Secret, CredentialKind::AccessToken) => "access_token",
        (SubmittedField::Secret, CredentialKind::ClientCredentials) => "client_secret",
    };
    mistake(field, class, &sentence)
}

/// The answer to a submission that could not be saved.
pub(super) fn refused(error: SaveError, kind: CredentialKind, address: &StoreAddress) -> Problem {
    if let Some(complaint) = error.complaint(kind, address) {
        return Problem::of_fields(vec![of_complaint(complaint, kind)]);
    }
    match error {
        SaveError::Conflict(_) => changed_meanwhile(),
        SaveError::Gone => Problem::no_such_cart(),
        error => error.into(),
    }
}
