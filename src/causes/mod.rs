//! The causes that a connection test can end with, one file each: which check fails, how severe it is, when to retry,
//! and what people read about it. The pages with cause and remedy are templates; everything else about a cause is here.
//!
//! Knows no request, no page and no database: platforms produce causes, carts store them, faces show them.

mod address_refused;
mod api_version_old;
mod cc_not_installed;
mod cc_refused;
mod cc_wrong_org;
mod check;
mod connected;
mod customer_details_hidden;
mod duplicate;
mod facts;
mod network_dns;
mod network_timeout;
mod network_unreachable;
mod not_allowed;
mod not_shopify;
mod our_bug;
mod our_key;
mod rate_limited;
mod request_rejected;
mod scopes_missing;
mod shopify_down;
mod store_frozen;
mod store_locked;
mod store_moved;
mod store_not_found;
mod test_limit;
mod tls_untrusted;
mod token_kind_refused;
mod token_refused;
mod token_stopped;
mod verdict;
mod wrong_store;

use serde::{Deserialize, Serialize};

pub use cc_refused::UNKNOWN_CLIENT_ID;
pub use check::{Check, CheckKind, CheckState};
pub use facts::{AlertWords, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, SharedCause, TokenRule};
pub use not_shopify::{ADMIN_PAGE, PASSWORD_PAGE};
pub use verdict::{Limit, Note, Store, TESTS_A_MINUTE, TechnicalDetails, Verdict};

/// Everything that is the same for each test with this cause.
#[derive(Debug)]
pub struct Cause {
    /// The name in `data-class`, in rows and in the webhook.
    pub id: &'static str,
    pub outcome: Outcome,
    /// `None` if no check is to blame, as for a fault on our side.
    pub fails: Option<FailedCheck>,
    pub severity: Severity,
    pub retry: Retry,
    /// `None` if the cause is the store, its owner or Shopify.
    pub shared: Option<SharedCause>,
    /// Whether programs get the token of a cart with this cause.
    pub token: TokenRule,
    /// One sentence: the first heading of the result, the subject of an alert, the line in the activity.
    pub title: fn(&Verdict, &TitleContext<'_>) -> String,
    /// The first remedy, for the tab Health.
    pub next_step: NextStep,
    /// The text of an alert with this title.
    pub alert: fn(&str) -> AlertWords,
}

/// Values for a title that are not part of the verdict.
#[derive(Clone, Copy, Debug)]
pub struct TitleContext<'a> {
    /// The host that was called, such as `northwind-tea.myshopify.com`.
    pub host: &'a str,
    /// "access token" or "Client ID and Client secret".
    pub credential: &'a str,
}

/// Passes every cause to a macro: its code in packed checks, its name, its module, and the file of its page. A code is
/// never reused. Limits are in rank order.
macro_rules! for_each_cause {
    ($then:ident) => {
        $then! {
            0 Connected connected "connected.html",
            1 ScopesMissing scopes_missing "scopes_missing.html",
            2 CustomerDetailsHidden customer_details_hidden "customer_details_hidden.html",
            // 3 was a limit that no version produced.
            4 ApiVersionOld api_version_old "api_version_old.html",
            5 NetworkDns network_dns "network_dns.html",
            6 NetworkUnreachable network_unreachable "network_unreachable.html",
            7 NetworkTimeout network_timeout "network_timeout.html",
            8 TlsUntrusted tls_untrusted "tls_untrusted.html",
            9 NotShopify not_shopify "not_shopify.html",
            10 StoreNotFound store_not_found "store_not_found.html",
            11 StoreMoved store_moved "store_moved.html",
            12 StoreFrozen store_frozen "store_frozen.html",
            13 StoreLocked store_locked "store_locked.html",
            14 RateLimited rate_limited "rate_limited.html",
            15 RequestRejected request_rejected "request_rejected.html",
            16 ShopifyDown shopify_down "shopify_down.html",
            17 TokenRefused token_refused "token_refused.html",
            18 TokenStopped token_stopped "token_stopped.html",
            19 TokenKindRefused token_kind_refused "token_kind_refused.html",
            20 NotAllowed not_allowed "not_allowed.html",
            29 AddressRefused address_refused "address_refused.html",
            21 WrongStore wrong_store "wrong_store.html",
            22 Duplicate duplicate "duplicate.html",
            23 CcWrongOrg cc_wrong_org "cc_wrong_org.html",
            24 CcNotInstalled cc_not_installed "cc_not_installed.html",
            25 CcRefused cc_refused "cc_refused.html",
            26 OurKey our_key "our_key.html",
            27 OurBug our_bug "our_bug.html",
            28 TestLimit test_limit "test_limit.html",
        }
    };
}
pub(crate) use for_each_cause;

macro_rules! define {
    ($($code:literal $class:ident $module:ident $page:literal,)*) => {
        /// The one precise cause of a test's result, as `data-class` names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[repr(u8)]
        pub enum Class {
            $($class = $code,)*
        }

        impl Class {
            /// All classes, in the order of their declaration.
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$class),*];

            pub const fn cause(self) -> &'static Cause {
                match self {
                    $(Self::$class => &$module::CAUSE,)*
                }
            }
        }
    };
}
for_each_cause!(define);

impl Class {
    /// The class stored in a row; `None` if we do not know it any more.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// The class with this code; `None` if we do not know it any more.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The stored code, for checks that are packed into bytes.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The value of `data-class`.
    pub const fn as_str(self) -> &'static str {
        self.cause().id
    }

    pub const fn outcome(self) -> Outcome {
        self.cause().outcome
    }

    pub const fn severity(self) -> Severity {
        self.cause().severity
    }

    /// The check that this class fails; `None` if no check is to blame.
    pub const fn failed_check(self) -> Option<CheckKind> {
        match self.cause().fails {
            Some(FailedCheck::Store(_) | FailedCheck::Reach { .. }) => Some(CheckKind::Store),
            Some(FailedCheck::Credential(_)) => Some(CheckKind::Credential),
            Some(FailedCheck::Permissions) => Some(CheckKind::Permissions),
            Some(FailedCheck::Version) => Some(CheckKind::Version),
            Some(FailedCheck::Customers) => Some(CheckKind::Customers),
            None => None,
        }
    }

    /// The text of the failed check: for *Store* the whole line, for *Credential* what follows the credential's noun,
    /// and empty if no such line fails. `has_answer`: an HTTP response started before the test failed.
    pub const fn failed_line(self, has_answer: bool) -> &'static str {
        match self.cause().fails {
            Some(FailedCheck::Store(line) | FailedCheck::Credential(line)) => line,
            Some(FailedCheck::Reach { answered, .. }) if has_answer => answered,
            Some(FailedCheck::Reach { unanswered, .. }) => unanswered,
            Some(FailedCheck::Permissions | FailedCheck::Version | FailedCheck::Customers) | None => "",
        }
    }

    /// The title of one of the verdict's limits, or of its class.
    pub fn title(self, verdict: &Verdict, context: &TitleContext<'_>) -> String {
        (self.cause().title)(verdict, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks every cause: a page that says *Not connected* and a token that is withheld go together.
    #[test]
    fn token_is_withheld_exactly_for_causes_in_which_the_store_refuses() {
        use Class::{
            AddressRefused, CcNotInstalled, CcRefused, CcWrongOrg, Duplicate, NotAllowed, StoreFrozen, StoreLocked,
            StoreMoved, StoreNotFound, TokenKindRefused, TokenRefused, TokenStopped, WrongStore,
        };
        let withheld = [
            StoreNotFound,
            StoreMoved,
            StoreFrozen,
            StoreLocked,
            TokenRefused,
            TokenStopped,
            TokenKindRefused,
            NotAllowed,
            AddressRefused,
            WrongStore,
            Duplicate,
            CcWrongOrg,
            CcNotInstalled,
            CcRefused,
        ];
        for class in Class::ALL {
            let rule = match class {
                Class::OurKey => TokenRule::Unreadable,
                class if withheld.contains(&class) => TokenRule::Withhold,
                _ => TokenRule::HandOut,
            };
            assert_eq!(class.cause().token, rule, "{class:?}");
            assert_eq!(rule == TokenRule::Withhold, class.severity() == Severity::Refused, "{class:?}");
        }
    }

    #[test]
    fn class_names_are_the_same_in_pages_and_in_json() {
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
            assert_eq!(Class::from_stored(class.as_str()), Some(class));
            assert_eq!(Class::from_code(class.code()), Some(class));
        }
    }

    #[test]
    fn class_that_is_not_known_any_more_is_none() {
        assert_eq!(Class::from_stored("EXPIRES"), None);
        assert!(serde_json::from_value::<Class>("EXPIRES".into()).is_err(), "such a test counts as missing");
        assert_eq!(Class::from_code(3), None);
    }

    #[test]
    fn store_line_says_reached_only_if_shopify_answered() {
        use Class::{AddressRefused, RateLimited, ShopifyDown, StoreFrozen, StoreLocked, StoreMoved, StoreNotFound};
        let answered = [StoreMoved, StoreFrozen, StoreLocked, RateLimited, ShopifyDown, AddressRefused];
        for class in Class::ALL.into_iter().filter(|class| class.failed_check() == Some(CheckKind::Store)) {
            let before = match class {
                StoreNotFound => "Shopify reached: ",
                class if answered.contains(&class) => "Store reached: ",
                _ => "Store not reached",
            };
            let line = class.failed_line(false);
            assert!(line.starts_with(before), "{class:?}: {line}");
        }
    }
}
