//! Turns cookies into a session and its user. The session cookie is `__Host-cartwright`; before sign-in a second one,
//! `…-form`, binds forms to a browser, and a third, `…-device`, marks a browser that has signed in. Over plain loopback
//! HTTP the names lack `__Host-`, because that prefix requires https.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::Response,
};
use cookie::{Cookie, SameSite};

use super::{
    error::{self, Error},
    form,
    shell::{Banner, Shell},
    trace::RequestId,
};
use crate::{
    accounts::{BrowserSecret, DeviceCookie, Fresh, Role, Session as Known, SessionEnd, User},
    app::App,
    audit::{Actor, Authority, By, Origin},
    database::request_connection::RequestConnection,
    ecommerce::Visitor,
};

/// The browser that sent the request, and its user if one is signed in.
#[derive(Clone, Debug)]
pub struct CurrentSession {
    pub browser: BrowserSecret,
    pub user: Option<User>,
    pub ended: Option<SessionEnd>,
    pub banner: Option<Banner>,
    /// Proof that the password was entered within the last ten minutes.
    pub fresh: Option<Fresh>,
    pub origin: Origin,
    /// Whether the browser sent one of our cookies, valid or not.
    pub has_cookie: bool,
    /// The new id, if this request rotates the session's; its cookie is sent with any response.
    renewed: Arc<Mutex<Option<BrowserSecret>>>,
}

impl CurrentSession {
    /// The session of a browser without cookies.
    fn for_new_browser(origin: Origin) -> Self {
        Self {
            browser: BrowserSecret::generate(),
            user: None,
            ended: None,
            banner: None,
            fresh: None,
            origin,
            has_cookie: false,
            renewed: Arc::default(),
        }
    }

    /// Replaces the session's id.
    pub fn renew(&mut self, opened: BrowserSecret) {
        *self.renewed.lock().expect("the lock is not poisoned") = Some(opened.clone());
        self.browser = opened;
    }

    /// The same browser, now signed in as this user.
    #[must_use]
    pub fn of(self, opened: BrowserSecret, user: User, fresh: Option<Fresh>) -> Self {
        Self { browser: opened, user: Some(user), fresh, ended: None, banner: None, ..self }
    }

    /// The same browser with no user signed in.
    #[must_use]
    pub fn without_user(self, ended: Option<SessionEnd>) -> Self {
        Self { user: None, fresh: None, ended, banner: None, ..self }
    }

    /// The same session with a banner for the page that this request renders.
    #[must_use]
    pub fn told(self, banner: Banner) -> Self {
        Self { banner: Some(banner), ..self }
    }

    /// The user that the guard has let through; an error on a route without a guard.
    pub fn person(&self) -> Result<&User, Error> {
        self.user.as_ref().ok_or_else(|| anyhow::anyhow!("a guarded route was reached without a user").into())
    }

    /// The signed-in user and the request's origin, for the audit log.
    pub fn by(&self) -> By {
        let actor = match &self.user {
            Some(user) => Actor::Person {
                id: user.id,
                name: user.name.clone(),
                email: user.email.clone(),
                authority: Authority::Session(self.browser.hash()),
            },
            None => Actor::Stranger,
        };
        By { actor, origin: self.origin.clone() }
    }

    pub fn visitor(&self) -> Visitor {
        Visitor { by: self.by(), session: self.browser.hash() }
    }

    /// Stores a banner for the next page.
    pub async fn leave(&self, app: &App, banner: &Banner) -> Result<(), Error> {
        Ok(app.accounts.leave_banner(&self.browser.hash(), &serde_json::to_value(banner)?).await?)
    }

    pub fn can_change(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.role == Role::Administrator)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| anyhow::anyhow!("the session layer is missing").into())
    }
}

/// Longest time that browsers keep a cookie (RFC 6265bis).
const DEVICE_MAX_AGE: time::Duration = time::Duration::days(400);

/// Names and attributes of our cookies.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    is_https: bool,
}

impl Cookies {
    pub fn of(app: &App) -> Self {
        Self { is_https: app.site.public_url.is_https }
    }

    const fn session(self) -> &'static str {
        if self.is_https { "__Host-cartwright" } else { "cartwright" }
    }

    const fn form(self) -> &'static str {
        if self.is_https { "__Host-cartwright-form" } else { "cartwright-form" }
    }

    const fn device(self) -> &'static str {
        if self.is_https { "__Host-cartwright-device" } else { "cartwright-device" }
    }

    fn find(name: &str, headers: &HeaderMap) -> Option<Cookie<'static>> {
        let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(|line| Cookie::split_parse(line.to_owned())).filter_map(Result::ok);
        cookies.find(|cookie| cookie.name() == name)
    }

    fn find_secret(name: &str, headers: &HeaderMap) -> Option<BrowserSecret> {
        Self::find(name, headers).and_then(|cookie| BrowserSecret::from_cookie(cookie.value()))
    }

    /// The accounts that this browser signed in to before; empty for a new browser.
    pub fn find_device(self, headers: &HeaderMap) -> DeviceCookie {
        Self::find(self.device(), headers).map(|cookie| DeviceCookie::parse(cookie.value())).unwrap_or_default()
    }

    fn set(self, name: &'static str, value: String, max_age: Option<time::Duration>) -> HeaderValue {
        self.header(name, value, SameSite::Strict, max_age)
    }

    fn header(
        self,
        name: &'static str,
        value: String,
        same_site: SameSite,
        max_age: Option<time::Duration>,
    ) -> HeaderValue {
        let cookie = Cookie::build((name, value)).path("/").http_only(true).same_site(same_site);
        let mut cookie = cookie.secure(self.is_https).build();
        cookie.set_max_age(max_age);
        HeaderValue::from_str(&cookie.to_string()).expect("base64url and dots are valid in a header")
    }

    const fn link(self) -> &'static str {
        if self.is_https { "__Host-cartwright-link" } else { "cartwright-link" }
    }

    /// Keeps the code of a one-time link in a cookie for ten minutes, so that it appears in no further URL.
    /// `SameSite=Lax`, since such a link is followed from an e-mail: a browser sends no strict cookie on a navigation
    /// from another site.
    pub fn set_link(self, code: &BrowserSecret) -> (header::HeaderName, HeaderValue) {
        let ten_minutes = Some(time::Duration::minutes(10));
        (header::SET_COOKIE, self.header(self.link(), code.to_cookie(), SameSite::Lax, ten_minutes))
    }

    /// The code of the one-time link that this browser followed.
    pub fn find_link(self, headers: &HeaderMap) -> Option<BrowserSecret> {
        Self::find_secret(self.link(), headers)
    }

    /// Deletes the link's cookie.
    pub fn delete_link(self) -> (header::HeaderName, HeaderValue) {
        (header::SET_COOKIE, self.expire(self.link()))
    }

    /// Sets the session cookie, marks the browser as known, and deletes the form cookie used before sign-in.
    pub fn sign_in(self, session: &BrowserSecret, device: &DeviceCookie) -> [(header::HeaderName, HeaderValue); 3] {
        [
            (header::SET_COOKIE, self.set(self.session(), session.to_cookie(), None)),
            (header::SET_COOKIE, self.expire(self.form())),
            self.remember(device),
        ]
    }

    /// Marks the browser as having signed in to these accounts.
    pub fn remember(self, device: &DeviceCookie) -> (header::HeaderName, HeaderValue) {
        (header::SET_COOKIE, self.set(self.device(), device.value(), Some(DEVICE_MAX_AGE)))
    }

    /// Deletes the session cookie.
    pub fn sign_out(self) -> (header::HeaderName, HeaderValue) {
        (header::SET_COOKIE, self.expire(self.session()))
    }

    fn expire(self, name: &'static str) -> HeaderValue {
        let secure = if self.is_https { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{name}=; HttpOnly; SameSite=Strict{secure}; Path=/; Max-Age=0"))
            .expect("plain ASCII")
    }
}

/// Whether a path needs no session: static files, probes and security.txt, which must answer while the database is
/// unavailable.
fn needs_no_session(path: &str) -> bool {
    path.starts_with("/static/") || path.starts_with("/-/") || path == super::security_txt::PATH
}

/// Whether the response is a page that a user will see; fetches by scripts and forms that redirect are not. A browser
/// that sends no `Sec-Fetch-Mode` counts as requesting a page.
fn shows_page(request: &Request) -> bool {
    request.method() == Method::GET && request.headers().get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

/// Middleware that identifies the browser and its user for the layers below, and sets the cookie that the browser's
/// forms need.
pub async fn session(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if needs_no_session(request.uri().path()) {
        return next.run(request).await;
    }
    let mut session = CurrentSession::for_new_browser(origin(&app, &request));
    let is_new = match load_session(&app, &mut request, &mut session).await {
        Ok(is_known) => !is_known,
        Err(error) => {
            let cause = anyhow::Error::from(error).context("reading the session");
            return database_error_page(&app, &session, &request.into_parts().0, cause);
        }
    };
    let (cookies, renewed, browser) = (Cookies::of(&app), session.renewed.clone(), session.browser.clone());
    // A link from another site arrives without any cookie; setting a new one would invalidate a form that is open.
    let from_elsewhere = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    request.extensions_mut().insert(session);
    let mut response = next.run(request).await;
    if let Some(opened) = renewed.lock().expect("the lock is not poisoned").take() {
        response.headers_mut().append(header::SET_COOKIE, cookies.set(cookies.session(), opened.to_cookie(), None));
    }
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_new && is_page && !from_elsewhere && !response.headers().contains_key(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookies.set(cookies.form(), browser.to_cookie(), None));
    }
    response
}

/// Identifies the user, and returns whether the browser has a secret that we issued.
///
/// # Errors
/// The database is unavailable. The session keeps the browser's secret, so that an open form stays valid.
async fn load_session(app: &App, request: &mut Request, session: &mut CurrentSession) -> sqlx::Result<bool> {
    let cookies = Cookies::of(app);
    let names = [cookies.session(), cookies.form()];
    session.has_cookie = names.iter().any(|name| Cookies::find_secret(name, request.headers()).is_some());
    if let Some(secret) = Cookies::find_secret(cookies.session(), request.headers()) {
        let known = app.accounts.session(&secret, shows_page(request)).await;
        match known.inspect_err(|_| session.browser = secret.clone())? {
            Known::Live { user, banner, fresh, connection } => {
                request.extensions_mut().insert(RequestConnection::new(connection));
                (session.browser, session.user, session.fresh) = (secret, Some(user), fresh);
                session.banner = banner.and_then(|banner| serde_json::from_value(banner).ok());
                return Ok(true);
            }
            Known::Ended(why) => session.ended = Some(why),
            Known::Unknown => {}
        }
    }
    let Some(secret) = Cookies::find_secret(cookies.form(), request.headers()) else { return Ok(false) };
    session.browser = secret;
    Ok(true)
}

/// The error page for an unavailable database. It holds what was typed, ready to be sent again.
fn database_error_page(app: &App, session: &CurrentSession, request: &Parts, cause: anyhow::Error) -> Response {
    let shell = Shell::of(app, Some(session), &request.uri);
    let reference = session.origin.request_id.clone().unwrap_or_default();
    let again = form::typed(request);
    error::unread(shell, &Error::from(cause), again, &reference)
}

/// Returns the client's address. `X-Forwarded-For` is trusted only from the operator's proxies, since any client can
/// send it.
pub fn client_address(app: &App, request: &Request) -> Option<IpAddr> {
    let forwarded = request.headers().get_all("x-forwarded-for").into_iter();
    // A header line that is not text must end the chain, not be skipped.
    let lines: Vec<&str> = forwarded.map(|line| line.to_str().unwrap_or("unreadable")).collect();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(app.site.trusted_proxies.client(peer.0.ip(), lines.into_iter()))
}

/// Where the request came from.
fn origin(app: &App, request: &Request) -> Origin {
    let ip = client_address(app, request).map(|ip| ip.to_string());
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Origin {
        request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()),
        ip,
        user_agent: agent.map(|agent| agent.chars().take(200).collect()),
    }
}
