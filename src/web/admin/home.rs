//! Admin home: links to what can be managed, and the state of the carts.

use askama::Template;
use axum::extract::State;

use super::error::Error;
use super::page::HtmlPage;
use crate::app::App;
use crate::carts::state::OVERDUE_AFTER;

use super::filters;
use super::{banner::Tone, shell::Shell};
use crate::web::urls;

/// The page; areas that do not exist yet are not listed.
#[derive(Debug, Template)]
#[template(path = "admin/home.html")]
pub struct Home {
    pub shell: Shell,
    pub carts: CartsSummary,
    /// The rows after the first, in page order.
    pub others: Vec<HomeRow>,
}

/// The state of all carts in one phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartsSummary {
    /// The integration is off.
    Off,
    None,
    AllConnected {
        carts: u64,
    },
    /// `of` counts every cart.
    NeedAttention {
        carts: u64,
        of: u64,
    },
    /// No check failed, but checks are overdue: the current state of the carts is unknown.
    NotChecked {
        carts: u64,
    },
    /// Nothing is wrong, but not every cart is connected (drafts, inactive ones).
    SomeConnected {
        carts: u64,
        of: u64,
    },
}

/// Another part of the administration.
#[derive(Clone, Debug)]
pub struct HomeRow {
    pub href: &'static str,
    /// A symbol of the sprite.
    pub icon: &'static str,
    pub name: &'static str,
    pub text: &'static str,
}

impl CartsSummary {
    /// The phrase at the right edge of the row.
    pub fn words(self) -> String {
        let carts_of = |n: u64| if n == 1 { "1 cart".to_owned() } else { format!("{n} carts") };
        match self {
            Self::Off => "Off".into(),
            Self::None => "No carts yet".into(),
            Self::AllConnected { carts } => format!("{}, all connected", carts_of(carts)),
            Self::NotChecked { carts } => format!("{}, not checked lately", carts_of(carts)),
            Self::NeedAttention { carts: 1, of } => format!("1 of {} needs attention", carts_of(of)),
            Self::NeedAttention { carts, of } => format!("{carts} of {} need attention", carts_of(of)),
            Self::SomeConnected { carts, of } => format!("{carts} of {} connected", carts_of(of)),
        }
    }

    const fn tone(self) -> &'static str {
        match self {
            Self::AllConnected { .. } => Tone::Ok.as_str(),
            Self::NeedAttention { .. } => Tone::Warn.as_str(),
            Self::Off | Self::None | Self::SomeConnected { .. } | Self::NotChecked { .. } => "idle",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::AllConnected { .. } => "check",
            Self::NeedAttention { .. } => "warn",
            Self::Off | Self::None | Self::SomeConnected { .. } | Self::NotChecked { .. } => "minus",
        }
    }
}

/// Visible to every user.
const ACTIVITY: HomeRow = HomeRow { href: urls::ACTIVITY, icon: "history", name: "Activity", text: "Who did what." };

/// GET `/admin`.
pub async fn show(State(app): State<App>, shell: Shell) -> Result<HtmlPage<Home>, Error> {
    let is_active = app.integration.is_active().await?;
    let counts = app.carts.counts().await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let (all, attention, connected) =
        (count(counts.all), count(counts.attention), count(counts.active - counts.attention));
    let are_overdue = app.health.lag().await? > OVERDUE_AFTER;
    let carts = match (is_active, all, attention) {
        (_, 0, _) => CartsSummary::None,
        (false, _, _) => CartsSummary::Off,
        (true, _, 1..) => CartsSummary::NeedAttention { carts: attention, of: all },
        (true, _, 0) if are_overdue => CartsSummary::NotChecked { carts: all },
        (true, _, 0) if connected == all => CartsSummary::AllConnected { carts: all },
        (true, _, 0) => CartsSummary::SomeConnected { carts: connected, of: all },
    };
    let users = HomeRow { href: urls::USERS, icon: "user", name: "Users", text: "Who can sign in." };
    let alerts = HomeRow { href: urls::ALERTS, icon: "bell", name: "Alerts", text: "Who gets notified." };
    let keys = HomeRow { href: urls::API_KEYS, icon: "key", name: "API keys", text: "Which programs use your carts." };
    let others = if shell.can_change() { vec![users, alerts, keys, ACTIVITY] } else { vec![ACTIVITY] };
    Ok(HtmlPage::ok(Home { shell, carts, others }))
}
