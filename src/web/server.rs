//! The accept loop. Replaces `axum::serve`, which has no header timeout and waits for half-open connections at
//! shutdown: this one has timeouts for headers, bodies and writes, a connection limit and a bounded shutdown.
//!
//! Stops slow clients and floods of clients. HTTP/1.1 only: hyper-util's `auto` builder runs no timer while it sniffs
//! the version.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tower::ServiceExt;

use super::{
    patience::Patient,
    seats::{Asked, Seat, Seated, Seats},
};

/// From the first byte of a connection, or the end of a response, to the end of the next headers.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum headers of one request: 32 KiB, 64 of them.
pub const HEADER_BYTES: usize = 32 * 1024;
const HEADER_COUNT: usize = 64;
/// How long the first request of a connection may still be in transit when the server stops.
const ON_THE_WAY: Duration = Duration::from_millis(500);
/// Pause before accepting again after a failure, so that the loop does not spin.
const NOT_AT_ONCE: Duration = Duration::from_millis(50);

/// The times of a shutdown.
#[derive(Clone, Copy, Debug)]
pub struct Stopping {
    /// Until then new requests are answered as usual, each on a connection that is closed after it: load balancers need
    /// a moment to notice that [`probes::ready`](super::probes::ready) fails.
    pub drained: Instant,
    /// When requests still in flight are cut off.
    pub deadline: Instant,
}

/// Serves until `stop` completes, drains, finishes the requests in flight, and returns [`Stopping::deadline`] by that
/// time.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = Stopping>) -> Instant {
    let mut seats = Seats::for_this_process();
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADER_COUNT)
        .half_close(false);
    let is_stopping = Arc::new(AtomicBool::new(false));
    let mut open = |socket: TcpStream, peer, seat: Arc<Seat>| {
        socket.set_nodelay(true).ok();
        let (router, asking, is_stopping) = (router.clone(), seat.clone(), is_stopping.clone());
        let service =
            service_fn(move |request| answer(router.clone(), asking.clone(), peer, is_stopping.clone(), request));
        let connection = builder.serve_connection(TokioIo::new(Patient::new(socket)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                // Ignore clients that disconnect or send malformed requests.
                _ = connection => {}
                () = seat.wanted() => {}
            }
        });
    };
    let stopping = tokio::select! {
        stopping = stop => stopping,
        never = accept_all(&listener, &mut seats, &mut open) => match never {},
    };
    is_stopping.store(true, Ordering::Relaxed);
    let drains = stopping.drained > Instant::now();
    let drain = accept_all(&listener, &mut seats, &mut open);
    tokio::time::timeout_at(stopping.drained, drain).await.ok();
    for (socket, peer) in left_in_the_queue(listener) {
        open(socket, peer, seats.take().await);
    }
    if drains {
        // hyper closes a connection on which nothing was read yet, even if its request is in transit.
        tokio::time::sleep(ON_THE_WAY).await;
    }
    if tokio::time::timeout_at(stopping.deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!("cut connections that were still open at the shutdown deadline");
    }
    stopping.deadline
}

/// Closes the port and returns the connections in the kernel's accept queue: the kernel did not refuse them, and
/// dropping them would cut off their requests. Asks the kernel directly, since the runtime may not have been notified
/// of them yet.
fn left_in_the_queue(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let waiting = std::iter::from_fn(|| listener.accept().ok());
    let usable = waiting.filter_map(|(socket, peer)| {
        socket.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(socket).ok()?, peer))
    });
    usable.collect()
}

/// Accepts and opens connections without end.
async fn accept_all(
    listener: &TcpListener,
    seats: &mut Seats,
    open: &mut impl FnMut(TcpStream, SocketAddr, Arc<Seat>),
) -> Infallible {
    loop {
        let (socket, peer) = accept(listener).await;
        open(socket, peer, seats.take().await);
    }
}

/// Accepts the next connection, waiting as long as the machine has no file descriptor for it. Logs the first failure
/// only.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut is_told = false;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client disconnected before it was accepted; the next connection may already be waiting.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !is_told {
                    tracing::warn!(%error, "cannot accept connections; retrying until it works");
                }
                is_told = true;
                tokio::time::sleep(NOT_AT_ONCE).await;
            }
        }
    }
}

/// Answers one request, and marks its connection as served until the response was handed over.
async fn answer(
    router: Router,
    seat: Arc<Seat>,
    peer: SocketAddr,
    is_stopping: Arc<AtomicBool>,
    request: hyper::Request<Incoming>,
) -> Result<axum::response::Response, Infallible> {
    let served = seat.serve();
    let mut request = request.map(|body| Body::new(Asked::new(body, seat)));
    request.extensions_mut().insert(ConnectInfo(peer));
    let mut response = router.oneshot(request).await?;
    if is_stopping.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Body::new(Seated::new(body, served))))
}
