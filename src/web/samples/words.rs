//! The exact text of the region *Connection test* for every class.

use askama::Template as _;
use scraper::Html;

use super::rules::select;
use super::verdicts::test_view;
use crate::ecommerce::{
    state::{Checks, Unscheduled},
    verdict::Class,
};
use crate::web::admin::ecommerce::shopify::Kind;
use crate::web::admin::ecommerce::shopify::connection_test::{TestView, TestedState};

/// The visible text of the region, with single spaces.
fn read(view: &TestView) -> (Html, String) {
    let page = Html::parse_fragment(&view.render().expect("the region renders"));
    let text = page.root_element().text().collect::<String>().replace('\u{2060}', "");
    (page, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_class_shows_its_title_cause_and_remedy() {
    assert_eq!(WORDS.map(|(class, ..)| class), Class::ALL);
    for (class, title, cause, remedy) in WORDS {
        let (page, text) = read(&test_view(class, Kind::AccessToken));
        let region = page.select(&select("section[aria-label='Connection test']")).next().expect("the region");
        assert_eq!(region.attr("data-class"), Some(class.as_str()));
        assert_eq!(region.attr("data-outcome"), Some(class.outcome().as_str()));
        let heading = region.select(&select("h1, h2, h3")).next().expect("a heading");
        assert_eq!(heading.text().collect::<String>(), title, "{class:?}");
        for sentence in [cause, remedy] {
            assert!(text.contains(sentence), "{class:?}: “{sentence}” is not in “{text}”");
        }
    }
}

#[test]
fn client_credentials_result_never_mentions_an_access_token() {
    let own = [Class::CcNotInstalled, Class::TokenKindRefused];
    for class in Class::ALL.into_iter().filter(|class| !own.contains(class)) {
        let (_, text) = read(&test_view(class, Kind::ClientCredentials));
        assert!(!text.to_lowercase().contains("access token"), "{class:?}: {text}");
    }
}

#[test]
fn all_limits_are_shown_and_the_first_gives_the_class() {
    let (page, _) = read(&test_view(Class::ScopesMissing, Kind::AccessToken));
    let more: Vec<String> = page.select(&select(".more > h3")).map(|title| title.text().collect()).collect();
    assert_eq!(
        more,
        [
            "Connected, but customer names and addresses are hidden",
            "Connected until tomorrow at 19:31 UTC",
            "Connected, but Shopify used a different version",
        ]
    );
    let copy = page.select(&select(".todo [data-copy]")).next().expect("the copy button");
    assert_eq!(copy.attr("data-copy"), Some("write_inventory,read_gift_cards"));
    assert_eq!(copy.text().collect::<String>().trim(), "Copy the 2 missing permissions");
}

#[test]
fn checks_after_a_failure_are_not_checked() {
    let (page, _) = read(&test_view(Class::StoreFrozen, Kind::AccessToken));
    let state = |check: &str| {
        let line = page.select(&select(&format!("li[data-check={check}]"))).next().expect("the line");
        line.text().map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(state("store"), "Store reached: it is paused 84 ms");
    assert_eq!(state("credential"), "Access token Not checked");
    assert_eq!(state("version"), "API version Not checked");
}

#[test]
fn next_step_depends_on_what_is_saved() {
    let told = |standing| read(&TestView { standing, ..test_view(Class::Connected, Kind::AccessToken) }).1;
    assert!(told(TestedState::Unsaved).contains("Save to keep this connection."));
    let saved = |why| told(TestedState::Saved(Checks::Unscheduled(why)));
    assert!(saved(Unscheduled::Inactive).contains("Turn on Active when you are ready to sync."));
    assert!(saved(Unscheduled::IntegrationIsOff).contains("Turn on Ecommerce Integration when you are ready to sync."));
    let synced = |labels: Option<&[&str]>| {
        let synced = labels.map(|labels| labels.iter().map(|label| (*label).to_owned()).collect());
        let standing = TestedState::Saved(Checks::Scheduled);
        read(&TestView { standing, synced, ..test_view(Class::Connected, Kind::AccessToken) }).1
    };
    assert!(synced(None).contains("Order Time uses this connection."));
    let none = "Order Time uses this connection. No sync setting of this cart is on yet: choose them below.";
    assert!(synced(Some(&[])).contains(none));
    let some = "Order Time uses this connection. Switched on: Update inventory, Import Products.";
    assert!(synced(Some(&["Update inventory", "Import Products"])).contains(some));
}

#[test]
fn result_says_if_it_differs_from_what_is_saved() {
    let told = |standing| read(&TestView { standing, ..test_view(Class::Connected, Kind::AccessToken) }).1;
    let sentence = "This test covers what is typed here, not what was saved before.";
    assert!(told(TestedState::DiffersFromSaved).contains(sentence));
    for standing in [TestedState::Unsaved, TestedState::Saved(Checks::Scheduled)] {
        assert!(!told(standing).contains(sentence), "{standing:?}");
    }
}

#[test]
fn viewer_gets_a_result_without_changing_buttons() {
    let view = TestView { test_url: String::new(), ..test_view(Class::StoreMoved, Kind::AccessToken) };
    let (page, _) = read(&view);
    assert_eq!(page.select(&select("button:not([data-copy])")).count(), 0);
}

/// Class, title, a sentence of the cause, a sentence of the remedy. Written by hand, so that a mistake in a template
/// shows.
const WORDS: [(Class, &str, &str, &str); 30] = [
    (
        Class::Connected,
        "Connected to Northwind Tea",
        "All 17 permissions are in place. Store currency: GBP. Time zone: London.",
        "Save to keep this connection.",
    ),
    (
        Class::ScopesMissing,
        "Connected, but 2 permissions are missing",
        "Order Time can open Northwind Tea. Until you add these, the parts named below do not work: Inventory (write_inventory): stock levels will not update in Shopify",
        "Your access token stays the same unless Shopify gives you a new one.",
    ),
    (
        Class::CustomerDetailsHidden,
        "Connected, but customer names and addresses are hidden",
        "Orders will arrive without a name, email or address.",
        "Ask Shopify which plan you need, or make the app in the Dev Dashboard.",
    ),
    (
        Class::Expires,
        "Connected until tomorrow at 19:31 UTC",
        "This token came from a Dev Dashboard app and lasts 24 hours.",
        "Choose Client ID and Client secret so that we can renew it for you.",
    ),
    (
        Class::ApiVersionOld,
        "Connected, but Shopify used a different version",
        "We asked for 2026-10 and Shopify answered with 2026-07. Syncing works.",
        "You need not change anything. Report it to our support if it stays.",
    ),
    (
        Class::NetworkDns,
        "We could not look up northwind-tea.myshopify.com",
        "Order Time's server could not find this address. This is nearly always a network problem on our side, not your store.",
        "If it happens again, send the technical details to your IT team or our support.",
    ),
    (
        Class::NetworkUnreachable,
        "We could not reach northwind-tea.myshopify.com",
        "The connection was refused, or broke off before Shopify had answered.",
        "ask your IT team to allow outgoing connections from Order Time to northwind-tea.myshopify.com on port 443.",
    ),
    (
        Class::NetworkTimeout,
        "Shopify did not answer in time",
        "We waited 15 seconds for northwind-tea.myshopify.com. Shopify may be busy, or a firewall may be blocking Order Time.",
        "Check Shopify's status",
    ),
    (
        Class::TlsUntrusted,
        "We could not make a secure connection to northwind-tea.myshopify.com",
        "The security certificate did not match, so we stopped before sending your token.",
        "Ask your IT team to let Order Time reach northwind-tea.myshopify.com without inspecting the traffic.",
    ),
    (
        Class::NotShopify,
        "Something other than Shopify answered",
        "We did not get Shopify's data from northwind-tea.myshopify.com but something else, such as a web page.",
        "Send the technical details to your IT team.",
    ),
    (
        Class::StoreNotFound,
        "There is no Shopify store at northwind-tea.myshopify.com",
        "It can differ from your shop's public name.",
        "Look at the address. Copy the part after /store/.",
    ),
    (
        Class::StoreMoved,
        "This store is now called northwind-tea-co",
        "Shopify pointed us from northwind-tea.myshopify.com to northwind-tea-co.myshopify.com. We did not send your token there.",
        "Use northwind-tea-co.myshopify.com, enter the access token again, then test.",
    ),
    (
        Class::StoreFrozen,
        "This store is paused by Shopify",
        "Shopify says there is an unpaid bill, or the store is closed. Your API URL and access token may be fine.",
        "Ask the store owner to sign in to Shopify and settle the bill. You do not need to change anything here. Test again when it is settled.",
    ),
    (
        Class::StoreLocked,
        "This store is locked",
        "Shopify locks a store after too many unexpected requests, or for a security reason.",
        "Ask the store owner to contact Shopify Support. Then test again.",
    ),
    (
        Class::RateLimited,
        "Shopify asked us to slow down",
        "Nothing is wrong with your settings.",
        "Wait 20 seconds, then test again.",
    ),
    (
        Class::RequestRejected,
        "Shopify turned this request away",
        "A guard in front of Shopify stopped the request before it reached your store.",
        "Wait an hour, then test again. If it happens again, send the technical details to our support.",
    ),
    (
        Class::ShopifyDown,
        "Shopify has a problem at the moment",
        "Shopify answered with a fault of its own (503). Your settings may be fine.",
        "Save your settings and test again later.",
    ),
    (
        Class::TokenRefused,
        "Shopify did not accept the access token",
        "You used this same token for Northwind Wholesale. Each store has its own.",
        "Copy the token again. Shopify shows it only once, so you may need a new one.",
    ),
    (
        Class::TokenStopped,
        "The access token stopped working",
        "It last worked on 21 November 2026 at 08:14 UTC. Since then someone may have uninstalled the app or made a new token in Shopify.",
        "Select Replace token and paste it.",
    ),
    (
        Class::TokenKindRefused,
        "Shopify no longer accepts this kind of token",
        "It was copied correctly. From 1 January 2027 Shopify refuses such tokens of every public app.",
        "Make an app of your own in the Dev Dashboard, choose Client ID and Client secret here, and paste both.",
    ),
    (
        Class::NotAllowed,
        "Shopify knows this app but will not let it in",
        "The app is installed, but it has no permission to read this store yet.",
        "Check the 17 permissions and select Save.",
    ),
    (
        Class::AddressRefused,
        "Shopify does not accept calls from our address",
        "Shopify answered, but turned us away because of the address that Order Time calls from. Your access token may be right.",
        "Open the Dev Dashboard (opens in a new tab), then Apps, then your app, then Settings, then IP allowlist.Add our addresses. Copy all 2 addresses",
    ),
    (
        Class::WrongStore,
        "This is a different store",
        "This cart was set up for Northwind Wholesale. The address and access token you entered open Northwind Tea (northwind-tea.myshopify.com).",
        "To connect Northwind Tea too, add it as a new cart.",
    ),
    (
        Class::Duplicate,
        "This store is already connected",
        "Northwind Wholesale already uses this store.",
        "Open it instead of adding it again. Open Northwind Wholesale",
    ),
    (
        Class::CcWrongOrg,
        "This app and this store belong to different Shopify organizations",
        "Your ID and secret may be correct; entering them again does not help.",
        "Sign in to the Dev Dashboard as the store's own organization, make the app there, and use its Client ID and Client secret.",
    ),
    (
        Class::CcNotInstalled,
        "The app is not installed on this store",
        "Shopify knows the app, but northwind-tea has not installed it.",
        "In the Dev Dashboard open the app, select Install app and choose northwind-tea. Then test again.",
    ),
    (
        Class::CcRefused,
        "Shopify did not accept the Client ID or Client secret",
        "One of them was not copied whole, or the secret was replaced.",
        "Copy both again from the app's Settings page. If someone rotated the secret, use the new one.",
    ),
    (
        Class::OurKey,
        "We cannot read the saved access token",
        "Order Time's encryption key changed. This is our fault, not Shopify's.",
        "Select Replace token and paste it again, or ask support to restore the key. Reference 0198f3c2a7.",
    ),
    (
        Class::OurBug,
        "A fault on our side stopped this test",
        "Shopify rejected Order Time's request as malformed, or answered in a form that Order Time does not know. This is a bug in Order Time, not in your settings.",
        "Save your settings as they are and report the bug to our support. Reference 0198f3c2a7.",
    ),
    (
        Class::TestLimit,
        "You have tested 10 times in a minute",
        "We limit tests so that Shopify does not lock the store.",
        "Wait 20 seconds, then test again.",
    ),
];
