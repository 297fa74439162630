//! A cart in an answer. Fields that a webhook has too have its names.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    carts::{CartSummary, Status},
    causes::Class,
    clock::utc_text,
    web::urls,
};

/// The connection of one store.
#[derive(Serialize, ToSchema)]
#[schema(as = Cart)]
pub struct CartBody {
    id: String,
    website_name: String,
    platform: PlatformName,
    /// The host of the store, which identifies it.
    #[schema(example = "northwind-tea.myshopify.com")]
    store: String,
    /// The address that API calls to the store start with.
    #[schema(example = "https://northwind-tea.myshopify.com")]
    store_url: String,
    /// Whether an administrator or a program turned the cart on. A token is handed out only for an active cart.
    active: bool,
    /// Whether the cart turns on by itself when its test passes.
    activates_on_pass: bool,
    status: StatusName,
    /// The condition that was found last, such as `TOKEN_STOPPED`; `null` while all is well.
    #[schema(required)]
    class: Option<&'static str>,
    /// The condition in words; `null` while all is well.
    #[schema(required)]
    title: Option<String>,
    /// The platform's names of needed permissions that the store has not granted.
    missing_permissions: Vec<&'static str>,
    /// When the current problem began; `null` without a problem.
    #[schema(required, format = DateTime)]
    since: Option<String>,
    /// When a check last passed.
    #[schema(required, format = DateTime)]
    last_good_at: Option<String>,
    #[schema(required, format = DateTime)]
    last_checked_at: Option<String>,
    /// `null` if no check is scheduled.
    #[schema(required, format = DateTime)]
    next_check_at: Option<String>,
    /// Counts the changes by users and programs.
    version: i64,
    /// The last change by a user or a program. A check does not change it.
    #[schema(format = DateTime)]
    updated_at: String,
    /// The page of the cart.
    url: String,
}

/// The platform of a store.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Platform)]
#[serde(rename_all = "kebab-case")]
pub enum PlatformName {
    Shopify,
}

/// Whether a cart works.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Status)]
#[serde(rename_all = "kebab-case")]
pub enum StatusName {
    /// Saved; the saved credential has never passed a test.
    Draft,
    Connected,
    /// It works with limits, or cannot be checked.
    NeedsAttention,
    /// The store refuses the credential, or cannot be reached with it.
    NotConnected,
    /// Turned off.
    Inactive,
}

impl From<Status> for StatusName {
    fn from(status: Status) -> Self {
        match status {
            Status::Draft => Self::Draft,
            Status::Connected => Self::Connected,
            Status::NeedsAttention => Self::NeedsAttention,
            Status::NotConnected => Self::NotConnected,
            Status::Inactive => Self::Inactive,
        }
    }
}

impl CartBody {
    /// `origin`: the public address of this server.
    pub fn of(cart: &CartSummary, origin: &str) -> Self {
        let class = cart.class.filter(|class| *class != Class::Connected);
        Self {
            id: cart.id.to_string(),
            website_name: cart.website_name.clone(),
            platform: PlatformName::Shopify,
            store: cart.store_host.clone(),
            store_url: format!("https://{}", cart.store_host),
            active: cart.is_active,
            activates_on_pass: cart.activate_on_pass,
            status: cart.status.into(),
            class: class.map(Class::as_str),
            title: cart.title.clone().filter(|_| class.is_some()),
            missing_permissions: cart.missing_permissions.clone(),
            since: cart.failing_since.map(utc_text),
            last_good_at: cart.last_good_at.map(utc_text),
            last_checked_at: cart.last_checked_at.map(utc_text),
            next_check_at: cart.next_check_at.map(utc_text),
            version: cart.version,
            updated_at: utc_text(cart.updated_at),
            url: format!("{origin}{}", urls::cart_health(cart.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_the_names_of_the_webhook() {
        for status in [Status::Draft, Status::Connected, Status::NeedsAttention, Status::NotConnected, Status::Inactive]
        {
            assert_eq!(serde_json::json!(StatusName::from(status)), status.as_str());
        }
    }
}
