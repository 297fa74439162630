//! The question before the switch of the whole integration moves. GET asks, POST does.

use askama::Template;

use crate::web::filters;
use crate::web::shell::Shell;

/// Posts `csrf`, `confirmed` (`yes`) and, to turn on, `active` (`on`) and `next` (`add`) to `/admin/ecommerce/switch`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/switch.html")]
pub struct Switch {
    pub shell: Shell,
    pub ask: SwitchAsk,
}

/// Which way, and why it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchAsk {
    /// `carts` are active now.
    TurnOff { carts: u64 },
    /// Add Cart was pressed while the integration is off.
    TurnOnToAdd,
}

impl Switch {
    const fn question(&self) -> &'static str {
        match self.ask {
            SwitchAsk::TurnOff { .. } => "Turn off Ecommerce Integration?",
            SwitchAsk::TurnOnToAdd => "Turn on Ecommerce Integration to add a cart",
        }
    }

    fn text(&self) -> String {
        match self.ask {
            SwitchAsk::TurnOff { carts } => format!(
                "Orders, stock and products stop syncing for {carts} {}, and nothing is checked. Your settings are kept.",
                if carts == 1 { "cart" } else { "carts" }
            ),
            SwitchAsk::TurnOnToAdd => "Nothing syncs until a cart of yours is active.".into(),
        }
    }
}
