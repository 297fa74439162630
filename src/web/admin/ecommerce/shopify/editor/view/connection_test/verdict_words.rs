//! Cause and remedy of one class, rendered from its own small file under `verdict/`, which the table of all causes
//! names: a cause without a page does not compile. Knows nothing of requests or of the region around it.

use std::fmt;

use super::TestView;
use crate::causes::{Class, Limit, for_each_cause};
use crate::web::admin::ecommerce::shopify::{PermissionView, handles};
use crate::web::admin::filters;

/// Cause and remedy of one class. In the region its buttons work; the help page has none.
#[derive(Clone, Copy, Debug)]
pub struct VerdictWords<'a> {
    pub class: Class,
    pub test: &'a TestView,
}

macro_rules! pages {
    ($($code:literal $class:ident $module:ident $page:tt,)*) => {
        impl fmt::Display for VerdictWords<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.class {
                    $(Class::$class => fmt::Display::fmt(&pages::$class(*self), f),)*
                }
            }
        }

        /// The template of each class; its variables and methods are those of [`VerdictWords`].
        mod pages {
            use std::ops::Deref;

            use askama::Template;

            use super::{VerdictWords, filters};
            use crate::causes::{ADMIN_PAGE, PASSWORD_PAGE};

            $(
                #[derive(Template)]
                #[template(path = $page)]
                pub(super) struct $class<'a>(pub VerdictWords<'a>);

                impl<'a> Deref for $class<'a> {
                    type Target = VerdictWords<'a>;

                    fn deref(&self) -> &VerdictWords<'a> {
                        &self.0
                    }
                }
            )*
        }
    };
}
for_each_cause!(pages);

impl VerdictWords<'_> {
    /// Who can use the connection of an active cart, and which settings are on.
    fn in_use(&self) -> String {
        let synced = match self.test.synced.as_deref() {
            None => String::new(),
            Some([]) => " No sync setting of this cart is on yet: choose them below.".into(),
            Some(on) => format!(" Switched on: {}.", on.join(", ")),
        };
        format!("Programs with an API key can use this connection.{synced}")
    }

    fn store(&self) -> &str {
        self.test.verdict.store_name(&self.test.host)
    }

    fn missing(&self) -> Vec<PermissionView> {
        self.test.named(self.test.verdict.missing_scopes())
    }

    fn missing_label(&self) -> String {
        match self.missing().len() {
            1 => "Copy the missing permission".into(),
            n => format!("Copy the {n} missing permissions"),
        }
    }

    fn missing_list(&self) -> String {
        handles(&self.missing(), ",")
    }

    fn all_list(&self) -> String {
        handles(&self.test.permissions, ",")
    }

    fn covered(&self) -> String {
        let all = self.test.permissions.len();
        if self.test.verdict.covered >= all {
            return format!("All {all} permissions are in place.");
        }
        let covered = self.test.verdict.covered;
        format!("Every permission that {} needs is in place ({covered} of {all}).", self.test.product)
    }

    fn versions(&self) -> (String, String) {
        let from_limit = self.test.verdict.limits.iter().find_map(|limit| match limit {
            Limit::ApiVersionOld { asked, answered } => Some((asked.clone(), answered.clone())),
            _ => None,
        });
        from_limit.unwrap_or_default()
    }

    fn moved_handle(&self) -> &str {
        let host = self.test.verdict.moved_to.as_deref().unwrap_or_default();
        host.strip_suffix(".myshopify.com").unwrap_or(host)
    }

    fn last_worked(&self) -> Option<String> {
        self.test.verdict.last_worked_at.map(|at| {
            let words = filters::date_time(at);
            words.replacen(", ", " at ", 1)
        })
    }

    fn other_store(&self) -> &str {
        self.test.verdict.other_name.as_deref().unwrap_or("Another cart")
    }

    fn expected_store(&self) -> &str {
        self.test.verdict.other_name.as_deref().or(self.test.cart_name.as_deref()).unwrap_or("another store")
    }

    fn can_act(&self) -> bool {
        !self.test.test_url.is_empty()
    }

    fn wait(&self) -> String {
        duration(self.test.verdict.wait_seconds.unwrap_or(60))
    }

    fn waited(&self) -> String {
        duration(self.test.verdict.waited_seconds.unwrap_or(15))
    }

    /// `CC_NOT_INSTALLED`: Shopify's answer may also mean that Client ID or Client secret is wrong.
    fn is_ambiguous(&self) -> bool {
        self.test.verdict.error_name.as_deref() == Some("invalid_request")
    }

    /// " Store currency: GBP. Time zone: London.", as far as Shopify reported them.
    fn money_and_time(&self) -> String {
        let Some(store) = &self.test.verdict.store else { return String::new() };
        let said = [("Store currency", store.currency.clone()), ("Time zone", store.place())];
        said.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!(" {name}: {value}."))
            .collect()
    }

    /// Short name of the secret that is sent to Shopify.
    fn short(&self) -> &'static str {
        if self.test.kind.is_token() { "token" } else { "secret" }
    }

    fn billing(&self) -> String {
        format!("https://admin.shopify.com/store/{}/settings/billing", self.test.handle)
    }

    fn develop_apps(&self) -> String {
        format!("https://admin.shopify.com/store/{}/settings/apps/development", self.test.handle)
    }
}

/// "20 seconds", "2 minutes", "1 hour"; rounded up, so that a wait never ends before the stated time.
fn duration(seconds: u32) -> String {
    let (count, unit) = match seconds {
        ..=90 => (seconds, "second"),
        91..7_200 if seconds != 3_600 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_shown_in_seconds_minutes_or_hours() {
        for (seconds, told) in [
            (1, "1 second"),
            (60, "60 seconds"),
            (120, "2 minutes"),
            (121, "3 minutes"),
            (3_600, "1 hour"),
            (5_400, "90 minutes"),
            (7_200, "2 hours"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(duration(seconds), told);
        }
    }
}
