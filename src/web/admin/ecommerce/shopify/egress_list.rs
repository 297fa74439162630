//! Our outgoing addresses, as people copy them into an app's IP allowlist at Shopify.

use askama::Template;

use crate::outbound::egress_addresses::EgressAddresses;
use crate::web::filters;
use crate::web::shell::Shell;

/// The list with its copy buttons, or a sentence that says where to find the addresses. Draws itself with `{{ list|safe }}`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "admin/ecommerce/shopify/_egress_list.html")]
pub struct EgressList {
    /// `None` before sign-in; empty where the operator has listed none.
    pub addresses: Option<EgressAddresses>,
    /// `PRODUCT_NAME`.
    pub product: String,
    /// `SUPPORT_ADDRESS`.
    pub support: Option<String>,
    /// Heard by screen readers behind the name of each button, where a page holds the list twice.
    pub copy_more: &'static str,
}

impl EgressList {
    /// The list for this reader.
    pub fn of(shell: &Shell) -> Self {
        Self {
            addresses: shell.egress_addresses.clone(),
            product: shell.product.clone(),
            support: shell.support.clone(),
            copy_more: "",
        }
    }

    /// The same for the result of a test, which the guide's own list stands beside.
    pub fn of_result(shell: &Shell) -> Self {
        Self { copy_more: "for the IP allowlist", ..Self::of(shell) }
    }

    /// Label of the button that copies all of them.
    fn copy_label(count: usize) -> String {
        if count == 1 { "Copy the address".into() } else { format!("Copy all {count} addresses") }
    }

    /// The addresses as one line of plain text; `None` where there are none to show.
    pub fn line(&self) -> Option<String> {
        self.addresses.as_ref().filter(|addresses| !addresses.is_empty()).map(ToString::to_string)
    }
}
