//! The target of a webhook's redirect, in a form that may be shown. Redirects are never followed: the signing secret is
//! for one host.

use super::WebhookAddress;

/// Maximum length of an address that is shown whole, in bytes.
const SHOWN_MAX_LEN: usize = 120;

/// An address without user, password, query and fragment, because a receiver may put its own secrets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RedirectTarget {
    shown: String,
    is_encrypted: bool,
}

impl RedirectTarget {
    /// Parses a `Location` header, which may be relative to the called address.
    pub fn read(location: &str, called: &WebhookAddress) -> Option<Self> {
        let mut url = reqwest::Url::parse(called.as_str()).ok()?.join(location.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") || location.chars().any(char::is_control) {
            return None;
        }
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let rest = if url.query().is_some() { "?…" } else { "" };
        url.set_query(None);
        url.set_fragment(None);
        let is_short = url.as_str().len() <= SHOWN_MAX_LEN;
        let host: String = url.host_str()?.chars().take(SHOWN_MAX_LEN).collect();
        let shown = if is_short { format!("{url}{rest}") } else { host };
        Some(Self { shown, is_encrypted: url.scheme() == "https" })
    }

    /// Continues a sentence such as "answered 301: ".
    pub fn words(&self) -> String {
        let shown = &self.shown;
        if self.is_encrypted {
            format!(
                "it points to {shown}, and redirects are not followed; if that is your receiver, enter its address here"
            )
        } else {
            format!("it points to {shown}, which is not encrypted; enter the https:// address that answers by itself")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_target_is_shown_without_secrets() {
        let called = WebhookAddress::parse("https://hooks.northwind.example/carts?key=canary").expect("an address");
        let long = format!("https://new.example/{}", "a".repeat(200));
        for (location, shown, is_encrypted) in [
            ("https://new.example/hooks", "https://new.example/hooks", true),
            ("/carts/", "https://hooks.northwind.example/carts/", true),
            ("//new.example", "https://new.example/", true),
            ("http://new.example/", "http://new.example/", false),
            ("https://u:canary@new.example/a?token=canary#canary", "https://new.example/a?…", true),
            (long.as_str(), "new.example", true),
            ("https://b\u{fc}cher.example/", "https://xn--bcher-kva.example/", true),
        ] {
            let target = RedirectTarget::read(location, &called).expect(location);
            assert_eq!((target.shown.as_str(), target.is_encrypted), (shown, is_encrypted), "{location}");
            assert!(target.words().contains(shown) && !target.words().contains("canary"), "{target:?}");
        }
        for nothing in ["javascript:alert(1)", "ftp://new.example/", "data:text/html,x", "https://", "https://a b/"] {
            assert_eq!(RedirectTarget::read(nothing, &called), None, "{nothing}");
        }
    }
}
