//! What the region *Connection test* says beside the words of its class.

use askama::Template as _;
use scraper::Html;

use super::html_rules::select;
use super::verdicts::test_view;
use crate::carts::state::{Checks, Unscheduled};
use crate::causes::Class;
use crate::web::admin::ecommerce::shopify::Kind;
use crate::web::admin::ecommerce::shopify::editor::view::connection_test::{TestView, TestedState};

/// The visible text of the region, with single spaces.
fn read(view: &TestView) -> (Html, String) {
    let page = Html::parse_fragment(&view.render().expect("the region renders"));
    let text = page.root_element().text().collect::<String>().replace('\u{2060}', "");
    (page, text.split_whitespace().collect::<Vec<_>>().join(" "))
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
        ["Connected, but customer names and addresses are hidden", "Connected, but Shopify used a different version",]
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
    assert!(synced(None).contains("Programs with an API key can use this connection."));
    let none =
        "Programs with an API key can use this connection. No sync setting of this cart is on yet: choose them below.";
    assert!(synced(Some(&[])).contains(none));
    let some = "Programs with an API key can use this connection. Switched on: Update inventory, Import Products.";
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
