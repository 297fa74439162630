//! Caps open connections. At the cap, closes the oldest connection that is waiting for bytes of a request, be it the
//! headers or the rest of the body. Idle clients cannot lock users out, and a connection whose request is being
//! answered is never closed.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Open connections at most.
const CONNECTIONS_MAX: usize = 1_024;
/// Descriptors that are reserved for the database, calls to Shopify, files and the log.
const RESERVED_DESCRIPTORS: u64 = 192;
/// Lowest connection limit, used when file descriptors are scarce.
const CONNECTIONS_MIN: usize = 16;
/// Poll interval while every connection is being served.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub struct ConnectionLimit {
    free: Arc<Semaphore>,
    /// In order of arrival. Closed connections stay in the queue until they are reached.
    taken: VecDeque<Weak<ConnectionSlot>>,
    limit: usize,
}

/// One connection's slot, freed when the last handle is dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    is_served: AtomicBool,
    leave: Notify,
    _place: OwnedSemaphorePermit,
}

impl ConnectionLimit {
    /// Sets the limit by this process's file descriptors, after raising the soft limit to the hard limit.
    pub fn for_this_process() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let more = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        let descriptors = if more.is_ok() { maximum } else { current };
        Self::new(descriptors.map_or(CONNECTIONS_MAX, limit_for_descriptors))
    }

    fn new(limit: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(limit)), taken: VecDeque::new(), limit }
    }

    /// Waits for a free slot, closing the oldest idle connection if there is none.
    pub async fn take(&mut self) -> Arc<ConnectionSlot> {
        loop {
            if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
                return self.give(place);
            }
            self.close_oldest_idle();
            let place = tokio::time::timeout(POLL_INTERVAL, Arc::clone(&self.free).acquire_owned()).await;
            if let Ok(Ok(place)) = place {
                return self.give(place);
            }
        }
    }

    fn give(&mut self, place: OwnedSemaphorePermit) -> Arc<ConnectionSlot> {
        let seat = Arc::new(ConnectionSlot { is_served: AtomicBool::new(false), leave: Notify::new(), _place: place });
        if self.taken.len() >= 2 * self.limit {
            self.taken.retain(|seat| seat.strong_count() > 0);
        }
        self.taken.push_back(Arc::downgrade(&seat));
        seat
    }

    fn close_oldest_idle(&mut self) {
        for _ in 0..self.taken.len() {
            let Some(oldest) = self.taken.pop_front() else { return };
            let Some(seat) = oldest.upgrade() else { continue };
            if !seat.is_served.load(Ordering::Relaxed) {
                seat.leave.notify_one();
                return;
            }
            self.taken.push_back(oldest);
        }
    }
}

fn limit_for_descriptors(descriptors: u64) -> usize {
    usize::try_from(descriptors.saturating_sub(RESERVED_DESCRIPTORS))
        .unwrap_or(CONNECTIONS_MAX)
        .clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)
}

impl ConnectionSlot {
    /// Completes when the connection must close, which is never while a request is being answered.
    pub async fn wanted(&self) {
        loop {
            self.leave.notified().await;
            if !self.is_served.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Marks the connection as being served until the result is dropped.
    pub fn serve(self: &Arc<Self>) -> ServingGuard {
        self.is_served.store(true, Ordering::Relaxed);
        ServingGuard(Arc::clone(self))
    }
}

/// A request being answered; its connection counts as idle again when this is dropped.
#[derive(Debug)]
pub struct ServingGuard(Arc<ConnectionSlot>);

impl Drop for ServingGuard {
    fn drop(&mut self) {
        self.0.is_served.store(false, Ordering::Relaxed);
    }
}

/// A request body. While more bytes are awaited its connection counts as idle: nothing has been done for the request
/// yet.
#[derive(Debug)]
pub struct RequestBody {
    body: Incoming,
    seat: Arc<ConnectionSlot>,
}

impl RequestBody {
    pub fn new(body: Incoming, seat: Arc<ConnectionSlot>) -> Self {
        Self { body, seat }
    }
}

impl hyper::body::Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.seat.is_served.store(frame.is_ready(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body that keeps its connection marked as served until the last byte was handed over.
#[derive(Debug)]
pub struct AnswerBody {
    body: Body,
    _served: ServingGuard,
}

impl AnswerBody {
    pub fn new(body: Body, served: ServingGuard) -> Self {
        // Mark it again: the handler may have answered before the whole form arrived.
        served.0.is_served.store(true, Ordering::Relaxed);
        Self { body, _served: served }
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn oldest_idle_connection_closes_at_the_limit() {
        let mut seats = ConnectionLimit::new(3);
        let served = seats.take().await;
        let answer = served.serve();
        let (older, newer) = (seats.take().await, seats.take().await);
        let mut arriving = Box::pin(seats.take());
        assert!((&mut arriving).now_or_never().is_none(), "every slot is taken");
        assert!(older.wanted().now_or_never().is_some());
        assert!(newer.wanted().now_or_never().is_none() && served.wanted().now_or_never().is_none());
        drop(older);
        arriving.await;
        drop(answer);
    }

    #[tokio::test]
    async fn new_connection_waits_while_all_are_served() {
        let mut seats = ConnectionLimit::new(1);
        let only = seats.take().await;
        let answer = only.serve();
        let mut arriving = Box::pin(seats.take());
        assert!(tokio::time::timeout(POLL_INTERVAL * 4, &mut arriving).await.is_err());
        assert!(only.wanted().now_or_never().is_none());
        drop(answer);
        assert!(
            tokio::time::timeout(POLL_INTERVAL * 4, &mut arriving).await.is_err(),
            "asked to close, but still open"
        );
        assert!(only.wanted().now_or_never().is_some());
        drop(only);
        arriving.await;
    }

    #[test]
    fn seats_leave_descriptors_for_everything_else() {
        let table = [
            (0, CONNECTIONS_MIN),
            (64, CONNECTIONS_MIN),
            (1_024, 832),
            (1_216, CONNECTIONS_MAX),
            (u64::MAX, CONNECTIONS_MAX),
        ];
        for (descriptors, seats) in table {
            assert_eq!(limit_for_descriptors(descriptors), seats, "{descriptors}");
        }
    }
}
