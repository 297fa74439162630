//! Which programs use the connection of a cart, in a line on its pages.

use askama::Template;

use crate::{
    app::App,
    carts::{Cart, state::CartFacts, token_issue::TokenUse},
    web::admin::{error::Error, filters::Moment, shell::Shell},
};

/// The line. Rendered with `{{ programs|safe }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_programs.html")]
pub struct ProgramsLine {
    /// The programs that got the token, the last one first.
    pub programs: Vec<ProgramUseView>,
    /// Whether to say how often.
    pub has_counts: bool,
    /// Whether the user may make an API key.
    pub offers_key: bool,
}

/// One program.
#[derive(Clone, Debug)]
pub struct ProgramUseView {
    pub name: String,
    pub last: Moment,
    /// In the last 24 hours.
    pub times_a_day: i64,
}

impl ProgramsLine {
    /// The last program that got the token of a cart that is in use, or that none has asked yet; `None` for other carts.
    pub async fn of_connection(app: &App, shell: &Shell, cart: &Cart) -> Result<Option<Self>, Error> {
        let now = app.clock.now();
        let is_on = app.integration.is_active().await?;
        if !CartFacts::of_cart(cart, is_on, app.site.practices(), now).state().checks.are_on() {
            return Ok(None);
        }
        let programs = app.tokens.uses(cart.id).await?.into_iter().take(1).map(|one| view(one, now)).collect();
        Ok(Some(Self { programs, has_counts: false, offers_key: shell.can_change() }))
    }

    /// How often each program got the token; `None` if none has.
    pub async fn of_activity(app: &App, cart: &Cart) -> Result<Option<Self>, Error> {
        let uses = app.tokens.uses(cart.id).await?;
        let now = app.clock.now();
        let programs: Vec<_> = uses.into_iter().map(|one| view(one, now)).collect();
        Ok((!programs.is_empty()).then_some(Self { programs, has_counts: true, offers_key: false }))
    }
}

fn view(one: TokenUse, now: time::OffsetDateTime) -> ProgramUseView {
    ProgramUseView { name: one.program, last: Moment::new(one.last_at, now), times_a_day: one.times_a_day }
}

impl ProgramUseView {
    /// "once", "14 times".
    fn times(&self) -> String {
        if self.times_a_day == 1 { "once".into() } else { format!("{} times", self.times_a_day) }
    }
}
