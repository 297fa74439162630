//! A page sent in pieces: head, lines as they come, tail. Excluded from compression, which would hold it back to its
//! end.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::sync::mpsc;

/// Tells proxies not to buffer the response, and our compression layer to skip it.
pub const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Returns an HTML response that sends each piece as the channel yields it.
pub fn html(pieces: mpsc::UnboundedReceiver<String>) -> Response {
    let pieces = stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(piece)), pieces))
    });
    let mut response = Body::from_stream(pieces).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    response
}
