//! Records what arrived, for tests that prove what was sent and to which host. Keeps tokens and bodies whole, but as
//! secrets: `Debug` never prints them. Keeps the last 10,000 connections and requests.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::documents::Operation;

/// Maximum number of connections, and of requests, that are kept.
pub const MEMORY: usize = 10_000;
/// Maximum number of bytes before TLS that are kept of one connection.
const EARLY_BYTES: usize = 4096;

/// How the proxy handled a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionOutcome {
    AnsweredHere,
    Tunnelled,
    Refused,
}

/// One connection to the proxy, valid or not.
#[derive(Clone, Debug)]
pub struct RecordedConnection {
    /// Counts from 0 in each [`Journal`].
    pub number: u64,
    /// The target of the request line: `host:port` for a CONNECT, cut at 300 characters.
    pub target: String,
    pub fate: ConnectionOutcome,
    /// The `Proxy-Authorization` header.
    pub proxy_authorization: Option<SecretString>,
    /// What the peer sent although the scenario prevented TLS, at most 4 KiB.
    pub before_tls: Vec<u8>,
}

/// One request that arrived over TLS.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The [`RecordedConnection::number`] of its connection.
    pub connection: u64,
    /// The host of the CONNECT, lower case, without the port.
    pub host: String,
    /// The server name (SNI) of the TLS handshake.
    pub server_name: Option<String>,
    pub method: String,
    /// With its query, if any.
    pub path: String,
    /// The value of `X-Shopify-Access-Token`.
    pub token: Option<SecretString>,
    /// All other headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: SecretString,
    /// The operation of a GraphQL body, if it is one of our documents.
    pub operation: Option<Operation>,
}

impl RecordedRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// Whether this text occurs anywhere in the request: in the path, a header, the token or the body.
    pub fn carries(&self, text: &str) -> bool {
        self.path.contains(text)
            || self.body.expose_secret().contains(text)
            || self.token.as_ref().is_some_and(|token| token.expose_secret().contains(text))
            || self.headers.iter().any(|(_, value)| value.contains(text))
    }
}

#[derive(Default)]
struct JournalEntries {
    seen: u64,
    connections: VecDeque<RecordedConnection>,
    requests: VecDeque<RecordedRequest>,
}

pub struct Journal {
    entries: Mutex<JournalEntries>,
    /// Number of requests since the start, including dropped ones.
    arrived: watch::Sender<usize>,
    /// Requests without an answer yet, by host.
    crowds: Mutex<HashMap<String, Crowd>>,
}

/// Concurrent requests to one host: now, and at most so far.
#[derive(Clone, Copy, Default)]
struct Crowd {
    now: usize,
    most: usize,
}

/// A request that is being answered.
pub(super) struct Present<'a> {
    journal: &'a Journal,
    host: &'a str,
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        if let Some(crowd) = self.journal.crowds().get_mut(self.host) {
            crowd.now -= 1;
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { entries: Mutex::default(), arrived: watch::Sender::new(0), crowds: Mutex::default() }
    }
}

impl Journal {
    pub fn connections(&self) -> Vec<RecordedConnection> {
        self.lock().connections.iter().cloned().collect()
    }

    /// All requests, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().requests.iter().cloned().collect()
    }

    /// The requests to one host; `host` in full, such as `practice-tea.myshopify.com`.
    pub fn requests_to(&self, host: &str) -> Vec<RecordedRequest> {
        self.lock().requests.iter().filter(|request| request.host == host).cloned().collect()
    }

    /// The hosts that received this text in a token, header, path or body; each once, in order of arrival.
    pub fn hosts_that_saw(&self, text: &str) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        for request in &self.lock().requests {
            if request.carries(text) && !hosts.contains(&request.host) {
                hosts.push(request.host.clone());
            }
        }
        hosts
    }

    /// Whether this text was ever sent before TLS, on any connection.
    pub fn was_seen_in_clear(&self, text: &str) -> bool {
        let entries = self.lock();
        entries.connections.iter().any(|connection| {
            connection.target.contains(text) || String::from_utf8_lossy(&connection.before_tls).contains(text)
        })
    }

    /// Waits until `count` requests have arrived since the start. Use it with a timeout.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut arrived = self.arrived.subscribe();
        // the sender lives as long as the borrowed journal
        let _ = arrived.wait_for(|so_far| *so_far >= count).await;
    }

    /// Number of requests that are being answered now.
    pub fn present(&self) -> usize {
        self.crowds().values().map(|crowd| crowd.now).sum()
    }

    /// Maximum number of concurrent requests to any one host.
    pub fn most_at_once(&self) -> usize {
        self.crowds().values().map(|crowd| crowd.most).max().unwrap_or(0)
    }

    pub(super) fn enter<'a>(&'a self, host: &'a str) -> Present<'a> {
        let mut crowds = self.crowds();
        let crowd = crowds.entry(host.to_owned()).or_default();
        crowd.now += 1;
        crowd.most = crowd.most.max(crowd.now);
        Present { journal: self, host }
    }

    fn crowds(&self) -> MutexGuard<'_, HashMap<String, Crowd>> {
        self.crowds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn clear(&self) {
        let mut entries = self.lock();
        entries.connections.clear();
        entries.requests.clear();
    }

    pub(super) fn connected(
        &self,
        target: &str,
        fate: ConnectionOutcome,
        proxy_authorization: Option<SecretString>,
    ) -> u64 {
        let mut entries = self.lock();
        let number = entries.seen;
        entries.seen += 1;
        let target = target.chars().take(300).collect();
        let connection = RecordedConnection { number, target, fate, proxy_authorization, before_tls: Vec::new() };
        remember(&mut entries.connections, connection);
        number
    }

    pub(super) fn before_tls(&self, number: u64, bytes: &[u8]) {
        if let Some(connection) = self.lock().connections.iter_mut().rev().find(|known| known.number == number) {
            let room = EARLY_BYTES.saturating_sub(connection.before_tls.len()).min(bytes.len());
            connection.before_tls.extend_from_slice(&bytes[..room]);
        }
    }

    pub(super) fn requested(&self, request: RecordedRequest) {
        remember(&mut self.lock().requests, request);
        self.arrived.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, JournalEntries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember<T>(entries: &mut VecDeque<T>, entry: T) {
    if entries.len() == MEMORY {
        entries.pop_front();
    }
    entries.push_back(entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, token: &str) -> RecordedRequest {
        RecordedRequest {
            connection: 0,
            host: host.to_owned(),
            server_name: None,
            method: "POST".to_owned(),
            path: "/admin/api/2026-10/graphql.json".to_owned(),
            token: Some(token.to_owned().into()),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: "{}".into(),
            operation: None,
        }
    }

    #[test]
    fn only_the_newest_entries_are_kept() {
        let journal = Journal::default();
        for number in 0..=MEMORY {
            journal.requested(request(&format!("h{number}"), "t"));
            journal.connected("h:443", ConnectionOutcome::AnsweredHere, None);
        }
        assert_eq!(journal.requests().len(), MEMORY);
        assert_eq!(journal.requests()[0].host, "h1");
        assert_eq!(journal.connections()[0].number, 1);
    }

    #[test]
    fn token_can_be_traced_but_is_not_printed() {
        let journal = Journal::default();
        let token = format!("shpat_{}", "a1".repeat(16));
        journal.requested(request("one", &token));
        journal.requested(request("two", "other"));
        journal.requested(request("one", &token));
        assert_eq!(journal.hosts_that_saw(&token), ["one"]);
        assert_eq!(journal.requests_to("two").len(), 1);
        assert!(!format!("{:?}", journal.requests()).contains(&token));
    }

    #[tokio::test]
    async fn wait_ends_with_the_expected_request() {
        let journal = std::sync::Arc::new(Journal::default());
        let waiting = tokio::spawn({
            let journal = journal.clone();
            async move { journal.wait_for_requests(2).await }
        });
        journal.requested(request("one", "t"));
        journal.requested(request("one", "t"));
        waiting.await.unwrap();
    }

    #[test]
    fn concurrent_requests_and_their_maximum_are_counted() {
        let journal = Journal::default();
        let (one, two) = (journal.enter("one"), journal.enter("one"));
        let other = journal.enter("two");
        assert_eq!((journal.present(), journal.most_at_once()), (3, 2));
        drop((one, two, other));
        assert_eq!((journal.present(), journal.most_at_once()), (0, 2));
    }

    #[test]
    fn early_bytes_are_kept_up_to_a_limit() {
        let journal = Journal::default();
        let number = journal.connected("h:443", ConnectionOutcome::AnsweredHere, None);
        journal.before_tls(number, &[b'x'; 4000]);
        journal.before_tls(number, &[b'y'; 4000]);
        assert_eq!(journal.connections()[0].before_tls.len(), EARLY_BYTES);
        assert!(journal.was_seen_in_clear("xy"));
        assert!(!journal.was_seen_in_clear("yx"));
    }
}
