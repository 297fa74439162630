//! What limits a key besides its carts: its scopes, the networks that it is used from, and its lifetime.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use time::Duration;

use super::Scope;
use crate::network::{IpNetwork, IpNetworkError};

/// At least one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyScopes(BTreeSet<Scope>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyScopesError {
    #[error("Choose at least one thing that the key allows")]
    Empty,
    #[error("“{name}” is not a scope. The scopes are {}", all_scopes())]
    Unknown { name: String },
}

fn all_scopes() -> String {
    Scope::ALL.map(Scope::as_str).join(", ")
}

impl KeyScopes {
    /// Parses names of scopes, separated by commas or white space.
    pub fn parse(text: &str) -> Result<Self, KeyScopesError> {
        let known = entries(text).map(|(_, name)| {
            Scope::parse(name).ok_or_else(|| KeyScopesError::Unknown { name: crate::pasted::redact_tokens(name) })
        });
        let scopes = known.collect::<Result<BTreeSet<_>, _>>()?;
        if scopes.is_empty() { Err(KeyScopesError::Empty) } else { Ok(Self(scopes)) }
    }

    /// The stored form.
    pub(super) fn texts(&self) -> Vec<String> {
        self.0.iter().map(|scope| scope.as_str().to_owned()).collect()
    }
}

/// The networks that a key is used from: 1 to 50.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNetworks(Vec<IpNetwork>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyNetworksError {
    #[error("Line {line}: “{entry}” {error}")]
    Entry { line: usize, entry: String, error: IpNetworkError },
    #[error("Line {line}: “{entry}” is every address. Leave the field empty to allow all")]
    Everything { line: usize, entry: String },
    #[error("Enter {} networks or fewer", KeyNetworks::MAX)]
    TooMany,
}

impl KeyNetworks {
    pub const MAX: usize = 50;

    /// Parses addresses and networks in CIDR notation, separated by commas or white space. `None` if there are none.
    pub fn parse(text: &str) -> Result<Option<Self>, KeyNetworksError> {
        let mut networks = Vec::new();
        for (line, entry) in entries(text) {
            let shown = || crate::pasted::redact_tokens(entry).chars().take(60).collect::<String>();
            let network =
                IpNetwork::parse(entry).map_err(|error| KeyNetworksError::Entry { line, entry: shown(), error })?;
            if network.is_everything() {
                return Err(KeyNetworksError::Everything { line, entry: shown() });
            }
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        match networks.len() {
            0 => Ok(None),
            1..=Self::MAX => Ok(Some(Self(networks))),
            _ => Err(KeyNetworksError::TooMany),
        }
    }

    /// The stored form.
    pub(super) fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// Whether one of these stored networks contains the client. A network that cannot be read contains nobody.
pub(super) fn contains(networks: &[String], client: Option<IpAddr>) -> bool {
    client.is_some_and(|client| {
        networks.iter().filter_map(|text| IpNetwork::parse(text).ok()).any(|network| network.contains(client))
    })
}

/// How long a key works: 1 to 365 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLifetime(i32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter a number of days from 1 to {}", KeyLifetime::MAX_DAYS)]
pub struct KeyLifetimeError;

impl KeyLifetime {
    pub const MAX_DAYS: i32 = 365;
    pub const DEFAULT: Self = Self(90);

    pub fn of_days(days: i32) -> Result<Self, KeyLifetimeError> {
        if (1..=Self::MAX_DAYS).contains(&days) { Ok(Self(days)) } else { Err(KeyLifetimeError) }
    }

    /// The lifetime of a replaced key, for the key that replaces it.
    pub(super) fn of_stored(lifetime: Duration) -> Self {
        let days = i32::try_from(lifetime.whole_days()).unwrap_or(Self::MAX_DAYS);
        Self(days.clamp(1, Self::MAX_DAYS))
    }

    pub const fn days(self) -> i32 {
        self.0
    }
}

impl fmt::Display for KeyLifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 1 { f.write_str("1 day") } else { write!(f, "{} days", self.0) }
    }
}

/// The entries of a list, separated by commas or white space, each with the number of its line.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(line, text)| {
        text.split(|c: char| c == ',' || crate::pasted::is_padding(c))
            .filter(|entry| !entry.is_empty())
            .map(move |entry| (line + 1, entry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_listed_once_in_their_order() {
        let scopes = KeyScopes::parse("tokens:issue, carts:read carts:read").expect("scopes");
        assert_eq!(scopes.texts(), ["carts:read", "tokens:issue"]);
        assert_eq!(KeyScopes::parse(" , "), Err(KeyScopesError::Empty));
        let unknown = KeyScopes::parse("carts:read,carts:all").expect_err("no such scope").to_string();
        assert_eq!(
            unknown,
            "“carts:all” is not a scope. The scopes are carts:read, carts:write, carts:check, tokens:issue"
        );
    }

    #[test]
    fn mistaken_network_is_reported_with_its_line() {
        let networks =
            KeyNetworks::parse("198.51.100.0/24\r\n2001:db8::1, ::ffff:203.0.113.7 203.0.113.7").expect("networks");
        assert_eq!(networks.expect("some").texts(), ["198.51.100.0/24", "2001:db8::1", "203.0.113.7"]);
        assert_eq!(KeyNetworks::parse(" \n,"), Ok(None));
        for (text, sentence) in [
            (
                "198.51.100.7\n198.51.100.1/24",
                "Line 2: “198.51.100.1/24” is not the beginning of a network: write 198.51.100.0/24, or 198.51.100.1 alone",
            ),
            (
                "sync.example.com",
                "Line 1: “sync.example.com” is not an IP address, nor a network such as 198.51.100.0/24",
            ),
            ("\n\n::/0", "Line 3: “::/0” is every address. Leave the field empty to allow all"),
        ] {
            assert_eq!(KeyNetworks::parse(text).expect_err("a mistake").to_string(), sentence);
        }
        let many = (0..51).map(|n| format!("10.0.{n}.0/24")).collect::<Vec<_>>().join("\n");
        assert_eq!(KeyNetworks::parse(&many), Err(KeyNetworksError::TooMany));
    }

    #[test]
    fn unreadable_network_contains_nobody() {
        let client = Some("10.0.0.7".parse().expect("an address"));
        assert!(contains(&["x".into(), "10.0.0.0/8".into()], client));
        assert!(!contains(&["x".into()], client) && !contains(&["10.0.0.0/8".into()], None));
    }

    #[test]
    fn lifetime_is_at_most_a_year() {
        assert_eq!(KeyLifetime::of_days(365).map(KeyLifetime::days), Ok(365));
        for days in [0, -1, 366] {
            assert_eq!(KeyLifetime::of_days(days), Err(KeyLifetimeError));
        }
        assert_eq!(KeyLifetime::of_stored(Duration::days(366)).days(), 365);
        assert_eq!(KeyLifetime::of_stored(Duration::hours(5)).days(), 1);
    }
}
