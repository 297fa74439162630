//! Renders every class in every state of a cart on its five views: the list, the badge, the banner, the tab Health and
//! the result of a test. They must agree, and announce a check exactly if [`CartFacts::state`] has one scheduled.

use askama::Template as _;
use time::Duration;

use super::{NOW, html_rules::select, shell, verdicts::test_view};
use crate::carts::health::{HealthDay, HealthHistory as Found, PastCheck};
use crate::carts::state::{CartFacts, Checks};
use crate::carts::status::{Facts, Status};
use crate::carts::{Cart, CartId, CartRow as Listed, Cursor, SavedCredential};
use crate::causes::{Class, TitleContext};
use crate::platforms::shopify::{address::StoreAddress, credential::CredentialKind};
use crate::web::admin::ecommerce::StatusFacts;
use crate::web::admin::ecommerce::carts::CartRowView;
use crate::web::admin::ecommerce::shopify::CartHead;
use crate::web::admin::ecommerce::shopify::editor::view::connection_test::{TestView, TestedState};
use crate::web::admin::ecommerce::shopify::health::HealthPage;

/// Phrases that announce a check in the background.
const PROMISES: [&str; 5] = ["We keep checking", "We check again", "We now check", "Checked every", "The first runs"];

/// A cart whose last check or test was of this class.
struct Case {
    name: &'static str,
    cart: Cart,
    integration_is_on: bool,
    practice_is_on: bool,
}

fn cart(class: Class, has_passed: bool, is_active: bool) -> Cart {
    let naming = TitleContext { host: "northwind-tea.myshopify.com", credential: "access token" };
    let status = Facts { has_passed, is_active, last: Some(class) }.status();
    Cart {
        id: CartId(uuid::Uuid::nil()),
        website_name: "Northwind Tea".into(),
        address: StoreAddress::from_handle("northwind-tea").expect("a handle"),
        is_practice: false,
        is_active,
        activate_on_pass: false,
        status,
        version: 1,
        credential: Some(SavedCredential {
            kind: CredentialKind::AccessToken,
            client_id: None,
            ending: None,
            added_by: "Priya Shah".into(),
            added_at: NOW - Duration::days(2),
            is_readable: class != Class::OurKey,
        }),
        passed_at: has_passed.then_some(NOW - Duration::days(2)),
        shop_id: None,
        shop_name: None,
        last_test: None,
        last_class: Some(class),
        last_title: Some(super::verdicts::verdict(class).title(&naming)),
        missing_count: if class == Class::ScopesMissing { 2 } else { 0 },
        last_checked_at: Some(NOW - Duration::minutes(70)),
        next_check_at: is_active.then_some(NOW + Duration::minutes(5)),
        failing_since: is_active.then_some(NOW - Duration::hours(3)),
        retired_by: (!is_active).then(|| "Sam Lee".into()),
        is_disconnected: false,
        locations_gone: false,
        secret_version: 1,
        updated_at: NOW,
        updated_by: "Priya Shah".into(),
        updated_by_id: None,
    }
}

fn cases(class: Class) -> Vec<Case> {
    let of = |name, cart| Case { name, cart, integration_is_on: true, practice_is_on: false };
    let active = || cart(class, true, true);
    let disconnected = Cart { credential: None, is_disconnected: true, last_class: None, ..cart(class, false, false) };
    let overdue = |cart| Cart { next_check_at: Some(NOW - Duration::minutes(55)), ..cart };
    vec![
        of("overdue", overdue(active())),
        of(
            "overdue, without its locations",
            overdue(Cart { locations_gone: true, status: active().status.with_locations(true), ..active() }),
        ),
        Case { integration_is_on: false, ..of("overdue, integration off", overdue(active())) },
        of("draft", cart(class, false, false)),
        of("waits for its test", Cart { activate_on_pass: true, ..cart(class, false, false) }),
        of("inactive", cart(class, true, false)),
        of("active", active()),
        of("unreadable", cart(Class::OurKey, true, true)),
        of(
            "without its locations",
            Cart { locations_gone: true, status: active().status.with_locations(true), ..active() },
        ),
        of("disconnected", disconnected),
        of("practice off", Cart { is_practice: true, ..active() }),
        Case { practice_is_on: true, ..of("practice on", Cart { is_practice: true, ..active() }) },
        Case { integration_is_on: false, ..of("integration off", active()) },
        Case { integration_is_on: false, ..of("draft, integration off", cart(class, false, false)) },
    ]
}

fn listed(cart: &Cart, check: PastCheck) -> Listed {
    Listed {
        id: cart.id,
        cursor: Cursor::default(),
        website_name: cart.website_name.clone(),
        store_host: cart.address.host(),
        is_practice: cart.is_practice,
        is_active: cart.is_active,
        status: cart.status,
        last_class: cart.last_class,
        last_title: cart.last_title.clone(),
        missing_count: cart.missing_count,
        last_checked_at: Some(check.at),
        next_check_at: cart.next_check_at,
        failing_since: cart.failing_since,
        retired_by: cart.retired_by.clone(),
        is_disconnected: cart.is_disconnected,
        locations_gone: cart.locations_gone,
        recent: vec![check],
    }
}

fn found(cart: &Cart, check: PastCheck) -> Found {
    let failed = u32::from(!check.passed());
    Found {
        recent: vec![check],
        days: vec![HealthDay { day: NOW.date(), checks: 1, failed, slowest_ms: None }],
        problems: Vec::new(),
        next_check_at: cart.next_check_at,
        last_checked_at: Some(check.at),
        last_good_at: None,
        store: None,
        minted_at: None,
        minted_ends_at: None,
    }
}

/// The visible text, with single spaces.
fn words(html: &str) -> String {
    let page = scraper::Html::parse_document(html);
    let main = page.select(&select("main")).next().unwrap_or_else(|| page.root_element());
    main.text()
        .collect::<String>()
        .replace(['\u{2060}', '\u{2068}', '\u{2069}'], "")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn promises(text: &str) -> bool {
    PROMISES.iter().any(|promise| text.contains(promise))
}

#[test]
fn all_views_agree_and_announce_only_scheduled_checks() {
    for class in Class::ALL {
        for Case { name, cart, integration_is_on, practice_is_on } in cases(class) {
            let case = format!("{class:?}, {name}");
            let facts = StatusFacts::of(&cart, integration_is_on, practice_is_on, NOW);
            let state = facts.cart.state();
            let check = PastCheck { at: NOW - Duration::minutes(70), class, took_ms: None };
            let row_of = listed(&cart, check);
            assert_eq!(CartFacts::of_row(&row_of, integration_is_on, practice_is_on, NOW).state(), state, "{case}");

            let row = CartRowView::of(&row_of, integration_is_on, practice_is_on, NOW);
            let head = CartHead::new(&cart, &facts);
            assert_eq!(row.status, head.status, "{case}: the list and the badge");
            assert_eq!(row.active, state.checks.are_on(), "{case}: the column Active");
            let is_overdue = state.checks == Checks::Overdue(cart.last_checked_at);
            assert_eq!(is_overdue, name.starts_with("overdue") && integration_is_on, "{case}");
            let unchecked = is_overdue.then_some("Not checked since 18:21 UTC");
            assert_eq!(head.status.unchecked.as_deref(), unchecked, "{case}: the badge");

            let page = HealthPage::of(shell(), &cart, &facts, &found(&cart, check), None, NOW);
            assert_eq!(page.cart.status, head.status, "{case}: the tab Health");
            let is_in_trouble = matches!(state.status, Status::NeedsAttention | Status::NotConnected);
            assert_eq!(page.trouble.is_some(), is_in_trouble, "{case}: the banner");
            let text = words(&page.render().expect("a page"));
            if let Some(reason) = facts.reason() {
                let times = if is_in_trouble { 2 } else { 1 };
                let reason = reason.trim_end_matches('.').replace(['\u{2068}', '\u{2069}'], "");
                assert!(text.matches(&reason).count() >= times, "{case}: “{reason}” in {text}");
            }
            assert_eq!(promises(&text), state.checks == Checks::Scheduled, "{case}: {text}");
            assert_eq!(text.contains("Not checked since 18:21 UTC"), is_overdue, "{case}: {text}");
            let says_why = text.contains("Background checks are not running.");
            assert_eq!(says_why, is_overdue, "{case}: {text}");
            assert!(!text.contains("0.0% of checks passed") || !text.contains("No problems"), "{case}: {text}");

            let standing = TestedState::Saved(state.checks);
            let region = words(&TestView { standing, ..test_view(class, cart_kind()) }.render().expect("a region"));
            let is_promised = class == Class::StoreFrozen && state.checks == Checks::Scheduled;
            assert_eq!(promises(&region), is_promised, "{case}: {region}");
            let says_why = region.contains("but background checks are not running");
            assert_eq!(says_why, is_overdue && class == Class::Connected, "{case}: {region}");
        }
        for standing in [TestedState::Unsaved, TestedState::DiffersFromSaved] {
            let region = words(&TestView { standing, ..test_view(class, cart_kind()) }.render().expect("a region"));
            assert!(!promises(&region), "{class:?}, {standing:?}: {region}");
        }
    }
}

const fn cart_kind() -> CredentialKind {
    CredentialKind::AccessToken
}

/// The text of a row, as the list's page renders it.
fn row_words(row: CartRowView) -> String {
    words(&super::carts::list_of(row).render().expect("a page"))
}

#[test]
fn overdue_check_shows_in_the_list_and_on_health() {
    let connected = cart(Class::Connected, true, true);
    let overdue = Cart { next_check_at: Some(NOW - Duration::minutes(31)), ..connected };
    let facts = StatusFacts::of(&overdue, true, false, NOW);
    let check = PastCheck { at: NOW - Duration::minutes(70), class: Class::Connected, took_ms: Some(200) };
    let row = row_words(CartRowView::of(&listed(&overdue, check), true, false, NOW));
    assert!(row.contains("ConnectedNot checked since 18:21 UTC"), "{row}");
    let health = HealthPage::of(shell(), &overdue, &facts, &found(&overdue, check), None, NOW);
    let text = words(&health.render().expect("a page"));
    assert_eq!(text.matches("Not checked since").count(), 1, "shown once: {text}");
    let never = Cart { last_checked_at: None, ..overdue };
    let line = StatusFacts::of(&never, true, false, NOW).view().unchecked;
    assert_eq!(line.as_deref(), Some("Not checked yet, although a check was due"));
}

#[test]
fn draft_with_an_old_pass_asks_for_a_new_test() {
    let draft = cart(Class::Connected, false, false);
    let line = StatusFacts::of(&draft, true, false, NOW).view().line;
    assert_eq!(line.as_deref(), Some("Tested at 18:21 UTC, too long before it was saved. Test it again."));
}
