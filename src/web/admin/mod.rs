//! The administration pages, with everything that only pages need: sessions, form tokens, HTML errors, the pages before
//! sign-in.

pub mod account;
pub mod activity;
pub mod alerts;
pub mod api_keys;
pub mod api_reference;
pub mod assets;
pub mod banner;
pub mod charts;
pub mod confirm;
pub mod ecommerce;
pub mod error;
pub mod fields;
pub mod filters;
pub mod form;
pub mod form_stash;
pub mod guard;
pub mod handler_connection;
pub mod help;
pub mod home;
pub mod kept_form;
pub mod local_path;
pub mod page;
pub mod security_txt;
pub mod session;
pub mod set_up;
pub mod shell;
pub mod sign_in;
pub mod users;
