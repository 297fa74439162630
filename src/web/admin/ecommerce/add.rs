//! The gallery behind *Add Cart*: six platforms, one of which can be added. The others have no button at all.

use askama::Template;

use crate::web::filters;
use crate::web::shell::Shell;

/// Platforms that we know of and cannot connect yet, in the order of the page.
const LATER: [&str; 5] = ["BigCommerce", "WooCommerce", "Magento", "Volusion", "Shift4Shop"];

/// Six tiles.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/add.html")]
pub struct Add {
    pub shell: Shell,
    /// Shopify carts that are connected; none is not told.
    pub connected: u64,
}
