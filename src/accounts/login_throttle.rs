//! Login throttle: limits for password attempts, counted before anything is hashed. Unknown browsers are counted by
//! network, by account and network, and by account; a browser that signed in before has its own count; a signed-in user
//! is counted by session.

use std::{net::IpAddr, time::Duration};

use super::device::Device;
use crate::{
    database::throttle::{Bucket, BucketKind, Throttle},
    network::IpNetwork,
};

const WINDOW: Duration = Duration::from_mins(5);
const PAIR_LIMIT: u32 = 5;
const ACCOUNT_LIMIT: u32 = 20;
const DEVICE_LIMIT: u32 = 10;
const STEP_UP_LIMIT: u32 = 5;
/// Attempts allowed by prefix length of the network. One customer of an IPv6 provider may have a /48.
const IPV4_LIMITS: &[(u8, u32)] = &[(32, 30)];
const IPV6_LIMITS: &[(u8, u32)] = &[(48, 120), (56, 60), (64, 30)];

/// The message, such as "Too many sign-in tries. Try again in 5 minutes."
pub(super) fn too_many(wait: Duration) -> String {
    let minutes = wait.as_secs().div_ceil(60);
    format!("Too many sign-in tries. Try again in {minutes} {}.", if minutes == 1 { "minute" } else { "minutes" })
}

/// The networks that contain a client, widest first, with the attempt limit of each.
#[derive(Clone, Debug)]
pub(super) struct ClientNetworks {
    address: IpAddr,
    limits: &'static [(u8, u32)],
}

impl ClientNetworks {
    pub(super) fn of(ip: Option<&str>) -> Self {
        let address = ip.and_then(|ip| ip.parse().ok()).unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        let address: IpAddr = address.to_canonical();
        Self { address, limits: if address.is_ipv4() { IPV4_LIMITS } else { IPV6_LIMITS } }
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = (IpNetwork, u32)> {
        self.limits.iter().map(|(prefix, limit)| (IpNetwork::around(self.address, *prefix), *limit))
    }

    pub(super) fn widest(&self) -> IpNetwork {
        self.all().next().expect("a table with rows").0
    }

    fn narrowest(&self) -> IpNetwork {
        self.all().next_back().expect("a table with rows").0
    }
}

/// The limits of one sign-in attempt, in the order in which they are checked. A known device has one limit of its own
/// and shares none.
pub(super) fn of_sign_in(email: &str, networks: &ClientNetworks, device: Option<Device>) -> Vec<(Throttle, Bucket)> {
    let limit = |limit, kind, parts: &[&[u8]]| (Throttle { limit, window: WINDOW }, Bucket::of(kind, parts));
    if let Some(Device { account, nonce }) = device {
        return vec![limit(DEVICE_LIMIT, BucketKind::SignInDevice, &[account.as_bytes(), &nonce])];
    }
    let narrowest = networks.narrowest().to_string();
    let of_network =
        |(network, most): (IpNetwork, u32)| limit(most, BucketKind::SignInNetwork, &[network.to_string().as_bytes()]);
    let of_account = [
        limit(PAIR_LIMIT, BucketKind::SignInPair, &[email.as_bytes(), narrowest.as_bytes()]),
        limit(ACCOUNT_LIMIT, BucketKind::SignInAccount, &[email.as_bytes()]),
    ];
    networks.all().map(of_network).chain(of_account).collect()
}

/// The limit of password confirmations in a session.
pub(super) fn of_step_up(session: &[u8]) -> (Throttle, Bucket) {
    (Throttle { limit: STEP_UP_LIMIT, window: WINDOW }, Bucket::of(BucketKind::StepUp, &[session]))
}

/// Resets the counts after a successful sign-in, except the network counts, because one success does not vouch for
/// other attempts from the same network.
pub(super) async fn clear(
    connection: &mut crate::database::Connection,
    limits: &[(Throttle, Bucket)],
) -> sqlx::Result<()> {
    for (_, bucket) in limits.iter().filter(|(_, bucket)| bucket.kind != BucketKind::SignInNetwork) {
        bucket.clear(connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(ip: &str) -> Vec<String> {
        ClientNetworks::of(Some(ip)).all().map(|(network, limit)| format!("{network} {limit}")).collect()
    }

    #[test]
    fn addresses_are_counted_by_network_with_growing_limits() {
        assert_eq!(networks("203.0.113.7"), ["203.0.113.7 30"]);
        assert_eq!(networks("::ffff:203.0.113.7"), ["203.0.113.7 30"]);
        assert_eq!(
            networks("2001:db8:1:234:3:4:5:6"),
            ["2001:db8:1::/48 120", "2001:db8:1:200::/56 60", "2001:db8:1:234::/64 30"]
        );
    }

    #[test]
    fn typed_text_never_hits_the_bucket_of_a_network() {
        let (here, there) = (ClientNetworks::of(Some("192.0.2.1")), ClientNetworks::of(Some("203.0.113.7")));
        let of_here: Vec<Bucket> = of_sign_in("priya@northwind.example", &here, None).iter().map(|one| one.1).collect();
        for email in ["/192.0.2.1", "192.0.2.1", "priya@northwind.example/192.0.2.1", ""] {
            for (_, bucket) in of_sign_in(email, &there, None) {
                assert!(!of_here.contains(&bucket), "{email}");
            }
        }
    }

    #[test]
    fn wait_is_shown_in_minutes() {
        assert_eq!(too_many(Duration::from_mins(5)), "Too many sign-in tries. Try again in 5 minutes.");
        assert_eq!(too_many(Duration::from_secs(9)), "Too many sign-in tries. Try again in 1 minute.");
    }
}
