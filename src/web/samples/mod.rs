//! Every page with the sample cast, at rest and at its worst, and what must hold of each of them. Tests only.
//! `LOOK_DIR=… cargo test --lib web::samples::rules::look -- --ignored` writes the pages as files, to be looked at.

mod activity;
mod health;
mod people;
mod readable;
mod rules;
mod snapshots;

use askama::Template;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::admin::alerts::{self, AlertForm, Alerts, NewSecret, WebhookView};
use super::admin::ecommerce::StatusView;
use super::admin::ecommerce::add::Add;
use super::admin::ecommerce::bulk::{Bulk, BulkAsk};
use super::admin::ecommerce::carts::{CartRow, Carts, Counts, Filter};
use super::admin::ecommerce::shopify::conflict::{Conflict, ConflictRow};
use super::admin::ecommerce::shopify::connection_test::{Standing, TestView};
use super::admin::ecommerce::shopify::deletion::Deletion;
use super::admin::ecommerce::shopify::disconnection::Disconnection;
use super::admin::ecommerce::shopify::general::{
    EditorForm, General, SavedSecret, SecretState, SecretView, Stage, Understood,
};
use super::admin::ecommerce::shopify::guide::Guide;
use super::admin::ecommerce::shopify::practice_panel::{PracticeCase, PracticePanel};
use super::admin::ecommerce::shopify::settings::SettingsSection;
use super::admin::ecommerce::shopify::{CartHead, Kind, Permission};
use super::admin::ecommerce::switch::{Switch, SwitchAsk};
use super::admin::home::{CartsSummary, Home, HomeRow};
use super::error::{Again, ErrorPage, Opening, Trouble};
use super::fields::{Complaint, Field};
use super::filters::Moment;
use super::help::Help;
use super::set_up::{SetUp, SetUpOver, SetUpPurpose};
use super::shell::{Banner, Person, Shell, Tone};
use super::sign_in::{SignIn, SignInNote};
use crate::ecommerce::bulk::{Job, JobId, Kind as JobKind};
use crate::ecommerce::settings::{Asked, Granted, Setting, Settings};
use crate::ecommerce::shopify::locations::{Location, Locations};
use crate::ecommerce::verdict::{Check, CheckKind, CheckState, Class, Details, Limit, Note, Store, Verdict};
use crate::ecommerce::{OtherSettings, Sort, Status};

/// The time of every sample.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 19:31:00 UTC);

/// Longer than anything that a form lets through, with everything that HTML minds.
const LONG: &str =
    "Northwind <Tea> & \"Spices\" of the Sunken Gardens and Other Unbreakablyhyphenlesslongnamed Places Ltd.";

pub(crate) fn shell() -> Shell {
    Shell {
        product: "Order Time".into(),
        person: Some(Person {
            name: "Priya Shah".into(),
            email: "priya@northwind.example".into(),
            can_change: true,
            theme: "system",
        }),
        csrf: "sample-token".into(),
        path: "/admin".into(),
        practice: false,
        banner: None,
        support: Some("mailto:help@northwind.example".into()),
    }
}

fn stranger() -> Shell {
    Shell { person: None, ..shell() }
}

fn viewer() -> Shell {
    let mut shell = shell();
    shell.person.as_mut().expect("a person").can_change = false;
    shell
}

fn with_banner(title: &str, text: &str) -> Shell {
    let banner = Banner {
        title: title.into(),
        text: text.into(),
        link: Some(("/admin/ecommerce".into(), "See all carts".into())),
        short: "Saved".into(),
        tone: Tone::Ok,
    };
    Shell { banner: Some(banner), ..shell() }
}

pub(crate) fn permissions() -> Vec<Permission> {
    let rows = [
        (
            "write_assigned_fulfillment_orders",
            "Assigned fulfillment orders",
            "shipments assigned to your app cannot be updated",
        ),
        ("write_customers", "Customers", "customers cannot be matched or created"),
        ("read_discounts", "Discounts", "discount names will not show on orders"),
        (
            "write_fulfillments",
            "Fulfillment services",
            "fulfillment services and delivery events cannot be kept up to date",
        ),
        ("read_gdpr_data_request", "Customer data requests", "privacy requests cannot be seen"),
        ("read_gift_cards", "Gift cards", "gift card payments will not show"),
        ("write_inventory", "Inventory", "stock levels will not update in Shopify"),
        ("write_locations", "Locations", "stock cannot be matched to your locations"),
        (
            "write_merchant_managed_fulfillment_orders",
            "Merchant-managed fulfillment orders",
            "orders you ship yourself cannot be marked shipped",
        ),
        ("write_orders", "Orders", "orders cannot be imported or updated"),
        ("read_payment_terms", "Payment terms", "due dates will not show"),
        ("write_product_listings", "Product listings", "products cannot be listed to your channel"),
        ("write_products", "Products", "products cannot be imported or updated"),
        ("read_channels", "Sales channels", "you cannot see where an order came from"),
        ("read_shipping", "Shipping", "shipping methods will not show"),
        (
            "write_third_party_fulfillment_orders",
            "Third-party fulfillment orders",
            "orders shipped by others cannot be updated",
        ),
        (
            "write_custom_fulfillment_services",
            "Custom fulfillment services",
            "Order Time cannot act as a shipping service",
        ),
    ];
    let nice =
        ["read_gdpr_data_request", "write_product_listings", "read_channels", "write_custom_fulfillment_services"];
    let permission = |(scope, say, without): (&str, &str, &str)| Permission {
        scope: scope.into(),
        say: say.into(),
        without: without.into(),
        is_needed: !nice.contains(&scope),
    };
    rows.into_iter().map(permission).collect()
}

pub(crate) fn guide(is_folded: bool) -> Guide {
    Guide {
        product: "Order Time".into(),
        handle: Some("northwind-tea".into()),
        permissions: permissions(),
        token_done: [true, false, false, false],
        client_done: [false; 4],
        is_folded,
        is_reference: false,
    }
}

fn store() -> Store {
    Store {
        shop_id: "548380009".into(),
        name: "Northwind Tea".into(),
        myshopify_domain: "northwind-tea.myshopify.com".into(),
        currency: "GBP".into(),
        time_zone: "Europe/London".into(),
        plan: "Basic".into(),
        is_plus: false,
        is_development: false,
        app_title: Some("Order Time".into()),
    }
}

/// Which check a class fails, if any.
fn failing(class: Class) -> Option<usize> {
    match class {
        Class::Connected
        | Class::ScopesMissing
        | Class::CustomerDetailsHidden
        | Class::Expires
        | Class::ApiVersionOld => None,
        Class::TokenRefused
        | Class::TokenStopped
        | Class::TokenKindRefused
        | Class::NotAllowed
        | Class::WrongStore
        | Class::Duplicate
        | Class::CcWrongOrg
        | Class::CcNotInstalled
        | Class::CcRefused => Some(2),
        _ => Some(1),
    }
}

fn checks(class: Class) -> Vec<Check> {
    let kinds =
        [CheckKind::Address, CheckKind::Store, CheckKind::Credential, CheckKind::Permissions, CheckKind::Version];
    let state = |index: usize| match failing(class) {
        Some(failing) if index == failing => CheckState::Failed,
        Some(failing) if index > failing => CheckState::NotChecked,
        _ if index == 3 && class == Class::ScopesMissing => CheckState::Failed,
        _ => CheckState::Passed,
    };
    let found = |kind| match kind {
        CheckKind::Permissions if class == Class::ScopesMissing => Some("15 of 17".to_owned()),
        CheckKind::Version => Some("2026-10".to_owned()),
        _ => None,
    };
    let check = |(index, kind): (usize, CheckKind)| Check {
        kind,
        state: state(index),
        found: found(kind),
        took_ms: (index == 1).then_some(84),
    };
    kinds.into_iter().enumerate().map(check).collect()
}

pub(crate) fn verdict(class: Class) -> Verdict {
    let limits = match class {
        Class::ScopesMissing => vec![
            Limit::ScopesMissing { scopes: vec!["write_inventory".into(), "read_gift_cards".into()] },
            Limit::CustomerDetailsHidden,
            Limit::Expires { at: NOW + Duration::days(1) },
            Limit::ApiVersionOld { asked: "2026-10".into(), answered: "2026-07".into() },
        ],
        Class::CustomerDetailsHidden => vec![Limit::CustomerDetailsHidden],
        Class::Expires => vec![Limit::Expires { at: NOW + Duration::days(1) }],
        Class::ApiVersionOld => vec![Limit::ApiVersionOld { asked: "2026-10".into(), answered: "2026-07".into() }],
        _ => vec![],
    };
    let knows_store = failing(class).is_none() || matches!(class, Class::WrongStore | Class::Duplicate);
    Verdict {
        class,
        limits,
        notes: if class == Class::ScopesMissing { notes() } else { vec![] },
        checks: checks(class),
        store: knows_store.then(store),
        covered: 17,
        moved_to: (class == Class::StoreMoved).then(|| "northwind-tea-co.myshopify.com".into()),
        wait_seconds: Some(20),
        waited_seconds: Some(15),
        last_worked_at: (class == Class::TokenStopped).then_some(datetime!(2026-11-21 08:14:00 UTC)),
        other_name: matches!(class, Class::WrongStore | Class::Duplicate | Class::TokenRefused)
            .then(|| "Northwind Wholesale".into()),
        other_cart: (class == Class::Duplicate).then(uuid::Uuid::nil),
        details: Details {
            status: Some(503),
            shopify_request_id: Some("8c1e7f0a-2b6d-4f3e".into()),
            api_version_asked: Some("2026-10".into()),
            api_version_answered: Some("2026-10".into()),
            dns_ms: Some(3),
            tcp_ms: Some(11),
            tls_ms: Some(22),
            http_ms: Some(84),
            ..Details::default()
        },
        ..Verdict::of(class)
    }
}

fn notes() -> Vec<Note> {
    vec![
        Note::ExtraScopes { count: 6 },
        Note::OptionalMissing { scopes: vec!["read_channels".into(), "write_product_listings".into()] },
        Note::OtherName { host: "6nzh0y-y6.myshopify.com".into() },
        Note::NoCustomerSeen,
        Note::DevelopmentStore,
    ]
}

pub(crate) fn test_view(class: Class, kind: Kind) -> TestView {
    TestView {
        verdict: verdict(class),
        host: "northwind-tea.myshopify.com".into(),
        handle: "northwind-tea".into(),
        cart_name: Some("Northwind Tea".into()),
        kind,
        product: "Order Time".into(),
        support: Some("mailto:help@northwind.example".into()),
        tested_at: NOW,
        now: NOW,
        reference: "0198f3c2a7".into(),
        standing: Standing::Unsaved,
        may_be_day_token: false,
        permissions: permissions(),
        tests_a_minute: 10,
        test_url: "/admin/ecommerce/shopify/new/connection-tests".into(),
        done: [false; 4],
        is_fresh: false,
        changed: None,
        diagnostics: "Reference 0198f3c2a7\nOutcome connected".into(),
    }
}

fn complaint(class: &'static str, sentence: &str) -> Complaint {
    Complaint { class, sentence: sentence.into(), link: None }
}

fn field(value: &str) -> Field {
    Field { value: value.into(), complaint: None, note: None }
}

fn head(status: Status, line: Option<&str>) -> CartHead {
    CartHead { id: uuid::Uuid::nil().to_string(), name: "Northwind Tea".into(), status: status_view(status, line) }
}

fn status_view(status: Status, line: Option<&str>) -> StatusView {
    StatusView { status, line: line.map(Into::into), is_practice: false }
}

fn understood() -> Understood {
    Understood { host: "northwind-tea.myshopify.com".into(), more: Some("We added .myshopify.com.".into()) }
}

/// A new cart, nothing typed.
pub(crate) fn new_editor() -> General {
    General {
        shell: shell(),
        cart: None,
        form: EditorForm { active: true, submission: "sub-1".into(), ..EditorForm::default() },
        stage: Stage::Loaded,
        test: None,
        settings: None,
        guide: Guide { handle: None, token_done: [false; 4], ..guide(false) },
        practice: None,
    }
}

fn saved_form(kind: Kind) -> EditorForm {
    let saved = SavedSecret {
        ending: Some("1f3c".into()),
        added_by: "Priya Shah".into(),
        added_on: "2 November 2026".into(),
        renewed: (kind == Kind::ClientCredentials).then(|| Moment::new(NOW - Duration::hours(3), NOW)),
    };
    let secret = SecretView { state: SecretState::Saved, saved: Some(saved), ..SecretView::default() };
    let (access_token, client_secret) = match kind {
        Kind::AccessToken => (secret, SecretView::default()),
        Kind::ClientCredentials => (SecretView::default(), secret),
    };
    EditorForm {
        website_name: field("Northwind Tea"),
        api_url: field("https://northwind-tea.myshopify.com/admin"),
        understood: Some(Understood { host: "northwind-tea.myshopify.com".into(), more: None }),
        kind,
        access_token,
        client_id: field(if kind == Kind::AccessToken { "" } else { "3f6c0f9a1b2c4d5e" }),
        client_secret,
        active: true,
        submission: "sub-2".into(),
        version: Some(4),
        ..EditorForm::default()
    }
}

/// Some settings on, one without its permission, one paused, locations to choose from.
fn other_settings() -> OtherSettings {
    let location =
        |id: &str, name: &str, is_chosen, is_gone| Location { id: id.into(), name: name.into(), is_chosen, is_gone };
    let scopes = ["write_merchant_managed_fulfillment_orders", "read_products", "write_locations"];
    OtherSettings {
        saved: Settings {
            update_order_status: true,
            import_products: true,
            item_group: "Web store".into(),
            write_products: true,
            locations: ["1".to_owned(), "3".to_owned()].into(),
            ..Settings::default()
        },
        granted: Granted {
            scopes: Some(scopes.map(str::to_owned).to_vec()),
            lost: [("write_products".to_owned(), datetime!(2026-11-21 08:14:00 UTC))].into(),
        },
        locations: Locations {
            all: vec![
                location("1", "London warehouse", true, false),
                location("3", "Old depot", true, true),
                location("2", LONG, false, false),
            ],
            read_at: Some(NOW - Duration::minutes(2)),
        },
        item_groups: vec!["Web store".into(), "Wholesale".into()],
    }
}

fn settings_section(other: OtherSettings) -> SettingsSection {
    SettingsSection::new(&shell(), "/admin/ecommerce/shopify/x", other, &EditorForm::default(), NOW)
}

/// Every state of the other settings that has words of its own.
fn settings_samples() -> Vec<(String, String)> {
    let page = |name: &str, settings: SettingsSection| {
        let page = General { settings: Some(settings), ..saved_editor(Kind::AccessToken) };
        (name.to_owned(), draw(&page))
    };
    let never_tested = OtherSettings { granted: Granted::default(), ..other_settings() };
    let many =
        (0..64).map(|n| Location { id: n.to_string(), name: format!("Shop {n}"), is_chosen: n < 2, is_gone: false });
    let many = OtherSettings {
        locations: Locations { all: many.collect(), read_at: Some(NOW - Duration::days(3)) },
        ..other_settings()
    };
    let nothing = OtherSettings {
        saved: Settings::default(),
        granted: Granted { scopes: Some(vec![]), ..Granted::default() },
        ..OtherSettings::default()
    };
    let mut away = settings_section(many.clone());
    away.locations.failure = Some("Shopify has a problem at the moment".into());
    let gone = OtherSettings {
        locations: Locations { all: other_settings().locations.all[1..2].to_vec(), read_at: Some(NOW) },
        ..other_settings()
    };
    let only = OtherSettings {
        locations: Locations { all: other_settings().locations.all[2..].to_vec(), read_at: Some(NOW) },
        ..other_settings()
    };
    let mut wrong = General { settings: None, ..saved_editor(Kind::AccessToken) };
    wrong.form.item_group.complaint = Some(complaint("GROUP_EMPTY", "Enter the item group that new items go into"));
    let asked =
        Asked { offered: Setting::ALL.into(), settings: Settings { import_products: true, ..Settings::default() } };
    wrong.form.asked = Some(asked);
    wrong.settings =
        Some(SettingsSection::new(&shell(), "/admin/ecommerce/shopify/x", other_settings(), &wrong.form, NOW));
    vec![
        page("settings-untested", settings_section(never_tested)),
        page("settings-no-permission", settings_section(nothing)),
        page("settings-many-locations", settings_section(many)),
        page("settings-away", away),
        page("settings-all-gone", settings_section(gone)),
        page("settings-one-location", settings_section(only)),
        ("settings-wrong".into(), draw(&wrong)),
    ]
}

pub(crate) fn saved_editor(kind: Kind) -> General {
    General {
        cart: Some(head(Status::Connected, None)),
        form: saved_form(kind),
        settings: Some(settings_section(other_settings())),
        guide: Guide { token_done: [true; 4], ..guide(true) },
        ..new_editor()
    }
}

fn wrong_editor(kind: Kind) -> General {
    let wrong = |class, sentence: &str| Field {
        complaint: Some(complaint(class, sentence)),
        ..field("https://www.northwindtea.com")
    };
    let secret = |class, sentence: &str| SecretView {
        complaint: Some(complaint(class, sentence)),
        note: Some("We have not kept what you typed.".into()),
        is_warning: true,
        ..SecretView::default()
    };
    let form = EditorForm {
        website_name: Field {
            complaint: Some(Complaint {
                link: Some(("/admin/ecommerce".into(), "Open Northwind Tea".into())),
                ..complaint("NAME_TAKEN", "Another cart is called **Northwind Tea**. Enter a different Website Name")
            }),
            ..field(LONG)
        },
        api_url: wrong(
            "OWN_DOMAIN",
            "Enter the address that ends in myshopify.com, not **www.northwindtea.com**. In Shopify, go to Settings, then Domains, or copy the address from your browser while you are in Shopify admin",
        ),
        kind,
        access_token: secret(
            "TOKEN_IS_SECRET",
            "That is the API secret key. Copy the Admin API access token instead. It starts with shpat_. For an app from the Dev Dashboard, choose Client ID and Client secret",
        ),
        client_id: wrong("CLIENT_ID_EMPTY", "Enter the Client ID"),
        client_secret: secret("CLIENT_SECRET_EMPTY", "Enter the Client secret"),
        ..new_editor().form
    };
    let case = |say: &str, handle: &str| PracticeCase { say: say.into(), handle: handle.into() };
    let practice = PracticePanel {
        now: "practice-tea".into(),
        first: vec![
            case("All is well", "practice-tea"),
            case("2 permissions missing", "practice-permissions"),
            case("Paused by Shopify", "practice-paused"),
        ],
        others: vec![
            case("Shopify is down", "practice-down"),
            case("The app is not installed", "practice-not-installed"),
        ],
    };
    General {
        shell: Shell { practice: true, ..shell() },
        form,
        practice: Some(practice),
        stage: Stage::Typed,
        ..new_editor()
    }
}

fn replacing_editor() -> General {
    let mut page = saved_editor(Kind::AccessToken);
    page.form.access_token.state = SecretState::Replacing;
    page.form.access_token.note = Some("Access token, ends in 1f3c.".into());
    page
}

fn received_editor(class: Class) -> General {
    let mut page = new_editor();
    page.form = EditorForm {
        website_name: field("Northwind Tea"),
        api_url: field("northwind-tea"),
        understood: Some(understood()),
        access_token: SecretView {
            state: SecretState::Received { ending: Some("1f3c".into()) },
            ..SecretView::default()
        },
        ..page.form
    };
    page.guide = guide(false);
    page.test = Some(test_view(class, Kind::AccessToken));
    page.stage = Stage::Typed;
    page
}

fn row(name: &str, host: &str, status: StatusView, minutes: Option<i64>) -> CartRow {
    CartRow {
        id: uuid::Uuid::nil().to_string(),
        name: name.into(),
        host: host.into(),
        platform: "Shopify",
        active: status.status != Status::Inactive,
        status,
        last_checked: minutes.map(|minutes| Moment::new(NOW - Duration::minutes(minutes), NOW)),
        sparkline: minutes.and_then(|_| health::line(24)),
    }
}

pub(crate) fn carts(shell: Shell) -> Carts {
    Carts {
        shell,
        active: true,
        rows: vec![
            row("Northwind Tea", "northwind-tea.myshopify.com", status_view(Status::Connected, None), Some(2)),
            row(
                "Northwind Wholesale",
                "northwind-b2b.myshopify.com",
                status_view(Status::NeedsAttention, Some("2 permissions missing")),
                Some(20),
            ),
            row(
                "Northwind Coffee",
                "northwind-coffee.myshopify.com",
                status_view(Status::NotConnected, Some("The access token stopped working, since 21 November")),
                Some(3000),
            ),
            row(
                "Practice tea",
                "practice-tea.myshopify.com",
                StatusView { is_practice: true, ..status_view(Status::Draft, Some("Not tested yet")) },
                None,
            ),
            row(
                "Old store",
                "old-store.myshopify.com",
                status_view(Status::Inactive, Some("Turned off by Sam Lee")),
                None,
            ),
        ],
        filter: Filter::All,
        counts: Counts { active: 3, needs_attention: 2, inactive: 2 },
        sort: Sort::default(),
        search: String::new(),
        is_empty: false,
        previous: None,
        next: Some("/admin/ecommerce?after=x".into()),
    }
}

fn draw(page: &impl Template) -> String {
    page.render().expect("a page renders")
}

fn editors() -> Vec<(String, String)> {
    let named = |name: &str, page: &General| (name.to_owned(), draw(page));
    let mut pages = vec![
        named("editor-new", &new_editor()),
        named(
            "editor-new-practice",
            &General {
                shell: Shell { practice: true, ..shell() },
                practice: wrong_editor(Kind::AccessToken).practice,
                ..new_editor()
            },
        ),
        named("editor-wrong", &wrong_editor(Kind::AccessToken)),
        named("editor-wrong-client", &wrong_editor(Kind::ClientCredentials)),
        named("editor-saved", &saved_editor(Kind::AccessToken)),
        named("editor-saved-client", &saved_editor(Kind::ClientCredentials)),
        named(
            "editor-banner",
            &General {
                shell: with_banner("Northwind Tea is saved and connected.", ""),
                ..saved_editor(Kind::AccessToken)
            },
        ),
        named("editor-replacing", &replacing_editor()),
        named("editor-viewer", &General { shell: viewer(), ..saved_editor(Kind::AccessToken) }),
        named("editor-viewer-client", &General { shell: viewer(), ..saved_editor(Kind::ClientCredentials) }),
    ];
    pages.extend(settings_samples());
    for class in ALL_CLASSES {
        pages.push(named(&format!("test-{}", class.as_str()), &received_editor(class)));
    }
    pages
}

/// Every class, by hand; the count is compared with the templates in a test.
pub(crate) const ALL_CLASSES: [Class; 29] = [
    Class::Connected,
    Class::ScopesMissing,
    Class::CustomerDetailsHidden,
    Class::Expires,
    Class::ApiVersionOld,
    Class::NetworkDns,
    Class::NetworkUnreachable,
    Class::NetworkTimeout,
    Class::TlsUntrusted,
    Class::NotShopify,
    Class::StoreNotFound,
    Class::StoreMoved,
    Class::StoreFrozen,
    Class::StoreLocked,
    Class::RateLimited,
    Class::RequestRejected,
    Class::ShopifyDown,
    Class::TokenRefused,
    Class::TokenStopped,
    Class::TokenKindRefused,
    Class::NotAllowed,
    Class::WrongStore,
    Class::Duplicate,
    Class::CcWrongOrg,
    Class::CcNotInstalled,
    Class::CcRefused,
    Class::OurKey,
    Class::OurBug,
    Class::TestLimit,
];

fn entrance() -> Vec<(String, String)> {
    let sign_in = |note| SignIn {
        shell: stranger(),
        return_to: String::new(),
        note,
        email: Field::default(),
        password: None,
        refused: None,
    };
    let both = complaint("SIGN_IN_REFUSED", "Check your email address and password. One of them is not right.");
    let refused = SignIn {
        email: Field { complaint: Some(both.clone()), ..field("priya@northwind.example") },
        refused: Some(both.sentence.clone()),
        password: Some(both),
        ..sign_in(None)
    };
    let set_up = |purpose| SetUp {
        shell: stranger(),
        code: "abc".into(),
        purpose,
        name: Field::default(),
        email: field("ana@agency.example"),
        password: Some(complaint("PASSWORD_SHORT", "Password must be at least 8 characters")),
    };
    vec![
        ("sign-in".into(), draw(&sign_in(None))),
        ("sign-in-signed-out".into(), draw(&sign_in(Some(SignInNote::SignedOut)))),
        ("sign-in-idle".into(), draw(&sign_in(Some(SignInNote::Idle)))),
        ("sign-in-expired".into(), draw(&sign_in(Some(SignInNote::Expired)))),
        ("sign-in-refused".into(), draw(&refused)),
        ("set-up".into(), draw(&set_up(SetUpPurpose::FirstAdministrator))),
        ("set-up-join".into(), draw(&set_up(SetUpPurpose::Invitation))),
        ("set-up-password".into(), draw(&set_up(SetUpPurpose::NewPassword))),
        ("set-up-spent".into(), draw(&SetUpOver { shell: stranger(), is_already_set_up: false })),
        ("set-up-done".into(), draw(&SetUpOver { shell: stranger(), is_already_set_up: true })),
        ("opening".into(), draw(&Opening { shell: stranger(), page: LONG.into(), to: "/admin/ecommerce".into() })),
    ]
}

fn lists() -> Vec<(String, String)> {
    let others =
        vec![HomeRow { href: "/admin/account", icon: "user", name: "Your account", text: "Who you are here." }];
    let home = |carts| Home { shell: shell(), carts, others: others.clone() };
    let conflict = |is_deleted| Conflict {
        shell: shell(),
        cart: head(Status::Connected, None),
        by: "Sam Lee".into(),
        by_first: "Sam".into(),
        at: Moment::new(NOW - Duration::minutes(3), NOW),
        rows: vec![
            ConflictRow {
                field: "API URL".into(),
                theirs: "northwind-tea.myshopify.com".into(),
                yours: "northwind-tea-co.myshopify.com".into(),
            },
            ConflictRow {
                field: "Access Token".into(),
                theirs: "New token, ends in 77ab".into(),
                yours: "No change".into(),
            },
        ],
        is_deleted,
        hidden: vec![("website_name", LONG.into()), ("version", "5".into())],
    };
    let cart = || head(Status::Connected, None);
    let job = |done, is_finished| Job {
        id: JobId(uuid::Uuid::nil()),
        kind: JobKind::Test,
        made_by: "Priya Shah".into(),
        total: 41,
        is_cancelled: false,
        is_finished,
        outcomes: [("connected".to_owned(), done), ("limited".to_owned(), 2), ("not-connected".to_owned(), 1)].into(),
    };
    let bulk = |done, is_finished| Bulk { shell: shell(), job: job(done, is_finished) };
    let ask = BulkAsk { shell: shell(), carts: 41, hidden: vec![("deed", "turn-off".into()), ("q", LONG.into())] };
    let empty = Carts { rows: vec![], is_empty: true, next: None, ..carts(shell()) };
    let attention = Carts { rows: vec![], filter: Filter::NeedsAttention, next: None, ..carts(shell()) };
    let searched = Carts { rows: vec![], search: LONG.into(), next: None, ..carts(shell()) };
    let mut worst = carts(with_banner("Northwind Tea is deleted.", ""));
    worst.rows[0].name = LONG.into();
    worst.counts = Counts { active: 100_000, needs_attention: 4000, inactive: 100 };
    vec![
        ("bulk-running".into(), draw(&bulk(20, false))),
        ("bulk-done".into(), draw(&bulk(38, true))),
        ("bulk-ask".into(), draw(&ask)),
        ("home".into(), draw(&home(CartsSummary::NeedAttention { carts: 1, of: 3 }))),
        ("home-connected".into(), draw(&home(CartsSummary::AllConnected { carts: 3 }))),
        ("carts".into(), draw(&carts(shell()))),
        ("carts-viewer".into(), draw(&carts(viewer()))),
        ("carts-empty".into(), draw(&empty)),
        ("carts-filtered".into(), draw(&attention)),
        ("carts-searched".into(), draw(&searched)),
        ("carts-worst".into(), draw(&worst)),
        ("switch-off".into(), draw(&Switch { shell: shell(), ask: SwitchAsk::TurnOff { carts: 2 } })),
        ("switch-on".into(), draw(&Switch { shell: shell(), ask: SwitchAsk::TurnOnToAdd })),
        ("add".into(), draw(&Add { shell: shell(), connected: 1 })),
        ("conflict".into(), draw(&conflict(false))),
        ("conflict-deleted".into(), draw(&conflict(true))),
        (
            "disconnection".into(),
            draw(&Disconnection { shell: shell(), cart: cart(), kind: Kind::AccessToken, version: 4 }),
        ),
        (
            "deletion".into(),
            draw(&Deletion { shell: shell(), cart: cart(), kind: Kind::ClientCredentials, version: 4 }),
        ),
        ("help".into(), draw(&Help::new(shell(), permissions(), NOW))),
    ]
}

fn troubles() -> Vec<(String, String)> {
    let again =
        || Again { action: "/admin/ecommerce/shopify/new".into(), fields: vec![("website_name".into(), LONG.into())] };
    let all = [
        Trouble::NotFound,
        Trouble::CannotChange { administrators: vec!["Priya Shah".into(), LONG.into()] },
        Trouble::UnreadableForm { status: 413 },
        Trouble::NotPossible,
        Trouble::TooManyRequests { seconds: 20 },
        Trouble::Ours { reference: "0198f3c2a7".into() },
        Trouble::Busy { again: None },
        Trouble::Busy { again: Some(again()) },
        Trouble::OldForm { again: again() },
    ];
    let page = |(index, problem): (usize, Trouble)| {
        let name = format!("error-{index}-{}", problem.status());
        (name, draw(&ErrorPage { shell: shell(), problem }))
    };
    all.into_iter().enumerate().map(page).collect()
}

/// Every sample, with the name of its file.
pub(crate) fn pages() -> Vec<(String, String)> {
    [entrance(), lists(), activity::pages(), alert_settings(), editors(), health::pages(), people::pages(), troubles()]
        .concat()
}

/// The alert settings: at rest, at their worst, and with a secret that was made just now.
fn alert_settings() -> Vec<(String, String)> {
    let field = |value: &str| Field { value: value.into(), ..Field::default() };
    let line = |way, outcome: &str, is_delivered| alerts::Line {
        at: Moment::new(NOW - Duration::hours(2), NOW),
        way,
        recipient: "ops.northwind.example".into(),
        outcome: outcome.into(),
        is_delivered,
        subject: LONG.into(),
    };
    let empty = || Alerts {
        shell: shell(),
        has_mail: false,
        form: AlertForm { version: 1, ..AlertForm::default() },
        webhook: None,
        delivered: Vec::new(),
        new_secret: None,
        overtaken: false,
    };
    let saved = || Alerts {
        has_mail: true,
        form: AlertForm {
            version: 2,
            email_on: true,
            emails: field("priya@northwind.example, ops@northwind.example"),
            address: field("https://ops.northwind.example/hooks/carts"),
            is_mailing: true,
        },
        webhook: Some(WebhookView { ending: "9c2e".into(), is_readable: true, gone_at: None, failing: None }),
        delivered: vec![
            line("Webhook", "answered 200", true),
            line("E-mail", "the mail server refused the message (550)", false),
        ],
        ..empty()
    };
    let moment = Moment::exactly(NOW);
    let webhook = |gone_at, is_readable| {
        Some(WebhookView { ending: "9c2e".into(), is_readable, gone_at, failing: Some((moment, Some(moment))) })
    };
    let secret = NewSecret { secret: crate::alerts::SigningSecret::generate(), host_changed: true };
    let wrong = || {
        let complaint = |class| Some(Complaint { class, sentence: LONG.into(), link: None });
        let mut page = saved();
        page.form.emails.complaint = complaint("EMAIL_FORM");
        page.form.address.complaint = complaint("NOT_HTTPS");
        page
    };
    vec![
        ("alerts".into(), draw(&empty())),
        ("alerts-saved".into(), draw(&saved())),
        ("alerts-failing".into(), draw(&Alerts { webhook: webhook(None, false), ..saved() })),
        ("alerts-gone".into(), draw(&Alerts { webhook: webhook(Some(moment), true), overtaken: true, ..saved() })),
        ("alerts-new".into(), draw(&Alerts { new_secret: Some(secret), ..saved() })),
        ("alerts-refused".into(), draw(&wrong())),
    ]
}
