//! Bounds the memory of large forms while they arrive: limits their number per process and per network. None is
//! refused: a form that has to wait is not read further, so TCP flow control holds the rest back until its deadline.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::network::IpNetwork;

/// Large forms read concurrently: at most 144 KiB each, 7 MiB together.
const AT_ONCE: usize = 48;
/// Large forms read concurrently from one network.
const AT_ONCE_PER_NETWORK: usize = 8;
/// Prefix length that groups IPv6 addresses: a provider may assign a whole /48 to one customer.
const IPV6_PREFIX: u8 = 48;
const IPV4_PREFIX: u8 = 32;

#[derive(Clone, Debug)]
pub struct LargeForms {
    all: Arc<Semaphore>,
    networks: Arc<Mutex<HashMap<IpNetwork, Weak<Semaphore>>>>,
}

/// Permission to continue reading a large form.
#[derive(Debug)]
pub struct LargeFormPermit {
    _all: OwnedSemaphorePermit,
    _network: OwnedSemaphorePermit,
}

impl Default for LargeForms {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE)), networks: Arc::default() }
    }
}

impl LargeForms {
    /// Waits until another form of this client may be read. Clients without an address count as one network.
    pub async fn permit(&self, client: Option<IpAddr>) -> LargeFormPermit {
        let client = client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
        let prefix = if client.is_ipv4() { IPV4_PREFIX } else { IPV6_PREFIX };
        let network = self.network(IpNetwork::around(client, prefix));
        // The network's permit first, so that a waiting network holds no permit that others need.
        let network = network.acquire_owned().await.expect("never closed");
        let all = Arc::clone(&self.all).acquire_owned().await.expect("never closed");
        LargeFormPermit { _all: all, _network: network }
    }

    fn network(&self, network: IpNetwork) -> Arc<Semaphore> {
        let mut networks = self.networks.lock().expect("nobody panics here");
        if let Some(known) = networks.get(&network).and_then(Weak::upgrade) {
            return known;
        }
        networks.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(Semaphore::new(AT_ONCE_PER_NETWORK));
        networks.insert(network, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn try_permit(forms: &LargeForms, client: &str) -> Option<LargeFormPermit> {
        forms.permit(Some(client.parse().unwrap())).now_or_never()
    }

    #[test]
    fn one_network_leaves_room_for_others() {
        let forms = LargeForms::default();
        let held: Vec<_> = std::iter::from_fn(|| try_permit(&forms, "192.0.2.1")).collect();
        assert_eq!(held.len(), AT_ONCE_PER_NETWORK);
        assert!(try_permit(&forms, "::ffff:192.0.2.1").is_none(), "the same address, written otherwise");
        assert!(try_permit(&forms, "192.0.2.2").is_some());
        drop(held);
        assert!(try_permit(&forms, "192.0.2.1").is_some(), "a permit comes back when it is dropped");
    }

    #[test]
    fn addresses_of_one_ipv6_customer_count_as_one_network() {
        let forms = LargeForms::default();
        let held: Vec<_> = (0..99).map_while(|at| try_permit(&forms, &format!("2001:db8:7:{at:x}::1"))).collect();
        assert_eq!(held.len(), AT_ONCE_PER_NETWORK);
        assert!(try_permit(&forms, "2001:db8:8::1").is_some());
    }

    #[test]
    fn many_networks_together_have_an_end_and_are_forgotten() {
        let forms = LargeForms::default();
        let held: Vec<_> = (0..=255).map_while(|at| try_permit(&forms, &format!("192.0.2.{at}"))).collect();
        assert_eq!(held.len(), AT_ONCE);
        drop(held);
        drop(try_permit(&forms, "198.51.100.1"));
        drop(try_permit(&forms, "198.51.100.2"));
        assert_eq!(forms.networks.lock().unwrap().len(), 1, "networks without a form are dropped");
    }
}
