//! Times one call by four marks: name resolved, TLS started, TLS established, response complete. A duration without its
//! marks is unknown and never estimated: through a proxy, neither the lookup nor the TCP connection is the store's,
//! only the tunnel.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ResponseHead;

tokio::task_local! {
    /// The meter of the current call, for the resolver and the TLS configuration, which run within the future of the
    /// call.
    static CURRENT: CallTimer;
}

/// The marks of the latest call. Clones share them, so they survive a cancelled call.
#[derive(Clone, Debug, Default)]
pub struct CallTimer(Arc<Mutex<CallMarks>>);

#[derive(Debug, Default)]
struct CallMarks {
    began: Option<Instant>,
    is_tunnelled: bool,
    lookup: Option<(Instant, Instant)>,
    handshake: Option<Instant>,
    connected: Option<Instant>,
    ended: Option<Instant>,
    head: Option<ResponseHead>,
}

/// The durations of the parts of a call in milliseconds, where known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    pub dns_ms: Option<u32>,
    pub tcp_ms: Option<u32>,
    /// With a proxy: from the start until the tunnel is established.
    pub tunnel_ms: Option<u32>,
    pub tls_ms: Option<u32>,
    pub http_ms: Option<u32>,
    /// From the start until TLS is established, including lookup, TCP and tunnel.
    pub connect_ms: Option<u32>,
}

impl CallTimer {
    pub fn timings(&self) -> Timings {
        let marks = self.marks();
        let between = |from: Option<Instant>, to: Option<Instant>| Some(millis(to?.saturating_duration_since(from?)));
        let looked_up = marks.lookup.map(|(_, ended)| ended);
        Timings {
            dns_ms: between(marks.lookup.map(|(began, _)| began), looked_up),
            tcp_ms: between(looked_up, marks.handshake),
            tunnel_ms: between(marks.began.filter(|_| marks.is_tunnelled), marks.handshake),
            tls_ms: between(marks.handshake, marks.connected),
            http_ms: between(marks.connected, marks.ended),
            connect_ms: between(marks.began, marks.connected),
        }
    }

    /// The head of the response if there was one, even if the body never ended.
    pub fn head(&self) -> Option<ResponseHead> {
        self.marks().head.clone()
    }

    pub(super) fn begin(&self, through_proxy: bool) {
        *self.marks() = CallMarks { began: Some(Instant::now()), is_tunnelled: through_proxy, ..CallMarks::default() };
    }

    pub(in crate::platforms::shopify) async fn scope<F: Future>(&self, call: F) -> F::Output {
        CURRENT.scope(self.clone(), call).await
    }

    pub(super) fn note_connected(&self) {
        self.marks().connected.get_or_insert_with(Instant::now);
    }

    pub(super) fn note_head(&self, head: &ResponseHead) {
        self.marks().head = Some(head.clone());
    }

    pub(super) fn note_end(&self) {
        self.marks().ended = Some(Instant::now());
    }

    fn marks(&self) -> MutexGuard<'_, CallMarks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records a DNS lookup for the current call, if there is one.
pub fn note_lookup(began: Instant) {
    let _ = CURRENT.try_with(|meter| meter.marks().lookup = Some((began, Instant::now())));
}

/// Records for the current call, if there is one, that TCP is connected and TLS starts.
pub fn note_handshake() {
    let _ = CURRENT.try_with(|meter| meter.marks().handshake = Some(Instant::now()));
}

/// Whole milliseconds, rounded.
pub fn millis(duration: Duration) -> u32 {
    u32::try_from((duration.as_micros() + 500) / 1000).unwrap_or(u32::MAX)
}
