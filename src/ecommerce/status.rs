//! The five words for a cart, from facts, in one pure function.

use super::verdict::Class;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Saved, never passed a test of what is saved.
    Draft,
    Connected,
    NeedsAttention,
    NotConnected,
    Inactive,
}

impl Status {
    /// The word in the database and in scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Connected => "connected",
            Self::NeedsAttention => "needs-attention",
            Self::NotConnected => "not-connected",
            Self::Inactive => "inactive",
        }
    }

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Connected => "Connected",
            Self::NeedsAttention => "Needs attention",
            Self::NotConnected => "Not connected",
            Self::Inactive => "Inactive",
        }
    }

    pub(super) fn from_stored(text: &str) -> Self {
        [Self::Draft, Self::Connected, Self::NeedsAttention, Self::NotConnected, Self::Inactive]
            .into_iter()
            .find(|status| status.as_str() == text)
            .expect("the constraint carts_status allows only these words")
    }

    /// What a page shows while the whole integration is on or off: off, every cart but a Draft is inactive.
    #[must_use]
    pub const fn under(self, integration_is_on: bool) -> Self {
        match self {
            Self::Draft => Self::Draft,
            _ if !integration_is_on => Self::Inactive,
            other => other,
        }
    }

    /// Stock pauses while none of the chosen locations exists: what would be connected then needs attention.
    #[must_use]
    pub const fn with_locations(self, are_gone: bool) -> Self {
        match self {
            Self::Connected if are_gone => Self::NeedsAttention,
            other => other,
        }
    }
}

/// What the status follows from.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether exactly what is saved has ever passed.
    pub has_passed: bool,
    pub is_active: bool,
    /// The last lasting class of a check of what is saved.
    pub last: Option<Class>,
}

impl Facts {
    pub fn status(self) -> Status {
        match (self.has_passed, self.is_active, self.last) {
            (false, _, _) => Status::Draft,
            (true, false, _) => Status::Inactive,
            (true, true, None) => Status::Connected,
            (true, true, Some(class)) => class.active_status().unwrap_or(Status::Connected),
        }
    }
}

impl Class {
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
    }

    /// What one check makes of an active cart; `None` where a single one says nothing lasting, such as a network that was away.
    pub const fn active_status(self) -> Option<Status> {
        match self {
            Self::Connected | Self::ApiVersionOld => Some(Status::Connected),
            Self::ScopesMissing | Self::CustomerDetailsHidden | Self::Expires | Self::OurKey => {
                Some(Status::NeedsAttention)
            }
            Self::TokenRefused
            | Self::TokenStopped
            | Self::TokenKindRefused
            | Self::NotAllowed
            | Self::StoreNotFound
            | Self::StoreMoved
            | Self::StoreFrozen
            | Self::StoreLocked
            | Self::WrongStore
            | Self::Duplicate
            | Self::CcWrongOrg
            | Self::CcNotInstalled
            | Self::CcRefused => Some(Status::NotConnected),
            Self::NetworkDns
            | Self::NetworkUnreachable
            | Self::NetworkTimeout
            | Self::TlsUntrusted
            | Self::NotShopify
            | Self::RateLimited
            | Self::RequestRejected
            | Self::ShopifyDown
            | Self::OurBug
            | Self::TestLimit => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_follow_from_facts() {
        let table = [
            (false, false, None, Status::Draft),
            (false, true, Some(Class::Connected), Status::Draft),
            (true, false, Some(Class::TokenRefused), Status::Inactive),
            (true, true, None, Status::Connected),
            (true, true, Some(Class::Connected), Status::Connected),
            (true, true, Some(Class::ApiVersionOld), Status::Connected),
            (true, true, Some(Class::ScopesMissing), Status::NeedsAttention),
            (true, true, Some(Class::OurKey), Status::NeedsAttention),
            (true, true, Some(Class::TokenStopped), Status::NotConnected),
            (true, true, Some(Class::StoreFrozen), Status::NotConnected),
            (true, true, Some(Class::NetworkTimeout), Status::Connected),
        ];
        for (has_passed, is_active, last, status) in table {
            assert_eq!(Facts { has_passed, is_active, last }.status(), status, "{has_passed} {is_active} {last:?}");
        }
    }

    #[test]
    fn a_cart_whose_locations_are_all_gone_needs_attention_if_nothing_is_worse() {
        assert_eq!(Status::Connected.with_locations(true), Status::NeedsAttention);
        assert_eq!(Status::Connected.with_locations(false), Status::Connected);
        for other in [Status::Draft, Status::Inactive, Status::NotConnected] {
            assert_eq!(other.with_locations(true), other);
        }
    }

    #[test]
    fn while_the_integration_is_off_only_drafts_keep_their_word() {
        assert_eq!(Status::Draft.under(false), Status::Draft);
        assert_eq!(Status::Connected.under(false), Status::Inactive);
        assert_eq!(Status::NotConnected.under(true), Status::NotConnected);
    }
}
