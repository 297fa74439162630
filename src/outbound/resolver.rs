//! DNS resolver that returns only public addresses. It defeats forged DNS answers and DNS rebinding, because the
//! addresses that pass the filter are the ones that are dialled. It does not detect a forged server on a public
//! address; TLS does. It filters addresses and not text, because an IPv4 address has nine more spellings in IPv6.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::public_address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Lookup timeout: 4 s, less than the 5 s for the whole connect, so that a resolver that does not answer is reported as
/// the cause.
pub const LONGEST: Duration = Duration::from_secs(4);

/// Why a name has no address that may be dialled.
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

/// The system's resolver with the filter.
#[derive(Clone)]
pub struct PublicOnly {
    lookup: Lookup,
    longest: Duration,
    /// Names that may resolve to private addresses.
    allowed: Arc<[String]>,
}

impl PublicOnly {
    pub fn new() -> Self {
        Self::over(Arc::new(|name| Box::pin(ask_the_system(name))), LONGEST)
    }

    fn over(lookup: Lookup, longest: Duration) -> Self {
        Self { lookup, longest, allowed: Arc::default() }
    }

    /// Allows these names to resolve to private addresses, as configured by the operator.
    #[must_use]
    pub fn but(self, allowed: &[String]) -> Self {
        Self { allowed: allowed.into(), ..self }
    }

    /// Looks up the public addresses of `name`, or all of its addresses if the name is allowed.
    ///
    /// # Errors
    /// [`LookupError`] if the lookup fails or no address may be dialled.
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

    #[tokio::test]
    async fn private_addresses_are_filtered_out() {
        for private in ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fec0::1", "fe80::1"] {
            assert_eq!(resolver(vec![private]).addresses("x").await, Err(LookupError::Private), "{private}");
            let mixed = resolver(vec![private, "23.227.38.74"]).addresses("x").await.unwrap();
            assert_eq!(mixed, ["23.227.38.74".parse::<IpAddr>().unwrap()], "{private}");
        }
    }

    #[tokio::test]
    async fn lookup_errors_are_distinguished() {
        let failing: Lookup = Arc::new(|_| Box::pin(async { Err(std::io::Error::other("NXDOMAIN")) }));
        assert_eq!(PublicOnly::over(failing, LONGEST).addresses("x").await, Err(LookupError::NotFound));
        assert_eq!(resolver(vec![]).addresses("x").await, Err(LookupError::NotFound));
        let silent: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
        let silent = PublicOnly::over(silent, Duration::from_millis(10));
        assert_eq!(silent.addresses("x").await, Err(LookupError::Silent));
    }

    #[tokio::test]
    async fn only_allowed_names_may_be_private() {
        let resolver = resolver(vec!["10.0.0.7"]).but(&["hooks.internal".to_owned()]);
        assert_eq!(resolver.addresses("hooks.internal").await, Ok(vec!["10.0.0.7".parse().unwrap()]));
        for other in ["internal", "x.hooks.internal", "hooks.internal.", "hooks.internal.example"] {
            assert_eq!(resolver.addresses(other).await, Err(LookupError::Private), "{other}");
        }
    }

    #[tokio::test]
    async fn localhost_is_private() {
        assert_eq!(PublicOnly::new().addresses("localhost").await, Err(LookupError::Private));
    }
}
