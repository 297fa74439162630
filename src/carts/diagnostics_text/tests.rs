use time::macros::datetime;

use super::*;
use crate::{causes::Store, platforms::StoreAddress};

const NOW: OffsetDateTime = datetime!(2026-11-23 19:31:00 UTC);

/// A report with text that identifies the store in every field that can hold text.
fn telling() -> TestReport {
    let name = "Northwind Tea".to_owned();
    let mut verdict = Verdict::of(Class::ScopesMissing);
    verdict.limits = vec![
        Limit::ScopesMissing { scopes: vec!["write_inventory".into()] },
        Limit::ApiVersionOld { asked: "2026-10".into(), answered: name.clone() },
    ];
    verdict.notes = vec![
        Note::OptionalMissing { scopes: vec!["read_channels".into()] },
        Note::OtherName { host: "6nzh0y-y6.myshopify.com".into() },
    ];
    let kinds = [
        CheckKind::Address,
        CheckKind::Store,
        CheckKind::Credential,
        CheckKind::Permissions,
        CheckKind::Version,
        CheckKind::Customers,
    ];
    verdict.checks = kinds
        .map(|kind| Check { kind, state: CheckState::Passed, found: Some(name.clone()), took_ms: Some(84) })
        .to_vec();
    verdict.checks[3] =
        Check { state: CheckState::Failed, found: Some("15 of 17".into()), ..verdict.checks[3].clone() };
    verdict.store = Some(Store {
        shop_id: "548380009".into(),
        name: name.clone(),
        myshopify_domain: "northwind-tea.myshopify.com".into(),
        currency: "GBP".into(),
        time_zone: "Europe/London".into(),
        plan: "Basic".into(),
        is_plus: false,
        is_development: false,
        app_title: Some("Priya's app".into()),
    });
    verdict.granted = vec!["granted-to-northwind".into()];
    verdict.moved_to = Some("northwind-tea-co.myshopify.com".into());
    verdict.other_name = Some("Northwind Wholesale".into());
    verdict.other_cart = Some(Uuid::max());
    verdict.details = TechnicalDetails {
        status: Some(200),
        shopify_request_id: Some("northwind-tea.myshopify.com".into()),
        api_version_asked: Some("2026-10".into()),
        api_version_answered: Some(name),
        remark: Some("asked northwind-tea.myshopify.com at 192.0.2.7".into()),
        http_ms: Some(84),
        ..TechnicalDetails::default()
    };
    TestReport {
        id: Uuid::nil(),
        submission: Uuid::max(),
        cart: None,
        address: StoreAddress::from_host("northwind-tea.myshopify.com").expect("a store"),
        kind: CredentialKind::AccessToken,
        was_saved: false,
        tested_at: NOW,
        verdict,
    }
}

#[test]
fn diagnostics_do_not_identify_the_store() {
    let report = telling();
    let outcomes = [PastOutcome { test: Uuid::max(), at: NOW, class: Class::StoreFrozen }];
    let text =
        text(&DiagnosticsInput { report: Some(&report), kind: None, saved_at: None, now: NOW, outcomes: &outcomes });
    let lower = text.to_lowercase();
    for telling in
        ["northwind", "myshopify", "548380009", "priya", "gbp", "london", "basic", "192.0.2", "granted", "ffff", "@"]
    {
        assert!(!lower.contains(telling), "{telling} in\n{text}");
    }
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn diagnostics_contain_what_support_asks_for() {
    let mut report = telling();
    report.verdict.details.shopify_request_id = Some("8c1e7f0a-2b6d-4f3e-1700000000".into());
    report.verdict.details.api_version_answered = Some("2026-07".into());
    report.verdict.details.remark = Some("refused by the proxy".into());
    let outcomes = [PastOutcome { test: report.id, at: NOW, class: Class::ScopesMissing }];
    let saved_at = Some(NOW - Duration::days(21));
    let kind = Some(CredentialKind::AccessToken);
    let text = text(&DiagnosticsInput { report: Some(&report), kind, saved_at, now: NOW, outcomes: &outcomes });
    for line in [
        "Reference: 00000000000000000000000000000000",
        concat!("Version: Cartwright ", env!("CARGO_PKG_VERSION")),
        "Time: 2026-11-23T19:31:00Z",
        "Credential: access token, saved 21 days before",
        "Outcome: limited",
        "Class: SCOPES_MISSING",
        "Check store: passed, 84 ms",
        "Check permissions: failed (15 of 17), 84 ms",
        "HTTP status: 200",
        "Parts: HTTP 84 ms",
        "Remark: refused by the proxy",
        "x-request-id: 8c1e7f0a-2b6d-4f3e-1700000000",
        "API version asked: 2026-10",
        "API version answered: 2026-07",
        "Missing permissions: write_inventory",
        "Missing, nice to have: read_channels",
        "Last outcomes:",
        "  2026-11-23T19:31:00Z  SCOPES_MISSING",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
}

#[test]
fn untested_cart_is_reported_as_never_tested() {
    let told = text(&DiagnosticsInput { report: None, kind: None, saved_at: None, now: NOW, outcomes: &[] });
    assert!(told.contains("Credential: none\nOutcome: never tested\n"), "{told}");
}
