//! A cart as pages show it: everything except its secret.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Status, status::Facts};
use crate::platforms::{CredentialKind, StoreAddress};
use crate::{
    audit::CartRef,
    causes::{Class, TitleContext, Verdict},
    pasted::{self, redact_tokens},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CartId(pub Uuid);

impl std::fmt::Display for CartId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

/// Display name of a store: 1 to 80 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebsiteName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebsiteNameError {
    #[error("Enter a Website Name")]
    Empty,
    #[error("Website Name must be {} characters or fewer", WebsiteName::WEBSITE_NAME_MAX_LEN)]
    TooLong,
    /// A name is shown everywhere, so a secret must not be accepted as one.
    #[error("That looks like an access token. Paste it into Access Token. We have not kept it here")]
    IsToken,
}

impl WebsiteNameError {
    /// The value of `data-class`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Empty => "NAME_EMPTY",
            Self::TooLong => "NAME_TOO_LONG",
            Self::IsToken => "IS_TOKEN",
        }
    }
}

impl WebsiteName {
    /// Maximum length in characters.
    pub const WEBSITE_NAME_MAX_LEN: usize = 80;

    /// Trims, collapses inner white space to single spaces and drops characters that a line of text cannot show.
    pub fn parse(typed: &str) -> Result<Self, WebsiteNameError> {
        let name = pasted::one_line(typed);
        if !pasted::has_visible_text(&name) {
            return Err(WebsiteNameError::Empty);
        }
        if redact_tokens(&name) != name {
            return Err(WebsiteNameError::IsToken);
        }
        match name.chars().count() {
            ..=Self::WEBSITE_NAME_MAX_LEN => Ok(Self(name)),
            _ => Err(WebsiteNameError::TooLong),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The metadata of a saved credential; safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCredential {
    pub kind: CredentialKind,
    pub client_id: Option<String>,
    /// The last four characters; `None` if the secret is too short to show any.
    pub ending: Option<String>,
    pub added_by: String,
    pub added_at: OffsetDateTime,
    /// `false` if its key is missing or the last test could not decrypt it, so that it must be entered again.
    pub is_readable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent column")]
pub struct Cart {
    pub id: CartId,
    pub website_name: String,
    pub address: StoreAddress,
    /// Created against the practice store.
    pub is_practice: bool,
    pub is_active: bool,
    /// *Active* was ticked before a test passed; the first pass of the saved credential activates the cart.
    pub activate_on_pass: bool,
    pub status: Status,
    pub version: i64,
    pub credential: Option<SavedCredential>,
    /// When a test of exactly the saved address and credential last passed.
    pub passed_at: Option<OffsetDateTime>,
    pub shop_id: Option<String>,
    pub shop_name: Option<String>,
    pub last_test: Option<Uuid>,
    pub last_class: Option<Class>,
    pub last_title: Option<String>,
    pub missing_count: i32,
    /// Time of the newest check.
    pub last_checked_at: Option<OffsetDateTime>,
    /// When the next check is due; `None` if none is scheduled.
    pub next_check_at: Option<OffsetDateTime>,
    pub failing_since: Option<OffsetDateTime>,
    pub retired_by: Option<String>,
    pub is_disconnected: bool,
    /// None of the chosen locations exists any more.
    pub locations_gone: bool,
    /// The version in which the secret was last entered or deleted.
    pub secret_version: i64,
    pub updated_at: OffsetDateTime,
    pub updated_by: String,
    /// Account of `updated_by`; `None` if the actor is not a user.
    pub updated_by_id: Option<Uuid>,
}

impl Cart {
    /// Whether *Active* is ticked: the cart is active, or becomes active when its test passes.
    pub const fn wants_active(&self) -> bool {
        self.is_active || self.activate_on_pass
    }

    pub fn reference(&self) -> CartRef {
        CartRef { id: self.id.0, name: self.website_name.clone() }
    }

    /// Whether the token is issued by Shopify for a Client ID and Client secret.
    pub(super) fn uses_issued_token(&self) -> bool {
        self.credential.as_ref().is_some_and(|credential| credential.kind == CredentialKind::ClientCredentials)
    }

    /// The title of a failed call to its store.
    pub(super) fn title_of(&self, verdict: &Verdict) -> String {
        let kind = self.credential.as_ref().map_or_else(CredentialKind::default, |credential| credential.kind);
        verdict.title(&TitleContext { host: &self.address.host(), credential: kind.noun() })
    }

    /// The facts that decide the status.
    pub(super) const fn facts(&self) -> Facts {
        Facts { has_passed: self.passed_at.is_some(), is_active: self.is_active, last: self.last_class }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_of_visible_text() {
        let named = |typed: &str| WebsiteName::parse(typed).map(|name| name.as_str().to_owned());
        assert_eq!(named("  Northwind \n Tea "), Ok("Northwind Tea".into()));
        assert_eq!(named("Tea\u{202e}shop"), Ok("Teashop".into()));
        assert_eq!(named("<b>Tea</b>"), Ok("<b>Tea</b>".into()), "markup is text: it is escaped where it is shown");
        assert_eq!(named(&format!("Tea shpat_{}", "a1".repeat(16))), Err(WebsiteNameError::IsToken));
        assert_eq!(named("EU: sales@northwind"), Ok("EU: sales@northwind".into()));
        for blank in [
            "",
            " \u{200f} ",
            "\u{200B}",
            "\u{3164}",
            "\u{2800}\u{A0}",
            "\u{301}\u{20DD}",
            "\u{FEFF}\u{2060}",
            "\u{E0041}",
        ] {
            assert_eq!(named(blank), Err(WebsiteNameError::Empty), "{blank:?}");
        }
        assert_eq!(named("\u{FEFF}Caf\u{e9}\u{200B} "), Ok("Caf\u{e9}".into()));
        assert_eq!(named("Tea \u{2764}\u{FE0F}"), Ok("Tea \u{2764}\u{FE0F}".into()), "emoji selector is kept");
        assert_eq!(named(&"茶".repeat(80)), Ok("茶".repeat(80)));
        assert_eq!(named(&"茶".repeat(81)), Err(WebsiteNameError::TooLong));
    }
}
