//! A page that arrives in pieces: head, lines as they come, tail. Stays outside of compression, which would hold it back to its end.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::sync::mpsc;

/// Tells proxies not to collect the answer, and our compression layer to leave it alone.
pub const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// An HTML answer whose pieces are sent as the channel gives them.
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
