//! Shopify stand-in, for new users (`serve --practice`) and for every test. The server under test does not know about
//! it: it is reached through the operator's own settings, an egress proxy and an extra certificate authority. None of
//! its stores is real, and none of its secrets outlives the process.

mod admin_api;
mod bulk;
mod canned;
mod cases;
mod certificates;
mod documents;
mod endpoint;
mod exchange_error;
mod graphql;
mod journal;
mod proxy;
mod reply;
mod scenario;
mod stores;
mod token_exchange;
mod tunnel;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context;
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::{
    canned::Canned,
    cases::{Case, CaseCredential, FIRST},
    certificates::Flaw,
    documents::Operation,
    exchange_error::ExchangeError,
    journal::{ConnectionOutcome, Journal, RecordedConnection, RecordedRequest},
    scenario::{Hostile, RawAnswer, Scenario},
    stores::{PracticeStore, Stores},
};

/// The hosts that the proxy answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handles {
    /// `practice-*.myshopify.com`; every other host is the real one, reached through a tunnel.
    Practice,
    /// Every `*.myshopify.com`; any other host is refused. For tests.
    All,
}

#[derive(Clone)]
pub struct Options {
    pub handles: Handles,
    pub stores: Stores,
}

impl Options {
    /// The named stores; the real Shopify for every other host.
    pub fn newcomer() -> Self {
        Self { handles: Handles::Practice, stores: Stores::newcomer() }
    }

    /// No stores yet, and no tunnels.
    pub fn test() -> Self {
        Self { handles: Handles::All, stores: Stores::default() }
    }
}

/// A running stand-in. Dropping it stops the proxy and every connection through it.
pub struct Practice {
    address: SocketAddr,
    wire: Arc<Wire>,
    serving: JoinHandle<()>,
}

/// State that all connections share.
struct Wire {
    handles: Handles,
    stores: Stores,
    journal: Journal,
    certificates: certificates::Certificates,
}

impl Practice {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port is free, or the system provides no randomness.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening the practice proxy")?;
        let address = listener.local_addr()?;
        let Options { handles, stores } = options;
        let certificates = certificates::Certificates::new().context("making the practice certificates")?;
        let wire = Arc::new(Wire { handles, stores, journal: Journal::default(), certificates });
        let serving = tokio::spawn(proxy::serve(wire.clone(), listener));
        Ok(Self { address, wire, serving })
    }

    /// The value for `EGRESS_PROXY`.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The content for the file of `EGRESS_CA_FILE`: one PEM certificate.
    pub fn ca_pem(&self) -> &str {
        self.wire.certificates.ca_pem()
    }

    pub fn stores(&self) -> &Stores {
        &self.wire.stores
    }

    pub fn journal(&self) -> &Journal {
        &self.wire.journal
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Whether a handle belongs to a practice store, known or not.
pub fn is_practice(handle: &str) -> bool {
    handle.starts_with("practice-")
}

#[cfg(test)]
mod tests;
