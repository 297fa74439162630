//! The target of a webhook's redirect, in a form that may be shown. Redirects are never followed, because the signing
//! secret is for one host. A target often repeats the called path, which is a secret, so only its host is shown.

use super::WebhookAddress;

/// Scheme, host and port of a redirect's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RedirectTarget {
    origin: String,
    is_encrypted: bool,
    /// Whether the target differs from the called address only in its path.
    is_same_origin: bool,
}

impl RedirectTarget {
    /// Parses a `Location` header, which may be relative to the called address.
    pub fn read(location: &str, called: &WebhookAddress) -> Option<Self> {
        let called = reqwest::Url::parse(called.expose()).ok()?;
        let target = called.join(location.trim()).ok()?;
        if !matches!(target.scheme(), "http" | "https") || location.chars().any(char::is_control) {
            return None;
        }
        Some(Self {
            origin: target.origin().ascii_serialization(),
            is_encrypted: target.scheme() == "https",
            is_same_origin: target.origin() == called.origin(),
        })
    }

    /// Phrase that continues a sentence such as "answered 301: ".
    pub fn words(&self) -> String {
        let origin = &self.origin;
        if self.is_same_origin {
            "it points to another path of the same host, and redirects are not followed; enter the address that answers by itself"
                .into()
        } else if self.is_encrypted {
            format!(
                "it points to {origin}, and redirects are not followed; if that is your receiver, enter its address here"
            )
        } else {
            format!("it points to {origin}, which is not encrypted; enter the https:// address that answers by itself")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_target_is_shown_as_its_origin_alone() {
        let called = WebhookAddress::parse("https://hooks.northwind.example/canary?key=canary").expect("an address");
        for (location, shown) in [
            ("https://new.example/canary", "points to https://new.example, and"),
            ("//new.example:8443", "points to https://new.example:8443, and"),
            ("http://new.example/canary", "points to http://new.example, which is not encrypted"),
            ("https://u:canary@new.example/a?token=canary#canary", "points to https://new.example, and"),
            ("https://b\u{fc}cher.example/", "points to https://xn--bcher-kva.example, and"),
            ("/canary/", "points to another path of the same host"),
            ("https://hooks.northwind.example/", "points to another path of the same host"),
            ("http://hooks.northwind.example/canary", "points to http://hooks.northwind.example, which"),
        ] {
            let words = RedirectTarget::read(location, &called).expect(location).words();
            assert!(words.contains(shown) && !words.contains("canary"), "{location}: {words}");
        }
        for nothing in ["javascript:alert(1)", "ftp://new.example/", "data:text/html,x", "https://", "https://a b/"] {
            assert_eq!(RedirectTarget::read(nothing, &called), None, "{nothing}");
        }
    }
}
