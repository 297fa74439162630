//! Certain mistakes, and mere oddities, in typed credentials. No message echoes the input.

use std::fmt;

/// The field that a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialField {
    AccessToken,
    ClientId,
    ClientSecret,
}

impl fmt::Display for CredentialField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "access token",
            Self::ClientId => "Client ID",
            Self::ClientSecret => "Client secret",
        })
    }
}

/// A certain mistake. `Display` is the message for the user; it never echoes the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("Enter the {0}")]
    Empty(CredentialField),
    #[error(
        "That is the API secret key. Copy the Admin API access token instead. It starts with shpat_. For an app from the Dev Dashboard, choose Client ID and Client secret"
    )]
    TokenIsSecret,
    #[error("That is a {0}. Copy the Admin API access token instead. It starts with shpat_")]
    TokenWrongKind(&'static str),
    #[error("That is an address. Paste it into API URL, then enter the access token")]
    TokenIsAddress,
    #[error("The {0} has a space or an unusual character in it. Copy it again, with nothing before or after it")]
    BadCharacters(CredentialField),
    #[error("That is a secret, not the Client ID. Paste it into Client secret, and copy the Client ID again")]
    ClientIdIsSecret,
    #[error(
        "That is an email address, not the Client ID. Copy the Client ID from the app's settings in the Dev Dashboard"
    )]
    ClientIdIsEmail,
    #[error("That is an address, not the Client ID. Copy the Client ID from the app's settings in the Dev Dashboard")]
    ClientIdIsAddress,
    #[error("Client ID and Client secret are the same. Copy both again")]
    ClientSecretIsId,
    #[error("That is an access token. Choose Access Token above and paste it there")]
    ClientSecretIsToken,
}

impl CredentialError {
    /// The sentence about a refused secret, which says that it was not kept.
    pub fn refusal(self) -> String {
        format!("{self}. We have not kept what you typed.")
    }

    /// The value of `data-class`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Empty(CredentialField::AccessToken) => "TOKEN_EMPTY",
            Self::Empty(CredentialField::ClientId) => "CLIENT_ID_EMPTY",
            Self::Empty(CredentialField::ClientSecret) => "CLIENT_SECRET_EMPTY",
            Self::TokenIsSecret => "TOKEN_IS_SECRET",
            Self::TokenWrongKind(_) => "TOKEN_WRONG_KIND",
            Self::TokenIsAddress => "TOKEN_IS_ADDRESS",
            Self::BadCharacters(CredentialField::AccessToken) => "TOKEN_BAD_CHARACTERS",
            Self::BadCharacters(CredentialField::ClientId) => "CLIENT_ID_BAD_CHARACTERS",
            Self::BadCharacters(CredentialField::ClientSecret) => "CLIENT_SECRET_BAD_CHARACTERS",
            Self::ClientIdIsSecret => "CLIENT_ID_IS_SECRET",
            Self::ClientIdIsEmail => "CLIENT_ID_IS_EMAIL",
            Self::ClientIdIsAddress => "CLIENT_ID_IS_ADDRESS",
            Self::ClientSecretIsId => "CLIENT_SECRET_IS_ID",
            Self::ClientSecretIsToken => "CLIENT_SECRET_IS_TOKEN",
        }
    }
}

/// A warning about an accepted secret. `Display` is the line under its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error("Part of the token may be missing. If the test fails, copy it again.")]
    PartMissing,
    #[error(
        "There are characters in it that an access token does not have. If the test fails, copy it again, with nothing before or after it."
    )]
    NotOnlyDigits,
    #[error("This could be an API key. Access tokens usually start with shpat_.")]
    MaybeApiKey,
    #[error("This token belongs to one person and stops working within 24 hours. Use the app's own access token.")]
    OneUserOnly,
    #[error("This does not look like an access token. Your browser may have filled in a saved password.")]
    NotLikeAToken,
    #[error("This does not look like a Client secret. It usually starts with shpss_.")]
    NotLikeAClientSecret,
}
