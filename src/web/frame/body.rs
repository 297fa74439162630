//! Reads a request's body within a length and a time.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use http_body_util::BodyExt;

use super::large_forms::LargeFormPermit;

/// Longest body, in bytes, that is read without a permit.
pub const SMALL_BODY_MAX_LEN: usize = 16 * 1024;
/// Longest time a body may take to arrive: 8 s.
const BODY_TIMEOUT: Duration = Duration::from_secs(8);
/// Bytes by which the buffer of a body grows at least.
const GROWTH: usize = 4 * 1024;

/// Reads a whole body.
///
/// # Errors
/// The status to answer with: the body is longer than `limit`, arrives too slowly, or breaks off.
pub async fn read(
    body: Body,
    limit: usize,
    permit: impl Future<Output = LargeFormPermit>,
) -> Result<Bytes, StatusCode> {
    // Boxed, because thousands may wait here.
    let reading = Box::pin(read_all(body, limit, permit));
    tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

/// Copies the body into a buffer of its own size: keeping a received frame would keep the whole read buffer that it is
/// part of, and a body that arrives slowly would keep a frame for each byte. Reads beyond [`SMALL_BODY_MAX_LEN`] only with
/// `permit`.
async fn read_all(
    mut body: Body,
    limit: usize,
    permit: impl Future<Output = LargeFormPermit>,
) -> Result<Bytes, StatusCode> {
    let mut permit = std::pin::pin!(permit);
    let mut held = None;
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
        let length = whole.len() + data.len();
        if length > limit {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if length > SMALL_BODY_MAX_LEN && held.is_none() {
            held = Some(permit.as_mut().await);
        }
        if whole.capacity() < length {
            whole.reserve_exact(data.len().max(GROWTH).min(limit - whole.len()));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}
