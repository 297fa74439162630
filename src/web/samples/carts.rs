//! The list of carts: full, empty, filtered, searched, in an extreme state.

use time::{Duration, macros::datetime};

use super::{LONG, NOW, draw, health, shell, status_view, viewer, with_banner};
use crate::carts::{Sort, Status};
use crate::web::admin::ecommerce::StatusView;
use crate::web::admin::ecommerce::carts::{CartCountsView, CartList, CartRowView, CartTab};
use crate::web::admin::filters::Moment;
use crate::web::admin::shell::Shell;

pub(super) fn pages() -> Vec<(String, String)> {
    let empty = CartList { rows: vec![], is_empty: true, next: None, ..carts(shell()) };
    let attention = CartList { rows: vec![], filter: CartTab::NeedsAttention, next: None, ..carts(shell()) };
    let searched = CartList { rows: vec![], search: LONG.into(), next: None, ..carts(shell()) };
    let mut worst = carts(with_banner("Northwind Tea is deleted.", ""));
    worst.rows[0].name = LONG.into();
    worst.rows[1].name = "2026 متجر".into();
    for row in &mut worst.rows[..2] {
        row.status.unchecked = Some("Not checked since 21 November 2026 at 08:14 UTC".into());
        row.last_checked = Some(Moment::new(datetime!(2026-11-21 08:14 UTC), NOW));
    }
    worst.counts = CartCountsView { active: 100_000, needs_attention: 4000, inactive: 100 };
    vec![
        ("carts".into(), draw(&carts(shell()))),
        ("carts-viewer".into(), draw(&carts(viewer()))),
        ("carts-empty".into(), draw(&empty)),
        ("carts-filtered".into(), draw(&attention)),
        ("carts-searched".into(), draw(&searched)),
        ("carts-worst".into(), draw(&worst)),
    ]
}

/// A list with only this row.
pub(super) fn list_of(row: CartRowView) -> CartList {
    CartList { rows: vec![row], next: None, ..carts(shell()) }
}

pub(super) fn carts(shell: Shell) -> CartList {
    CartList {
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
                status_view(
                    Status::NotConnected,
                    Some("The access token stopped working on 21 November 2026, 17:31 UTC"),
                ),
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
        filter: CartTab::All,
        counts: CartCountsView { active: 3, needs_attention: 2, inactive: 2 },
        sort: Sort::default(),
        search: String::new(),
        is_empty: false,
        previous: None,
        next: Some("/admin/ecommerce?after=x".into()),
    }
}

fn row(name: &str, host: &str, status: StatusView, minutes: Option<i64>) -> CartRowView {
    CartRowView {
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
