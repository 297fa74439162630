//! Parses a pasted text into the address of one store, by matching the raw characters. Uses no URL parser: those are
//! lenient (a tab inside a name, full-width letters, extra slashes), and what is checked here must be what is dialled.
//!
//! Keeps an attacker from having a secret sent to another host. Does not detect a store that is real but not the
//! intended one. 32 hex digits are rejected, because an old token has the form of a handle and would leak in a DNS
//! query.

use std::fmt;

use super::text::is_quote;
use crate::pasted::{is_format, is_padding};

/// Maximum length of text that is parsed and shown again, in bytes.
pub const API_URL_MAX_LEN: usize = 2048;
/// Maximum length of a rejected domain in an error message, in characters.
const ECHO_MAX_LEN: usize = 100;
const SUFFIX: &str = ".myshopify.com";

/// The address of one store: a single lower-case DNS label under `myshopify.com`. It cannot represent any other host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreAddress {
    handle: String,
}

/// The address found in a pasted text, and hints for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedAddress {
    pub address: StoreAddress,
    /// Only a name was typed; the page says "We added .myshopify.com."
    pub added_suffix: bool,
    /// The text contained `key:password@`, which was dropped unread.
    pub dropped_pair: bool,
}

/// A mistake that a user can correct. `Display` is the message for the user; it echoes at most a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("Enter your store's API URL")]
    Empty,
    #[error(
        "Enter the address that ends in myshopify.com, not {0}. In Shopify, go to Settings, then Domains, or copy the address from your browser while you are in Shopify admin"
    )]
    OwnDomain(String),
    #[error(
        "That address does not say which store. Open your store in Shopify and copy the whole address. It looks like admin.shopify.com/store/your-store"
    )]
    AdminNoStore,
    #[error("That is a Shopify developer page. Open your store's admin and copy the address from there")]
    DevDashboard,
    #[error("That looks like an access token. Paste it into Access Token. We have not kept it here")]
    IsToken,
    #[error("Enter your store's address, not an email address")]
    IsEmail,
    #[error("The address has a space or an unusual character in it. Copy it again, with nothing before or after it")]
    BadCharacters,
    #[error(
        "API URL must be your store's own address. It ends in .myshopify.com/admin, with only your store's name before it"
    )]
    Lookalike,
}

impl AddressError {
    /// The value of `data-class`.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Empty => "API_URL_EMPTY",
            Self::OwnDomain(_) => "OWN_DOMAIN",
            Self::AdminNoStore => "ADMIN_NO_STORE",
            Self::DevDashboard => "DEV_DASHBOARD",
            Self::IsToken => "IS_TOKEN",
            Self::IsEmail => "IS_EMAIL",
            Self::BadCharacters | Self::Lookalike => "LOOKALIKE",
        }
    }
}

impl StoreAddress {
    /// Parses a pasted text into the address of one store; makes no network call.
    ///
    /// # Errors
    /// One [`AddressError`] for each mistake that a user can correct.
    pub fn parse(typed: &str) -> Result<ParsedAddress, AddressError> {
        if typed.len() > API_URL_MAX_LEN {
            return Err(AddressError::Lookalike);
        }
        let text = unwrap_paste(typed);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(AddressError::BadCharacters);
        }
        if text.contains('\\') {
            return Err(AddressError::Lookalike);
        }
        if looks_like_a_token(split_authority(text).0) {
            return Err(AddressError::IsToken);
        }
        if looks_like_email(text) {
            return Err(AddressError::IsEmail);
        }
        if let Some(address) = handle_alone(text) {
            return Ok(ParsedAddress { address, added_suffix: true, dropped_pair: false });
        }
        let (authority, tail) = split_authority(without_scheme(text));
        from_authority(authority, tail)
    }

    /// Accepts a handle written by us or by Shopify: one lower-case label, else `None`.
    pub fn from_handle(handle: &str) -> Option<Self> {
        Self::from_label(handle).filter(|address| address.handle == handle)
    }

    /// Accepts a host written by us or by Shopify: exactly `{handle}.myshopify.com`, else `None`.
    pub fn from_host(host: &str) -> Option<Self> {
        host.strip_suffix(SUFFIX).and_then(Self::from_handle)
    }

    /// The store that a redirect points to: `https://{label}.myshopify.com` or
    /// `https://admin.shopify.com/store/{label}`, and no other form. The rest of the path is dropped unread.
    pub(super) fn from_location(location: &str) -> Option<Self> {
        if location.len() > API_URL_MAX_LEN || location.chars().any(|c| c.is_control() || c == '\\') {
            return None;
        }
        let (authority, tail) = split_authority(location.strip_prefix("https://")?);
        if authority == "admin.shopify.com" { store_in_path(tail) } else { from_store_host(authority) }
    }

    /// The part before `.myshopify.com`.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// The only host that this store's secrets may be sent to.
    pub fn host(&self) -> String {
        format!("{}{SUFFIX}", self.handle)
    }

    /// The stored and displayed form: `https://{handle}.myshopify.com/admin`.
    pub fn admin_url(&self) -> String {
        format!("https://{}{SUFFIX}/admin", self.handle)
    }

    fn from_label(label: &str) -> Option<Self> {
        let bytes = label.as_bytes();
        let ends = [bytes.first()?, bytes.last()?];
        let is_label = bytes.len() <= 63
            && ends.iter().all(|b| b.is_ascii_alphanumeric())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && !starts_with_ignoring_case(label, "xn--");
        is_label.then(|| Self { handle: label.to_ascii_lowercase() })
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.admin_url())
    }
}

/// Trims what is copied along with an address out of a sentence. Removes nothing from the middle.
fn unwrap_paste(typed: &str) -> &str {
    typed
        .trim_start_matches(|c: char| is_padding(c) || is_quote(c) || matches!(c, '<' | '(' | '['))
        .trim_end_matches(|c: char| is_padding(c) || is_quote(c) || matches!(c, '>' | ')' | ']' | '.' | ',' | ';'))
}

fn looks_like_a_token(text: &str) -> bool {
    let prefix = text.split_once('_').map(|(prefix, _)| prefix);
    let is_shopify = prefix.is_some_and(|p| {
        matches!(p.len(), 5 | 6) && starts_with_ignoring_case(p, "shp") && p.bytes().all(|b| b.is_ascii_alphabetic())
    });
    is_shopify
        || starts_with_ignoring_case(text, "prtapi_")
        || (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn looks_like_email(text: &str) -> bool {
    let plain = !text.contains([':', '/']) && !text.chars().any(char::is_whitespace);
    plain && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && looks_public(host))
}

/// Whether a host looks like a public domain: it has dots, and letters at the end.
fn looks_public(host: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    host.rsplit_once('.').is_some_and(|(name, last)| {
        name.split('.').all(is_part) && last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

/// A handle alone, or followed by the path of the admin as the label of the field suggests: `northwind-tea/admin`.
fn handle_alone(text: &str) -> Option<StoreAddress> {
    let (label, path) = split_authority(text);
    let segment = path.strip_prefix('/').map(|path| split_authority(path).0);
    let is_admin = segment.is_some_and(|name| name.is_empty() && path == "/" || name.eq_ignore_ascii_case("admin"));
    let is_alone = path.is_empty() || is_admin;
    StoreAddress::from_label(label).filter(|address| is_alone && address.handle != "localhost")
}

fn without_scheme(text: &str) -> &str {
    let found = ["https://", "http://"].into_iter().find(|scheme| starts_with_ignoring_case(text, scheme));
    &text[found.map_or(0, str::len)..]
}

fn split_authority(text: &str) -> (&str, &str) {
    text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()))
}

fn from_authority(authority: &str, tail: &str) -> Result<ParsedAddress, AddressError> {
    let understood = |address, dropped_pair| Ok(ParsedAddress { address, added_suffix: false, dropped_pair });
    if !authority.bytes().all(|b| b.is_ascii_graphic() && b != b'%') {
        return Err(if reads_right(authority) { AddressError::BadCharacters } else { AddressError::Lookalike });
    }
    if let Some((pair, host)) = authority.split_once('@') {
        let address = from_store_host(host).filter(|_| is_pair(pair)).ok_or(AddressError::Lookalike)?;
        return understood(address, true);
    }
    if let Some(address) = from_store_host(authority) {
        return understood(address, false);
    }
    let typed = authority.strip_suffix(":443").unwrap_or(authority);
    let host = typed.to_ascii_lowercase();
    match host.as_str() {
        "admin.shopify.com" => understood(store_in_path(tail).ok_or(AddressError::AdminNoStore)?, false),
        "dev.shopify.com" | "partners.shopify.com" => Err(AddressError::DevDashboard),
        _ if host.contains("myshopify") || host.ends_with("shopify.com") || !looks_public(&host) => {
            Err(AddressError::Lookalike)
        }
        _ => Err(AddressError::OwnDomain(typed.chars().take(ECHO_MAX_LEN).collect())),
    }
}

/// Exactly `{label}.myshopify.com` in any case, with at most one `:443`.
fn from_store_host(authority: &str) -> Option<StoreAddress> {
    let host = authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase();
    host.strip_suffix(SUFFIX).and_then(StoreAddress::from_label)
}

/// Whether an authority that is rejected for its characters looks like a store's address or a handle, so that a message
/// about the form of an address would contradict what the user sees. Any non-ASCII character may stand for any other.
fn reads_right(authority: &str) -> bool {
    let seen: Vec<char> = authority.chars().filter(|c| !is_format(*c)).collect();
    let suffix: Vec<char> = SUFFIX.chars().collect();
    let is_like = |(seen, meant): (&char, &char)| seen.eq_ignore_ascii_case(meant) || !seen.is_ascii();
    !seen.contains(&'.') || seen.len() > suffix.len() && seen.iter().rev().zip(suffix.iter().rev()).all(is_like)
}

/// `word:word`, the form of key and password of old private apps.
fn is_pair(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.split_once(':').is_some_and(|(key, password)| is_word(key) && is_word(password))
}

/// The label of `/store/{label}`, if it ends the path or is followed by `/`, `?` or `#`.
fn store_in_path(tail: &str) -> Option<StoreAddress> {
    const STORE: &str = "/store/";
    let (label, _) = split_authority(tail.get(STORE.len()..).filter(|_| starts_with_ignoring_case(tail, STORE))?);
    StoreAddress::from_label(label)
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

#[cfg(test)]
mod tests;
