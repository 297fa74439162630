//! Help: both guides, the five statuses, what each message means. Uses the texts of the pages themselves, rendered for
//! a store that does not exist, so that they cannot drift apart.

use askama::Template;
use axum::extract::State;
use time::OffsetDateTime;

use super::ecommerce::shopify::editor::view::connection_test::verdict_words::VerdictWords;
use super::ecommerce::shopify::editor::view::connection_test::{TestView, TestedState};
use super::ecommerce::shopify::editor::view::egress_list::EgressList;
use super::ecommerce::shopify::editor::view::guide::Guide;
use super::filters;
use super::page::HtmlPage;
use super::shell::Shell;
use crate::app::App;
use crate::carts::Status;
use crate::causes::{Class, Limit, Verdict};
use crate::web::admin::ecommerce::shopify::permissions;
use crate::web::admin::ecommerce::shopify::{Kind, PermissionView};

/// The help page; readable before sign-in too.
#[derive(Debug, Template)]
#[template(path = "help.html")]
pub struct Help {
    pub shell: Shell,
    /// With `is_reference` set.
    pub guide: Guide,
    pub messages: Vec<TestView>,
}

impl Help {
    /// The page for this product and these 17 permissions.
    pub fn new(shell: Shell, permissions: Vec<PermissionView>, now: OffsetDateTime) -> Self {
        let explained = Class::ALL.into_iter().filter(|class| *class != Class::Connected);
        let messages = explained.map(|class| example_result(class, &shell, &permissions, now)).collect();
        let guide = Guide {
            product: shell.product.clone(),
            handle: None,
            permissions,
            token_done: [false; 4],
            client_done: [false; 4],
            is_folded: false,
            is_reference: true,
            egress: EgressList::of(&shell),
        };
        Self { shell, guide, messages }
    }

    fn words(message: &TestView) -> VerdictWords<'_> {
        VerdictWords { class: message.verdict.class, test: message }
    }
}

/// A test of a store that does not exist, with this outcome and without working buttons.
fn example_result(class: Class, shell: &Shell, permissions: &[PermissionView], now: OffsetDateTime) -> TestView {
    let limits = match class {
        Class::ScopesMissing => {
            let scopes = permissions.iter().filter(|one| one.is_needed).take(2).map(|one| one.scope.clone()).collect();
            vec![Limit::ScopesMissing { scopes }]
        }
        Class::CustomerDetailsHidden => vec![Limit::CustomerDetailsHidden],
        Class::ApiVersionOld => vec![Limit::ApiVersionOld { asked: "2026-10".into(), answered: "2026-07".into() }],
        _ => Vec::new(),
    };
    let verdict = Verdict {
        class,
        limits,
        moved_to: (class == Class::StoreMoved).then(|| "new-name.myshopify.com".into()),
        wait_seconds: Some(30),
        ..Verdict::of(class)
    };
    TestView {
        verdict,
        host: "your-store.myshopify.com".into(),
        handle: "your-store".into(),
        cart_name: None,
        kind: Kind::AccessToken,
        product: shell.product.clone(),
        support: shell.support.clone(),
        egress: EgressList::of_result(shell),
        tested_at: now,
        reference: String::new(),
        standing: TestedState::Unsaved,
        synced: None,
        may_be_day_token: true,
        permissions: permissions.to_vec(),
        test_url: String::new(),
        done: [false; 4],
        is_fresh: false,
        changed: None,
        diagnostics: String::new(),
    }
}

/// GET `/help`; readable before sign-in too.
pub async fn show(State(app): State<App>, shell: Shell) -> HtmlPage<Help> {
    HtmlPage::ok(Help::new(shell, permissions(), app.clock.now()))
}
