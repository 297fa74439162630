//! Bulk actions and confirmations: many carts at once, turning off, a conflict, disconnecting, deleting.

use time::Duration;

use super::{LONG, NOW, draw, head, shell};
use crate::carts::Status;
use crate::carts::bulk::{BulkAction, BulkActionId, BulkActionKind as JobKind};
use crate::web::admin::ecommerce::bulk::{Bulk, BulkAsk};
use crate::web::admin::ecommerce::shopify::Kind;
use crate::web::admin::ecommerce::shopify::deletion::DeletionPage;
use crate::web::admin::ecommerce::shopify::disconnection::Disconnection;
use crate::web::admin::ecommerce::shopify::editor::view::conflict::{ConflictPage, ConflictRow};
use crate::web::admin::ecommerce::switch::{Switch, SwitchAsk};
use crate::web::admin::filters::Moment;

pub(super) fn pages() -> Vec<(String, String)> {
    let conflict = |is_deleted, is_own| ConflictPage {
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
        is_own,
        hidden: vec![("website_name".into(), LONG.into()), ("version".into(), "5".into())],
    };
    let cart = || head(Status::Connected, None);
    let job = |done, is_finished| BulkAction {
        id: BulkActionId(uuid::Uuid::nil()),
        kind: JobKind::Test,
        made_by: "Priya Shah".into(),
        total: 41,
        is_cancelled: false,
        is_finished,
        outcomes: [("connected".to_owned(), done), ("limited".to_owned(), 2), ("not-connected".to_owned(), 1)].into(),
    };
    let bulk = |done, is_finished| Bulk { shell: shell(), job: job(done, is_finished) };
    let hidden = || vec![("deed", "turn-off".into()), ("q", LONG.into())];
    let ask = |kind| BulkAsk { shell: shell(), kind, carts: 41, hidden: hidden() };
    vec![
        ("bulk-running".into(), draw(&bulk(20, false))),
        ("bulk-done".into(), draw(&bulk(38, true))),
        ("bulk-ask".into(), draw(&ask(JobKind::TurnOff))),
        ("bulk-ask-test".into(), draw(&ask(JobKind::Test))),
        ("switch-off".into(), draw(&Switch { shell: shell(), ask: SwitchAsk::TurnOff { carts: 2 } })),
        ("switch-on".into(), draw(&Switch { shell: shell(), ask: SwitchAsk::TurnOnToAdd })),
        ("conflict".into(), draw(&conflict(false, false))),
        ("conflict-own".into(), draw(&conflict(false, true))),
        ("conflict-deleted".into(), draw(&conflict(true, false))),
        ("conflict-deleted-own".into(), draw(&conflict(true, true))),
        (
            "disconnection".into(),
            draw(&Disconnection { shell: shell(), cart: cart(), kind: Kind::AccessToken, version: 4 }),
        ),
        (
            "deletion".into(),
            draw(&DeletionPage { shell: shell(), cart: cart(), kind: Kind::ClientCredentials, version: 4 }),
        ),
    ]
}
