//! The public addresses from which this server calls Shopify, as the operator lists them. Pages show them to users
//! whose app has an IP allowlist. Nothing here detects or verifies the addresses.

use std::{fmt, sync::Arc};

use super::public_address::special_purpose;
use crate::network::IpNetwork;

/// Shortest accepted prefix: no organization holds a larger block.
const MIN_PREFIX_V4: u8 = 8;
const MIN_PREFIX_V6: u8 = 16;

/// `CARTWRIGHT_EGRESS_ADDRESSES`: addresses and networks without duplicates, in the order of the setting. Cheap to
/// clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressAddresses(Arc<[IpNetwork]>);

impl EgressAddresses {
    /// Parses a list such as `198.51.100.7, 198.51.100.64/28`, with commas or white space between the entries.
    ///
    /// # Errors
    /// A sentence for each entry that Shopify cannot see as a source address.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let separator = |c: char| c == ',' || c.is_whitespace();
        let (mut known, mut problems) = (Vec::new(), Vec::new());
        for entry in text.split(separator).filter(|entry| !entry.is_empty()) {
            match public_network(entry) {
                Ok(network) if known.contains(&network) => {}
                Ok(network) => known.push(network),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self(known.into())) } else { Err(problems) }
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each address or network as text.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// Formats the list with commas.
impl fmt::Display for EgressAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(", "))
    }
}

fn public_network(entry: &str) -> Result<IpNetwork, String> {
    let network = IpNetwork::parse(entry).map_err(|error| format!("{entry:?} {error}"))?;
    let shortest = if network.first().is_ipv4() { MIN_PREFIX_V4 } else { MIN_PREFIX_V6 };
    if network.prefix() < shortest {
        return Err(format!(
            "{entry:?} is too wide: it lets nearly everyone in. List the addresses that calls really come from"
        ));
    }
    match special_purpose(network.first(), network.prefix()) {
        None => Ok(network),
        Some(kind) => Err(format!(
            "{entry:?} is or holds {kind} addresses, and Shopify never sees those. Write the public address that calls come \
             from, such as that of your NAT gateway or proxy"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_listed_once_in_the_order_entered() {
        let text =
            "8.8.4.4,1.1.1.0/24 [2606:4700::1111]\n, 8.8.4.4/32\t2606:4700::/32,::ffff:8.8.4.4,::ffff:1.1.1.0/120,";
        let list = EgressAddresses::parse(text).expect("public addresses");
        assert_eq!(list.texts(), ["8.8.4.4", "1.1.1.0/24", "2606:4700::1111", "2606:4700::/32"]);
        assert_eq!(list.to_string(), "8.8.4.4, 1.1.1.0/24, 2606:4700::1111, 2606:4700::/32");
        for empty in ["", " , ", "\n"] {
            assert!(EgressAddresses::parse(empty).expect("an empty list").is_empty(), "{empty:?}");
        }
    }

    #[test]
    fn entries_shopify_cannot_see_are_reported_with_a_reason() {
        let table = [
            ("orders.example.com", "is not an IP address"),
            ("8.8.4.4:443", "is not an IP address"),
            ("8.8.4.0/33", "prefix that is too long"),
            ("2606:4700::/129", "prefix that is too long"),
            ("8.8.4.4/24", "write 8.8.4.0/24, or 8.8.4.4 alone"),
            ("::ffff:8.8.4.4/120", "write 8.8.4.0/24, or 8.8.4.4 alone"),
            ("0.0.0.0/0", "too wide"),
            ("::/0", "too wide"),
            ("128.0.0.0/1", "too wide"),
            ("2000::/3", "too wide"),
            ("::ffff:0.0.0.0/96", "too wide"),
            ("10.0.0.7", "private"),
            ("172.16.0.0/12", "private"),
            ("192.168.4.7", "private"),
            ("::ffff:10.0.0.7", "private"),
            ("172.0.0.0/8", "private"),
            ("fd00::7", "private"),
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("0.0.0.0", "unspecified"),
            ("::", "unspecified"),
            ("169.254.0.1", "link-local"),
            ("fe80::1", "link-local"),
            ("100.64.0.1", "shared"),
            ("192.0.2.7", "documentation"),
            ("198.51.100.0/24", "documentation"),
            ("203.0.113.7", "documentation"),
            ("2001:db8::7", "documentation"),
            ("3fff::7", "documentation"),
            ("224.0.0.1", "multicast"),
            ("ff02::1", "multicast"),
            ("255.255.255.255", "reserved"),
            ("fec0::1", "reserved"),
            ("100::1", "reserved"),
            ("4000::1", "reserved"),
        ];
        for (entry, reason) in table {
            let problems = EgressAddresses::parse(&format!("8.8.8.8,{entry}")).expect_err(entry);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(reason) && problems[0].starts_with(&format!("{entry:?} ")), "{problems:?}");
        }
        let all: Vec<&str> = table.iter().map(|(entry, _)| *entry).collect();
        assert_eq!(EgressAddresses::parse(&all.join(",")).expect_err("all wrong").len(), table.len());
    }
}
