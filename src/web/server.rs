//! The accept loop. `axum::serve` has no header timeout and waits for half-open connections when it stops, so this one is ours:
//! deadlines for headers, bodies and readers, a cap on connections, a stop that ends.
//!
//! Stops slow and many clients. HTTP/1.1 only: hyper-util's `auto` builder runs no timer while it sniffs the version.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
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

/// From the first byte of a connection, or the end of an answer, to the end of the next headers.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// What requests in flight get when we stop.
pub const STOP_WITHIN: Duration = Duration::from_secs(8);
/// Headers of one request at most: 32 KiB, 64 of them.
pub const HEADER_BYTES: usize = 32 * 1024;
const HEADER_COUNT: usize = 64;
/// Between two tries to accept: asking again at once would only spin.
const NOT_AT_ONCE: Duration = Duration::from_millis(50);

/// Serves until `stop` is ready, then answers what is in flight and returns within [`STOP_WITHIN`]. Tells the moment by which
/// all other work has to end as well.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> Instant {
    let mut seats = Seats::for_this_process();
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADER_COUNT)
        .half_close(false);
    tokio::pin!(stop);
    loop {
        let (socket, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener) => accepted,
        };
        let seat = tokio::select! {
            () = &mut stop => break,
            seat = seats.take() => seat,
        };
        socket.set_nodelay(true).ok();
        let (router, asking) = (router.clone(), seat.clone());
        let service = service_fn(move |request| answer(router.clone(), asking.clone(), peer, request));
        let connection = builder.serve_connection(TokioIo::new(Patient::new(socket)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                // A client that goes away or sends nonsense is no news.
                _ = connection => {}
                () = seat.wanted() => {}
            }
        });
    }
    drop(listener);
    let over = Instant::now() + STOP_WITHIN;
    if tokio::time::timeout_at(over, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time and were cut");
    }
    over
}

/// The next connection, however long the machine has no descriptor for it. Told once, not with every try.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut is_told = false;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // Gone before we came to it: that is the client's affair, and the next one waits already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !is_told {
                    tracing::warn!(%error, "connections cannot be accepted; trying again until they can");
                }
                is_told = true;
                tokio::time::sleep(NOT_AT_ONCE).await;
            }
        }
    }
}

/// One request; its seat is kept until its answer has been handed over.
async fn answer(
    router: Router,
    seat: Arc<Seat>,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<axum::response::Response, Infallible> {
    let served = seat.serve();
    let mut request = request.map(|body| Body::new(Asked::new(body, seat)));
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Body::new(Seated::new(body, served))))
}
