//! A browser session of one user: cookies, forms and the `Origin` header. Redirects are left to the caller.

use std::{io, net::SocketAddr};

use super::{
    http::{self, Cookies},
    https::Https,
    page::{Form, Page},
};

pub const PASSWORD: &str = "four plain random words";

#[derive(Clone, Debug)]
pub struct Browser {
    pub address: SocketAddr,
    /// The HTTPS proxy; `None` for a direct connection.
    over: Option<Https>,
    cookies: Cookies,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, over: None, cookies: Cookies::default() }
    }

    /// A browser that connects through a proxy.
    pub fn over(https: &Https) -> Self {
        Self { over: Some(https.clone()), ..Self::new(https.proxy) }
    }

    /// A browser that already holds this cookie.
    pub fn with_cookie(address: SocketAddr, name: &str, value: &str) -> Self {
        let mut browser = Self::new(address);
        browser.cookies.0.insert(name.to_owned(), value.to_owned());
        browser
    }

    /// A browser in which this user is signed in.
    pub async fn sign_in(address: SocketAddr, email: &str) -> Self {
        Self::new(address).signed_in(email).await
    }

    /// Signs this user in.
    pub async fn signed_in(mut self, email: &str) -> Self {
        let page = self.get("/sign-in").await.expect("the sign-in page");
        let form = page.form("Sign in").fill("email", email).fill("password", PASSWORD);
        let answer = self.submit(&form).await.expect("an answer");
        assert_eq!(answer.status(), 303, "{}", answer.html);
        self
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.0.get(name).map(String::as_str)
    }

    pub fn cookie_names(&self) -> Vec<&str> {
        self.cookies.0.keys().map(String::as_str).collect()
    }

    pub async fn get(&mut self, path: &str) -> io::Result<Page> {
        let request = self.head("GET", path, "");
        self.send(path, request.as_bytes()).await
    }

    pub async fn submit(&mut self, form: &Form) -> io::Result<Page> {
        self.send(&form.action, &self.bytes(form)).await
    }

    /// Serializes the request that [`Self::submit`] would send.
    pub fn bytes(&self, form: &Form) -> Vec<u8> {
        let body = serde_urlencoded::to_string(&form.fields).expect("form encodes");
        let more = format!(
            "origin: {}://{}\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            if self.over.is_some() { "https" } else { "http" },
            self.host(),
            body.len()
        );
        (self.head("POST", &form.action, &more) + &body).into_bytes()
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let cookies = self.cookies.line();
        let cookies = if cookies.is_empty() { cookies } else { format!("cookie: {cookies}\r\n") };
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n{cookies}{more}connection: close\r\n\r\n", self.host())
    }

    fn host(&self) -> String {
        self.over.as_ref().map_or_else(|| self.address.to_string(), |https| https.host.clone())
    }

    async fn send(&mut self, path: &str, request: &[u8]) -> io::Result<Page> {
        let answer = match &self.over {
            Some(https) => https.send(request).await?,
            None => http::send(self.address, request).await?,
        };
        self.cookies.keep(answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Ok(Page::of(path, answer))
    }

    /// Returns the editor's form for a new cart with this store and token, to be submitted by this button.
    pub async fn new_cart(&mut self, button: &str, handle: &str, token: &str) -> Form {
        let page = self.get("/admin/ecommerce/shopify/new").await.expect("the editor");
        let form = page.form(button).fill("website_name", &format!("Shop {handle}")).fill("api_url", handle);
        form.fill("access_token", token)
    }

    /// Presses *Test Connection* on a new cart and reads the streamed page to its end.
    pub async fn test(&mut self, handle: &str, token: &str) -> Page {
        let form = self.new_cart("Test Connection", handle, token).await;
        self.submit(&form).await.expect("complete page")
    }
}
