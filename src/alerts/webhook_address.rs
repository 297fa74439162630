//! Validates the address of a webhook. A user-supplied address is the classic way to make a server call its own
//! network, so the grammar is narrow: https, a name and never a number, no user info. The resolver judges what the name
//! resolves to. Browsers and URL parsers read `https://2130706433/` and `https://0x7f.1/` as 127.0.0.1, so a name whose
//! last label is a number counts as a number.

/// A valid address, as it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookAddress {
    whole: String,
    host: String,
}

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
    #[error("Address must be {} characters or fewer", WebhookAddress::MAX)]
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
            Self::TooLong => "ADDRESS_TOO_LONG",
        }
    }
}

impl WebhookAddress {
    /// Maximum length, in characters.
    pub const MAX: usize = 500;

    pub fn parse(typed: &str) -> Result<Self, WebhookAddressError> {
        use WebhookAddressError::{HasPassword, IsNumber, NotHttps, Shape, TooLong};
        let typed = crate::pasted::trim(typed);
        let scheme = typed.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://")).ok_or(NotHttps)?;
        let rest = &typed[scheme.len()..];
        if typed.len() > Self::MAX {
            return Err(TooLong);
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
            None | Some("443") => String::new(),
            Some(port)
                if port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0) =>
            {
                format!(":{}", port.trim_start_matches('0'))
            }
            Some(_) => return Err(Shape),
        };
        let slash = if tail.starts_with('/') { "" } else { "/" };
        let whole = format!("https://{host}{port}{slash}{tail}");
        // The client's own parser must read the same host, or we would check one host and call another.
        let read = reqwest::Url::parse(&whole).map_err(|_| Shape)?;
        if read.host_str() != Some(&host) || read.scheme() != "https" || !read.username().is_empty() {
            return Err(Shape);
        }
        Ok(Self { whole, host })
    }

    /// Parses an address from our own row.
    pub(super) fn from_stored(whole: &str) -> Option<Self> {
        Self::parse(whole).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// The name that is resolved and dialled. The signing secret is sealed for it.
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

/// Whether the operator may allow private addresses for this host: a name and not a number.
pub fn is_host_name(host: &str) -> bool {
    check_host(host).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_stored_as_it_is_called() {
        for (typed, whole, host) in [
            (
                " https://ops.northwind.example/hooks/carts ",
                "https://ops.northwind.example/hooks/carts",
                "ops.northwind.example",
            ),
            ("HTTPS://Ops.Northwind.Example", "https://ops.northwind.example/", "ops.northwind.example"),
            ("https://ops.northwind.example:443/x?y=1", "https://ops.northwind.example/x?y=1", "ops.northwind.example"),
            ("https://ops.northwind.example:8443?y", "https://ops.northwind.example:8443/?y", "ops.northwind.example"),
            ("https://10.example/x@y", "https://10.example/x@y", "10.example"),
        ] {
            let address = WebhookAddress::parse(typed).expect(typed);
            assert_eq!((address.as_str(), address.host()), (whole, host), "{typed}");
        }
    }

    #[test]
    fn invalid_addresses_have_specific_errors() {
        use WebhookAddressError::{HasPassword, IsNumber, NotHttps, Shape, TooLong};
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
            (&long, TooLong),
        ] {
            assert_eq!(WebhookAddress::parse(typed), Err(error), "{typed:?}");
        }
    }
}
