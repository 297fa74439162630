//! Platform rule: the name of a platform appears only in the code that is about this platform.

use std::collections::BTreeSet;

use super::source;

/// Where a platform may be named: its own folders, the closed set of platforms, and its stand-in.
const PLACES: [&str; 3] = ["src/platforms/", "src/web/admin/ecommerce/shopify/", "src/practice/"];

/// Other files that still name a platform. A file that stops doing so is removed here; none may be added.
const STILL_NAMING: &[&str] = &[
    "src/alerts/change.rs",
    "src/alerts/email_text.rs",
    "src/alerts/email_text/server.rs",
    "src/alerts/payload.rs",
    "src/alerts/shared_problem.rs",
    "src/app.rs",
    "src/carts/connection_tests.rs",
    "src/carts/connection_tests/record.rs",
    "src/carts/connection_tests/saved.rs",
    "src/carts/diagnostics_text.rs",
    "src/carts/handles.rs",
    "src/carts/health/finding.rs",
    "src/carts/health/mod.rs",
    "src/carts/health/monitor.rs",
    "src/carts/locations.rs",
    "src/carts/settings.rs",
    "src/carts/settings/reason.rs",
    "src/carts/sql/cart_refs.rs",
    "src/carts/sql/connection_tests.rs",
    "src/carts/summary/read.rs",
    "src/carts/token_issue.rs",
    "src/carts/token_refresh.rs",
    "src/causes/address_refused.rs",
    "src/causes/api_version_old.rs",
    "src/causes/cc_not_installed.rs",
    "src/causes/cc_refused.rs",
    "src/causes/cc_wrong_org.rs",
    "src/causes/customer_details_hidden.rs",
    "src/causes/facts.rs",
    "src/causes/mod.rs",
    "src/causes/network_timeout.rs",
    "src/causes/not_allowed.rs",
    "src/causes/not_shopify.rs",
    "src/causes/our_key.rs",
    "src/causes/rate_limited.rs",
    "src/causes/request_rejected.rs",
    "src/causes/scopes_missing.rs",
    "src/causes/shopify_down.rs",
    "src/causes/store_frozen.rs",
    "src/causes/store_locked.rs",
    "src/causes/store_moved.rs",
    "src/causes/store_not_found.rs",
    "src/causes/token_kind_refused.rs",
    "src/causes/token_refused.rs",
    "src/causes/verdict.rs",
    "src/cli/doctor.rs",
    "src/cli/keys.rs",
    "src/cli/reload.rs",
    "src/cli/serve.rs",
    "src/cli/worker.rs",
    "src/config/outbound.rs",
    "src/config/serve.rs",
    "src/outbound/egress_addresses.rs",
    "src/urls.rs",
    "src/web/admin/activity/entry.rs",
    "src/web/admin/activity/mod.rs",
    "src/web/admin/activity/words.rs",
    "src/web/admin/ecommerce/carts.rs",
    "src/web/admin/ecommerce/mod.rs",
    "src/web/admin/filters.rs",
    "src/web/admin/help.rs",
    "src/web/api/v1/carts/body.rs",
    "src/web/api/v1/carts/list.rs",
    "src/web/api/v1/carts/submission.rs",
    "src/web/api/v1/changes.rs",
    "src/web/api/v1/table.rs",
    "src/web/api/v1/token.rs",
    "src/web/frame/host_check.rs",
    "src/web/routes.rs",
    "src/worker.rs",
];

/// Whether the code names a platform; comments do not count.
fn names_a_platform(text: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| line.to_lowercase().contains("shopify"))
}

#[test]
fn no_further_file_names_a_platform() {
    assert!(names_a_platform("let x = 1;\n    use crate::platforms::shopify::scopes;"), "the rule misses an import");
    assert!(names_a_platform("\"Orders are safe in Shopify\"") && !names_a_platform("/// Shopify answers so.\nlet x;"));
    let is_elsewhere = |file: &str| !PLACES.iter().any(|place| file.starts_with(place));
    let found: BTreeSet<String> = source::files()
        .into_iter()
        .filter(|(file, text)| is_elsewhere(file) && names_a_platform(text))
        .map(|(file, _)| file)
        .collect();
    let known: BTreeSet<String> = STILL_NAMING.iter().map(|&file| file.to_owned()).collect();
    let (new, gone): (Vec<_>, Vec<_>) = (found.difference(&known).collect(), known.difference(&found).collect());
    let count = found.len();
    assert!(new.is_empty(), "{count} files name a platform; reach it through src/platforms/mod.rs instead: {new:#?}");
    assert!(gone.is_empty(), "{count} files name a platform; take out of STILL_NAMING: {gone:#?}");
}
