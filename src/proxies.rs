//! Derives a client's address from its connection and `X-Forwarded-For`. Trusts only the proxies that the operator
//! lists; none by default. Independent of HTTP. Only the right end of `X-Forwarded-For` is trustworthy: each proxy
//! appends its peer's address, and the client may forge everything further left.

use std::net::{IpAddr, SocketAddr};

use crate::network::IpNetwork;

/// `CARTWRIGHT_TRUSTED_PROXIES`: addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNetwork>);

/// Warning for an https server without a trusted proxy.
const MISSING_PROXY_WARNING: &str = "In front of an https CARTWRIGHT_PUBLIC_URL stands a proxy, since this server speaks no TLS, and \
     CARTWRIGHT_TRUSTED_PROXIES names none: all people share the proxy's address, in the limit of sign-in tries and in the \
     activity. Name the address that it calls from, such as CARTWRIGHT_TRUSTED_PROXIES=127.0.0.1 where it runs on this machine.";

impl TrustedProxies {
    /// Parses a list such as `10.0.0.7, 192.168.4.0/24, fd00::/8`.
    ///
    /// # Errors
    /// A sentence for each invalid entry.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let (known, unknown): (Vec<_>, Vec<_>) = entries.map(proxy).partition(Result::is_ok);
        if unknown.is_empty() {
            return Ok(Self(known.into_iter().filter_map(Result::ok).collect()));
        }
        Err(unknown.into_iter().filter_map(Result::err).collect())
    }

    /// Returns a warning if users reach the server by https and no trusted proxy is set: all users then share the
    /// proxy's address, so one client that guesses passwords locks out everybody.
    pub fn unnamed(&self, serves_https: bool) -> Option<&'static str> {
        (serves_https && self.0.is_empty()).then_some(MISSING_PROXY_WARNING)
    }

    /// The client's address: the peer or, if that is a trusted proxy, the last untrusted address in these lines of
    /// `X-Forwarded-For`. An unreadable entry ends the search, and the proxy that forwarded it counts as the client.
    pub fn client<'a>(&self, peer: IpAddr, lines: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in lines.rev().flat_map(|line| line.rsplit(',')) {
            if !self.0.iter().any(|network| network.contains(client)) {
                break;
            }
            let Some(address) = address(hop.trim()) else { break };
            client = address;
        }
        client
    }
}

/// Parses an address in the forms that proxies use: alone, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

fn proxy(entry: &str) -> Result<IpNetwork, String> {
    let network = IpNetwork::parse(entry).map_err(|error| format!("{entry:?} {error}"))?;
    if network.is_everything() {
        return Err(format!("{entry:?} is everybody, and then anybody can say who they are"));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, peer: &str, lines: &[&str]) -> String {
        let proxies = TrustedProxies::parse(proxies).expect("a list");
        proxies.client(peer.parse().expect("an address"), lines.iter().copied()).to_string()
    }

    #[test]
    fn no_proxy_is_trusted_by_default() {
        assert_eq!(client("", "198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(client(" , ", "127.0.0.1", &["203.0.113.9"]), "127.0.0.1");
    }

    #[test]
    fn client_is_the_last_untrusted_address() {
        let ours = "10.0.0.0/8, 192.168.4.7, fd00::/8";
        let table: [(&str, &[&str], &str); 12] = [
            ("10.1.2.3", &["203.0.113.9"], "203.0.113.9"),
            ("10.1.2.3", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.1.2.3", &["1.1.1.1", "203.0.113.9, 192.168.4.7"], "203.0.113.9"),
            ("10.1.2.3", &["203.0.113.9:4711"], "203.0.113.9"),
            ("fd00::1", &["[2001:db8::9]:4711"], "2001:db8::9"),
            ("fd00::1", &["[2001:db8::9]"], "2001:db8::9"),
            ("::ffff:10.1.2.3", &["::ffff:203.0.113.9"], "203.0.113.9"),
            ("192.168.4.8", &["203.0.113.9"], "192.168.4.8"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["203.0.113.9, unknown"], "10.1.2.3"),
            ("10.1.2.3", &["203.0.113.9, "], "10.1.2.3"),
            ("10.1.2.3", &["10.9.9.9, 10.8.8.8"], "10.9.9.9"),
        ];
        for (peer, lines, expected) in table {
            assert_eq!(client(ours, peer, lines), expected, "{peer} with {lines:?}");
        }
    }

    #[test]
    fn only_https_without_a_named_proxy_warns() {
        let told = |list, is_https| TrustedProxies::parse(list).expect("a list").unnamed(is_https).is_some();
        assert!(told("", true) && told(" , ", true));
        assert!(!told("127.0.0.1", true) && !told("", false) && !told("10.0.0.0/8", false));
    }

    #[test]
    fn each_invalid_entry_is_reported() {
        let wrong = "10.0.0.1/8, proxy.example, 10.0.0.0/33, 0.0.0.0/0, ::/0, fd00::1/8, 10.0.0.0/, 10.0.0.0/-1";
        let told = TrustedProxies::parse(wrong).expect_err("all entries are invalid");
        assert_eq!(told.len(), 8, "{told:?}");
        assert!(told[0].ends_with("write 10.0.0.0/8, or 10.0.0.1 alone"), "{}", told[0]);
        assert!(TrustedProxies::parse("10.0.0.7,::1, 10.0.0.0/8,fd00::/8,").is_ok());
    }

    #[test]
    fn ipv4_mapped_proxy_is_trusted() {
        assert_eq!(client("::ffff:10.1.2.3", "10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.0/104", "10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
    }
}
