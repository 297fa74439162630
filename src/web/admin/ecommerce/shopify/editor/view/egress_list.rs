//! Our outgoing addresses, to be copied into an app's IP allowlist at Shopify.

use askama::Template;

use crate::outbound::egress_addresses::EgressAddresses;
use crate::web::admin::filters;
use crate::web::admin::shell::Shell;

/// The list with its copy buttons, or a sentence on where to find the addresses. Rendered with `{{ list|safe }}`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "admin/ecommerce/shopify/_egress_list.html")]
pub struct EgressList {
    /// `None` before sign-in; empty if the operator has listed none.
    pub addresses: Option<EgressAddresses>,
    /// `PRODUCT_NAME`.
    pub product: String,
    /// `SUPPORT_ADDRESS`.
    pub support: Option<String>,
    /// Appended to each button's name for screen readers, if a page holds the list twice.
    pub copy_more: &'static str,
}

impl EgressList {
    /// The list for the user of this page.
    pub fn of(shell: &Shell) -> Self {
        Self {
            addresses: shell.egress_addresses.clone(),
            product: shell.product.clone(),
            support: shell.support.clone(),
            copy_more: "",
        }
    }

    /// The list for a test result, which appears next to the guide's own list.
    pub fn of_result(shell: &Shell) -> Self {
        Self { copy_more: "for the IP allowlist", ..Self::of(shell) }
    }

    /// Label of the button that copies all addresses.
    fn copy_label(count: usize) -> String {
        if count == 1 { "Copy the address".into() } else { format!("Copy all {count} addresses") }
    }

    /// The addresses as one line of plain text; `None` if there are none to show.
    pub fn line(&self) -> Option<String> {
        self.addresses.as_ref().filter(|addresses| !addresses.is_empty()).map(ToString::to_string)
    }
}
