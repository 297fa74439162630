//! The accept loop. `axum::serve` has no header timeout and waits for half-open connections when it stops, so this one is ours:
//! deadlines for headers and bodies, a cap on connections, a stop that ends.
//!
//! Stops slow and many clients. HTTP/1.1 only: hyper-util's `auto` builder runs no timer while it sniffs the version.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, time::Instant};
use tower::ServiceExt;

/// From the first byte of a connection, or the end of an answer, to the end of the next headers.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Open connections at most; the surplus waits in the kernel's queue.
const CONNECTIONS: usize = 2_048;
/// What requests in flight get when we stop.
pub const STOP_WITHIN: Duration = Duration::from_secs(8);
/// Headers of one request at most: 32 KiB, 64 of them.
pub const HEADER_BYTES: usize = 32 * 1024;
const HEADER_COUNT: usize = 64;

/// Serves until `stop` is ready, then answers what is in flight and returns within [`STOP_WITHIN`]. Tells the moment by which
/// all other work has to end as well.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> Instant {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
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
        let place = tokio::select! {
            () = &mut stop => break,
            place = Arc::clone(&places).acquire_owned() => place.expect("the places are never closed"),
        };
        let (socket, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors: asking again at once would only spin.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        socket.set_nodelay(true).ok();
        let service = router.clone().map_request(move |request: hyper::Request<Incoming>| with_peer(request, peer));
        let connection = builder.serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away or sends nonsense is no news.
            connection.await.ok();
            drop(place);
        });
    }
    drop(listener);
    let over = Instant::now() + STOP_WITHIN;
    if tokio::time::timeout_at(over, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time and were cut");
    }
    over
}

fn with_peer(request: hyper::Request<Incoming>, peer: SocketAddr) -> axum::extract::Request {
    let mut request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}
