//! The automatic behaviour of a browser: cookies, `Host`, `Origin`, `Sec-Fetch-Site`, `Referer`, and following a 303.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::{Page, kit::http::Cookies};

/// Redirects followed before a loop is assumed.
const HOPS: usize = 5;

/// One raw response of the site.
#[derive(Clone, Debug)]
pub struct Answer {
    pub method: Method,
    pub path: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }
}

/// A browser with its cookies. A clone acts as another tab.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    origin: String,
    jar: Arc<Mutex<Cookies>>,
    seen: Arc<Mutex<Vec<Answer>>>,
    peer: SocketAddr,
}

impl Browser {
    pub fn new(router: Router, origin: &str, seen: Arc<Mutex<Vec<Answer>>>) -> Self {
        let peer = ([127, 0, 0, 1], 50_000).into();
        Self { router, origin: origin.to_owned(), jar: Arc::default(), seen, peer }
    }

    /// Connects from another client address.
    #[must_use]
    pub fn from(mut self, address: [u8; 4]) -> Self {
        self.peer = (address, 50_000).into();
        self
    }

    /// The cookies that a request would send.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.jar.lock().expect("not poisoned").0.clone()
    }

    /// Stores a cookie, as an attacker or a test would.
    pub fn put_cookie(&self, name: &str, value: &str) {
        self.jar.lock().expect("not poisoned").0.insert(name.to_owned(), value.to_owned());
    }

    /// Opens an address as if typed by hand.
    pub fn visit(&self, path: &str) -> impl Future<Output = Page> + use<> {
        let knock = self.knock(Method::GET, path).header("sec-fetch-site", "none").without("referer");
        let browser = self.clone();
        async move { browser.go(knock).await }
    }

    /// A request with the headers that a browser adds, as from a page of the site.
    pub fn knock(&self, method: Method, path: &str) -> Knock {
        let mut headers = HeaderMap::new();
        let mut set =
            |name: HeaderName, value: &str| headers.insert(name, HeaderValue::from_str(value).expect("ASCII"));
        set(header::HOST, self.origin.split_once("://").expect("an origin").1);
        set(header::USER_AGENT, "Mozilla/5.0 (test)");
        set(header::REFERER, &format!("{}/admin", self.origin));
        set(HeaderName::from_static("sec-fetch-site"), "same-origin");
        set(HeaderName::from_static("sec-fetch-mode"), "navigate");
        if method != Method::GET && method != Method::HEAD {
            set(header::ORIGIN, &self.origin);
        }
        Knock { browser: self.clone(), method, path: path.to_owned(), headers, body: Vec::new() }
    }

    /// Sends the request and follows redirects.
    pub async fn go(&self, knock: Knock) -> Page {
        let mut answer = knock.send().await;
        for _ in 0..HOPS {
            if answer.status != StatusCode::SEE_OTHER {
                return Page::new(self.clone(), answer);
            }
            let to = answer.location().to_owned();
            assert!(to.starts_with('/') && !to.starts_with("//"), "redirected to another site: {to:?}");
            answer = self.knock(Method::GET, &to).send().await;
        }
        panic!("redirect loop, last to {:?}", answer.location());
    }

    fn keep(&self, headers: &HeaderMap) {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")));
        self.jar.lock().expect("not poisoned").keep(headers);
    }
}

/// A request that tests may modify before sending it.
#[derive(Clone)]
pub struct Knock {
    browser: Browser,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Knock {
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header's value");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    #[must_use]
    pub fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).expect("ASCII"));
        self.body = body.into();
        self
    }

    #[must_use]
    pub fn form(self, fields: &[(String, String)]) -> Self {
        self.body("application/x-www-form-urlencoded", serde_urlencoded::to_string(fields).expect("a form"))
    }

    /// Sends the request without following redirects and reads the whole body.
    pub async fn send(mut self) -> Answer {
        let body = Body::from(std::mem::take(&mut self.body));
        self.send_body(body).await
    }

    /// Sends half of the body, signals `half` once it was read, and sends the rest after `go`.
    pub async fn send_in_halves(mut self, half: oneshot::Sender<()>, go: oneshot::Receiver<()>) -> Answer {
        let first = std::mem::take(&mut self.body);
        let (first, second) = first.split_at(first.len() / 2);
        let (first, second) = (Bytes::copy_from_slice(first), Bytes::copy_from_slice(second));
        let rest = async move {
            half.send(()).expect("receiver is alive");
            go.await.expect("sender is alive");
            second
        };
        let pieces = stream::once(async { first }).chain(stream::once(rest)).map(Ok::<_, std::convert::Infallible>);
        self.send_body(Body::from_stream(pieces)).await
    }

    async fn send_body(self, body: Body) -> Answer {
        let Self { browser, method, path, headers, .. } = self;
        let mut request = Request::builder().method(&method).uri(&path).body(body).expect("a request");
        *request.headers_mut() = headers;
        let cookies = browser.jar.lock().expect("not poisoned").line();
        if !cookies.is_empty() && !request.headers().contains_key(header::COOKIE) {
            request.headers_mut().insert(header::COOKIE, HeaderValue::from_str(&cookies).expect("cookies"));
        }
        request.extensions_mut().insert(ConnectInfo(browser.peer));
        let Ok(response) = browser.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("complete response").to_bytes();
        browser.keep(&parts.headers);
        let answer = Answer { method, path, status: parts.status, headers: parts.headers, body };
        browser.seen.lock().expect("not poisoned").push(answer.clone());
        answer
    }
}
