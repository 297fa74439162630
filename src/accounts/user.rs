//! Users, and the rules for their names and addresses.

use uuid::Uuid;

use crate::{direction::is_mark, pasted};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Administrator,
    /// May view carts, health and activity, but change nothing.
    Viewer,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Viewer => "viewer",
        }
    }

    pub(super) fn from_stored(text: &str) -> Self {
        if text == "administrator" { Self::Administrator } else { Self::Viewer }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// Colour theme: `system`, `light` or `dark`.
    pub theme: &'static str,
}

/// Looks up one of the three themes by its stored name.
pub fn theme(text: &str) -> Option<&'static str> {
    ["system", "light", "dark"].into_iter().find(|theme| *theme == text)
}

/// An e-mail address, trimmed and in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter an email address like priya@northwind.example")]
pub struct EmailError;

impl Email {
    /// Requires one `@` with text on both sides and no blanks. Only a delivered message would prove more.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        let email = Self::normalise(typed);
        let (local, domain) = email.rsplit_once('@').ok_or(EmailError)?;
        let plain = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| pasted::is_padding(c) || c.is_control() || c == '@')
        };
        if plain(local) && plain(domain) && email.len() <= 254 { Ok(Self(email)) } else { Err(EmailError) }
    }

    /// The form in which an address is stored, compared and counted.
    pub fn normalise(typed: &str) -> String {
        pasted::trim(typed).to_lowercase()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user's name, 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonNameError {
    #[error("Enter your name")]
    Empty,
    #[error("Name must be 100 characters or fewer")]
    TooLong,
    /// Names are shown everywhere and stay in the audit log, so a secret must never become one.
    #[error("That looks like an access token. Enter a name. We have not kept it here")]
    IsToken,
    /// Rejected because the audit log would read as if the server or its operator had acted.
    #[error("That name belongs to this server. Enter another one")]
    Reserved,
}

/// Names of actors that are not users, and of the program; in lower case, without blanks.
const RESERVED: [&str; 8] =
    ["system", "thesystem", "operator", "theoperator", "somebody", "cartwright", "ordertime", "server"];

impl PersonName {
    /// Trims the name, and removes control characters and direction marks. Rejects reserved names.
    pub fn parse(typed: &str) -> Result<Self, PersonNameError> {
        Self::parse_for_product(typed, "")
    }

    /// Like [`Self::parse`], but also rejects the name of the product.
    pub fn parse_for_product(typed: &str, product: &str) -> Result<Self, PersonNameError> {
        let bare = |name: &str| -> String {
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let name: String = typed.chars().filter(|c| !c.is_control() && !is_mark(*c)).collect();
        let name = pasted::trim(&name);
        match name.chars().count() {
            _ if !pasted::has_visible_text(name) => Err(PersonNameError::Empty),
            _ if pasted::redact_tokens(name) != name => Err(PersonNameError::IsToken),
            _ if is_reserved(&bare(name), &bare(product)) => Err(PersonNameError::Reserved),
            ..=100 => Ok(Self(name.to_owned())),
            _ => Err(PersonNameError::TooLong),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_reserved(name: &str, product: &str) -> bool {
    RESERVED.contains(&name) || (!name.is_empty() && name == product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalized() {
        for typed in [
            "  Priya@Northwind.Example ",
            "\u{202A}priya@northwind.example\u{202C}",
            "priya@northwind.example\u{200B}\n",
        ] {
            assert_eq!(Email::parse(typed).expect("valid").as_str(), "priya@northwind.example", "{typed:?}");
        }
        for typed in ["", "priya", "@x", "a@", "a b@c", "a@b@c", "a@\u{7}b", "a\u{200B}b@c.example"] {
            assert_eq!(Email::parse(typed), Err(EmailError), "{typed:?}");
        }
    }

    #[test]
    fn names_are_trimmed_and_limited_in_length() {
        assert_eq!(PersonName::parse("  Priya Shah ").expect("valid").as_str(), "Priya Shah");
        for blank in ["", " ", "\u{200B}", "\u{3164}", "\u{2800}", "\u{301}", "\u{A0}\u{2060}"] {
            assert_eq!(PersonName::parse(blank), Err(PersonNameError::Empty), "{blank:?}");
        }
        assert_eq!(PersonName::parse("\u{FEFF}Priya\u{200B} ").expect("valid").as_str(), "Priya");
        assert_eq!(
            PersonName::parse("\u{202e} eeL maS\u{2069}\u{7} ").expect("valid").as_str(),
            "eeL maS",
            "direction marks are removed"
        );
        assert_eq!(PersonName::parse(&"x".repeat(101)), Err(PersonNameError::TooLong));
    }

    #[test]
    fn tokens_are_rejected_as_names() {
        let token = format!("shpat_{}", "a1".repeat(16));
        for typed in [token.clone(), format!("Priya {token}"), token.to_uppercase()] {
            assert_eq!(PersonName::parse(&typed), Err(PersonNameError::IsToken), "{typed}");
        }
    }

    #[test]
    fn reserved_names_are_rejected() {
        for typed in [
            "System",
            "SYSTEM",
            " sys\u{200B}tem ",
            "The operator",
            "Operator",
            "Cartwright",
            "Order Time",
            "(Somebody)",
        ] {
            assert_eq!(PersonName::parse(typed), Err(PersonNameError::Reserved), "{typed}");
        }
        assert_eq!(PersonName::parse_for_product("Shop-Desk", "Shop Desk"), Err(PersonNameError::Reserved));
        for typed in ["Systema", "Ada Cartwright", "李", "…"] {
            assert!(PersonName::parse_for_product(typed, "").is_ok(), "{typed}");
        }
    }
}
