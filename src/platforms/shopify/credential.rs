//! The two kinds of Shopify credential, distinguished by their shape: reject only certain mistakes, warn about the
//! rest, never require a length.
//!
//! A secret here has no `Clone`, `Display` or `Serialize`, so that logs and pages cannot show it. 32 hex digits may be
//! a token from before 2020 or a Client ID in the wrong field; the shape cannot tell. Source: shopify.dev,
//! *Authentication and authorization*, checked November 2026.

mod mistakes;
mod unwrapping;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::text::is_visible_ascii;
use crate::pasted;
pub use mistakes::{CredentialError, CredentialField, Warning};
use unwrapping::{is_digits, unwrap_secret};

/// Maximum length of a secret or Client ID, in characters.
const SECRET_MAX_LEN: usize = 512;
/// Number of digits after the prefix of a complete token.
const DIGITS: usize = 32;
/// Minimum length of a secret, in characters, for its last four to be shown.
const ENDING_SHOWN_MIN_LEN: usize = 20;

const TOKEN_PREFIXES: [&str; 4] = ["shpat_", "shpca_", "shppa_", "shpua_"];

/// The kind of credential that a cart uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    #[default]
    AccessToken,
    ClientCredentials,
}

impl CredentialKind {
    /// The value in the database and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The name in a sentence.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::ClientCredentials => "Client ID and Client secret",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::AccessToken, Self::ClientCredentials].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An Admin API access token: visible ASCII, 1 to 512 characters.
pub struct AccessToken(SecretString);

/// The secret half of an app's Client ID and Client secret: visible ASCII, 1 to 512 characters.
pub struct ClientSecret(SecretString);

/// The public half of an app's Client ID and Client secret; not a secret. Visible ASCII, 1 to 512 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientId(String);

/// A credential that opens a store.
pub enum Credential {
    AccessToken(AccessToken),
    ClientCredentials { id: ClientId, secret: ClientSecret },
}

impl AccessToken {
    /// Validates text typed into *Access Token*.
    ///
    /// # Errors
    /// `TOKEN_*`: a mistake that is certain from the shape alone.
    pub fn parse(typed: &str) -> Result<(Self, Option<Warning>), CredentialError> {
        let token = unwrap_secret(typed);
        if token.is_empty() {
            return Err(CredentialError::Empty(CredentialField::AccessToken));
        }
        if begins(token, "shpss_") {
            return Err(CredentialError::TokenIsSecret);
        }
        let wrong =
            [("shprt_", "refresh token"), ("shptka_", "Theme Access password"), ("prtapi_", "Partner API token")];
        if let Some((_, name)) = wrong.into_iter().find(|(prefix, _)| begins(token, prefix)) {
            return Err(CredentialError::TokenWrongKind(name));
        }
        if begins(token, "http") || contains_myshopify(token) {
            return Err(CredentialError::TokenIsAddress);
        }
        if !is_visible_ascii(token, SECRET_MAX_LEN) {
            return Err(CredentialError::BadCharacters(CredentialField::AccessToken));
        }
        Ok((Self(token.into()), warning_about(token)))
    }

    /// A token that Shopify issued to us. Its shape is not validated, only whether a header can carry it.
    pub fn issued(token: SecretString) -> Option<Self> {
        is_visible_ascii(token.expose_secret(), SECRET_MAX_LEN).then_some(Self(token))
    }

    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The ✓ line under the field: "Access token, ends in 1f3c."
    pub fn understood(&self) -> String {
        ending(&self.0).map_or_else(|| "Access token.".to_owned(), |end| format!("Access token, ends in {end}."))
    }
}

impl ClientSecret {
    /// Validates text typed into *Client secret*.
    ///
    /// # Errors
    /// `CLIENT_SECRET_*`: a mistake that is certain from the shape alone.
    pub fn parse(typed: &str) -> Result<(Self, Option<Warning>), CredentialError> {
        let secret = unwrap_secret(typed);
        if secret.is_empty() {
            return Err(CredentialError::Empty(CredentialField::ClientSecret));
        }
        if TOKEN_PREFIXES.into_iter().any(|prefix| begins(secret, prefix)) {
            return Err(CredentialError::ClientSecretIsToken);
        }
        if !is_visible_ascii(secret, SECRET_MAX_LEN) {
            return Err(CredentialError::BadCharacters(CredentialField::ClientSecret));
        }
        let looks_right = is_digits(secret.strip_prefix("shpss_").unwrap_or(secret));
        Ok((Self(secret.into()), (!looks_right).then_some(Warning::NotLikeAClientSecret)))
    }

    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl ClientId {
    /// Validates text typed into *Client ID*.
    ///
    /// # Errors
    /// `CLIENT_ID_*`: a mistake that is certain from the shape alone.
    pub fn parse(typed: &str) -> Result<Self, CredentialError> {
        let id = unwrap_secret(typed);
        if id.is_empty() {
            return Err(CredentialError::Empty(CredentialField::ClientId));
        }
        if begins(id, "shp") && id.split_once('_').is_some_and(|(prefix, _)| matches!(prefix.len(), 5 | 6)) {
            return Err(CredentialError::ClientIdIsSecret);
        }
        if id.contains('@') && !id.contains(pasted::is_padding) {
            return Err(CredentialError::ClientIdIsEmail);
        }
        if id.contains("://") || contains_myshopify(id) {
            return Err(CredentialError::ClientIdIsAddress);
        }
        if !is_visible_ascii(id, SECRET_MAX_LEN) {
            return Err(CredentialError::BadCharacters(CredentialField::ClientId));
        }
        Ok(Self(id.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Credential {
    /// Combines a Client ID and a Client secret that were typed together.
    ///
    /// # Errors
    /// `CLIENT_SECRET_IS_ID`: both are the same text.
    pub fn pair(id: ClientId, secret: ClientSecret) -> Result<Self, CredentialError> {
        if id.0 == *secret.0.expose_secret() {
            return Err(CredentialError::ClientSecretIsId);
        }
        Ok(Self::ClientCredentials { id, secret })
    }

    /// Builds a credential from decrypted columns. `None` if the columns do not fit together.
    pub fn from_stored(kind: CredentialKind, client_id: Option<String>, secret: SecretString) -> Option<Self> {
        if !is_visible_ascii(secret.expose_secret(), SECRET_MAX_LEN) {
            return None;
        }
        Some(match kind {
            CredentialKind::AccessToken => Self::AccessToken(AccessToken(secret)),
            CredentialKind::ClientCredentials => {
                let id = client_id.filter(|id| is_visible_ascii(id, SECRET_MAX_LEN))?;
                Self::ClientCredentials { id: ClientId(id), secret: ClientSecret(secret) }
            }
        })
    }

    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::AccessToken(_) => CredentialKind::AccessToken,
            Self::ClientCredentials { .. } => CredentialKind::ClientCredentials,
        }
    }

    /// The part that must be sealed.
    pub const fn secret(&self) -> &SecretString {
        match self {
            Self::AccessToken(AccessToken(secret)) | Self::ClientCredentials { secret: ClientSecret(secret), .. } => {
                secret
            }
        }
    }

    pub const fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::AccessToken(_) => None,
            Self::ClientCredentials { id, .. } => Some(id),
        }
    }

    /// The last four characters of the secret, so that users can recognise it; `None` for a secret under 20 characters.
    pub fn ending(&self) -> Option<String> {
        ending(self.secret())
    }
}

macro_rules! debug_as_a_fixed_word {
    ($($secret:ident),+) => {$(
        impl fmt::Debug for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($secret), "(kept)"))
            }
        }
    )+};
}
debug_as_a_fixed_word!(AccessToken, ClientSecret, Credential);

fn ending(secret: &SecretString) -> Option<String> {
    let text = secret.expose_secret();
    let start = text.len().checked_sub(4).filter(|_| text.len() >= ENDING_SHOWN_MIN_LEN)?;
    text.get(start..).map(str::to_owned)
}

fn warning_about(token: &str) -> Option<Warning> {
    match TOKEN_PREFIXES.into_iter().find_map(|prefix| token.strip_prefix(prefix).map(|rest| (prefix, rest))) {
        Some(("shpua_", _)) => Some(Warning::OneUserOnly),
        Some((_, rest)) if word_of(rest).len() < DIGITS => Some(Warning::PartMissing),
        Some((_, rest)) if !rest.bytes().all(|b| b.is_ascii_hexdigit()) => Some(Warning::NotOnlyDigits),
        Some(_) => None,
        None if is_digits(token) => Some(Warning::MaybeApiKey),
        None => Some(Warning::NotLikeAToken),
    }
}

/// The text without trailing punctuation.
fn word_of(text: &str) -> &str {
    text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
}

fn begins(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

fn contains_myshopify(text: &str) -> bool {
    text.as_bytes().windows(9).any(|part| part.eq_ignore_ascii_case(b"myshopify"))
}

#[cfg(test)]
mod tests;
