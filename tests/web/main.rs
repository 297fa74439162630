//! The pages, through the whole router: every layer, a database each, and the practice store as Shopify. What is asserted is what
//! a person or a script would see, and what the database and Shopify would know.

mod account;
mod activity;
mod activity_rows;
mod after_a_test;
mod alert_channels;
mod alert_delivery;
mod alert_mail;
mod bad_bodies;
mod bulk;
mod canary;
mod connection_test;
mod cookies;
mod cross_site;
mod diagnostics;
mod dropped;
mod forwarded;
mod headers;
mod health;
mod keep_the_secret;
mod list;
mod list_orders;
mod markup_in_names;
mod one_connection;
mod probes;
mod roles;
mod saving;
mod sessions;
mod set_up;
mod settings;
mod strangers;
mod support;
mod template_basics;
mod unreadable;
mod unsaved_credential;
mod users;
