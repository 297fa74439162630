//! *Copy diagnostics*: what support needs to know about a test, as text that is safe to publish. Its reference is
//! useful only to users with access to the cart; the text does not identify the cart.
//!
//! Built from an allow-list: no store address, shop name, user or secret can be included, and text from Shopify only if
//! it looks like the version or the id that it should be.

use std::fmt::Write as _;

use time::{Duration, OffsetDateTime, UtcOffset, macros::format_description};
use uuid::Uuid;

use super::TestReport;
use crate::causes::{Check, CheckKind, CheckState, Class, Limit, Note, TechnicalDetails, Verdict};
use crate::platforms::CredentialKind;

/// One of the last tests and checks, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastOutcome {
    pub test: Uuid,
    pub at: OffsetDateTime,
    pub class: Class,
}

/// The input of the diagnostics text.
#[derive(Clone, Copy, Debug)]
pub struct DiagnosticsInput<'a> {
    /// `None` if nothing was ever tested.
    pub report: Option<&'a TestReport>,
    /// The kind of the credential; `None` if there is none.
    pub kind: Option<CredentialKind>,
    /// When the credential was saved; `None` if it was only typed.
    pub saved_at: Option<OffsetDateTime>,
    pub now: OffsetDateTime,
    pub outcomes: &'a [PastOutcome],
}

/// Returns the text: plain ASCII, one fact per line.
pub fn text(diagnosed: &DiagnosticsInput<'_>) -> String {
    let DiagnosticsInput { report, outcomes, .. } = *diagnosed;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name}: {value}").expect("String writes never fail");
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
        writeln!(text, "Last outcomes:").expect("String writes never fail");
        for outcome in outcomes {
            writeln!(text, "  {}  {}", moment(outcome.at), outcome.class.as_str()).expect("String writes never fail");
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
    write_details(&verdict.details, line);
    for limit in &verdict.limits {
        if let Limit::ScopesMissing { scopes } = limit {
            line("Missing permissions", &scopes.join(", "));
        }
    }
    for note in &verdict.notes {
        if let Note::OptionalMissing { scopes } = note {
            line("Missing, nice to have", &scopes.join(", "));
        }
    }
}

fn write_details(details: &TechnicalDetails, line: &mut impl FnMut(&str, &str)) {
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
}

fn credential(diagnosed: &DiagnosticsInput<'_>) -> String {
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
    // Only these two are never names: `15 of 17`, `2026-10`.
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

/// Whether a text looks like one of Shopify's ids: hex digits and hyphens, sometimes followed by a time.
fn is_id(text: &str) -> bool {
    (8..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// `15 of 17`.
fn is_count(text: &str) -> bool {
    text.split_once(" of ")
        .is_some_and(|(n, of)| [n, of].iter().all(|n| n.len() < 4 && n.bytes().all(|b| b.is_ascii_digit())))
}

/// Whether a remark is a phrase written by us: letters and blanks, no address.
fn is_phrase(text: &str) -> bool {
    text.len() <= 80 && text.chars().all(|c| c.is_ascii_alphanumeric() || " ,'-()".contains(c))
}

#[cfg(test)]
mod tests;
