//! Support for page tests: users in browsers, in front of the whole site. Controls are found by their visible labels,
//! and forms are submitted as the page contained them, so that a renamed input or a missing label fails a test.

pub mod alerts;
pub mod api;
mod browser;
pub mod cast;
pub mod dump;
#[path = "../../kit/mod.rs"]
pub mod kit;
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
