//! The finding of a failed request.

use crate::causes::Class;
use crate::platforms::shopify::{address::StoreAddress, client::Failure};

/// A finding other than success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAnswer {
    pub class: Class,
    /// A short phrase written by us.
    pub remark: Option<&'static str>,
    /// `STORE_MOVED`: the store that Shopify redirected to.
    pub moved_to: Option<StoreAddress>,
    /// `RATE_LIMITED`: seconds, 1 to 86,400.
    pub wait_seconds: Option<u32>,
    /// The token exchange: Shopify's name for the reason, such as `invalid_client`.
    pub error_name: Option<String>,
}

impl FailedAnswer {
    pub(crate) const fn of(class: Class) -> Self {
        Self { class, remark: None, moved_to: None, wait_seconds: None, error_name: None }
    }

    pub(in crate::platforms::shopify) fn foreign(remark: &'static str) -> Self {
        Self { remark: Some(remark), ..Self::of(Class::NotShopify) }
    }
}

impl From<Failure> for FailedAnswer {
    fn from(failure: Failure) -> Self {
        Self { remark: Some(failure.remark), ..Self::of(failure.class) }
    }
}
