//! The pages, through the whole router: every layer, a database each, and the practice store as Shopify. What is asserted is what
//! a person or a script would see, and what the database and Shopify would know.

mod bad_bodies;
mod bulk;
mod canary;
mod connection_test;
mod cookies;
mod cross_site;
mod headers;
mod keep_the_secret;
mod list;
mod markup_in_names;
mod probes;
mod roles;
mod saving;
mod sessions;
mod set_up;
mod settings;
mod strangers;
mod support;
mod template_basics;
mod unsaved_credential;
