//! Turns cookies into a session and its user. The session cookie is `__Host-cartwright`; before sign-in a second one,
//! `…-form`, binds forms to a browser, and a third, `…-device`, marks a browser that has signed in. Over plain loopback
//! HTTP the names lack `__Host-`, because that prefix requires https.

mod layer;

use std::sync::{Arc, Mutex};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use cookie::{Cookie, SameSite};

pub use layer::session;

use super::{banner::Banner, error::Error};
use crate::{
    accounts::{BrowserSecret, DeviceCookie, Fresh, Role, SessionEnd, User},
    app::App,
    audit::{Actor, Authority, By, Origin},
    carts::Visitor,
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
        Visitor::in_session(self.by(), self.browser.hash())
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
