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
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tower::ServiceExt;

use super::{
    connection_limit::{AnswerBody, ConnectionLimit, ConnectionSlot, RequestBody},
    write_timeout::WriteTimeout,
};

/// From the first byte of a connection, or the end of a response, to the end of the next headers.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers of one request at most: 16 KiB, 64 of them.
pub const HEADER_BYTES: usize = 16 * 1024;
const HEADER_COUNT: usize = 64;
/// Size of the kernel's buffer for each direction of a connection, in bytes; Linux doubles it. By default the kernel
/// would buffer up to 4 MiB of an unread response and 6 MiB of requests sent ahead. A page as sent is smaller than
/// this.
const KERNEL_BUFFER: usize = 32 * 1024;
/// Largest TCP segment, in bytes. Over loopback a segment could be larger than [`KERNEL_BUFFER`]: a client then delays
/// its acknowledgement by 40 ms (RFC 9293, section 3.8.6.3: every second full segment is acknowledged at once), and the
/// rest of a longer response waits for it.
const SEGMENT_MAX: u32 = 16 * 1024;
/// At shutdown, time allowed for the first request of a connection to arrive.
const CLOSE_GRACE: Duration = Duration::from_millis(500);
/// Pause before accepting again after a failure, so that the loop does not spin.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(50);

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
    bound_segments(&listener);
    let mut seats = ConnectionLimit::for_this_process();
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADER_COUNT)
        .half_close(false);
    let is_stopping = Arc::new(AtomicBool::new(false));
    let mut open = |socket: TcpStream, peer, seat: Arc<ConnectionSlot>| {
        bound_buffers(&socket);
        let (router, asking, is_stopping) = (router.clone(), seat.clone(), is_stopping.clone());
        let service =
            service_fn(move |request| answer(router.clone(), asking.clone(), peer, is_stopping.clone(), request));
        let connection = builder.serve_connection(TokioIo::new(WriteTimeout::new(socket)), service);
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
    for (socket, peer) in take_accept_backlog(listener) {
        open(socket, peer, seats.take().await);
    }
    if drains {
        // hyper closes a connection on which nothing was read yet, even if its request is in transit.
        tokio::time::sleep(CLOSE_GRACE).await;
    }
    if tokio::time::timeout_at(stopping.deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!("cut connections that were still open at the shutdown deadline");
    }
    stopping.deadline
}

/// Disables Nagle's algorithm and bounds the kernel's buffers. Ignores errors: a socket that cannot be set is closed
/// already.
fn bound_buffers(socket: &TcpStream) {
    let socket = SockRef::from(socket);
    socket.set_tcp_nodelay(true).ok();
    socket.set_send_buffer_size(KERNEL_BUFFER).ok();
    socket.set_recv_buffer_size(KERNEL_BUFFER).ok();
}

/// Bounds the segments of all connections that the listener accepts. Ignores errors: the bound only saves time.
fn bound_segments(listener: &TcpListener) {
    SockRef::from(listener).set_tcp_mss(SEGMENT_MAX).ok();
}

/// Closes the port and returns the connections that the kernel had already accepted: they were not refused, and would
/// be cut off in the middle of a request. Asks the kernel directly, since the runtime may not have been notified of
/// them yet.
fn take_accept_backlog(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let waiting = std::iter::from_fn(|| listener.accept().ok());
    let usable = waiting.filter_map(|(socket, peer)| {
        socket.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(socket).ok()?, peer))
    });
    usable.collect()
}

/// Accepts and opens connections until it is dropped.
async fn accept_all(
    listener: &TcpListener,
    seats: &mut ConnectionLimit,
    open: &mut impl FnMut(TcpStream, SocketAddr, Arc<ConnectionSlot>),
) -> Infallible {
    loop {
        let (socket, peer) = accept(listener).await;
        open(socket, peer, seats.take().await);
    }
}

/// Accepts the next connection; while no file descriptor is free, waits for one. Logs the first failure only.
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
                tokio::time::sleep(ACCEPT_RETRY_PAUSE).await;
            }
        }
    }
}

/// Answers one request, and marks its connection as served until the response was handed over.
async fn answer(
    router: Router,
    seat: Arc<ConnectionSlot>,
    peer: SocketAddr,
    is_stopping: Arc<AtomicBool>,
    request: hyper::Request<Incoming>,
) -> Result<axum::response::Response, Infallible> {
    let served = seat.serve();
    let mut request = request.map(|body| Body::new(RequestBody::new(body, seat)));
    request.extensions_mut().insert(ConnectInfo(peer));
    let mut response = router.oneshot(request).await?;
    if is_stopping.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Body::new(AnswerBody::new(body, served))))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::net::TcpSocket;

    use super::*;

    /// A connection as the server accepts it, and a client that reads nothing.
    async fn bounded_connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        bound_segments(&listener);
        let (socket, client) = connection_to(&listener).await;
        bound_buffers(&socket);
        (socket, client)
    }

    async fn connection_to(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(4_096).unwrap();
        let client = client.connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, client)
    }

    /// Bytes of a response that the kernel buffers before a write blocks.
    fn taken_of_unread_answer(socket: TcpStream) -> usize {
        let mut socket = socket.into_std().unwrap();
        socket.set_nonblocking(false).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut taken = 0;
        while taken < 16 << 20 {
            match socket.write(&[0; 16 * 1024]) {
                Ok(bytes) => taken += bytes,
                Err(_) => break,
            }
        }
        taken
    }

    #[tokio::test]
    async fn kernel_keeps_little_of_an_answer_that_nobody_reads() {
        let (socket, _client) = bounded_connection().await;
        // Linux doubles the requested size.
        let bounded = SockRef::from(&socket);
        assert!(bounded.send_buffer_size().unwrap() <= 2 * KERNEL_BUFFER);
        assert!(bounded.recv_buffer_size().unwrap() <= 2 * KERNEL_BUFFER);
        let taken = tokio::task::spawn_blocking(move || taken_of_unread_answer(socket)).await.unwrap();
        assert!((1..=4 * KERNEL_BUFFER).contains(&taken), "{taken} bytes");

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (unbounded, _client) = connection_to(&listener).await;
        let control = tokio::task::spawn_blocking(move || taken_of_unread_answer(unbounded)).await.unwrap();
        assert!(control > 8 * KERNEL_BUFFER, "the control is not told apart: {control} bytes");
    }

    /// A response that exceeds the kernel's buffer must not wait for a delayed acknowledgement.
    #[tokio::test]
    async fn several_segments_fit_into_the_buffer_even_over_loopback() {
        let (socket, client) = bounded_connection().await;
        for end in [&socket, &client] {
            let segment = SockRef::from(end).tcp_mss().unwrap();
            assert!(segment <= SEGMENT_MAX && 2 * segment as usize <= KERNEL_BUFFER, "{segment} bytes");
        }
    }
}
