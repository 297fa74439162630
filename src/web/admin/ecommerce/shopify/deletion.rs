//! The question before a cart is deleted. Imported orders and the activity stay.

use askama::Template;

use super::{CartHead, Kind};
use crate::web::filters;
use crate::web::shell::Shell;

/// Posts `csrf` and `version` to its own address.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/deletion.html")]
pub struct Deletion {
    pub shell: Shell,
    pub cart: CartHead,
    pub kind: Kind,
    /// The version that was asked about.
    pub version: i64,
}

impl Deletion {
    fn question(&self) -> String {
        format!("Delete {}?", self.cart.name)
    }
}
