//! Turns Shopify's response into a verdict.

use std::time::{Duration, Instant};

use super::super::address::StoreAddress;
use super::super::answer::{FailedAnswer, Installed};
use super::super::{API_VERSION, scopes};
use super::TestedStore;
use super::check_reporter::{CheckReporter, CheckTimes};
use crate::causes::{CheckKind, CheckState, Class, Limit, Note, TechnicalDetails, Verdict};

pub(super) fn judged(
    installed: Installed,
    subject: &TestedStore<'_>,
    details: TechnicalDetails,
    took: &CheckTimes,
    lines: &mut CheckReporter<'_>,
) -> Verdict {
    use CheckKind::{Credential, Permissions, Store, Version};
    let Installed { store, scopes: granted } = installed;
    lines.tell(Store, CheckState::Passed, None, took.store_ms);
    let mut verdict = Verdict { details, covered: scopes::covered(&granted), ..Verdict::of(Class::Connected) };
    if subject.expected_shop_id.is_some_and(|expected| expected != store.shop_id) {
        let found = Class::WrongStore.failed_line(true).to_owned();
        lines.tell(Credential, CheckState::Failed, Some(found), took.credential_ms);
        lines.skip(&[Permissions, Version]);
        return Verdict { class: Class::WrongStore, store: Some(store), covered: 0, ..verdict };
    }
    lines.tell(Credential, CheckState::Passed, Some(store.introduced()), took.credential_ms);
    judge_permissions(&granted, store.is_plus, &mut verdict, lines);
    judge_version(&mut verdict, lines);
    let own_name = StoreAddress::from_host(&store.myshopify_domain.to_ascii_lowercase());
    if let Some(other) = own_name.filter(|own| own != subject.address) {
        verdict.notes.push(Note::OtherName { host: other.host() });
    }
    verdict.granted = granted;
    verdict.store = Some(store);
    verdict
}

fn judge_permissions(granted: &[String], is_plus: bool, verdict: &mut Verdict, lines: &mut CheckReporter<'_>) {
    let names = |permissions: Vec<&scopes::AppPermission>| -> Vec<String> {
        permissions.into_iter().map(|permission| permission.scope.to_owned()).collect()
    };
    let missing = names(scopes::missing_needed(granted, is_plus));
    let nice = names(scopes::missing_optional(granted, is_plus));
    let extra = scopes::extra(granted).len();
    let state = if missing.is_empty() { CheckState::Passed } else { CheckState::Failed };
    let found = format!("{} of {}", verdict.covered, scopes::PERMISSIONS.len());
    lines.tell(CheckKind::Permissions, state, Some(found), None);
    if !missing.is_empty() {
        verdict.limits.push(Limit::ScopesMissing { scopes: missing });
    }
    if extra > 0 {
        verdict.notes.push(Note::ExtraScopes { count: extra });
    }
    if !nice.is_empty() {
        verdict.notes.push(Note::OptionalMissing { scopes: nice });
    }
}

/// Shopify answers from a newer version without an error. Only a header shows it, and a missing header shows nothing.
fn judge_version(verdict: &mut Verdict, lines: &mut CheckReporter<'_>) {
    let answered = verdict.details.api_version_answered.clone().unwrap_or_else(|| API_VERSION.to_owned());
    let state = if answered == API_VERSION { CheckState::Passed } else { CheckState::Failed };
    lines.tell(CheckKind::Version, state, Some(answered.clone()), None);
    if state == CheckState::Failed {
        verdict.limits.push(Limit::ApiVersionOld { asked: API_VERSION.to_owned(), answered });
    }
}

pub(super) fn refused(
    refusal: FailedAnswer,
    details: TechnicalDetails,
    began: Instant,
    took: &CheckTimes,
    lines: &mut CheckReporter<'_>,
) -> Verdict {
    use CheckKind::{Credential, Permissions, Store, Version};
    let found = Some(refusal.class.failed_line(details.status.is_some()).to_owned());
    match refusal.class.failed_check() {
        Some(Store) => {
            lines.tell(Store, CheckState::Failed, found, took.store_ms);
            lines.skip(&[Credential, Permissions, Version]);
        }
        Some(_) => {
            lines.tell(Store, CheckState::Passed, None, took.store_ms);
            lines.tell(Credential, CheckState::Failed, found, took.credential_ms);
            lines.skip(&[Permissions, Version]);
        }
        None => {
            let reached = if details.status.is_some() { CheckState::Passed } else { CheckState::NotChecked };
            lines.tell(Store, reached, None, took.store_ms);
            lines.skip(&[Credential, Permissions, Version]);
        }
    }
    let waited = (refusal.class == Class::NetworkTimeout).then(|| seconds(began.elapsed()));
    Verdict {
        moved_to: refusal.moved_to.map(|address| address.host()),
        wait_seconds: refusal.wait_seconds,
        error_name: refusal.error_name,
        waited_seconds: waited,
        details: TechnicalDetails { remark: refusal.remark.map(str::to_owned), ..details },
        ..Verdict::of(refusal.class)
    }
}

/// Whole seconds, rounded, at least one.
fn seconds(waited: Duration) -> u32 {
    u32::try_from((waited.as_millis() + 500) / 1000).unwrap_or(u32::MAX).max(1)
}
