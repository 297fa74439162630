//! *Copy diagnostics*: what support needs of a test, as text that is safe to publish. The reference finds the cart for whoever may
//! look; nobody else learns whose it is.
//!
//! Built from an allow-list: no store address, shop name, person or secret has a way in, and what Shopify wrote is let through
//! only where it looks like the version or the id that it should be.

use std::fmt::Write as _;

use time::{Duration, OffsetDateTime, UtcOffset, macros::format_description};
use uuid::Uuid;

use super::credential::CredentialKind;
use crate::ecommerce::{
    TestReport,
    verdict::{Check, CheckKind, CheckState, Class, Limit, Note, Verdict},
};

/// One of the last tests and checks, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastOutcome {
    pub test: Uuid,
    pub at: OffsetDateTime,
    pub class: Class,
}

/// What the text is made from.
#[derive(Clone, Copy, Debug)]
pub struct Diagnosed<'a> {
    /// `None` where nothing was ever tested.
    pub report: Option<&'a TestReport>,
    /// The kind of the credential, `None` where there is none.
    pub kind: Option<CredentialKind>,
    /// When the credential was saved; `None` for one that was only typed.
    pub saved_at: Option<OffsetDateTime>,
    pub now: OffsetDateTime,
    pub outcomes: &'a [PastOutcome],
}

/// The text: plain ASCII, one fact a line.
pub fn text(diagnosed: &Diagnosed<'_>) -> String {
    let Diagnosed { report, outcomes, .. } = *diagnosed;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name}: {value}").expect("a string takes it");
    };
    if let Some(report) = report {
        line("Reference", &report.id.simple().to_string());
    }
    line("Version", concat!("Cartwright ", env!("CARGO_PKG_VERSION")));
    line("Time", &moment(report.map_or(diagnosed.now, |report| report.tested_at)));
    line("Credential", &credential(diagnosed));
    match report {
        Some(report) => told(&report.verdict, &mut line),
        None => line("Outcome", "never tested"),
    }
    if !outcomes.is_empty() {
        writeln!(text, "Last outcomes:").expect("a string takes it");
        for outcome in outcomes {
            writeln!(text, "  {}  {}", moment(outcome.at), outcome.class.as_str()).expect("a string takes it");
        }
    }
    text
}

fn told(verdict: &Verdict, line: &mut impl FnMut(&str, &str)) {
    line("Outcome", verdict.outcome().as_str());
    line("Class", verdict.class.as_str());
    for check in &verdict.checks {
        line(&format!("Check {}", check.kind.as_str()), &state(check));
    }
    let details = &verdict.details;
    if let Some(status) = details.status {
        line("HTTP status", &status.to_string());
    }
    let parts = [("DNS", details.dns_ms), ("TCP", details.tcp_ms), ("TLS", details.tls_ms), ("HTTP", details.http_ms)];
    let parts: Vec<String> =
        parts.into_iter().filter_map(|(name, ms)| ms.map(|ms| format!("{name} {ms} ms"))).collect();
    if !parts.is_empty() {
        line("Parts", &parts.join(", "));
    }
    let foreign = [
        ("Remark", details.remark.as_deref().filter(|remark| is_phrase(remark))),
        ("x-request-id", details.shopify_request_id.as_deref().filter(|id| is_id(id))),
        ("API version asked", details.api_version_asked.as_deref().filter(|version| is_version(version))),
        ("API version answered", details.api_version_answered.as_deref().filter(|version| is_version(version))),
    ];
    for (name, value) in foreign {
        if let Some(value) = value {
            line(name, value);
        }
    }
    let missing = verdict.limits.iter().filter_map(|limit| match limit {
        Limit::ScopesMissing { scopes } => Some(scopes),
        _ => None,
    });
    let nice = verdict.notes.iter().filter_map(|note| match note {
        Note::OptionalMissing { scopes } => Some(scopes),
        _ => None,
    });
    for scopes in missing {
        line("Missing permissions", &scopes.join(", "));
    }
    for scopes in nice {
        line("Missing, nice to have", &scopes.join(", "));
    }
}

fn credential(diagnosed: &Diagnosed<'_>) -> String {
    let Some(kind) = diagnosed.kind.or(diagnosed.report.map(|report| report.kind)) else { return "none".into() };
    let at = diagnosed.report.map_or(diagnosed.now, |report| report.tested_at);
    let age = match diagnosed.saved_at {
        None => "not saved".to_owned(),
        Some(saved) => match (at - saved).max(Duration::ZERO).whole_days() {
            0 => "saved less than a day before".to_owned(),
            1 => "saved 1 day before".to_owned(),
            days => format!("saved {days} days before"),
        },
    };
    format!("{}, {age}", kind.noun())
}

fn state(check: &Check) -> String {
    let word = match check.state {
        CheckState::Passed => "passed",
        CheckState::Failed => "failed",
        CheckState::NotChecked => "not checked",
    };
    // Only these two find what is nobody's name: `15 of 17`, `2026-10`.
    let found = match check.kind {
        CheckKind::Permissions => check.found.as_deref().filter(|found| is_count(found)),
        CheckKind::Version => check.found.as_deref().filter(|found| is_version(found)),
        _ => None,
    };
    let found = found.map(|found| format!(" ({found})")).unwrap_or_default();
    let took = check.took_ms.map(|ms| format!(", {ms} ms")).unwrap_or_default();
    format!("{word}{found}{took}")
}

/// `2026-11-23T19:31:00Z`.
fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z")).unwrap_or_default()
}

/// `2026-10` or `unstable`.
fn is_version(text: &str) -> bool {
    let is_dated =
        text.len() == 7 && text.bytes().enumerate().all(|(at, b)| if at == 4 { b == b'-' } else { b.is_ascii_digit() });
    is_dated || text == "unstable"
}

/// Shopify's ids are hex digits and hyphens, sometimes with a time behind them.
fn is_id(text: &str) -> bool {
    (8..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// `15 of 17`.
fn is_count(text: &str) -> bool {
    text.split_once(" of ")
        .is_some_and(|(n, of)| [n, of].iter().all(|n| n.len() < 4 && n.bytes().all(|b| b.is_ascii_digit())))
}

/// A remark is a phrase of ours: letters and blanks, no address.
fn is_phrase(text: &str) -> bool {
    text.len() <= 80 && text.chars().all(|c| c.is_ascii_alphanumeric() || " ,'-()".contains(c))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::ecommerce::{
        shopify::address::StoreAddress,
        verdict::{Details, Store},
    };

    const NOW: OffsetDateTime = datetime!(2026-11-23 19:31:00 UTC);

    /// Every text that could tell whose store it is, in every place that can hold one.
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
        verdict.details = Details {
            status: Some(200),
            shopify_request_id: Some("northwind-tea.myshopify.com".into()),
            api_version_asked: Some("2026-10".into()),
            api_version_answered: Some(name),
            remark: Some("asked northwind-tea.myshopify.com at 192.0.2.7".into()),
            http_ms: Some(84),
            ..Details::default()
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
    fn nothing_in_it_tells_whose_store_it_is() {
        let report = telling();
        let outcomes = [PastOutcome { test: Uuid::max(), at: NOW, class: Class::StoreFrozen }];
        let text =
            text(&Diagnosed { report: Some(&report), kind: None, saved_at: None, now: NOW, outcomes: &outcomes });
        let lower = text.to_lowercase();
        for telling in [
            "northwind",
            "myshopify",
            "548380009",
            "priya",
            "gbp",
            "london",
            "basic",
            "192.0.2",
            "granted",
            "ffff",
            "@",
        ] {
            assert!(!lower.contains(telling), "{telling} in\n{text}");
        }
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn what_support_asks_for_is_in_it() {
        let mut report = telling();
        report.verdict.details.shopify_request_id = Some("8c1e7f0a-2b6d-4f3e-1700000000".into());
        report.verdict.details.api_version_answered = Some("2026-07".into());
        report.verdict.details.remark = Some("refused by the proxy".into());
        let outcomes = [PastOutcome { test: report.id, at: NOW, class: Class::ScopesMissing }];
        let saved_at = Some(NOW - Duration::days(21));
        let kind = Some(CredentialKind::AccessToken);
        let text = text(&Diagnosed { report: Some(&report), kind, saved_at, now: NOW, outcomes: &outcomes });
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
    fn a_cart_that_was_never_tested_says_so() {
        let told = text(&Diagnosed { report: None, kind: None, saved_at: None, now: NOW, outcomes: &[] });
        assert!(told.contains("Credential: none\nOutcome: never tested\n"), "{told}");
    }
}
