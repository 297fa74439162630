//! The values that describe a cause.

use serde::{Deserialize, Serialize};

/// The three outcomes of a test, as `data-outcome` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Connected,
    Limited,
    NotConnected,
}

impl Outcome {
    /// The value of `data-outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Limited => "limited",
            Self::NotConnected => "not-connected",
        }
    }

    /// Whether a cart with exactly this credential may be activated.
    pub const fn passes(self) -> bool {
        !matches!(self, Self::NotConnected)
    }
}

/// The check that a cause fails, with the text of its line.
#[derive(Clone, Copy, Debug)]
pub enum FailedCheck {
    /// The whole line of *Store*. It says *Store reached* only if Shopify answered for the store.
    Store(&'static str),
    /// The whole line of *Store*, which depends on whether an HTTP response started before the test failed.
    Reach {
        unanswered: &'static str,
        answered: &'static str,
    },
    /// The line of *Credential*, after the noun of the credential.
    Credential(&'static str),
    Permissions,
    Version,
    Customers,
}

/// The effect of one check's result on the health of its cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Well,
    /// Works in part, or its secret cannot be decrypted: counts at once.
    Limited,
    /// May be temporary: counts after several failures over some time.
    Transient,
    /// Refused by Shopify: counts at once.
    Refused,
    /// A fault on our side. Says nothing about the store: counts only after one more failure than a transient one.
    Ours,
    /// No request was sent.
    NotACheck,
}

/// When a cart is checked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After the interval of a healthy cart.
    Interval,
    /// Soon, then after pauses that double.
    BackOff,
    /// Each hour: it may end any day, and a retry risks nothing.
    Hourly,
    /// Each hour for a day, then each day: Shopify may lock a store for repeated calls with a refused credential.
    HourlyThenDaily,
}

/// Whether a program gets the token of a cart whose last check ended with this cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRule {
    /// The store accepts the token, or the check did not get far enough to know. A fault on the way to the store, or on
    /// Shopify's side, says nothing about the token.
    HandOut,
    /// No call with this token would succeed.
    Withhold,
    /// The saved secret cannot be decrypted, so there is no token.
    Unreadable,
}

/// A cause on our side. Many carts that fail for it raise one alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedCause {
    /// Calls do not reach Shopify: DNS, routes, firewalls, the egress proxy.
    Network,
    /// Apps accept only listed addresses, and ours is not listed.
    Address,
    /// Saved secrets cannot be opened.
    Key,
    /// A fault of this program or its machine.
    Program,
}

impl SharedCause {
    pub const ALL: [Self; 4] = [Self::Network, Self::Address, Self::Key, Self::Program];

    /// The name in `shared_problems.cause`, in the webhook and in the metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Address => "address",
            Self::Key => "key",
            Self::Program => "program",
        }
    }
}

/// The first remedy, as one sentence and one action.
#[derive(Clone, Copy, Debug)]
pub struct NextStep {
    /// The sentence for a cart with an access token.
    pub with_token: &'static str,
    /// The sentence for a cart with a Client ID and Client secret.
    pub with_secret: &'static str,
    pub remedy: Remedy,
}

/// The action of a [`NextStep`].
#[derive(Clone, Copy, Debug)]
pub enum Remedy {
    /// Enter the secret again.
    Replace,
    /// Open the cart.
    OpenGeneral,
    /// Open another site; `{handle}` in the URL is the store's.
    Visit { url: &'static str, text: &'static str },
}

impl NextStep {
    const STATUS: Remedy = Remedy::Visit { url: "https://www.shopifystatus.com", text: "Check Shopify's status" };
    pub(super) const TEST: Self = Self::new("Test the connection to see what is missing.", Remedy::OpenGeneral);
    pub(super) const NETWORK: Self = Self::new("This is nearly always a network problem on our side.", Self::STATUS);
    pub(super) const WAIT: Self = Self::new("Nothing is known to be wrong with your settings.", Self::STATUS);

    pub(super) const fn new(text: &'static str, remedy: Remedy) -> Self {
        Self { with_token: text, with_secret: text, remedy }
    }
}

/// What the e-mail of an alert says. Placeholders: `{store}`, `{host}`, `{title}`, `{credential}`, `{replace}`,
/// `{permissions}`, `{egress_addresses}` and `{product}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertWords {
    /// What stops while the rest keeps working; `None` if synchronization stops completely.
    pub partly: Option<&'static str>,
    pub happened: &'static str,
    pub todo: &'static [&'static str],
}

impl AlertWords {
    /// For a cause that says no more than its title, or that only another version knows.
    pub const fn title_only(_: &str) -> Self {
        Self { partly: None, happened: "{title}.", todo: &["Open the cart and select Test Connection."] }
    }
}
