//! Every class in every state of a cart, on the four views that tell of it: the list, the badge, the tab Health and the result of a
//! test. They say the same, and promise a check exactly where [`CartFacts::state`] has one scheduled.

use askama::Template as _;
use time::Duration;

use super::{NOW, rules::select, shell, verdicts::test_view};
use crate::ecommerce::health::{Day, Health as Found, PastCheck};
use crate::ecommerce::shopify::{address::StoreAddress, credential::CredentialKind};
use crate::ecommerce::state::{CartFacts, CartState, Checks};
use crate::ecommerce::status::{Facts, Status};
use crate::ecommerce::title::{self, Naming};
use crate::ecommerce::verdict::Class;
use crate::ecommerce::{Cart, CartId, CartRow as Listed, Cursor, SavedCredential};
use crate::web::admin::ecommerce::StatusFacts;
use crate::web::admin::ecommerce::carts::CartRow;
use crate::web::admin::ecommerce::shopify::CartHead;
use crate::web::admin::ecommerce::shopify::connection_test::{Standing, TestView};
use crate::web::admin::ecommerce::shopify::health::Health;

/// Whatever says that we will check by ourselves.
const PROMISES: [&str; 5] = ["We keep checking", "We check again", "We now check", "Checked every", "The first runs"];

/// A cart whose last check or test was of this class.
struct Case {
    name: &'static str,
    cart: Cart,
    integration_is_on: bool,
    practice_is_on: bool,
}

fn cart(class: Class, has_passed: bool, is_active: bool) -> Cart {
    let naming =
        Naming { host: "northwind-tea.myshopify.com", credential: "access token", tests_a_minute: 10, now: NOW };
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
        last_title: Some(title::of(&super::verdicts::verdict(class), &naming)),
        missing_count: if class == Class::ScopesMissing { 2 } else { 0 },
        last_checked_at: Some(NOW),
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
    vec![
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
        failing_since: cart.failing_since,
        retired_by: cart.retired_by.clone(),
        is_disconnected: cart.is_disconnected,
        locations_gone: cart.locations_gone,
        recent: vec![check],
    }
}

fn found(check: PastCheck, state: CartState) -> Found {
    let failed = u32::from(!check.passed());
    Found {
        recent: vec![check],
        days: vec![Day { day: NOW.date(), checks: 1, failed, slowest_ms: None }],
        problems: Vec::new(),
        next_check_at: (state.checks == Checks::Scheduled).then_some(NOW + Duration::minutes(5)),
        last_checked_at: Some(check.at),
        last_good_at: None,
        store: None,
        minted_at: None,
        minted_ends_at: None,
    }
}

/// Words that a person reads, with single spaces.
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
fn no_sentence_promises_a_check_that_is_not_scheduled_and_all_views_agree() {
    for class in Class::ALL {
        for Case { name, cart, integration_is_on, practice_is_on } in cases(class) {
            let case = format!("{class:?}, {name}");
            let facts = StatusFacts::of(&cart, integration_is_on, practice_is_on);
            let state = facts.cart.state();
            let check = PastCheck { at: NOW, class, took_ms: None };
            let row_of = listed(&cart, check);
            assert_eq!(CartFacts::of_row(&row_of, integration_is_on, practice_is_on).state(), state, "{case}");

            let row = CartRow::of(&row_of, integration_is_on, practice_is_on, NOW);
            let head = CartHead::new(&cart, &facts, NOW);
            assert_eq!(row.status, head.status, "{case}: the list and the badge");
            assert_eq!(row.active, state.checks == Checks::Scheduled, "{case}: the column Active");

            let page = Health::of(shell(), &cart, &facts, &found(check, state), None, NOW);
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
            assert!(!text.contains("0.0% of checks passed") || !text.contains("No problems"), "{case}: {text}");

            let standing = Standing::Saved(state.checks);
            let region = words(&TestView { standing, ..test_view(class, cart_kind()) }.render().expect("a region"));
            let is_promised = class == Class::StoreFrozen && state.checks == Checks::Scheduled;
            assert_eq!(promises(&region), is_promised, "{case}: {region}");
        }
        for standing in [Standing::Unsaved, Standing::DiffersFromSaved] {
            let region = words(&TestView { standing, ..test_view(class, cart_kind()) }.render().expect("a region"));
            assert!(!promises(&region), "{class:?}, {standing:?}: {region}");
        }
    }
}

const fn cart_kind() -> CredentialKind {
    CredentialKind::AccessToken
}

#[test]
fn checks_that_do_not_happen_are_not_promised() {
    let cart = cart(Class::Connected, true, true);
    let facts = StatusFacts::of(&cart, true, false);
    let check = PastCheck { at: NOW - Duration::hours(2), class: Class::Connected, took_ms: Some(200) };
    let found = Found { next_check_at: Some(NOW - Duration::hours(1)), ..found(check, facts.cart.state()) };
    let text = words(&Health::of(shell(), &cart, &facts, &found, None, NOW).render().expect("a page"));
    assert!(!promises(&text), "{text}");
    assert!(text.contains("Not checked since 17:31 UTC."), "{text}");
}
