//! IP networks in CIDR notation, as used in settings. IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`) become IPv4.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// One address, or all addresses that share a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpNetwork {
    /// First address of the network: all host bits are zero.
    first: IpAddr,
    /// Number of network bits: 32 (IPv4) or 128 (IPv6) for a single address.
    prefix: u8,
}

/// Why a text is not a network. Each message continues a sentence that starts with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpNetworkError {
    #[error("is not an IP address, nor a network such as 198.51.100.0/24")]
    NotAnAddress,
    #[error("has a prefix that is too long: an address of this kind has {0} bits")]
    PrefixTooLong(u8),
    #[error("is not the beginning of a network: write {network}, or {address} alone")]
    HostBitsSet { network: IpNetwork, address: IpAddr },
}

impl IpNetwork {
    /// Parses `198.51.100.7`, `198.51.100.0/24`, `2001:db8::/32` or `[2001:db8::1]`.
    ///
    /// # Errors
    /// [`IpNetworkError`], also if host bits are set, because the intended network is ambiguous.
    pub fn parse(text: &str) -> Result<Self, IpNetworkError> {
        let text = unbracketed(text);
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let written: IpAddr = unbracketed(address).parse().map_err(|_| IpNetworkError::NotAnAddress)?;
        let width = width(written);
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() => {
                digits.parse().ok().filter(|prefix| *prefix <= width).ok_or(IpNetworkError::PrefixTooLong(width))?
            }
            Some(_) => return Err(IpNetworkError::NotAnAddress),
        };
        let (address, prefix) = canonical(written, prefix);
        let network = Self { first: first(address, prefix), prefix };
        if network.first == address { Ok(network) } else { Err(IpNetworkError::HostBitsSet { network, address }) }
    }

    /// The network with this prefix length that contains `address`.
    pub fn around(address: IpAddr, prefix: u8) -> Self {
        Self { first: first(address, prefix), prefix }
    }

    pub const fn first(self) -> IpAddr {
        self.first
    }

    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether the network contains every address of its family.
    pub const fn is_everything(self) -> bool {
        self.prefix == 0
    }

    /// Whether the network contains `address`. An IPv4 network contains no IPv6 address, and vice versa.
    pub fn contains(self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && first(address, self.prefix) == self.first
    }
}

/// Omits the prefix of a single address.
impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, prefix } = self;
        if *prefix == width(*first) { write!(f, "{first}") } else { write!(f, "{first}/{prefix}") }
    }
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Converts an IPv4-mapped IPv6 address to IPv4. An address whose prefix is shorter than the 96 bits of the mapping is
/// unchanged.
const fn canonical(address: IpAddr, prefix: u8) -> (IpAddr, u8) {
    const WRAPPER: u8 = 96;
    match address {
        IpAddr::V6(v6) if prefix >= WRAPPER => match v6.to_ipv4_mapped() {
            Some(v4) => (IpAddr::V4(v4), prefix - WRAPPER),
            None => (address, prefix),
        },
        _ => (address, prefix),
    }
}

/// The address with its host bits cleared.
fn first(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or_default();
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or_default();
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_formatted_in_their_shortest_form() {
        let table = [
            ("198.51.100.7", "198.51.100.7"),
            ("198.51.100.7/32", "198.51.100.7"),
            ("198.51.100.0/24", "198.51.100.0/24"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::]/32", "2001:db8::/32"),
            ("[2001:db8::/32]", "2001:db8::/32"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("::ffff:198.51.100.0/120", "198.51.100.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ];
        for (text, expected) in table {
            assert_eq!(IpNetwork::parse(text).map(|network| network.to_string()), Ok(expected.into()), "{text}");
        }
    }

    #[test]
    fn invalid_networks_are_rejected_with_a_reason() {
        use IpNetworkError::{NotAnAddress, PrefixTooLong};
        let none = ["", "/", "/8", "x", "10.0.0", "010.0.0.1", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/x"];
        for text in none.into_iter().chain(["10.0.0.7:443", "[::1]:443", "fe80::1%eth0", "[::1", "10.0.0.0/8/8"]) {
            assert_eq!(IpNetwork::parse(text), Err(NotAnAddress), "{text}");
        }
        assert_eq!(IpNetwork::parse("10.0.0.0/33"), Err(PrefixTooLong(32)));
        assert_eq!(IpNetwork::parse("10.0.0.0/4096"), Err(PrefixTooLong(32)));
        assert_eq!(IpNetwork::parse("fd00::/129"), Err(PrefixTooLong(128)));
        let host_bits = IpNetwork::parse("10.0.0.1/8").expect_err("host bits are set");
        assert!(host_bits.to_string().ends_with("write 10.0.0.0/8, or 10.0.0.1 alone"), "{host_bits}");
    }
}
