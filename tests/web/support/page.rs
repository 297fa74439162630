//! A loaded page of the site, which a user reads, fills in and leaves by a button or a link.

use std::ops::{Deref, DerefMut};

use axum::http::{HeaderMap, Method, StatusCode};

use super::{Answer, Browser, Knock, kit::page::PageContent};

/// A loaded page and the input made since.
pub struct Page {
    browser: Browser,
    pub path: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    content: PageContent,
}

impl Deref for Page {
    type Target = PageContent;

    fn deref(&self) -> &PageContent {
        &self.content
    }
}

impl DerefMut for Page {
    fn deref_mut(&mut self) -> &mut PageContent {
        &mut self.content
    }
}

impl std::fmt::Display for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.content.fmt(f)
    }
}

impl Page {
    pub fn new(browser: Browser, answer: Answer) -> Self {
        let html = String::from_utf8(answer.body.to_vec()).expect("pages are UTF-8");
        let content = PageContent::new(answer.status, answer.path.clone(), html);
        Self { browser, path: answer.path, status: answer.status, headers: answer.headers, content }
    }

    /// Presses a button and follows the redirect.
    #[track_caller]
    pub fn press(&self, label: &str) -> impl Future<Output = Page> + use<> {
        let knock = self.knock(label);
        let browser = self.browser.clone();
        async move { browser.go(knock).await }
    }

    /// The request that pressing the button would send.
    #[track_caller]
    pub fn knock(&self, label: &str) -> Knock {
        let (method, action, fields) = self.submission(label);
        if method == Method::GET {
            let query = serde_urlencoded::to_string(&fields).expect("a query");
            return self.browser.knock(method, &format!("{action}?{query}"));
        }
        self.browser.knock(method, &action).form(&fields)
    }

    /// Method, address and fields that a button submits.
    #[track_caller]
    pub fn submission(&self, label: &str) -> (Method, String, Vec<(String, String)>) {
        let form = self.form(label);
        (form.method, form.action, form.fields)
    }

    /// Follows the link with this text.
    #[track_caller]
    pub fn follow(&self, words: &str) -> impl Future<Output = Page> + use<> {
        let knock = self.browser.knock(Method::GET, &self.link(words));
        let browser = self.browser.clone();
        async move { browser.go(knock).await }
    }
}
