//! Times a look-up for the call that it serves.

use std::time::Instant;

use reqwest::dns::{Name, Resolve, Resolving};

use super::meter;
use crate::outbound::resolver::PublicOnly;

/// The resolver of every way out, with a mark on the meter.
#[derive(Clone, Debug, Default)]
pub struct Timed(PublicOnly);

impl Resolve for Timed {
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
    async fn a_look_up_is_timed_for_the_call_that_it_serves() {
        let meter = meter::Meter::default();
        assert!(
            meter.scope(Timed::default().resolve("localhost".parse().unwrap())).await.is_err(),
            "a private address"
        );
        assert!(meter.timings().dns_ms.is_some());
    }
}
