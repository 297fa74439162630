//! Texts of an e-mail for each cause: what happened and what to do. Pages have the same texts, with links.
#![deny(clippy::wildcard_enum_match_arm)]

use serde::{Deserialize, Serialize};

/// Why a cart needs attention, as far as e-mails distinguish causes. Set by the code that queues the alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertCause {
    ScopesMissing,
    CustomerDetailsHidden,
    Expires,
    NetworkDns,
    NetworkUnreachable,
    NetworkTimeout,
    TlsUntrusted,
    /// The store answered with a page for its visitors or its staff.
    StorePage,
    NotShopify,
    StoreNotFound,
    StoreMoved,
    StoreFrozen,
    StoreLocked,
    RateLimited,
    RequestRejected,
    ShopifyDown,
    CredentialRefused,
    TokenKindRefused,
    NotAllowed,
    AddressRefused,
    OtherStore,
    CcWrongOrg,
    CcNotInstalled,
    CcRefused,
    OurBug,
    OurKey,
    /// No text beyond the title. Also used for alerts that an earlier version queued.
    #[default]
    TitleOnly,
}

/// The texts for one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlertWords {
    /// What stops while the rest keeps working; `None` if synchronization stops completely.
    pub partly: Option<&'static str>,
    pub happened: &'static str,
    pub todo: &'static [&'static str],
}

const CALL_IT: &str = "Ask your IT team to allow outgoing connections from {product} to {host} on port 443.";
const CHECK_STATUS: &str = "Check Shopify's status: shopifystatus.com. You do not need to change anything here.";
const REPLACE: &[&str] = &[
    "Check that the app is still installed in Shopify.",
    "Copy its current {credential}.",
    "Open the cart, select {replace} and paste it.",
];

/// Returns the texts for a cause. The e-mail replaces `{store}`, `{host}`, `{title}`, `{credential}`, `{replace}`,
/// `{permissions}`, `{egress_addresses}` and `{product}`.
#[expect(clippy::too_many_lines, reason = "a table with one entry per cause")]
pub(super) const fn of(cause: AlertCause) -> AlertWords {
    let (partly, happened, todo): (_, _, &[&str]) = match cause {
        AlertCause::ScopesMissing => (
            Some("some of it does not work"),
            "The app in Shopify does not have every permission that {product} needs.",
            &[
                "Open the app in Shopify, then Configuration (Dev Dashboard: Versions).",
                "Add {permissions} and select Save (Release). If Shopify asks to update the app, say yes.",
                "Open the cart and select Test Connection.",
            ],
        ),
        AlertCause::CustomerDetailsHidden => (
            Some("orders arrive without customer names and addresses"),
            "Shopify hides them from apps made in the store's admin on some plans.",
            &["Ask Shopify which plan you need, or make the app in the Dev Dashboard."],
        ),
        AlertCause::Expires => (
            Some("its token lasts only 24 hours"),
            "The token came from a Dev Dashboard app, and {product} cannot renew it.",
            &["Open the cart and choose Client ID and Client secret, so that {product} can renew the token for you."],
        ),
        AlertCause::NetworkDns => (
            None,
            "{product}'s server could not find the address of {host}. This is nearly always a network problem on our side.",
            &["If it keeps happening, tell your IT team that {product} cannot look up {host}."],
        ),
        AlertCause::NetworkUnreachable => {
            (None, "{host} could not be reached. This is nearly always a network problem on our side.", &[CALL_IT])
        }
        AlertCause::NetworkTimeout => (
            None,
            "{host} did not answer in time. Shopify may be busy, or a firewall may block us.",
            &[CHECK_STATUS, CALL_IT],
        ),
        AlertCause::TlsUntrusted => (
            None,
            "The security certificate that answered for {host} did not match, so we stopped before sending the {credential}. This is nearly always a network problem on our side.",
            &["Ask your IT team to let {product} reach {host} without inspecting the traffic."],
        ),
        AlertCause::StorePage => (
            None,
            "{title} instead of answering.",
            &[
                "Ask the store owner whether the store is open and its plan is paid.",
                "Open the cart and select Test Connection.",
            ],
        ),
        AlertCause::NotShopify => (
            None,
            "Something other than Shopify answered, such as a proxy or a sign-in page.",
            &["Send the technical details of the cart's last test to your IT team."],
        ),
        AlertCause::StoreNotFound => (
            None,
            "There is no Shopify store at {host}. It may have been closed, or given another name.",
            &[
                "Open the store in Shopify and look at its address.",
                "Open the cart, enter that address and the {credential}, and select Test Connection.",
            ],
        ),
        AlertCause::StoreMoved => (
            None,
            "Shopify pointed us from {host} to another store's address. We did not send the {credential} there.",
            &["Open the cart, enter the new address and the {credential}, and select Test Connection."],
        ),
        AlertCause::StoreFrozen => (
            None,
            "Shopify says there is an unpaid bill, or the store is closed.",
            &[
                "Ask the store owner to sign in to Shopify and settle the bill. You do not need to change anything here.",
            ],
        ),
        AlertCause::StoreLocked => (
            None,
            "Shopify locks a store after too many unexpected requests, or for a security reason.",
            &["Ask the store owner to contact Shopify Support."],
        ),
        AlertCause::RateLimited => (
            None,
            "Other apps, or another sync, use up what the store allows at the moment.",
            &["Find out which other app asks so much. You do not need to change anything here."],
        ),
        AlertCause::RequestRejected => (
            None,
            "A guard in front of Shopify turned our requests away before they reached the store.",
            &["If it lasts for more than an hour, send the technical details of the cart's last test to our support."],
        ),
        AlertCause::ShopifyDown => (None, "Shopify answered with a fault of its own.", &[CHECK_STATUS]),
        AlertCause::CredentialRefused => (None, "Shopify no longer accepts the {credential}.", REPLACE),
        AlertCause::TokenKindRefused => (
            None,
            "The token comes from a public app that still uses tokens without an end, and Shopify no longer accepts those. From 1 January 2027 that holds for every public app.",
            &[
                "Make an app of your own in the Dev Dashboard.",
                "Open the cart, choose Client ID and Client secret, and paste both.",
            ],
        ),
        AlertCause::NotAllowed => (
            None,
            "The app is installed, but it has no permission to read this store.",
            &[
                "Open the app in Shopify, then Configuration.",
                "Check the 17 permissions and select Save.",
                "Install or update the app.",
                "Open the cart and select Test Connection.",
            ],
        ),
        AlertCause::AddressRefused => (
            None,
            "Shopify turned us away because of the address that we call from. The {credential} is not the cause: the app in Shopify most likely has an IP allowlist without our addresses.",
            &[
                "In the Dev Dashboard open the app, then Settings, then IP allowlist.",
                "Add {egress_addresses}.",
                "Open the cart and select Test Connection.",
            ],
        ),
        AlertCause::OtherStore => (
            None,
            "The address and the {credential} open a different store than this cart was set up for.",
            &["Open the cart and enter the address and the {credential} of {store}."],
        ),
        AlertCause::CcWrongOrg => (
            None,
            "The app and the store belong to different Shopify organizations.",
            &[
                "Sign in to the Dev Dashboard as the store's own organization, make the app there, and use its Client ID and Client secret.",
            ],
        ),
        AlertCause::CcNotInstalled => (
            None,
            "The app is no longer installed on {host}, or its Client ID and Client secret do not belong together.",
            &[
                "In the Dev Dashboard open the app, select Install app and choose the store.",
                "If it is installed, copy Client ID and Client secret from its Settings page, open the cart and paste both.",
            ],
        ),
        AlertCause::CcRefused => (
            None,
            "{title}. Someone may have rotated the secret, or deleted the app.",
            &["Copy both from the app's Settings page.", "Open the cart, select Replace Client secret and paste it."],
        ),
        AlertCause::OurBug => (
            None,
            "{product} cannot check this store because of a fault of its own. The store is not the cause.",
            &["Tell our support. You do not need to change anything here."],
        ),
        AlertCause::OurKey => (
            None,
            "{product} cannot read the saved {credential}, because its encryption key changed. This is our fault, not Shopify's.",
            &["Open the cart and enter the {credential} again, or ask support to restore the key."],
        ),
        AlertCause::TitleOnly => (None, "{title}.", &["Open the cart and select Test Connection."]),
    };
    AlertWords { partly, happened, todo }
}
