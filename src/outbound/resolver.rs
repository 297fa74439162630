//! Looks names up and lets only public addresses through. Stops a false DNS and a rebinding one: the addresses that are
//! filtered here are the very ones that are then dialled. Does not stop a false server on a public address; TLS does.
//! Surprising: an IPv4 address has nine more spellings inside of IPv6, so addresses are filtered, never texts.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Longest look-up: 4 s, less than the 5 s for the whole connect, so that a silent resolver is known as one.
pub const LONGEST: Duration = Duration::from_secs(4);

/// Why a name gave no address that may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    #[error("could not be looked up")]
    NotFound,
    #[error("the name server did not answer")]
    Silent,
    #[error("resolves to a private address")]
    Private,
}

type Answer = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;
type Lookup = Arc<dyn Fn(String) -> Answer + Send + Sync>;

/// The system's resolver behind the filter.
#[derive(Clone)]
pub struct PublicOnly {
    lookup: Lookup,
    longest: Duration,
    /// Names that the operator lets lead anywhere.
    allowed: Arc<[String]>,
}

impl PublicOnly {
    pub fn new() -> Self {
        Self::over(Arc::new(|name| Box::pin(ask_the_system(name))), LONGEST)
    }

    fn over(lookup: Lookup, longest: Duration) -> Self {
        Self { lookup, longest, allowed: Arc::default() }
    }

    /// The same, but these names may lead to private addresses: the operator says so.
    #[must_use]
    pub fn but(self, allowed: &[String]) -> Self {
        Self { allowed: allowed.into(), ..self }
    }

    /// The public addresses of a name; of an allowed one, all.
    ///
    /// # Errors
    /// [`LookupError`], the same for whatever could not be looked up and for what may not be dialled.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        let found = tokio::time::timeout(self.longest, (self.lookup)(name.to_owned()));
        let found = found.await.map_err(|_| LookupError::Silent)?.map_err(|_| LookupError::NotFound)?;
        if found.is_empty() {
            return Err(LookupError::NotFound);
        }
        let is_allowed = self.allowed.iter().any(|allowed| allowed == name);
        let public: Vec<IpAddr> = found.into_iter().filter(|address| is_allowed || is_public(*address)).collect();
        if public.is_empty() { Err(LookupError::Private) } else { Ok(public) }
    }
}

impl Default for PublicOnly {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PublicOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicOnly")
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await;
            let addresses = found.map_err(|error| Box::new(error) as Box<dyn Error + Send + Sync>)?;
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

async fn ask_the_system(name: String) -> std::io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

/// Whether an address may be dialled: none of the special-purpose ranges (IANA registries, RFC 6890), and no spelling of
/// IPv4 inside of IPv6, whatever it holds.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !REFUSED_V4.iter().any(|(net, bits, _)| in_v4(v4, *net, *bits)),
        IpAddr::V6(v6) => !REFUSED_V6.iter().any(|(net, bits, _)| in_v6(v6, *net, *bits)),
    }
}

/// What the first special-purpose range is for that a network lies in or holds a part of, such as "private"; `None` for a
/// network of public addresses. `prefix` is at least 1.
pub fn special_purpose(first: IpAddr, prefix: u8) -> Option<&'static str> {
    let prefix = u32::from(prefix);
    match first {
        IpAddr::V4(v4) => {
            REFUSED_V4.iter().find(|(net, bits, _)| in_v4(v4, *net, prefix.min(*bits))).map(|(.., kind)| *kind)
        }
        IpAddr::V6(v6) => {
            let known = REFUSED_V6.iter().find(|(net, bits, _)| in_v6(v6, *net, prefix.min(*bits)));
            let is_unicast = in_v6(v6, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1);
            known.map(|(.., kind)| *kind).or_else(|| (!is_unicast).then_some("reserved"))
        }
    }
}

const REFUSED_V4: [(Ipv4Addr, u32, &str); 14] = [
    (Ipv4Addr::UNSPECIFIED, 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared (carrier-grade NAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

const REFUSED_V6: [(Ipv6Addr, u32, &str); 13] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    // IPv4-compatible addresses
    (Ipv6Addr::UNSPECIFIED, 96, "reserved"),
    // IPv4-mapped
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xFFFF, 0, 0), 96, "IPv4-mapped"),
    // NAT64, well-known and local
    (Ipv6Addr::new(0x64, 0xFF9B, 0, 0, 0, 0, 0, 0), 96, "NAT64"),
    (Ipv6Addr::new(0x64, 0xFF9B, 1, 0, 0, 0, 0, 0), 48, "NAT64"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "Teredo"),
    (Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x3FFF, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    // Unique local
    (Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

/// All IPv6 addresses that a machine on the internet can have today (RFC 4291 and the IANA registry).
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const fn in_v4(address: Ipv4Addr, net: Ipv4Addr, bits: u32) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (32 - bits) == 0
}

const fn in_v6(address: Ipv6Addr, net: Ipv6Addr, bits: u32) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(answer: Vec<&'static str>) -> PublicOnly {
        let addresses: Vec<IpAddr> = answer.into_iter().map(|text| text.parse().unwrap()).collect();
        let lookup: Lookup = Arc::new(move |_| {
            let addresses = addresses.clone();
            Box::pin(async move { Ok(addresses) })
        });
        PublicOnly::over(lookup, LONGEST)
    }

    /// The first and the last address of each refused range, and the wrappers with a loopback inside.
    const PRIVATE: &[&str] = &[
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.0",
        "192.0.2.255",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.0",
        "198.51.100.255",
        "203.0.113.0",
        "203.0.113.255",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "2001::7f00:1",
        "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::1",
        "2001:db8:ffff:ffff::",
        "3fff::",
        "3fff:fff:ffff::1",
        "2002:7f00:1::",
        "2002:ffff:ffff:ffff::",
        "fc00::",
        "fdff:ffff::1",
        "fe80::1",
        "febf:ffff::",
        "ff00::",
        "ff02::1",
    ];

    /// The neighbours just outside.
    const PUBLIC: &[&str] = &[
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "23.227.38.74",
        "64:ff9b:2::1",
        "2001:1::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2620:127:f00f:5::",
        "3ffe:ffff::1",
        "3fff:1000::",
        "fbff::1",
        "0:0:0:0:0:fffe::",
    ];

    #[tokio::test]
    async fn each_private_range_is_refused_alone_and_left_out_of_a_mixture() {
        for private in PRIVATE {
            assert!(!is_public(private.parse().unwrap()), "{private}");
            assert_eq!(resolver(vec![private]).addresses("x").await, Err(LookupError::Private), "{private}");
            let mixed = resolver(vec![private, "23.227.38.74"]).addresses("x").await.unwrap();
            assert_eq!(mixed, ["23.227.38.74".parse::<IpAddr>().unwrap()], "{private}");
        }
    }

    #[tokio::test]
    async fn the_addresses_beside_the_ranges_are_let_through() {
        for public in PUBLIC {
            let found = resolver(vec![public]).addresses("x").await;
            assert_eq!(found, Ok(vec![public.parse().unwrap()]), "{public}");
        }
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_apart() {
        let failing: Lookup = Arc::new(|_| Box::pin(async { Err(std::io::Error::other("NXDOMAIN")) }));
        assert_eq!(PublicOnly::over(failing, LONGEST).addresses("x").await, Err(LookupError::NotFound));
        assert_eq!(resolver(vec![]).addresses("x").await, Err(LookupError::NotFound));
        let silent: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
        let silent = PublicOnly::over(silent, Duration::from_millis(10));
        assert_eq!(silent.addresses("x").await, Err(LookupError::Silent));
    }

    #[tokio::test]
    async fn a_name_that_the_operator_allows_may_be_private_and_no_other() {
        let resolver = resolver(vec!["10.0.0.7"]).but(&["hooks.internal".to_owned()]);
        assert_eq!(resolver.addresses("hooks.internal").await, Ok(vec!["10.0.0.7".parse().unwrap()]));
        for other in ["internal", "x.hooks.internal", "hooks.internal.", "hooks.internal.example"] {
            assert_eq!(resolver.addresses(other).await, Err(LookupError::Private), "{other}");
        }
    }

    #[tokio::test]
    async fn the_name_of_this_machine_is_a_private_address() {
        assert_eq!(PublicOnly::new().addresses("localhost").await, Err(LookupError::Private));
    }
}
