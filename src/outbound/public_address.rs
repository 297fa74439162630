//! Decides which addresses are public. This is the only rule for all code that dials or lists addresses.
//!
//! IPv6 has an allow-list, the global unicast block. Special ranges within it, and within IPv4, are excluded according
//! to IANA's registries:
//! <https://www.iana.org/assignments/iana-ipv4-special-registry/>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry/>.
//! Ranges that are reachable but never belong to a merchant, such as relays, are excluded as well.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address may be dialled.
pub fn is_public(address: IpAddr) -> bool {
    special_purpose(address, if address.is_ipv4() { 32 } else { 128 }).is_none()
}

/// The purpose of the first special-purpose range that overlaps a network, such as "private". `None` if the network has
/// only public addresses. `prefix` is in bits, at least 1.
pub fn special_purpose(first: IpAddr, prefix: u8) -> Option<&'static str> {
    let prefix = u32::from(prefix);
    match first {
        IpAddr::V4(v4) => {
            SPECIAL_V4.iter().find(|(net, bits, _)| in_v4(v4, *net, prefix.min(*bits))).map(|(.., kind)| *kind)
        }
        IpAddr::V6(v6) => {
            let known = SPECIAL_V6.iter().find(|(net, bits, _)| in_v6(v6, *net, prefix.min(*bits)));
            let is_unicast = in_v6(v6, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1);
            known.map(|(.., kind)| *kind).or_else(|| (!is_unicast).then_some("reserved"))
        }
    }
}

const SPECIAL_V4: [(Ipv4Addr, u32, &str); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared (carrier-grade NAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// The only IPv6 block assigned to hosts on the internet today (RFC 4291 §2.4 and IANA's registry).
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Excluded ranges within [`GLOBAL_UNICAST`], and named ranges outside it.
const SPECIAL_V6: [(Ipv6Addr, u32, &str); 13] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xFFFF, 0, 0), 96, "IPv4-mapped"),
    (Ipv6Addr::new(0x64, 0xFF9B, 0, 0, 0, 0, 0, 0), 96, "NAT64"),
    (Ipv6Addr::new(0x64, 0xFF9B, 1, 0, 0, 0, 0, 0), 48, "NAT64"),
    // Protocol assignments (RFC 2928): Teredo 2001::/32, benchmarking 2001:2::/48, ORCHIDv2 2001:20::/28 and others.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved"),
    (Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    // The last block of the 6bone, returned to IANA in 2006 (RFC 3701).
    (Ipv6Addr::new(0x3FFE, 0, 0, 0, 0, 0, 0, 0), 16, "reserved"),
    (Ipv6Addr::new(0x3FFF, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
    (Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

const fn in_v4(address: Ipv4Addr, net: Ipv4Addr, bits: u32) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (32 - bits) == 0
}

const fn in_v6(address: Ipv6Addr, net: Ipv6Addr, bits: u32) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::IpNetwork;

    /// IANA's special-purpose registries as of November 2026, and other blocks that are not on the internet.
    const SPECIAL: &str = "
        0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
        192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16
        198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32
        ::1/128 ::/128 ::/96 64:ff9b::/96 64:ff9b:1::/48 64:ff9b:2::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32
        2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28
        2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8 4000::/3 8000::/1";

    /// Addresses adjacent to those ranges, reachable registry entries, and addresses of Shopify.
    const PUBLIC: &str = "
        1.0.0.0 9.255.255.255 11.0.0.0 23.227.38.74 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
        169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.31.196.1 192.52.193.1 192.88.98.255 192.88.100.0
        192.167.255.255 192.169.0.0 192.175.48.1 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0
        223.255.255.255 2001:200:: 2001:4860:4860::8888 2001:db7:ffff:: 2001:db9:: 2003::1 2600:: 2620:127:f00f:5::
        2620:4f:8000::1 3ffd:ffff:: 3fff:1000::";

    fn last(network: IpNetwork) -> IpAddr {
        match network.first() {
            IpAddr::V4(first) => {
                Ipv4Addr::from_bits(first.to_bits() | u32::MAX.checked_shr(network.prefix().into()).unwrap_or(0)).into()
            }
            IpAddr::V6(first) => {
                Ipv6Addr::from_bits(first.to_bits() | u128::MAX.checked_shr(network.prefix().into()).unwrap_or(0))
                    .into()
            }
        }
    }

    #[test]
    fn special_purpose_ranges_are_not_public() {
        for text in SPECIAL.split_whitespace() {
            let (first, prefix) = text.split_once('/').expect(text);
            let (first, prefix): (IpAddr, u8) = (first.parse().expect(text), prefix.parse().expect(text));
            let network = IpNetwork::parse(text).map_or(first, last);
            for address in [first, network] {
                assert!(!is_public(address), "{text}: {address}");
            }
            assert!(special_purpose(first, prefix).is_some(), "{text}");
        }
    }

    #[test]
    fn addresses_next_to_special_ranges_are_public() {
        for text in PUBLIC.split_whitespace() {
            assert!(is_public(text.parse().expect(text)), "{text}");
        }
    }

    #[test]
    fn ipv4_embedded_in_ipv6_is_not_public() {
        for text in
            ["::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::", "2001::7f00:1"]
        {
            assert!(!is_public(text.parse().expect(text)), "{text}");
        }
    }
}
