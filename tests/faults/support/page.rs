//! A response to a browser, read as a page.

use std::ops::Deref;

use super::kit::{html_rules::select, http::Answer, page::PageContent};

pub use super::kit::page::Form;

#[derive(Clone, Debug)]
pub struct Page {
    pub answer: Answer,
    content: PageContent,
}

impl Deref for Page {
    type Target = PageContent;

    fn deref(&self) -> &PageContent {
        &self.content
    }
}

impl Page {
    pub fn of(path: &str, answer: Answer) -> Self {
        let content = PageContent::new(answer.status, path.to_owned(), answer.text());
        Self { answer, content }
    }

    pub fn status(&self) -> u16 {
        self.answer.status
    }

    pub fn location(&self) -> &str {
        self.answer.header("location").unwrap_or_default()
    }

    /// The class of the connection test on this page.
    pub fn class(&self) -> Option<String> {
        self.document().select(&select("[data-outcome]")).next()?.attr("data-class").map(str::to_owned)
    }
}
