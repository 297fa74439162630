//! The question before a credential is forgotten. The cart stays, as a Draft.

use askama::Template;

use super::{CartHead, Kind};
use crate::web::filters;
use crate::web::shell::Shell;

/// Posts `csrf` and `version` to its own address.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/disconnection.html")]
pub struct Disconnection {
    pub shell: Shell,
    pub cart: CartHead,
    pub kind: Kind,
    /// The version that was asked about.
    pub version: i64,
}

impl Disconnection {
    fn question(&self) -> String {
        format!("Disconnect {}?", self.cart.name)
    }
}
