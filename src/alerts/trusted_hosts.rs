//! The hosts that the operator trusts for webhooks. Users choose webhook addresses, so every other host must resolve to
//! public addresses, and is called only on port 443.

use super::{WebhookAddress, webhook_address::is_host_name};

/// Webhook hosts that may resolve to private addresses and be called on other ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedHosts(Vec<TrustedHost>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct TrustedHost {
    name: String,
    /// The only port besides 443; `None` for any port.
    port: Option<u16>,
}

/// Why an address must not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// The name is never public: it has one label, or a suffix that is reserved for private networks.
    PrivateName,
    /// The port is not 443.
    Port(u16),
}

/// Suffixes that never resolve in public DNS: RFC 6761 (`localhost`), RFC 6762 (`local`), RFC 8375 (`home.arpa`), and
/// ICANN's reservation of `internal` (2024).
const PRIVATE_SUFFIXES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

impl TrustedHosts {
    /// Parses names separated by commas, each with an optional port: `hooks.internal, ops.example.com:8443`.
    ///
    /// # Errors
    /// The invalid entries.
    pub fn parse(list: &str) -> Result<Self, Vec<String>> {
        let (mut hosts, mut wrong) = (Vec::new(), Vec::new());
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match TrustedHost::parse(entry) {
                Some(host) => hosts.push(host),
                None => wrong.push(entry.to_owned()),
            }
        }
        if wrong.is_empty() { Ok(Self(hosts)) } else { Err(wrong) }
    }

    /// The names that may resolve to private addresses.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|host| host.name.clone()).collect()
    }

    /// Checks an address by its text alone. There is no DNS lookup, because its result would reveal which internal
    /// names exist.
    ///
    /// # Errors
    /// [`Untrusted`] if the address must not be called.
    pub(super) fn check(&self, address: &WebhookAddress) -> Result<(), Untrusted> {
        let mut named = self.0.iter().filter(|host| host.name == address.host()).peekable();
        if named.peek().is_none() && is_private_name(address.host()) {
            return Err(Untrusted::PrivateName);
        }
        let port = address.port();
        let is_allowed = port == 443 || named.any(|host| host.port.is_none_or(|allowed| allowed == port));
        if is_allowed { Ok(()) } else { Err(Untrusted::Port(port)) }
    }
}

impl TrustedHost {
    fn parse(entry: &str) -> Option<Self> {
        let (name, port) = match entry.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (entry, None),
        };
        let name = name.to_ascii_lowercase();
        is_host_name(&name).then_some(Self { name, port })
    }
}

fn is_private_name(host: &str) -> bool {
    let is_under =
        |suffix: &&str| host.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !host.contains('.') || PRIVATE_SUFFIXES.iter().any(is_under)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trusted: &str, address: &str) -> Result<(), Untrusted> {
        let trusted = TrustedHosts::parse(trusted).expect(trusted);
        trusted.check(&WebhookAddress::parse(address).expect(address))
    }

    #[test]
    fn other_hosts_are_called_on_port_443_and_by_public_names_only() {
        assert_eq!(check("", "https://ops.northwind.example/hooks"), Ok(()));
        assert_eq!(check("", "https://ops.northwind.example:443/hooks"), Ok(()));
        assert_eq!(check("", "https://ops.northwind.example:8443"), Err(Untrusted::Port(8443)));
        assert_eq!(check("other.example", "https://ops.northwind.example:22"), Err(Untrusted::Port(22)));
        for private in ["hooks", "localhost", "a.localhost", "printer.local", "db.internal", "nas.home.arpa"] {
            let address = format!("https://{private}/x");
            assert_eq!(check("", &address), Err(Untrusted::PrivateName), "{private}");
            assert_eq!(check(private, &address), Ok(()), "{private}");
        }
        for public in ["local.example", "notlocal.example", "mylocalhost.example", "internal.example", "arpa.example"] {
            assert_eq!(check("", &format!("https://{public}/")), Ok(()), "{public}");
        }
    }

    #[test]
    fn trusted_host_may_have_one_other_port_or_any() {
        assert_eq!(check("hooks.internal", "https://hooks.internal:8443/"), Ok(()));
        assert_eq!(check("Hooks.Internal:8443", "https://hooks.internal:8443/"), Ok(()));
        assert_eq!(check("hooks.internal:8443", "https://hooks.internal/"), Ok(()));
        assert_eq!(check("hooks.internal:8443", "https://hooks.internal:8444/"), Err(Untrusted::Port(8444)));
        assert_eq!(check("hooks.internal:1, hooks.internal:2", "https://hooks.internal:2/"), Ok(()));
        assert_eq!(check("hooks.internal", "https://x.hooks.internal/"), Err(Untrusted::PrivateName));
    }

    #[test]
    fn entries_that_are_not_names_are_reported() {
        assert_eq!(TrustedHosts::parse(" , "), Ok(TrustedHosts::default()));
        let wrong = "hooks.internal, 10.0.0.1,http://x, x:0, x:65536,x:, *.internal, [::1]:443";
        let expected = ["10.0.0.1", "http://x", "x:0", "x:65536", "x:", "*.internal", "[::1]:443"];
        assert_eq!(TrustedHosts::parse(wrong), Err(expected.map(str::to_owned).into()));
        assert_eq!(
            TrustedHosts::parse("A.internal,b:9").map(|hosts| hosts.names()),
            Ok(vec!["a.internal".into(), "b".into()])
        );
    }
}
