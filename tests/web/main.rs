//! The pages, through the whole router: every layer, a database each, and the practice store as Shopify. What is asserted is what
//! a person or a script would see, and what the database and Shopify would know.

mod bad_bodies;
mod canary;
mod cookies;
mod cross_site;
mod headers;
mod keep_the_secret;
mod roles;
mod sessions;
mod strangers;
mod support;
mod unsaved_credential;
