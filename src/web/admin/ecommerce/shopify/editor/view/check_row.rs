//! A check as text: a row of the result, and the same row as it streams in while the test runs.

use askama::Template;

use crate::causes::{Check, CheckKind, CheckState, Store};
use crate::web::admin::ecommerce::shopify::Kind;
use crate::web::admin::filters;

/// One finished check of a streamed response; contains a line feed only at its end.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_check.html")]
pub struct CheckLine {
    pub check: Check,
    pub kind: Kind,
    /// Known from the third check on.
    pub store: Option<Store>,
    pub permission_count: usize,
}

impl CheckLine {
    /// Renders a line that ends with exactly one line feed, because `app.js` splits there.
    pub fn line(&self) -> askama::Result<String> {
        let mut html = self.render()?.replace('\n', " ");
        html.push('\n');
        Ok(html)
    }

    fn view(&self) -> CheckView {
        CheckView::new(&self.check, self.kind, self.store.as_ref(), self.permission_count)
    }
}

/// A check as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    pub(super) name: &'static str,
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) words: String,
    pub(super) time: Option<String>,
}

impl CheckView {
    pub(super) fn new(check: &Check, kind: Kind, store: Option<&Store>, permissions: usize) -> Self {
        let limits = matches!(check.kind, CheckKind::Permissions | CheckKind::Version | CheckKind::Customers);
        let (tone, icon) = match check.state {
            CheckState::Passed => ("ok", "check"),
            CheckState::Failed if limits => ("warn", "warn"),
            CheckState::Failed => ("bad", "x"),
            CheckState::NotChecked => ("idle", "dot"),
        };
        let time = check.took_ms.filter(|_| check.state != CheckState::NotChecked).map(filters::duration);
        Self { name: check.kind.as_str(), tone, icon, words: words(check, kind, store, permissions), time }
    }
}

fn words(check: &Check, kind: Kind, store: Option<&Store>, permissions: usize) -> String {
    let found = check.found.as_deref().unwrap_or_default();
    let of_all = || if found.is_empty() { format!("{permissions} of {permissions}") } else { found.to_owned() };
    match (check.kind, check.state) {
        (CheckKind::Address, CheckState::Passed) => "Address understood".into(),
        (CheckKind::Address, _) => "Address".into(),
        (CheckKind::Store, CheckState::Passed) => "Store reached".into(),
        (CheckKind::Store, CheckState::Failed) if found.is_empty() => "Store not reached".into(),
        (CheckKind::Store, CheckState::Failed) => found.into(),
        (CheckKind::Store, CheckState::NotChecked) => "Store".into(),
        (CheckKind::Credential, CheckState::Passed) => match store {
            _ if !found.is_empty() => format!("{} accepted: {found}", kind.noun_first()),
            Some(store) => format!("{} accepted: {}", kind.noun_first(), store.introduced()),
            None => format!("{} accepted", kind.noun_first()),
        },
        (CheckKind::Credential, CheckState::Failed) => {
            format!("{} {}", kind.noun_first(), if found.is_empty() { "not accepted" } else { found })
        }
        (CheckKind::Credential, CheckState::NotChecked) => kind.noun_first().into(),
        (CheckKind::Permissions, CheckState::NotChecked) => "Permissions".into(),
        (CheckKind::Permissions, _) => format!("{} permissions", of_all().trim_end_matches(" permissions")),
        (CheckKind::Version, CheckState::Passed) => format!("API version {found}"),
        (CheckKind::Version, CheckState::Failed) => format!("Answered as {found}"),
        (CheckKind::Version, CheckState::NotChecked) => "API version".into(),
        (CheckKind::Customers, CheckState::Passed) => "Customer details visible".into(),
        (CheckKind::Customers, CheckState::Failed) => "Customer details hidden".into(),
        (CheckKind::Customers, CheckState::NotChecked) => "Customer details".into(),
    }
}
