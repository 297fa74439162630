//! A DNS resolver that records the time of a lookup for its call.

use std::time::Instant;

use reqwest::dns::{Name, Resolve, Resolving};

use super::meter;
use crate::outbound::resolver::PublicOnly;

/// The resolver of all outbound calls, with lookup times recorded on the call's meter.
#[derive(Clone, Debug, Default)]
pub struct TimedResolver(PublicOnly);

impl Resolve for TimedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.resolve(name);
        Box::pin(async move {
            let began = Instant::now();
            let found = found.await;
            meter::note_lookup(began);
            found
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lookup_is_timed_for_its_call() {
        let meter = meter::CallTimer::default();
        assert!(
            meter.scope(TimedResolver::default().resolve("localhost".parse().unwrap())).await.is_err(),
            "a private address"
        );
        assert!(meter.timings().dns_ms.is_some());
    }
}
