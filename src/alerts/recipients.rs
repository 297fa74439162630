//! The e-mail recipients of alerts, as entered by an administrator.

use lettre::Address;

use crate::pasted;

/// An e-mail address that is safe in a header: visible ASCII only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientsError {
    #[error("Enter at least one email address, or turn e-mail off")]
    Empty,
    #[error("“{0}” is not an email address like priya@northwind.example. Separate several with commas")]
    Form(String),
    #[error("Enter {} email addresses or fewer. A mailing list takes more", Recipient::MOST)]
    TooMany,
}

impl RecipientsError {
    /// The value of `data-class`.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Empty => "EMAILS_EMPTY",
            Self::Form(_) => "EMAIL_FORM",
            Self::TooMany => "EMAILS_TOO_MANY",
        }
    }
}

impl Recipient {
    /// Maximum number of addresses.
    pub const MOST: usize = 20;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses one address. Control characters are rejected, not removed: a line end would inject a header.
    pub fn parse(typed: &str) -> Option<Self> {
        let is_visible = (3..=254).contains(&typed.len()) && typed.bytes().all(|b| b.is_ascii_graphic());
        let address: Address = typed.parse().ok().filter(|_| is_visible)?;
        Some(Self(address.to_string().to_ascii_lowercase()))
    }

    /// Parses addresses separated by commas, semicolons or blanks, and removes duplicates. From
    /// `Ada <ada@example.com>`, as mail programs copy it, and from `mailto:ada@example.com`, only the address is used.
    pub fn parse_list(typed: &str) -> Result<Vec<Self>, RecipientsError> {
        let mut list: Vec<Self> = Vec::new();
        for one in entries(typed) {
            let shown = || one.chars().filter(|c| !c.is_control()).take(60).collect();
            let recipient = Self::parse(address_in(one)).ok_or_else(|| RecipientsError::Form(shown()))?;
            if !list.contains(&recipient) {
                list.push(recipient);
            }
        }
        if list.len() > Self::MOST { Err(RecipientsError::TooMany) } else { Ok(list) }
    }
}

/// Splits a list at commas and semicolons outside quotes, and at blanks if an entry has no name.
fn entries(typed: &str) -> Vec<&str> {
    let mut in_quotes = false;
    let is_separator = |c: char| {
        in_quotes ^= c == '"';
        matches!(c, ',' | ';') && !in_quotes
    };
    let parts = typed.split(is_separator).map(pasted::trim).filter(|part| !part.is_empty());
    parts
        .flat_map(|part| if part.ends_with('>') { vec![part] } else { part.split([' ', '\u{a0}']).collect() })
        .map(pasted::trim)
        .filter(|entry| !entry.is_empty())
        .collect()
}

/// The address within an entry, or the entry itself if it has another form.
fn address_in(entry: &str) -> &str {
    let named = entry.strip_suffix('>').and_then(|entry| entry.split_once('<'));
    let bare = match named {
        Some((name, address)) if !name.contains(['@', '>']) => pasted::trim(address),
        _ => entry,
    };
    let scheme = bare.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).map_or(0, str::len);
    let address = &bare[scheme..];
    let end = address.find('?').filter(|_| scheme > 0).unwrap_or(address.len());
    address[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(typed: &str) -> Result<Vec<String>, RecipientsError> {
        Recipient::parse_list(typed).map(|list| list.into_iter().map(|one| one.0).collect())
    }

    #[test]
    fn addresses_are_listed_once_with_any_separator() {
        let two = vec!["priya@northwind.example".to_owned(), "ops@northwind.example".to_owned()];
        for typed in [
            "priya@northwind.example, ops@northwind.example",
            " Priya@Northwind.example;ops@northwind.example ; priya@northwind.example",
            "priya@northwind.example ops@northwind.example,",
        ] {
            assert_eq!(list(typed), Ok(two.clone()), "{typed}");
        }
        assert_eq!(list(" , "), Ok(vec![]));
    }

    #[test]
    fn addresses_are_extracted_from_mail_program_formats() {
        let (ada, bob) = ("ada@example.com".to_owned(), "bob@example.com".to_owned());
        for typed in [
            "Ada <ada@example.com>",
            "Ada Lovelace <ada@example.com>,",
            "\"Lovelace, Ada\" <ada@example.com>;",
            "<ada@example.com>",
            "mailto:ada@example.com",
            "MAILTO:Ada@Example.com?subject=Hello",
            "Ada <mailto:ada@example.com>",
            "ada@example.com;",
            "ada@example.com.",
            "\u{202A}ada@example.com\u{202C}",
            "\u{FEFF}ada@example.com\u{200B}, ",
            "Zoë 茶 <ada@example.com>",
            "ada@example.com\r\n",
        ] {
            assert_eq!(list(typed), Ok(vec![ada.clone()]), "{typed:?}");
        }
        for typed in [
            "Ada <ada@example.com>, Bob <bob@example.com>",
            "Ada <ada@example.com>; bob@example.com",
            "ada@example.com bob@example.com",
            "\"Lovelace, Ada\" <ada@example.com>, mailto:bob@example.com",
        ] {
            assert_eq!(list(typed), Ok(vec![ada.clone(), bob.clone()]), "{typed:?}");
        }
    }

    #[test]
    fn header_injection_is_rejected() {
        for typed in [
            "priya",
            "a@b\r\nBcc: x@y",
            "a@b.example\r\nBcc:x@y.example",
            "a@b.example\nx@y.example",
            "a@b.example\u{0}",
            "<a@b.example",
            "a@b.example>",
            "Priya <a@b.example> x",
            "a@b.example <c@d.example>",
            "Priya <a@b.example\r\nBcc: x@y.example>",
            "Priya <<a@b.example>>",
            "\"a@b.example, c@d.example",
            "mailto:",
            "ä@b.example",
            "a@b@c.example",
        ] {
            assert!(matches!(list(typed), Err(RecipientsError::Form(_))), "{typed:?}");
        }
        let many = (0..21).map(|n| format!("a{n}@b.example")).collect::<Vec<_>>().join(",");
        assert_eq!(list(&many), Err(RecipientsError::TooMany));
    }
}
