//! A person at a browser, in front of the whole site: what the tests of the pages are written in. Controls are found by the words
//! that a person reads, and a form is sent as it stood in the page just seen, so that a renamed input or a lost label fails.

mod browser;
pub mod cast;
pub mod dump;
mod page;
pub mod routes;
mod test_app;

pub use browser::{Answer, Browser, Knock};
pub use page::Page;
pub use test_app::{ORIGIN, Options, TestApp, expose};
