//! A person at a browser, in front of the whole site: what the tests of the pages are written in. Controls are found by the words
//! that a person reads, and a form is sent as it stood in the page just seen, so that a renamed input or a lost label fails.

pub mod alerts;
mod browser;
pub mod cast;
pub mod dump;
mod mail_server;
mod page;
mod receiver;
pub mod routes;
mod test_app;
pub mod tls;

pub use browser::{Answer, Browser, Knock};
pub use mail_server::{AfterDot, Mail, MailServer, Speaks};
pub use page::Page;
pub use receiver::{Heard, Receiver, Reply};
pub use test_app::{ORIGIN, Options, TestApp, expose};
