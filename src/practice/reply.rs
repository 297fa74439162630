//! A reply before it is serialized: status, headers and a body that may misbehave. Knows nothing about stores or the
//! meaning of a reply. Endless and dripping bodies stop by themselves, so a test that does not disconnect has a bounded
//! cost.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{Response, StatusCode, body::Frame, header::HeaderValue};
use serde_json::Value;

/// Maximum time for which a body drips or a connection hangs: 60 s.
pub const SLOW_REPLY_LIMIT: Duration = Duration::from_mins(1);
/// Maximum length of an endless body: 64 MiB.
pub const FLOOD: usize = 64 << 20;
/// Length of one chunk of an endless body: 16 KiB.
const PIECE: usize = 16 << 10;

pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// How a body is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyBody {
    /// With its content length.
    Whole(Vec<u8>),
    /// Complete, but chunked, without a content length.
    Chunked(Vec<u8>),
    /// These bytes, then a closed connection although more was promised.
    Cut(Vec<u8>),
    /// These bytes repeated, up to [`FLOOD`] or [`SLOW_REPLY_LIMIT`].
    Endless(Vec<u8>),
    /// One byte per second, up to [`SLOW_REPLY_LIMIT`].
    Drip(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 100 to 999; Shopify uses 430, 530 and 783 too.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: ReplyBody,
    /// Whether the store itself answers, so that its number and API version are added.
    pub is_from_store: bool,
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", &value.to_string()).by_store()
    }

    /// A web page, as from a proxy or a guard in front of Shopify.
    pub fn page(status: u16, title: &str) -> Self {
        let page =
            format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
        Self::text(status, "text/html; charset=utf-8", &page)
    }

    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self::new(status, ReplyBody::Whole(body.as_bytes().to_vec())).header("content-type", content_type)
    }

    pub const fn new(status: u16, body: ReplyBody) -> Self {
        Self { status, headers: Vec::new(), body, is_from_store: false }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn body(mut self, send: impl FnOnce(Vec<u8>) -> ReplyBody) -> Self {
        let (ReplyBody::Whole(bytes)
        | ReplyBody::Chunked(bytes)
        | ReplyBody::Cut(bytes)
        | ReplyBody::Endless(bytes)
        | ReplyBody::Drip(bytes)) = self.body;
        self.body = send(bytes);
        self
    }

    #[must_use]
    pub const fn by_store(mut self) -> Self {
        self.is_from_store = true;
        self
    }

    #[must_use]
    pub const fn anonymous(mut self) -> Self {
        self.is_from_store = false;
        self
    }

    pub fn into_response(self) -> Response<ResponseBody> {
        let mut response = Response::new(self.body.into_stream());
        *response.status_mut() = StatusCode::from_u16(self.status).expect("status has three digits");
        for (name, value) in self.headers {
            let name = hyper::header::HeaderName::try_from(name).expect("valid header name");
            let value = HeaderValue::try_from(value).expect("valid header value");
            response.headers_mut().append(name, value);
        }
        response
    }
}

impl ReplyBody {
    fn into_stream(self) -> ResponseBody {
        match self {
            Self::Whole(bytes) => Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync(),
            Self::Chunked(bytes) => pieces(bytes, false),
            Self::Cut(bytes) => pieces(bytes, true),
            Self::Endless(bytes) => endless(&bytes),
            Self::Drip(bytes) => drip(bytes, Duration::from_secs(1)),
        }
    }
}

/// Sends both halves in turn. With `is_cut`, the connection breaks where a third one is expected.
fn pieces(bytes: Vec<u8>, is_cut: bool) -> ResponseBody {
    let mut whole = Bytes::from(bytes);
    let first = whole.split_to(whole.len() / 2);
    let broken = || io::Error::other("the connection breaks here on purpose");
    let frames = [Ok(Frame::data(first)), Ok(Frame::data(whole))].into_iter().chain(is_cut.then(|| Err(broken())));
    // a yield passes what was written so far to the socket before the break
    StreamBody::new(stream::unfold(frames, |mut frames| async {
        tokio::task::yield_now().await;
        frames.next().map(|frame| (frame, frames))
    }))
    .boxed_unsync()
}

fn endless(bytes: &[u8]) -> ResponseBody {
    let seed: &[u8] = if bytes.is_empty() { b" " } else { bytes };
    let piece = Bytes::from(seed.repeat(PIECE.div_ceil(seed.len())));
    let stops_at = tokio::time::Instant::now() + SLOW_REPLY_LIMIT;
    let pour = move |sent: usize| {
        let piece = piece.clone();
        async move {
            tokio::task::yield_now().await;
            let is_over = sent >= FLOOD || tokio::time::Instant::now() >= stops_at;
            (!is_over).then(|| (Ok(Frame::data(piece.clone())), sent + piece.len()))
        }
    };
    StreamBody::new(stream::unfold(0, pour)).boxed_unsync()
}

fn drip(bytes: Vec<u8>, pause: Duration) -> ResponseBody {
    let longest = usize::try_from(SLOW_REPLY_LIMIT.as_secs()).unwrap_or(usize::MAX);
    let drops = bytes.into_iter().take(longest).map(|byte| Frame::data(Bytes::from(vec![byte])));
    StreamBody::new(stream::unfold((drops, true), move |(mut drops, is_first)| async move {
        if !is_first {
            tokio::time::sleep(pause).await;
        }
        drops.next().map(|drop| (Ok(drop), (drops, false)))
    }))
    .boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn collect(body: ReplyBody) -> Result<Vec<u8>, io::Error> {
        Ok(body.into_stream().collect().await?.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn dripping_body_pauses_between_bytes_and_ends() {
        let (begin, pause) = (std::time::Instant::now(), Duration::from_millis(1));
        let arrived = drip(vec![b'x'; 500], pause).collect().await.unwrap().to_bytes();
        assert_eq!(arrived.len(), 60);
        assert!(begin.elapsed() >= pause * 59);
    }

    #[tokio::test]
    async fn endless_body_ends_at_its_limit() {
        let arrived = collect(ReplyBody::Endless(b"{\"a\":1},".to_vec())).await.unwrap();
        assert!((FLOOD..FLOOD + 2 * PIECE).contains(&arrived.len()), "{}", arrived.len());
    }

    #[tokio::test]
    async fn cut_body_fails_and_chunked_body_does_not() {
        assert!(collect(ReplyBody::Cut(b"{\"data\"".to_vec())).await.is_err());
        assert_eq!(collect(ReplyBody::Chunked(b"{}".to_vec())).await.unwrap(), b"{}");
    }

    #[test]
    fn second_header_of_the_same_name_replaces_the_first() {
        let reply = Reply::page(502, "Bad Gateway").header("content-type", "text/plain");
        let response = reply.into_response();
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(response.headers().len(), 1);
    }
}
