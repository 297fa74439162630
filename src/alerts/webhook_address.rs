//! Validates the address of a webhook. A user-supplied address is the classic way to make a server call its own network
//! (SSRF), so the grammar is narrow: https, a name and never a number, no user info. The resolver checks the addresses
//! that the name resolves to. Browsers and URL parsers read `https://2130706433/` and `https://0x7f.1/` as 127.0.0.1,
//! so a name whose last label is a number counts as a number.
//!
//! The path is a secret of the receiver, as in the addresses that chat services issue: it is stored sealed, and no page
//! shows it again.

use secrecy::{ExposeSecret, SecretString};

/// Replaces the path in the shown form. Not valid in an address.
const HIDDEN: char = '…';

/// A valid address, in the form in which it is called.
#[derive(Clone, Debug)]
pub struct WebhookAddress {
    whole: SecretString,
    host: String,
    port: u16,
    /// The address without its path.
    shown: String,
}

/// Why an address is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookAddressError {
    #[error("Enter an address that starts with https://")]
    NotHttps,
    #[error("Enter a name, not a number such as 10.0.0.1")]
    IsNumber,
    #[error("Leave user name and password out of the address. The signature tells your program who is calling")]
    HasPassword,
    #[error("Enter an address like https://ops.northwind.example/hooks/carts, without spaces and without a #")]
    Shape,
    #[error("Enter the whole address. The dots stand for a path that is not shown again")]
    PathHidden,
    #[error("Address must be {} characters or fewer", WebhookAddress::WEBHOOK_ADDRESS_MAX_LEN)]
    TooLong,
}

impl WebhookAddressError {
    /// The value of `data-class`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::NotHttps => "NOT_HTTPS",
            Self::IsNumber => "IS_NUMBER",
            Self::HasPassword => "HAS_PASSWORD",
            Self::Shape => "ADDRESS_FORM",
            Self::PathHidden => "PATH_HIDDEN",
            Self::TooLong => "ADDRESS_TOO_LONG",
        }
    }
}

impl WebhookAddress {
    /// Maximum length, in characters.
    pub const WEBHOOK_ADDRESS_MAX_LEN: usize = 500;

    /// Parses an address from a form or from a stored row.
    ///
    /// # Errors
    /// [`WebhookAddressError`], whose text is shown next to the field.
    pub fn parse(typed: &str) -> Result<Self, WebhookAddressError> {
        use WebhookAddressError::{HasPassword, IsNumber, NotHttps, PathHidden, Shape, TooLong};
        let typed = crate::pasted::trim(typed);
        let scheme = typed.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://")).ok_or(NotHttps)?;
        let rest = &typed[scheme.len()..];
        if typed.len() > Self::WEBHOOK_ADDRESS_MAX_LEN {
            return Err(TooLong);
        }
        if rest.contains(HIDDEN) {
            return Err(PathHidden);
        }
        if !rest.bytes().all(|b| b.is_ascii_graphic())
            || rest.contains(['\\', '#', '"', '<', '>', '`', '{', '}', '^', '|'])
        {
            return Err(Shape);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(HasPassword);
        }
        if authority.starts_with('[') {
            return Err(IsNumber);
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let host = host.to_ascii_lowercase();
        check_host(&host)?;
        let port = match port {
            None => 443,
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
                port.parse().ok().filter(|port| *port > 0).ok_or(Shape)?
            }
            Some(_) => return Err(Shape),
        };
        let origin = if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") };
        let slash = if tail.starts_with('/') { "" } else { "/" };
        let whole = format!("{origin}{slash}{tail}");
        let shown = if matches!(tail, "" | "/") { whole.clone() } else { format!("{origin}/{HIDDEN}") };
        // The HTTP client's own parser must find the same host; otherwise we would check one host and call another.
        let read = reqwest::Url::parse(&whole).map_err(|_| Shape)?;
        if read.host_str() != Some(&host) || read.scheme() != "https" || !read.username().is_empty() {
            return Err(Shape);
        }
        Ok(Self { whole: whole.into(), host, port, shown })
    }

    /// The whole address, for sealing.
    pub(super) fn secret(&self) -> SecretString {
        self.whole.clone()
    }

    /// The whole address, for the call.
    pub(super) fn expose(&self) -> &str {
        self.whole.expose_secret()
    }

    /// The address as pages show it: without path and query.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name that is resolved and dialled. The signing secret is sealed for this host.
    pub fn host(&self) -> &str {
        &self.host
    }
}

fn check_host(host: &str) -> Result<(), WebhookAddressError> {
    let label = |label: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        bytes.len() <= 63
            && edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if !last.is_empty() && (is_number(last) || is_hex) {
        return Err(WebhookAddressError::IsNumber);
    }
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(WebhookAddressError::Shape);
    }
    Ok(())
}

/// Whether this is a host name and not a number.
pub(super) fn is_host_name(host: &str) -> bool {
    check_host(host).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_called_as_normalized_and_shown_without_its_path() {
        for (typed, whole, shown, port) in [
            (" https://a.example/hooks/carts ", "https://a.example/hooks/carts", "https://a.example/…", 443),
            ("HTTPS://A.Example", "https://a.example/", "https://a.example/", 443),
            ("https://a.example:0443/", "https://a.example/", "https://a.example/", 443),
            ("https://a.example:443/x?y=1", "https://a.example/x?y=1", "https://a.example/…", 443),
            ("https://a.example:08443?y", "https://a.example:8443/?y", "https://a.example:8443/…", 8443),
            ("https://a.example/x@y", "https://a.example/x@y", "https://a.example/…", 443),
        ] {
            let address = WebhookAddress::parse(typed).expect(typed);
            assert_eq!((address.expose(), address.shown()), (whole, shown), "{typed}");
            assert_eq!((address.host(), address.port()), ("a.example", port), "{typed}");
            assert!(!format!("{address:?}").contains("hooks"), "{address:?}");
        }
    }

    #[test]
    fn invalid_addresses_have_specific_errors() {
        use WebhookAddressError::{HasPassword, IsNumber, NotHttps, PathHidden, Shape, TooLong};
        let long = format!("https://ops.northwind.example/{}", "x".repeat(500));
        for (typed, error) in [
            ("", NotHttps),
            ("http://ops.northwind.example", NotHttps),
            ("ops.northwind.example/hooks", NotHttps),
            ("https:/ops.northwind.example", NotHttps),
            ("ftp://ops.northwind.example", NotHttps),
            ("https://10.0.0.1/x", IsNumber),
            ("https://127.1", IsNumber),
            ("https://2130706433/", IsNumber),
            ("https://0x7f.1", IsNumber),
            ("https://0x7F000001", IsNumber),
            ("https://1.2.3.0x4", IsNumber),
            ("https://[::1]/", IsNumber),
            ("https://[::ffff:10.0.0.1]:443/", IsNumber),
            ("https://ops@evil.example", HasPassword),
            ("https://user:word@ops.northwind.example", HasPassword),
            ("https://", Shape),
            ("https:///x", Shape),
            ("https://ops.northwind.example\\@evil.example", Shape),
            ("https://ops.northwind.example/#x", Shape),
            ("https://ops.northwind.example/a b", Shape),
            ("https://ops.northwind.example/\r\nx: y", Shape),
            ("https://ops.northwind.example.", Shape),
            ("https://ops..example", Shape),
            ("https://-ops.example", Shape),
            ("https://ops_a.example", Shape),
            ("https://ops.example:0", Shape),
            ("https://ops.example:65536", Shape),
            ("https://ops.example:+1", Shape),
            ("https://örder.example", Shape),
            ("https://%31%30.0.0.1", IsNumber),
            ("https://%6f%70s.example", Shape),
            ("https://ops.example/…", PathHidden),
            ("https://ops.example:8443/…/other", PathHidden),
            (&long, TooLong),
        ] {
            assert_eq!(WebhookAddress::parse(typed).err(), Some(error), "{typed:?}");
        }
    }
}
