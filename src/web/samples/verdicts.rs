//! A verdict of every class as the region *Connection test* shows it.

use time::macros::datetime;

use super::{NOW, guide::permissions, shell};
use crate::causes::{Check, CheckKind, CheckState, Class, Limit, Note, Store, TechnicalDetails, Verdict};
use crate::web::admin::ecommerce::shopify::Kind;
use crate::web::admin::ecommerce::shopify::editor::view::connection_test::{TestView, TestedState};
use crate::web::admin::ecommerce::shopify::editor::view::egress_list::EgressList;

pub(super) fn test_view(class: Class, kind: Kind) -> TestView {
    TestView {
        verdict: verdict(class),
        host: "northwind-tea.myshopify.com".into(),
        handle: "northwind-tea".into(),
        cart_name: Some("Northwind Tea".into()),
        kind,
        product: "Order Time".into(),
        support: Some("mailto:help@northwind.example".into()),
        egress: EgressList::of_result(&shell()),
        tested_at: NOW,
        reference: "0198f3c2a7".into(),
        standing: TestedState::Unsaved,
        synced: None,
        may_be_day_token: false,
        permissions: permissions(),
        test_url: "/admin/ecommerce/shopify/new/connection-tests".into(),
        done: [false; 4],
        is_fresh: false,
        changed: None,
        diagnostics: "Reference 0198f3c2a7\nOutcome connected".into(),
    }
}

pub(super) fn verdict(class: Class) -> Verdict {
    let limits = match class {
        Class::ScopesMissing => vec![
            Limit::ScopesMissing { scopes: vec!["write_inventory".into(), "read_gift_cards".into()] },
            Limit::CustomerDetailsHidden,
            Limit::ApiVersionOld { asked: "2026-10".into(), answered: "2026-07".into() },
        ],
        Class::CustomerDetailsHidden => vec![Limit::CustomerDetailsHidden],
        Class::ApiVersionOld => vec![Limit::ApiVersionOld { asked: "2026-10".into(), answered: "2026-07".into() }],
        _ => vec![],
    };
    let knows_store = class.outcome().passes() || matches!(class, Class::WrongStore | Class::Duplicate);
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
        details: TechnicalDetails {
            status: Some(503),
            shopify_request_id: Some("8c1e7f0a-2b6d-4f3e".into()),
            api_version_asked: Some("2026-10".into()),
            api_version_answered: Some("2026-10".into()),
            dns_ms: Some(3),
            tcp_ms: Some(11),
            tls_ms: Some(22),
            http_ms: Some(84),
            ..TechnicalDetails::default()
        },
        ..Verdict::of(class)
    }
}

pub(super) fn store() -> Store {
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

fn checks(class: Class) -> Vec<Check> {
    let kinds =
        [CheckKind::Address, CheckKind::Store, CheckKind::Credential, CheckKind::Permissions, CheckKind::Version];
    let not_asked = match class {
        Class::OurBug => 2,
        Class::OurKey | Class::TestLimit => 1,
        _ => kinds.len(),
    };
    let failing = match class.failed_check() {
        Some(CheckKind::Store) => Some(1),
        Some(CheckKind::Credential) => Some(2),
        _ => None,
    };
    let state = |index: usize| match failing {
        _ if index >= not_asked => CheckState::NotChecked,
        Some(failing) if index == failing => CheckState::Failed,
        Some(failing) if index > failing => CheckState::NotChecked,
        _ if index == 3 && class == Class::ScopesMissing => CheckState::Failed,
        _ => CheckState::Passed,
    };
    let found = |kind| match kind {
        CheckKind::Permissions if class == Class::ScopesMissing => Some("15 of 17".to_owned()),
        CheckKind::Version => Some("2026-10".to_owned()),
        CheckKind::Store | CheckKind::Credential if class.failed_check() == Some(kind) => {
            Some(class.failed_line(false).to_owned())
        }
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

fn notes() -> Vec<Note> {
    vec![
        Note::ExtraScopes { count: 6 },
        Note::OptionalMissing { scopes: vec!["read_channels".into(), "write_product_listings".into()] },
        Note::OtherName { host: "6nzh0y-y6.myshopify.com".into() },
        Note::NoCustomerSeen,
        Note::DevelopmentStore,
    ]
}
