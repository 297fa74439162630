//! The tab Health: never checked, healthy, failing.

use time::{Date, Duration};

use super::{LONG, NOW, draw, head, shell, verdicts::store, viewer};
use crate::carts::health::{HealthDay, PastCheck};
use crate::web::admin::banner::Tone;
use crate::web::admin::charts::{DayChart, LineChart};
use crate::web::admin::ecommerce::shopify::health::words::Action;
use crate::web::admin::ecommerce::shopify::health::{
    CheckRow, DayRow, Fact, HealthPage, LastCheck, ProblemRow, TroubleView,
};
use crate::web::admin::filters::Moment;
use crate::{carts::Status, causes::Class};

fn checks() -> Vec<PastCheck> {
    let check = |n: u32| {
        let is_bad = matches!(n, 12..=14);
        let class = if is_bad { Class::ShopifyDown } else { Class::Connected };
        let took_ms = (!is_bad).then_some(if n == 20 { 1249 } else { 180 + n * 37 % 60 });
        PastCheck { at: NOW - Duration::minutes(15 * i64::from(30 - n)), class, took_ms }
    };
    (0..30).map(check).collect()
}

/// The sparkline of those checks.
pub(super) fn line(height: i32) -> Option<LineChart> {
    LineChart::of(&checks(), height)
}

fn days() -> Vec<HealthDay> {
    let today: Date = NOW.date();
    let day = |ago: i64| HealthDay {
        day: today - Duration::days(ago),
        checks: 96,
        failed: match ago {
            2 => 3,
            40 => 96,
            _ => 0,
        },
        slowest_ms: Some(1249),
    };
    (0..80).map(day).collect()
}

fn empty() -> HealthPage {
    HealthPage {
        diagnostics: "Reference 0198f3\nClass CONNECTED".into(),
        shell: shell(),
        cart: head(Status::Connected, None),
        plan: "Checked every 15 minutes.",
        no_checks: "No checks yet. The first runs in a few minutes.",
        last: None,
        can_check: true,
        trouble: None,
        strip: DayChart::of(&[], NOW.date()),
        share: None,
        line: None,
        times: None,
        facts: vec![
            Fact { before: format!("Store {}", store().name), at: None, after: String::new() },
            Fact {
                before: "Token renewed ".into(),
                at: Some(Moment::new(NOW - Duration::hours(3), NOW)),
                after: ", next before 15:30 UTC".into(),
            },
        ],
        problems: vec![],
        checks: vec![],
        days: vec![],
    }
}

fn well() -> HealthPage {
    let row = |check: &PastCheck| CheckRow {
        at: Moment::new(check.at, NOW),
        passed: check.passed(),
        title: if check.passed() { "Passed".into() } else { "Shopify has a problem at the moment".into() },
        took: check.took_ms.map(crate::web::admin::filters::duration),
    };
    HealthPage {
        last: Some(LastCheck { at: Moment::new(NOW - Duration::minutes(2), NOW), what: "212 ms".into() }),
        strip: DayChart::of(&days(), NOW.date()),
        share: Some("99.6%".into()),
        line: line(96),
        times: Some("typical 198 ms, slowest 1.2 s".into()),
        problems: vec![ProblemRow {
            began: Moment::exactly(NOW - Duration::days(2)),
            ended: Some(Moment::exactly(NOW - Duration::days(2) + Duration::minutes(40))),
            lasted: "40 minutes".into(),
            title: "Shopify has a problem at the moment".into(),
            how: "Ended by itself".into(),
        }],
        checks: checks().iter().map(row).collect(),
        days: vec![DayRow { day: "21 November 2026".into(), checks: 96, failed: 3, slowest: Some("1.2 s".into()) }],
        ..empty()
    }
}

fn failing(action: Action) -> HealthPage {
    let mut cart = head(Status::NotConnected, Some("The access token stopped working 3 hours ago"));
    cart.name = LONG.into();
    let replace = vec![("website_name", LONG.to_owned()), ("version", "5".to_owned())];
    HealthPage {
        cart,
        trouble: Some(TroubleView {
            tone: Tone::Bad,
            title: "Orders stopped coming in at 08:14 UTC".into(),
            sentences: vec!["The access token stopped working. Check that the app is still installed.".into()],
            action: Some(action),
            replace: ("Replace token", replace),
        }),
        ..well()
    }
}

pub(super) fn pages() -> Vec<(String, String)> {
    let out = Action::Out { href: "https://help.shopify.com".into(), text: "Shopify Help Center" };
    vec![
        ("health-empty".into(), draw(&empty())),
        ("health".into(), draw(&well())),
        ("health-failing".into(), draw(&failing(Action::Replace))),
        ("health-locked".into(), draw(&failing(out))),
        ("health-viewer".into(), draw(&HealthPage { shell: viewer(), can_check: false, ..well() })),
    ]
}
